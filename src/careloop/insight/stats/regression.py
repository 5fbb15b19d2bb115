"""How one figure moves with several others: least squares with robust errors, and logistic regression.

Columns are the caller's: nothing is scaled, coded or left out here. An intercept is added and comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr
from scipy.optimize import linprog
from scipy.special import expit
from scipy.stats import norm, t

from careloop.insight.errors import InputError

Doubles = NDArray[np.float64]

INTERCEPT = "intercept"
_ROUNDS = 60
_SUSPICIOUS = 12.0  # log-odds: beyond it a fit may be running away to infinity
_HOLDS_ALONE = 1 - 1e-9  # leverage of a row, or of a cluster, that is fitted exactly
LEAST_CLUSTERS = 4
_REDUNDANT = 1e-9  # what is left of a column of length 1 once the others are taken away


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient.

    Attributes
    ----------
    name : str
    estimate : float
        Change of the outcome (logistic: of its log-odds) for one unit more of the column, the others held.
    error : float
        Standard error, ≥ 0.
    low, high : float
        Bounds of the interval.
    p_value : float
        Two-sided, of no change, 0–1.
    """

    name: str
    estimate: float
    error: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Regression:
    """A fitted regression.

    Attributes
    ----------
    terms : tuple of Term, length n_columns + 1
        The intercept first, then the columns in their order.
    covariance : ndarray of float64, shape (n_columns + 1, n_columns + 1)
        Of the estimates.
    n : int
        Rows.
    explained_ratio : float
        Linear: R², 0–1. Logistic: McFadden's 1 − log-likelihood / that of the intercept alone.
    log_likelihood : float or None
        Logistic only.
    separated : tuple of str
        Logistic with a ridge: columns that tell some answers apart without error, whose estimate only the ridge keeps finite.
    """

    terms: tuple[Term, ...]
    covariance: Doubles
    n: int
    explained_ratio: float
    log_likelihood: float | None = None
    separated: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Term:
        """Return the term of a column."""
        return next(term for term in self.terms if term.name == name)

    @property
    def estimates(self) -> Doubles:
        """The coefficients, shape (n_columns + 1,)."""
        return np.array([term.estimate for term in self.terms])

    def foretell(self, columns: ArrayLike) -> Doubles:
        """Return the linear predictor of rows (logistic: log-odds), shape (n_rows,)."""
        return np.asarray(_with_intercept(np.asarray(columns, dtype=np.float64)) @ self.estimates)


def fit_linear(
    columns: ArrayLike,
    outcome: ArrayLike,
    *,
    names: Sequence[str],
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Regression:
    """Return least squares with errors that hold when the rows scatter unequally (HC3) or go together (CR3), and Student's t.

    With few rows, a skewed column and scatter that grows with it, 95 % intervals cover less (60 rows: 91 %; 200 rows: 93 %).

    Parameters
    ----------
    columns : array_like, shape (n_rows, n_columns)
    outcome : array_like, shape (n_rows,)
    names : sequence of str, length n_columns
    weights : array_like, shape (n_rows,), optional
        What each row counts, > 0; equal when left out.
    clusters : array_like, shape (n_rows,), optional
        What rows belong to that go up and down together, such as their customer; each on its own when left out.
    level : float
        Of the intervals, 0–1.

    Raises
    ------
    InputError
        When shapes differ, a value is not finite, there are fewer rows than terms, a column follows from others, or a single
        row or cluster decides a term.

    Notes
    -----
    CR3 is the sum of squared changes of the estimates when each cluster is left out in turn; with a row a cluster it is HC3. Student's t
    has as many degrees of freedom as there are clusters, less one, at most those of the rows.

    References
    ----------
    MacKinnon & White 1985, Some heteroskedasticity-consistent covariance matrix estimators with improved finite sample
    properties; Long & Ervin 2000, Using heteroscedasticity consistent standard errors in the linear regression model; Bell & McCaffrey
    2002, Bias reduction in standard errors for linear regression with multi-stage samples; MacKinnon, Nielsen & Webb 2023,
    Cluster-robust inference: a guide to empirical practice.

    Examples
    --------
    >>> fit = fit_linear([[0], [1], [2], [3]], [1, 3, 4, 8], names=["hours"])
    >>> round(fit["hours"].estimate, 6)
    2.2
    """
    design, answers, roots = _check(columns, outcome, names, weights)
    scaled, wanted = design * roots[:, None], answers * roots
    inverse = np.asarray(np.linalg.inv(scaled.T @ scaled), dtype=np.float64)
    estimates = inverse @ (scaled.T @ wanted)
    residuals = wanted - scaled @ estimates
    leverage = np.einsum("ij,jk,ik->i", scaled, inverse, scaled)
    if leverage.max() > _HOLDS_ALONE:
        raise InputError(f"Row {int(leverage.argmax()) + 1} alone decides a term; leave out columns that hardly any row has.")
    freedom = len(answers) - design.shape[1]
    if clusters is None:
        pushed = scaled * (residuals / (1 - leverage))[:, None]
    else:
        pushed = _push_together(scaled, residuals, inverse, np.asarray(clusters))
        freedom = min(freedom, len(pushed) - 1)
    covariance = inverse @ (pushed.T @ pushed) @ inverse
    centred = wanted - roots * np.average(answers, weights=roots**2)
    total = float(centred @ centred)
    explained = 1 - float(residuals @ residuals) / total if total > 0 else 0.0
    quantile = float(t.ppf((1 + level) / 2, freedom))
    terms = _terms(names, estimates, covariance, quantile, lambda ratio: 2 * t.sf(ratio, freedom))
    return Regression(terms, covariance, len(answers), explained)


def _push_together(scaled: Doubles, residuals: Doubles, inverse: Doubles, clusters: NDArray[np.generic]) -> Doubles:
    """Return what each cluster pushes the estimates by, before `inverse`, as if it had not been fitted; shape (n_clusters, n_terms)."""
    if clusters.shape != residuals.shape:
        raise InputError(f"Clusters of shape {clusters.shape} do not fit {len(residuals)} rows; name one for every row.")
    _, first = np.unique(np.sort(clusters), return_index=True)
    if len(first) < LEAST_CLUSTERS:
        raise InputError(f"{len(first)} clusters cannot tell chance from effect; at least {LEAST_CLUSTERS} are needed.")
    order = np.argsort(clusters, kind="stable")
    pushed = []
    for rows in np.split(order, first[1:]):
        own = scaled[rows]
        held = own.T @ own @ inverse
        if len(rows) > 1 and np.linalg.eigvals(held).real.max() > _HOLDS_ALONE:
            raise InputError(f"Cluster {clusters[rows[0]]} alone decides a term; leave out columns that hardly any other has.")
        pushed.append(np.linalg.solve(np.eye(len(held)) - held, own.T @ residuals[rows]))
    return np.array(pushed)


def fit_logistic(columns: ArrayLike, outcome: ArrayLike, *, names: Sequence[str], ridge: float = 0.0, level: float = 0.95) -> Regression:
    """Return logistic regression by iteratively reweighted least squares, with Wald intervals.

    Parameters
    ----------
    columns : array_like, shape (n_rows, n_columns)
    outcome : array_like of bool, shape (n_rows,)
    names : sequence of str, length n_columns
    ridge : float
        Half of it times the sum of squared coefficients (not the intercept's) is taken from the log-likelihood; scale the columns
        first. The errors are then those of the shrunken estimates around their own mean.
    level : float
        Of the intervals, 0–1.

    Raises
    ------
    InputError
        As `fit_linear`; also when only one answer occurs, or when columns tell some answers apart without error (separation) and no
        ridge keeps the estimates finite.

    References
    ----------
    McCullagh & Nelder 1989, Generalized linear models, section 2.5; Konis 2007, Linear programming algorithms for detecting
    separated data in binary logistic regression models; Firth 1993 discusses why a penalty helps.
    """
    design, answers, _ = _check(columns, np.asarray(outcome, dtype=np.float64), names, None)
    if not 0 < answers.mean() < 1:
        raise InputError("All rows have the same answer; a logistic regression needs both.")
    penalty = np.full(design.shape[1], float(ridge))
    penalty[0] = 0.0
    estimates, has_settled = _climb(design, answers, penalty)
    separated: tuple[str, ...] = ()
    if not has_settled or np.abs(design @ estimates).max() > _SUSPICIOUS:
        separated = _find_separating(design, answers, names)
        if ridge <= 0 and (separated or not has_settled):
            raise InputError(
                f"{', '.join(separated) or 'The columns'} tell some answers apart without error, so that no finite estimate exists; "
                "leave them out or set a ridge above 0."
            )
    chances = expit(design @ estimates)
    information = (design * (chances * (1 - chances))[:, None]).T @ design
    inverse = np.linalg.inv(information + np.diag(penalty))
    covariance = inverse @ information @ inverse
    likelihood, base = _log_likelihood(design @ estimates, answers), answers.mean()
    alone = len(answers) * (base * np.log(base) + (1 - base) * np.log(1 - base))
    terms = _terms(names, estimates, covariance, float(norm.ppf((1 + level) / 2)), lambda ratio: 2 * norm.sf(ratio))
    return Regression(terms, covariance, len(answers), float(1 - likelihood / alone), likelihood, separated)


def list_redundant(columns: ArrayLike, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that follow from an intercept and those before them; later ones are named, earlier ones kept.

    Parameters
    ----------
    columns : array_like, shape (n_rows, n_columns)
    names : sequence of str, length n_columns
    """
    design = _with_intercept(np.asarray(columns, dtype=np.float64))
    lengths = np.linalg.norm(design, axis=0)
    scaled = design / np.where(lengths > 0, lengths, 1)
    if len(scaled) < scaled.shape[1]:
        scaled = np.vstack([scaled, np.zeros((scaled.shape[1] - len(scaled), scaled.shape[1]))])
    triangle = qr(scaled, mode="r")[0][: scaled.shape[1]]
    basis = np.zeros_like(triangle)
    kept: list[int] = []
    for place in range(design.shape[1]):  # a column counts if it adds to those kept; the triangle keeps all lengths and angles
        left = triangle[:, place]
        for _ in range(2):  # once more for what rounding left
            left = left - basis @ (basis.T @ left)
        length = float(np.linalg.norm(left))
        if length > _REDUNDANT:
            basis[:, place] = left / length
            kept.append(place)
    return tuple(name for place, name in enumerate(names, start=1) if place not in kept)


def _check(columns: ArrayLike, outcome: ArrayLike, names: Sequence[str], weights: ArrayLike | None) -> tuple[Doubles, Doubles, Doubles]:
    """Return the design with its intercept, the outcome and the roots of the weights."""
    table, answers = np.asarray(columns, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if table.ndim != 2 or answers.shape != table.shape[:1] or len(names) != table.shape[1]:
        raise InputError(
            f"Columns of shape {table.shape}, {len(names)} names and an outcome of shape {answers.shape} do not fit together; "
            "expected a row for each outcome and a name for each column."
        )
    weighed = np.ones(len(answers)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (np.isfinite(table).all() and np.isfinite(answers).all() and np.isfinite(weighed).all() and (weighed > 0).all()):
        raise InputError("A value is missing or not finite, or a weight is not above 0; fill or leave out such rows first.")
    if len(answers) <= table.shape[1] + 1:
        raise InputError(f"{len(answers)} rows cannot tell {table.shape[1] + 1} terms apart; give more rows or fewer columns.")
    redundant = list_redundant(table, names)
    if redundant:
        raise InputError(f"{', '.join(redundant)} follow from the columns before them; leave them out.")
    return _with_intercept(table), answers, np.sqrt(weighed)


def _with_intercept(table: Doubles) -> Doubles:
    return np.column_stack([np.ones(len(table)), table])


def _climb(design: Doubles, answers: Doubles, penalty: Doubles) -> tuple[Doubles, bool]:
    """Return the estimates and whether the steps came to rest; a step that makes the fit worse is halved."""
    estimates = np.zeros(design.shape[1])
    best = _log_likelihood(design @ estimates, answers)
    for _ in range(_ROUNDS):
        chances = expit(design @ estimates)
        slope = design.T @ (answers - chances) - penalty * estimates
        curve = (design * (chances * (1 - chances))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.lstsq(curve, slope, rcond=None)[0]
        for _ in range(30):
            reached = estimates + step
            value = _log_likelihood(design @ reached, answers) - float(penalty @ reached**2) / 2
            if value >= best - 1e-12 * abs(best):
                break
            step = step / 2
        estimates, best = reached, value
        if np.abs(design @ step).max() < 1e-10:
            return estimates, True
        if np.abs(design @ estimates).max() > 700:
            break
    return estimates, False


def _log_likelihood(predictor: Doubles, answers: Doubles) -> float:
    return float(np.sum(answers * predictor - np.logaddexp(0, predictor)))


def _find_separating(design: Doubles, answers: Doubles, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a direction in which no row is on the wrong side and some are on the right one; none when there is none."""
    signed = design * np.where(answers > 0, 1.0, -1.0)[:, None]
    scale = np.abs(signed).max(axis=0)
    signed = signed / np.where(scale > 0, scale, 1)
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1), method="highs")
    if found.status != 0 or -found.fun < 1e-7:
        return ()
    return tuple(name for name, weight in zip(names, found.x[1:], strict=True) if abs(weight) > 1e-7)


def _terms(
    names: Sequence[str], estimates: Doubles, covariance: Doubles, quantile: float, tail: Callable[[float], float]
) -> tuple[Term, ...]:
    errors = np.sqrt(np.maximum(np.diag(covariance), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(errors > 0, np.abs(estimates) / errors, np.where(estimates == 0, 0, np.inf))
    return tuple(
        Term(name, float(value), float(error), float(value - quantile * error), float(value + quantile * error), float(tail(ratio)))
        for name, value, error, ratio in zip([INTERCEPT, *names], estimates, errors, ratios, strict=True)
    )
