"""What a watched series is expected to be in a period, and how far it usually scatters: counts, shares and times.

The past is fitted on the scale on which weekdays multiply (counts and times: logarithms, shares: log-odds), newer periods counting more,
outliers less. Weekdays are shrunk towards the common level; holidays have an effect of their own. Scatter beyond chance is estimated:
negative binomial counts, beta-binomial shares, times whose logarithms scatter within and between periods.

References
----------
McCullagh & Nelder 1989, Generalized linear models, chapter 9 (quasi-likelihood).
Farrington et al. 1996, A statistical algorithm for the early detection of outbreaks of infectious disease (reweighted past).
Huber 1981, Robust statistics, section 7.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import betainc, betaln, expit, gammaln, ndtri
from scipy.stats import nbinom, norm, t

Doubles = NDArray[np.float64]
Measure = Literal["count", "share", "time"]

_HUBER = 2.0  # standard deviations from which on a period counts less
_ROBUST_MEAN_SQUARE = 0.9709  # of a standard normal deviation cut at ±2.5: E min(Z², 6.25)
_CUT = 6.25
_DISPERSIONS = np.concatenate([[0.0], np.geomspace(1e-4, 2.0, 80)])
_ROUNDS = 6
_LARGEST_DEVIATION = 8.0
_TINY = 1e-9
_LARGEST_VARIANCE = 9.0  # of the logarithm of one case's time: a factor of 20 either way


@dataclass(frozen=True)
class Past:
    """Periods that a baseline is learnt from, or that are compared with it.

    Attributes
    ----------
    design : ndarray of float64, shape (n_periods, n_effects)
        1, then the effects of weekdays and holidays.
    values : ndarray of float64, shape (n_periods,)
        Counts; of shares, how many were so; of times, the logarithm of the period's median.
    totals : ndarray of float64, shape (n_periods,)
        Of shares, among how many; of times, from how many; of counts, 1.
    """

    design: Doubles
    values: Doubles
    totals: Doubles


@dataclass(frozen=True)
class Baseline:
    """What was learnt from the past.

    Attributes
    ----------
    measure : {"count", "share", "time"}
    effects : ndarray of float64, shape (n_effects,)
        On the scale of logarithms or log-odds.
    covariance : ndarray of float64, shape (n_effects, n_effects)
    dispersion : (float, float)
        Beyond chance: of counts φ in μ + φμ²; of shares the correlation within a period; of times the variance between periods and,
        second, that of one case.
    freedom : float
        Degrees of freedom of the scatter.
    correlation : float
        Of the deviations of neighbouring periods, 0–0.8.
    """

    measure: Measure
    effects: Doubles
    covariance: Doubles
    dispersion: tuple[float, float]
    freedom: float
    correlation: float

    def expect(self, design: Doubles) -> Doubles:
        """Return the expected count, share or time of periods, shape (n_periods,)."""
        return _from_link(self.measure, design @ self.effects)

    def uncertainty(self, design: Doubles) -> Doubles:
        """Return the variance of the expectation on the link scale, shape (n_periods,)."""
        return np.asarray(np.einsum("ij,jk,ik->i", design, self.covariance, design))

    def doubt_ratio(self, past: Past) -> Doubles:
        """Return how much of the variance of a period's deviation is doubt about the expectation itself, 0–1."""
        doubt = self.uncertainty(past.design)
        chance = 1 / np.maximum(_weights(self.measure, past, past.design @ self.effects, self.dispersion), _TINY)
        return np.asarray(doubt / (doubt + chance))

    def deviate(self, past: Past) -> Doubles:
        """Return how far each period is from what was expected, in standard deviations (−8 to 8), shape (n_periods,)."""
        doubt, expected = self.uncertainty(past.design), self.expect(past.design)
        if self.measure == "time":
            spread = np.sqrt(self.dispersion[0] + self.dispersion[1] / np.maximum(past.totals, 1) + doubt)
            found = (past.values - np.log(expected)) / np.maximum(spread, _TINY)
        elif self.measure == "share":
            shares = zip(past.values, past.totals, expected, self.dispersion[0] + expected * (1 - expected) * doubt, strict=True)
            found = np.array([_deviate_share(*one) for one in shares])
        else:
            found = _deviate_counts(past.values, expected, np.maximum(self.dispersion[0] + doubt, 1e-7))
        known = np.asarray(np.clip(found, -30, 30))
        tails = np.exp(np.maximum(t.logsf(np.abs(known), self.freedom), -600))
        narrowed = np.sign(known) * norm.isf(tails)  # the scatter itself is only estimated
        return np.asarray(np.clip(narrowed, -_LARGEST_DEVIATION, _LARGEST_DEVIATION))

    def bound(self, past: Past, deviation: float) -> tuple[Doubles, Doubles]:
        """Return the values that are `deviation` standard deviations below and above what is expected, each of shape (n_periods,)."""
        wide = float(t.isf(norm.sf(deviation), self.freedom))
        expected, doubt = self.expect(past.design), self.uncertainty(past.design)
        ends = np.array([norm.cdf(-wide), norm.cdf(wide)])[:, None]
        if self.measure == "time":
            half = wide * np.sqrt(self.dispersion[0] + self.dispersion[1] / np.maximum(past.totals, 1) + doubt)
            return np.asarray(expected * np.exp(-half)), np.asarray(expected * np.exp(half))
        if self.measure == "count":
            spread = np.maximum(self.dispersion[0] + doubt, _TINY)
            low, high = nbinom.ppf(ends, 1 / spread, 1 / (1 + spread * expected))
            return np.asarray(low), np.asarray(high)
        low, high = np.zeros(len(expected)), np.zeros(len(expected))
        for place, (mean, total) in enumerate(zip(expected, past.totals, strict=True)):
            chances = np.cumsum(_beta_binomial(total, mean, self.dispersion[0] + mean * (1 - mean) * doubt[place]))
            low[place], high[place] = np.minimum(np.searchsorted(chances, ends[:, 0]), total) / max(total, 1)
        return low, high


def learn_baseline(measure: Measure, past: Past, recency: Doubles) -> Baseline:
    """Return the baseline of periods.

    Parameters
    ----------
    measure : {"count", "share", "time"}
    past : Past
        Periods without any case are left out by the caller.
    recency : ndarray of float64, shape (n_periods,)
        What each period counts, 0–1.
    """
    penalty = np.full(past.design.shape[1], 0.25 if measure == "count" else 4.0)  # spread of weekdays: 2 for counts, 0.5 for others
    penalty[0] = 0.05  # so that a share of all stays finite
    dispersion, trusted = (0.0, 0.0) if measure != "time" else (0.05, 0.5), np.ones(len(past.values))
    centre = np.zeros(past.design.shape[1])
    centre[0] = _start(measure, past)
    effects = centre
    for _ in range(_ROUNDS):
        effects, covariance = _fit(measure, past, (effects, centre, penalty), recency * trusted, dispersion)
        predictor = past.design @ effects
        dispersion = _disperse(measure, past, predictor, recency)
        residuals = _residuals(measure, past, predictor, dispersion)
        trusted = np.minimum(1, _HUBER / np.maximum(np.abs(residuals), _TINY))
    n_effective = float(recency.sum() ** 2 / (recency**2).sum())
    freedom = max(n_effective - past.design.shape[1] / 2, 3.0)
    return Baseline(measure, effects, covariance, dispersion, freedom, _correlate(residuals))


def _fit(
    measure: Measure, past: Past, begun: tuple[Doubles, Doubles, Doubles], counted: Doubles, dispersion: tuple[float, float]
) -> tuple[Doubles, Doubles]:
    """Return effects and their covariance by penalised reweighted least squares."""
    effects, centre, penalty = begun
    for _ in range(8):
        predictor = past.design @ effects
        weights = counted * _weights(measure, past, predictor, dispersion)
        slope = counted * _slopes(measure, past, predictor, dispersion)
        curve = (past.design * weights[:, None]).T @ past.design + np.diag(penalty)
        step = np.linalg.solve(curve, past.design.T @ slope - penalty * (effects - centre))
        effects = effects + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-7:
            break
    inverse = np.linalg.inv(curve)
    squared = (past.design * (counted * weights)[:, None]).T @ past.design  # recency makes older rows count less, not vary more
    return effects, inverse @ (squared + np.diag(penalty)) @ inverse


def _weights(measure: Measure, past: Past, predictor: Doubles, dispersion: tuple[float, float]) -> Doubles:
    """Return one over the variance of each period on the link scale."""
    if measure == "count":
        mean = np.exp(np.clip(predictor, -20, 20))
        return np.asarray(mean / (1 + dispersion[0] * mean))
    if measure == "share":
        share = expit(predictor)
        return np.asarray(past.totals * share * (1 - share) / (1 + (past.totals - 1) * dispersion[0]))
    return np.asarray(1 / np.maximum(dispersion[0] + dispersion[1] / np.maximum(past.totals, 1), _TINY))


def _slopes(measure: Measure, past: Past, predictor: Doubles, dispersion: tuple[float, float]) -> Doubles:
    """Return the derivative of each period's log-likelihood."""
    if measure == "count":
        mean = np.exp(np.clip(predictor, -20, 20))
        return np.asarray((past.values - mean) / (1 + dispersion[0] * mean))
    if measure == "share":
        return np.asarray((past.values - past.totals * expit(predictor)) / (1 + (past.totals - 1) * dispersion[0]))
    return np.asarray((past.values - predictor) * _weights(measure, past, predictor, dispersion))


def _residuals(measure: Measure, past: Past, predictor: Doubles, dispersion: tuple[float, float]) -> Doubles:
    weights = _weights(measure, past, predictor, dispersion)
    return np.asarray(_slopes(measure, past, predictor, dispersion) / np.sqrt(np.maximum(weights, _TINY)))


def _disperse(measure: Measure, past: Past, predictor: Doubles, recency: Doubles) -> tuple[float, float]:
    """Return the least dispersion under which deviations, cut where outliers begin, scatter no more than they should."""
    n_effective = float(recency.sum() ** 2 / (recency**2).sum())
    aim = _ROBUST_MEAN_SQUARE * max(1 - past.design.shape[1] / n_effective, 0.3)
    if measure == "time":
        return _disperse_times(past, predictor, recency, aim)
    low, high = 0, len(_DISPERSIONS) - 1
    while low < high:  # the more dispersion, the smaller the deviations
        middle = (low + high) // 2
        squares = np.minimum(_residuals(measure, past, predictor, (float(_DISPERSIONS[middle]), 0.0)) ** 2, _CUT)
        if np.average(squares, weights=recency) <= aim:
            high = middle
        else:
            low = middle + 1
    return float(_DISPERSIONS[low]), 0.0


def _disperse_times(past: Past, predictor: Doubles, recency: Doubles, aim: float) -> tuple[float, float]:
    """Return the variance between periods and that of one case, neither below 0, by weighted least squares on squared residuals."""
    squares = (past.values - predictor) ** 2
    scale = max(float(np.median(squares)) / 0.455, _TINY)  # 0.455: median of a squared standard normal deviation
    variance = np.full(len(squares), scale)
    columns = np.column_stack([np.ones(len(squares)), 1 / np.maximum(past.totals, 1)])
    found = np.array([scale, 0.0])
    for _ in range(3):
        cut = np.minimum(squares, _CUT * variance) / aim
        roots = np.sqrt(recency / recency.mean()) / variance
        found = nnls(columns * roots[:, None], cut * roots)[0]
        variance = np.maximum(columns @ found, scale * 0.05)
    return float(max(found[0], _TINY)), float(min(found[1], _LARGEST_VARIANCE))


def _correlate(residuals: Doubles) -> float:
    """Return the correlation of neighbours, less what chance alone makes likely; 0–0.8."""
    cut = np.clip(residuals, -2.5, 2.5)
    centred = cut - cut.mean()
    if len(cut) < 8 or (centred**2).sum() < _TINY:
        return 0.0
    found = float((centred[1:] * centred[:-1]).sum() / (centred**2).sum()) + 1 / len(cut)
    return float(min(max(found, 0.0), 0.8))


def _start(measure: Measure, past: Past) -> float:
    if measure == "count":
        return float(np.log(max(float(past.values.mean()), 0.05)))
    if measure == "share":
        share = (past.values.sum() + 0.5) / (past.totals.sum() + 1)
        return float(np.log(share / (1 - share)))
    return float(np.median(past.values))


def _from_link(measure: Measure, predictor: Doubles) -> Doubles:
    return np.asarray(expit(predictor) if measure == "share" else np.exp(np.clip(predictor, -50, 50)))


def _beta_binomial(total: float, mean: float, spread: float) -> Doubles:
    """Return the chance of each number out of `total`, shape (total + 1,)."""
    n, counts = total, np.arange(int(total) + 1, dtype=np.float64)
    ways = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    share, within = min(max(mean, 1e-6), 1 - 1e-6), min(spread, 0.9)
    if within < 1e-7:
        return np.asarray(np.exp(ways + counts * np.log(share) + (n - counts) * np.log1p(-share)))
    a, b = share * (1 / within - 1), (1 - share) * (1 / within - 1)
    return np.asarray(np.exp(ways + betaln(counts + a, n - counts + b) - betaln(a, b)))


def _deviate_share(value: float, total: float, mean: float, spread: float) -> float:
    """Return the normal deviation of a number out of a total."""
    chances, at = _beta_binomial(total, mean, spread), int(value)
    tails = np.array([chances[:at].sum(), chances[at + 1 :].sum()]) + chances[at] / 2
    return float(_to_normal(tails[:1], tails[1:])[0])


def _deviate_counts(values: Doubles, mean: Doubles, spread: Doubles) -> Doubles:
    """Return the normal deviations of negative binomial counts."""
    size, chance = 1 / spread, 1 / (1 + spread * mean)
    up_to, before = betainc(size, values + 1, chance), np.where(values > 0, betainc(size, np.maximum(values, 1), chance), 0)
    above = betainc(values + 1, size, 1 - chance)
    half = (up_to - before) / 2
    return _to_normal(before + half, above + half)


def _to_normal(below: Doubles, above: Doubles) -> Doubles:
    """Return the normal deviation of the middle of a step, from the nearer tail."""
    return np.asarray(np.where(below <= above, ndtri(np.maximum(below, 1e-300)), -ndtri(np.maximum(above, 1e-300))))
