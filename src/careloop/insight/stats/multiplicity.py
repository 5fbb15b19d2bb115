"""Several questions at once: p-values put right for how many were asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from careloop.insight.errors import InputError

Doubles = NDArray[np.float64]


def correct_by_holm(p_values: ArrayLike) -> Doubles:
    """Return p-values such that calling those below 5 % real is wrong anywhere in at most 5 % of all families of questions.

    Parameters
    ----------
    p_values : array_like, shape (n_questions,), 0–1

    Returns
    -------
    ndarray of float64, shape (n_questions,), 0–1
        In the order given.

    Raises
    ------
    InputError
        When a value is not within 0–1.

    References
    ----------
    Holm 1979, A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> correct_by_holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    return _correct(p_values, lambda rising: np.maximum.accumulate(rising * np.arange(len(rising), 0, -1)))


def correct_by_benjamini_hochberg(p_values: ArrayLike) -> Doubles:
    """Return p-values such that of those called real below 5 % at most 5 % are not, on average.

    Parameters
    ----------
    p_values : array_like, shape (n_questions,), 0–1
        Of independent or positively dependent questions.

    Returns
    -------
    ndarray of float64, shape (n_questions,), 0–1
        In the order given.

    Raises
    ------
    InputError
        When a value is not within 0–1.

    References
    ----------
    Benjamini & Hochberg 1995, Controlling the false discovery rate.

    Examples
    --------
    >>> correct_by_benjamini_hochberg([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.04, 0.04]
    """
    return _correct(p_values, lambda rising: np.minimum.accumulate((rising * len(rising) / np.arange(1, len(rising) + 1))[::-1])[::-1])


def _correct(p_values: ArrayLike, correct_rising: Callable[[Doubles], Doubles]) -> Doubles:
    """Return what a rule for rising p-values makes of them, in the order given and at most 1."""
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise InputError("A p-value is not within 0–1; give one probability for each question.")
    order = np.argsort(values, kind="stable")
    found = np.empty(len(values))
    found[order] = np.minimum(correct_rising(values[order]), 1.0)
    return found
