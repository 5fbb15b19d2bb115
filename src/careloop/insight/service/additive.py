"""Log-odds as a sum over columns, each with its own curve: quick to learn, and every estimate can be taken apart.

Words are steps, numbers lines in standard deviations; long-tailed numbers count by their logarithm. Bent numbers may change their slope at
three of their quantiles. A penalty keeps all of it near 0, rare words above all.

References
----------
Hastie & Tibshirani 1986, Generalized additive models. Hoerl & Kennard 1970, Ridge regression (the penalty). Lou, Caruana & Gehrke 2012,
Intelligible models for classification and regression (sums of curves do nearly as well as forests of trees).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from careloop.insight.errors import ModelError
from careloop.insight.service.columns import Coding, Table, is_number, read_numbers

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LONG_TAIL = 3.0  # 95th percentile over median
_BENDS = (0.25, 0.5, 0.75)
_LEAST_VALUES = 10  # different ones that a number needs to be bent
_ROUNDS = 200


@dataclass(frozen=True)
class Curves:
    """How columns become a matrix of lines and bends.

    Attributes
    ----------
    coding : Coding
        After long tails were shortened.
    tails : mapping of str to float
        Long-tailed numbers ≥ 0: they count as log(1 + number / this).
    bends : mapping of str to tuple of float
        Where a number's slope may change, in standard deviations from its median.
    """

    coding: Coding
    tails: Mapping[str, float]
    bends: Mapping[str, tuple[float, ...]]

    @classmethod
    def learn(cls, table: Table, *, least_count: int) -> Curves:
        """Return the curves that these rows, mapping of str to sequence, have room for; `least_count` rows make a word's own step."""
        tails = {name: middle for name, values in table.items() if (middle := _find_tail(values)) > 0}
        shortened = _shorten(table, tails)
        coding = Coding.learn(shortened, least_count=least_count)
        lines = coding.apply(shortened, is_scaled=True)
        bends = {}
        for place, name in enumerate(coding.middles):
            if len(np.unique(lines[:, place])) >= _LEAST_VALUES:
                bends[name] = tuple(float(one) for one in np.unique(np.quantile(lines[:, place], _BENDS)))
        return cls(coding, tails, bends)

    def apply(self, table: Table) -> Doubles:
        """Return the matrix, shape (n_rows, n_features): `n_straight` columns of lines and steps, then the bends."""
        lines = self.coding.apply(_shorten(table, self.tails), is_scaled=True)
        places = {name: place for place, name in enumerate(self.coding.middles)}
        bent = [np.maximum(lines[:, places[name]] - where, 0.0) for name, wheres in self.bends.items() for where in wheres]
        return np.column_stack([lines, *bent])

    @property
    def n_straight(self) -> int:
        """How many columns of the matrix come before the bends."""
        return len(self.coding.features)

    @property
    def columns(self) -> list[str]:
        """Which column given each column of the matrix comes from."""
        return [one.column for one in self.coding.features] + [name for name, wheres in self.bends.items() for _ in wheres]

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers; `from_json` turns them back."""
        bends = {name: list(wheres) for name, wheres in self.bends.items()}
        return {"coding": self.coding.to_json(), "tails": dict(self.tails), "bends": bends}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Curves:
        """Return the curves that `to_json` made.

        Raises
        ------
        ModelError
            When a part is missing.
        """
        try:
            bends = {str(name): tuple(wheres) for name, wheres in stored["bends"].items()}
            return cls(Coding.from_json(stored["coding"]), dict(stored["tails"]), bends)
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"Stored curves lack a part ({error}); learn the model again.") from error


@dataclass(frozen=True)
class Candidate:
    """A way to learn weights: with bends or lines only, and how strong the penalty is (scikit-learn's C: one over it)."""

    is_bent: bool
    strength: float

    @property
    def name(self) -> str:
        """“bent, C = 0.1”."""
        return f"{'bent' if self.is_bent else 'straight'}, C = {self.strength:g}"

    def learn(self, features: Doubles, answers: Bools, n_straight: int) -> Doubles:
        """Return a constant and a weight for each feature, shape (n_features + 1,); those of bends are 0 when it is straight."""
        used = features if self.is_bent else features[:, :n_straight]
        model = LogisticRegression(C=self.strength, max_iter=_ROUNDS, solver="newton-cholesky").fit(used, answers)
        found = np.zeros(features.shape[1] + 1)
        found[0], found[1 : 1 + used.shape[1]] = model.intercept_[0], model.coef_[0]
        return found


CANDIDATES = (Candidate(False, 0.03), Candidate(False, 0.1), Candidate(False, 0.5), Candidate(True, 0.03), Candidate(True, 0.3))


def score_rows(weights: Doubles, features: Doubles) -> Doubles:
    """Return log-odds, shape (n_rows,)."""
    return np.asarray(weights[0] + features @ weights[1:])


def _find_tail(values: Sequence[Any]) -> float:
    """Return the median of numbers ≥ 0 with a long tail; 0 for all other columns."""
    if not is_number(values):
        return 0.0
    numbers = read_numbers(values)
    known = numbers[np.isfinite(numbers)]
    if not len(known) or known.min() < 0:
        return 0.0
    middle, far = np.quantile(known, [0.5, 0.95])
    return float(middle) if far > _LONG_TAIL * middle else 0.0


def _shorten(table: Table, tails: Mapping[str, float]) -> dict[str, Any]:
    shortened: dict[str, Any] = dict(table)
    for name in tails:
        shortened[name] = np.log1p(np.maximum(read_numbers(table[name]), 0.0) / tails[name])
    return shortened
