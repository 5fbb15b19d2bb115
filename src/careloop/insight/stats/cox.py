"""What shortens or prolongs: proportional hazards with Efron's ties, fitted by Newton's steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr

from careloop.insight.errors import InputError, Sentence
from careloop.insight.stats.intervals import Z_95

Doubles = NDArray[np.float64]
_Look = tuple[float, Doubles, Doubles, Doubles]  # log-likelihood, gradient, information, what each ended one was expected to be like
STEPS = 40  # Newton's method needs some 6; a column that separates the ended from the open never settles
LEAST_ENDED_PER_COLUMN = 5


@dataclass(frozen=True)
class CoxModel:
    """How columns change the rate at which things end.

    Attributes
    ----------
    names : tuple of str, length n_columns
    coefficients, errors : ndarray, shape (n_columns,)
        Logarithms of the hazard ratios and their standard errors.
    covariance : ndarray, shape (n_columns, n_columns)
    log_likelihood, null_log_likelihood : float
        Of the model, and of one without columns.
    n, n_ended : int
    concordance : float, 0–1
        Share of comparable pairs in which what was expected to end sooner did; 0.5 is chance.
    proportionality_p : ndarray, shape (n_columns,)
        Of the test that the ratio is the same at all times; small: it is not.

    References
    ----------
    Cox 1972, Regression models and life-tables; Efron 1977, The efficiency of Cox's likelihood function for censored data;
    Harrell et al. 1982, Evaluating the yield of medical tests; Grambsch & Therneau 1994, Proportional hazards tests and diagnostics.
    """

    names: tuple[str, ...]
    coefficients: Doubles
    errors: Doubles
    covariance: Doubles
    log_likelihood: float
    null_log_likelihood: float
    n: int
    n_ended: int
    concordance: float
    proportionality_p: Doubles

    @property
    def ratios(self) -> Doubles:
        """Hazard ratios, shape (n_columns,): above 1 ends sooner."""
        return np.exp(self.coefficients)

    @property
    def p(self) -> Doubles:
        """Two-sided p-values of the coefficients (Wald), shape (n_columns,)."""
        return np.asarray(2 * ndtr(-np.abs(self.coefficients / self.errors)))

    @property
    def likelihood_ratio_p(self) -> float:
        """P-value of all columns together."""
        return float(chdtrc(len(self.names), max(2 * (self.log_likelihood - self.null_log_likelihood), 0.0)))

    def intervals(self, *, z: float = Z_95) -> Doubles:
        """Return the hazard ratios' intervals, shape (n_columns, 2)."""
        half = z * self.errors
        return np.exp(np.column_stack([self.coefficients - half, self.coefficients + half]))


@dataclass(frozen=True)
class _Ordered:
    """Observations by falling duration, so that the sum over all still open is a running sum.

    `ends` are the places of those that ended; `last` the last place of the same duration; `part` the share of Efron's tied sum
    that is taken off for each (0, 1/d, 2/d …); `tie` numbers the durations; `is_together` says which did not end alone.
    """

    columns: Doubles
    durations: Doubles
    ended: NDArray[np.bool_]
    ends: NDArray[np.int64]
    last: NDArray[np.int64]
    part: Doubles
    tie: NDArray[np.int64]
    is_together: NDArray[np.bool_]

    @classmethod
    def of(cls, durations: Doubles, ended: NDArray[np.bool_], columns: Doubles) -> _Ordered:
        order = np.lexsort((ended, -durations))
        times, over = durations[order], ended[order]
        _, tie, counts = np.unique(-times, return_inverse=True, return_counts=True)
        ends = np.flatnonzero(over)
        died = np.bincount(tie[ends], minlength=len(counts))
        rank = np.arange(len(ends)) - (np.cumsum(died) - died)[tie[ends]]
        last, died = (np.cumsum(counts) - 1)[tie[ends]], died[tie[ends]]
        return cls(columns[order], times, over, ends, last, rank / died, tie, died > 1)

    def look(self, coefficients: Doubles) -> _Look:
        """Return what the model is worth at these coefficients."""
        linear = self.columns @ coefficients
        weights = np.exp(linear - linear.max())
        tied = self.tie[self.ends]
        late = np.flatnonzero(self.part)  # all but the first of those that ended together: of these sums a part is taken off
        ending = np.flatnonzero(self.is_together)

        def open_sums(values: Doubles) -> Doubles:
            sums = np.cumsum(values, axis=0)[self.last]
            if len(late):
                of_ended = values[self.ends[ending]].reshape(len(ending), -1)
                by_tie = [np.bincount(tied[ending], weights=column, minlength=self.tie[-1] + 1)[tied[late]] for column in of_ended.T]
                sums[late] -= (self.part[late, None] * np.column_stack(by_tie)).reshape(sums[late].shape)
            return np.asarray(sums)

        denominators = open_sums(weights)
        expected = open_sums(weights[:, None] * self.columns) / denominators[:, None]
        likelihood = float((linear[self.ends] - linear.max() - np.log(denominators)).sum())
        gradient = (self.columns[self.ends] - expected).sum(axis=0)
        by_tie = np.bincount(tied, weights=1 / denominators, minlength=self.tie[-1] + 1)
        share = np.cumsum(by_tie[::-1])[::-1][self.tie]  # of every ending at or before the own duration
        taken_off = np.bincount(tied, weights=self.part / denominators, minlength=self.tie[-1] + 1)
        share[self.ends] -= taken_off[tied]
        information = (self.columns * (weights * share)[:, None]).T @ self.columns - expected.T @ expected
        return likelihood, gradient, information, expected


def fit_cox(
    durations: ArrayLike,
    has_ended: ArrayLike,
    columns: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    least_ended_per_column: int = LEAST_ENDED_PER_COLUMN,
    is_checked: bool = True,
) -> CoxModel:
    """Return the proportional-hazards model.

    Parameters
    ----------
    durations : array_like, shape (n,)
        How long each was observed, ≥ 0.
    has_ended : array_like of bool, shape (n,)
    columns : array_like, shape (n, n_columns)
        Numbers; kinds as 0 and 1, one column less than there are kinds.
    names : sequence of str or None
        The columns' names; by default 1, 2, 3 …
    least_ended_per_column : int
        Fewer endings than this for each column are refused.
    is_checked : bool
        False leaves concordance and proportionality out (not a number), which cost more than the fit itself.

    Raises
    ------
    InputError
        When shapes differ, something is not finite, too few have ended, columns say the same as others, or one column separates
        those that ended from those that did not so that no ratio exists.

    References
    ----------
    Cox 1972; Efron 1977; Vittinghoff & McCulloch 2007, Relaxing the rule of ten events per variable (five is our least).
    """
    matrix = np.asarray(columns, dtype=np.float64)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    times, ended = np.asarray(durations, dtype=np.float64), np.asarray(has_ended, dtype=bool)
    labels = tuple(names) if names is not None else tuple(str(number + 1) for number in range(matrix.shape[1]))
    _check(times, ended, matrix, labels, least_ended_per_column)
    middles, scales = matrix.mean(axis=0), matrix.std(axis=0)
    ordered = _Ordered.of(times, ended, (matrix - middles) / scales)
    null = ordered.look(np.zeros(len(labels)))
    scaled, (likelihood, _, information, expected) = _climb(ordered, labels, null)
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    proportionality = np.full(len(labels), np.nan)
    if is_checked:
        proportionality = _proportionality_p(ordered, covariance, ordered.columns[ordered.ends] - expected)
    return CoxModel(
        labels,
        scaled / scales,
        np.sqrt(np.diag(covariance)) / scales,
        covariance / np.outer(scales, scales),
        likelihood,
        null[0],
        len(times),
        int(ended.sum()),
        measure_concordance(times, ended, matrix @ (scaled / scales)) if is_checked else float("nan"),
        proportionality,
    )


def _check(times: Doubles, ended: NDArray[np.bool_], matrix: Doubles, labels: tuple[str, ...], least: int) -> None:
    if times.shape != ended.shape or times.shape != matrix.shape[:1] or len(labels) != matrix.shape[1]:
        raise InputError(
            f"{times.shape} durations, {ended.shape} endings, {matrix.shape} columns and {len(labels)} names do not fit together; "
            "give one row for each observation and one name for each column."
        )
    if not (np.isfinite(times).all() and np.isfinite(matrix).all()) or (len(times) and times.min() < 0):
        raise InputError("A duration is negative or a value is not finite; leave such rows out.")
    needed = least * matrix.shape[1]
    if int(ended.sum()) < max(needed, 1):
        raise InputError(
            Sentence(
                "Only {ended} have ended, too few for {columns} columns; at least {needed} are needed.",
                ended=int(ended.sum()),
                columns=matrix.shape[1],
                needed=max(needed, 1),
            )
        )
    spreads = matrix.std(axis=0)
    constant = [label for label, spread in zip(labels, spreads, strict=True) if spread == 0]
    if constant:
        raise InputError(Sentence("“{column}” has the same value in every row; leave it out.", column=constant[0]))
    lengths = np.linalg.svd(np.linalg.qr((matrix - matrix.mean(axis=0)) / spreads, mode="r"), compute_uv=False)
    if lengths[-1] <= lengths[0] * max(matrix.shape) * np.finfo(np.float64).eps:
        raise InputError("One column follows from the others; leave one of them out.")


def _climb(ordered: _Ordered, labels: tuple[str, ...], here: _Look) -> tuple[Doubles, _Look]:
    """Return the coefficients of the highest likelihood, and the look there; refuse when there is no highest. `here` is that at 0."""
    now = np.zeros(len(labels))
    for _ in range(STEPS):
        likelihood, gradient, information, _ = here
        if not np.isfinite(information).all() or np.linalg.matrix_rank(information, hermitian=True) < len(labels):
            break
        step = np.linalg.solve(information, gradient)
        for _ in range(30):
            found = ordered.look(now + step)
            if np.isfinite(found[0]) and found[0] >= likelihood - 1e-9 * abs(likelihood):
                break
            step = step / 2
        now, here = now + step, found
        if np.abs(step).max() < 1e-9:
            return now, here
    widest = labels[int(np.abs(now).argmax())]
    raise InputError(
        Sentence(
            "“{column}” separates those that ended from those that did not, so that no ratio can be given; leave it out.", column=widest
        )
    )


def _proportionality_p(ordered: _Ordered, covariance: Doubles, surprises: Doubles) -> Doubles:
    """Test each column's scaled Schoenfeld residuals against the rank of the time at which they arose."""
    ends = ordered.ends
    _, place, counts = np.unique(ordered.durations[ends], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    away = ranks - ranks.mean()
    spread = float((away * away).sum())
    if spread == 0:
        return np.ones(len(covariance))
    # within a tie the mean of what was expected, so that the order of rows does not matter
    sums = len(ends) * (away @ surprises) @ covariance
    statistic = sums**2 / (len(ends) * np.diag(covariance) * spread)
    return np.asarray(chdtrc(1, statistic))


def measure_concordance(durations: ArrayLike, has_ended: ArrayLike, risks: ArrayLike) -> float:
    """Return the share of comparable pairs in which the higher risk ended sooner; equal risks count half; 0.5 when none compares.

    Parameters
    ----------
    durations, has_ended, risks : array_like, shape (n,)
        A pair compares when one ended while the other was still open.

    References
    ----------
    Harrell et al. 1982, Evaluating the yield of medical tests. Counted by merging sorted halves, O(n log² n).
    """
    times, ended = np.asarray(durations, dtype=np.float64), np.asarray(has_ended, dtype=bool)
    risk = np.unique(np.asarray(risks, dtype=np.float64), return_inverse=True)[1].astype(np.int64)
    order = np.lexsort((risk, ~ended, times))  # same time: ended before open, and lower risk first, so that they never look right
    times, ended, risk = times[order], ended[order], risk[order]
    n = len(times)
    right = equal = 0
    width = 1
    while width < n:
        block = np.arange(n) // width
        from_left = np.flatnonzero((block % 2 == 0) & ended)
        in_right = np.flatnonzero(block % 2 == 1)
        span = int(risk.max()) + 1
        keys = np.sort((block[in_right] - 1) * span + risk[in_right])
        base = block[from_left] * span
        start = np.searchsorted(keys, base)
        below = np.searchsorted(keys, base + risk[from_left]) - start
        upto = np.searchsorted(keys, base + risk[from_left], side="right") - start
        right += int(below.sum())
        equal += int((upto - below).sum())
        width *= 2
    later = n - np.searchsorted(times, times[ended], side="right")
    pairs = np.unique(np.column_stack([times, risk])[ended], axis=0, return_counts=True)[1]
    equal -= int((pairs * (pairs - 1) // 2).sum())  # ended together with the same risk: not comparable
    censored_with = np.searchsorted(np.sort(times[~ended]), times[ended], side="right") - np.searchsorted(
        np.sort(times[~ended]), times[ended], side="left"
    )
    comparable = int(later.sum() + censored_with.sum())
    return (right + equal / 2) / comparable if comparable else 0.5
