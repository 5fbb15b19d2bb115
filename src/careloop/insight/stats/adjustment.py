"""Effects of what was not given by lot, or not evenly: before and after beside a comparison group, and with other causes held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, ndtr, stdtr, stdtrit

from careloop.insight.errors import InputError, Sentence
from careloop.insight.stats.intervals import Z_95
from careloop.insight.stats.regression import fit_linear, fit_logistic

Doubles = NDArray[np.float64]
LEAST_IN_CELL = 2
LEAST_CLUSTERS = 4


@dataclass(frozen=True)
class Adjusted:
    """An effect with its uncertainty.

    Attributes
    ----------
    effect : float
        With what was tried minus without, in the outcome's unit (shares: as a difference of shares).
    error : float
        Standard error.
    low, high : float
        95 % interval.
    p : float
        Two-sided, of no effect, 0–1.
    n : int
        Rows used.
    """

    effect: float
    error: float
    low: float
    high: float
    p: float
    n: int


@dataclass(frozen=True)
class BeforeAfter(Adjusted):
    """A difference of differences.

    Attributes
    ----------
    averages : ((float, float), (float, float))
        Before and after: first of the compared, then of those to whom it happened.
    sizes : ((int, int), (int, int))
        Rows behind them.
    """

    averages: tuple[tuple[float, float], tuple[float, float]]
    sizes: tuple[tuple[int, int], tuple[int, int]]


def difference_in_differences(
    outcome: ArrayLike, is_treated: ArrayLike, is_after: ArrayLike, *, clusters: ArrayLike | None = None
) -> BeforeAfter:
    """Return how much more those changed to whom something happened than those to whom it did not.

    Parameters
    ----------
    outcome : array_like, shape (n,)
        Numbers, or 0 and 1 for a share.
    is_treated, is_after : array_like of bool, shape (n,)
        Whether it happened to the row's group at all, and whether the row is from afterwards.
    clusters : array_like, shape (n,), optional
        What rows belong to that go up and down together: customers, agents, weeks of a group. Without it rows count as independent.

    Raises
    ------
    InputError
        When shapes differ, a value is not finite, one of the four cells holds fewer than two rows, or there are fewer than four
        clusters (where each lies in one cell: fewer than two in a cell).

    Notes
    -----
    Both groups would have changed alike without it: that is taken for granted here; `compare_trends` looks at it.

    References
    ----------
    Card & Krueger 1994, Minimum wages and employment; Bertrand, Duflo & Mullainathan 2004, How much should we trust
    differences-in-differences estimates?; Liang & Zeger 1986 (errors by cluster, corrected for few, with t of clusters − 1;
    where each lies in one cell, corrected cell by cell, with t of clusters − 4); MacKinnon & White 1985 (HC3, without clusters).

    Examples
    --------
    >>> found = difference_in_differences([1, 2, 2, 3, 1, 2, 5, 6], [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1])
    >>> found.effect, found.averages
    (3.0, ((1.5, 2.5), (1.5, 5.5)))
    """
    values, treated, after = np.asarray(outcome, dtype=np.float64), np.asarray(is_treated, dtype=bool), np.asarray(is_after, dtype=bool)
    if not values.shape == treated.shape == after.shape or values.ndim != 1 or not np.isfinite(values).all():
        raise InputError("Outcome, group and time do not fit together or a value is not finite; give one of each for every row.")
    cells = [[values[(treated == group) & (after == time)] for time in (False, True)] for group in (False, True)]
    smallest = min(len(cell) for row in cells for cell in row)
    if smallest < LEAST_IN_CELL:
        raise InputError(
            Sentence(
                "One of the four groups (before and after, with and without) holds {smallest} rows; each needs at least {least}.",
                smallest=smallest,
                least=LEAST_IN_CELL,
            )
        )
    averages = tuple((float(row[0].mean()), float(row[1].mean())) for row in cells)
    sizes = tuple((len(row[0]), len(row[1])) for row in cells)
    effect = (averages[1][1] - averages[1][0]) - (averages[0][1] - averages[0][0])
    residuals = values - np.array(averages)[treated.astype(int), after.astype(int)]
    pulls = np.where(treated == after, 1.0, -1.0) / np.array(sizes)[treated.astype(int), after.astype(int)]
    if clusters is None:
        leverage = np.abs(pulls)
        error = float(np.sqrt(np.square(pulls * residuals / (1 - leverage)).sum()))
        freedom = float(len(values) - 4)
    else:
        error, freedom = _clustered(pulls * residuals, np.asarray(clusters), 2 * treated + after)
    low, high, p = _judge(effect, error, freedom)
    return BeforeAfter(effect, error, low, high, p, len(values), (averages[0], averages[1]), (sizes[0], sizes[1]))


def _clustered(scores: Doubles, clusters: NDArray[np.generic], cells: NDArray[np.int64]) -> tuple[float, float]:
    """Return the effect's standard error when rows of a cluster go together, and its degrees of freedom."""
    if clusters.shape != scores.shape:
        raise InputError("Clusters do not fit the rows; name one for every row.")
    names, place = np.unique(clusters, return_inverse=True)
    count, n = len(names), len(scores)
    pairs = np.unique(np.column_stack([place, cells]), axis=0)
    in_cell = np.bincount(pairs[:, 1], minlength=4)
    if count < LEAST_CLUSTERS or (len(pairs) == count and in_cell.min() < LEAST_IN_CELL):
        raise InputError(
            Sentence(
                "{count} clusters are too few to tell chance from effect; at least {least} are needed.",
                count=count,
                least=2 * LEAST_CLUSTERS if len(pairs) == count else LEAST_CLUSTERS,
            )
        )
    sums = np.bincount(place, weights=scores)
    if len(pairs) == count:  # each in one cell: its average is known from that cell's clusters alone
        own = in_cell[pairs[:, 1]]
        return float(np.sqrt((own / (own - 1) * np.square(sums)).sum())), float(count - 4)
    correction = count / (count - 1) * (n - 1) / (n - 4)
    return float(np.sqrt(correction * np.square(sums).sum())), float(count - 1)


def _judge(effect: float, error: float, freedom: float) -> tuple[float, float, float]:
    """Return interval and p-value; with no scatter at all nothing is known."""
    if error == 0 or freedom <= 0:
        return -np.inf, np.inf, 1.0
    half = float(stdtrit(freedom, 0.975)) * error
    return effect - half, effect + half, float(2 * stdtr(freedom, -abs(effect / error)))


def compare_trends(outcome: ArrayLike, is_treated: ArrayLike, times: ArrayLike) -> Adjusted:
    """Return by how much per unit of time both groups drifted apart before anything happened; near 0 supports the comparison.

    Parameters
    ----------
    outcome : array_like, shape (n,)
        Of rows from before only.
    is_treated : array_like of bool, shape (n,)
    times : array_like, shape (n,)
        In any unit: days, weeks.

    Raises
    ------
    InputError
        As `fit_linear`: too few rows, or one group only.

    References
    ----------
    Angrist & Pischke 2009, Mostly harmless econometrics, section 5.2.
    """
    treated, moments = np.asarray(is_treated, dtype=np.float64), np.asarray(times, dtype=np.float64)
    columns = np.column_stack([treated, moments, treated * moments])
    fit = fit_linear(columns, outcome, names=("treated", "time", "drift"))
    drift = fit["drift"]
    return Adjusted(drift.estimate, drift.error, drift.low, drift.high, drift.p_value, fit.n)


def adjust_mean(outcome: ArrayLike, is_treated: ArrayLike, columns: ArrayLike, *, names: Sequence[str]) -> Adjusted:
    """Return the difference of averages with other columns held: least squares with robust errors.

    Parameters
    ----------
    outcome : array_like, shape (n,)
    is_treated : array_like of bool, shape (n,)
    columns : array_like, shape (n, n_columns)
        What else may matter and was known beforehand.
    names : sequence of str, length n_columns

    Raises
    ------
    InputError
        As `fit_linear`.

    References
    ----------
    Lin 2013, Agnostic notes on regression adjustments to experimental data: columns are centred and take part by group, so that adjusting
    never makes a randomised comparison worse; HC3 errors: MacKinnon & White 1985.
    """
    treated, table = np.asarray(is_treated, dtype=np.float64), np.asarray(columns, dtype=np.float64)
    centred = table - table.mean(axis=0) if len(table) else table
    design = np.column_stack([treated, centred, centred * treated[:, None]])
    fit = fit_linear(design, outcome, names=("treated", *names, *(f"{name} × treated" for name in names)))
    term = fit["treated"]
    return Adjusted(term.estimate, term.error, term.low, term.high, term.p_value, fit.n)


def adjust_share(outcome: ArrayLike, is_treated: ArrayLike, columns: ArrayLike, *, names: Sequence[str]) -> Adjusted:
    """Return the difference of shares with other columns held: everybody is foretold with and without it by logistic regression.

    Parameters
    ----------
    outcome, is_treated : array_like of bool, shape (n,)
    columns : array_like, shape (n, n_columns)
        What else may matter and was known beforehand.
    names : sequence of str, length n_columns

    Raises
    ------
    InputError
        As `fit_logistic`: one answer only, or columns that tell answers apart without error.

    References
    ----------
    Robins 1986, A new approach to causal inference (standardisation); error by the delta method: Agresti 2013, Categorical data
    analysis, section 5.6.
    """
    treated, table = np.asarray(is_treated, dtype=np.float64), np.asarray(columns, dtype=np.float64)
    fit = fit_logistic(np.column_stack([treated, table]), outcome, names=("treated", *names))
    ones = np.ones(len(treated))
    designs = [np.column_stack([ones, ones * given, table]) for given in (1, 0)]
    chances = [np.asarray(expit(design @ fit.estimates)) for design in designs]
    effect = float((chances[0] - chances[1]).mean())
    slopes = [design.T @ (chance * (1 - chance)) / len(ones) for design, chance in zip(designs, chances, strict=True)]
    slope = slopes[0] - slopes[1]
    error = float(np.sqrt(slope @ fit.covariance @ slope))
    return Adjusted(effect, error, effect - Z_95 * error, effect + Z_95 * error, float(2 * ndtr(-abs(effect / error))), fit.n)
