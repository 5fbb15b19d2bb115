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
from scipy.special import expit, ndtr, ndtri, stdtr, stdtrit
from scipy.stats import nbinom

from careloop.insight.service.steps import Steps, beta_binomial, deviate_counts, deviate_shares, steps_of_counts, steps_of_shares

Doubles = NDArray[np.float64]
Measure = Literal["count", "share", "time"]

_HUBER = 2.0  # standard deviations from which on a period counts less
_ROBUST_MEAN_SQUARE = 0.9709  # of a standard normal deviation cut at ±2.5: E min(Z², 6.25)
_CUT = 6.25
_DISPERSIONS = np.concatenate([[0.0], np.geomspace(1e-4, 2.0, 80)])
_ROUNDS = 6
_LARGEST_DEVIATION = 8.0
_CHANCE_CORRELATION = 1.28  # standard errors
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

    def spread_of_mean(self, past: Past, shares: Doubles) -> float:
        """Return the variance of a weighted sum of the periods' deviations; independent ones without doubt would have Σ share².

        Neighbours that move together widen it as in a first-order autoregression whose weights fall evenly; what is not sure of the
        expectation is common to all periods, as far as they share effects.

        Parameters
        ----------
        past : Past
        shares : ndarray of float64, shape (n_periods,)
            Falling by the same factor from the newest (last) to the oldest.
        """
        doubt = self.uncertainty(past.design)
        chance = 1 / np.maximum(_weights(self.measure, past, past.design @ self.effects, self.dispersion), _TINY)
        carried = self.correlation * (float(shares[-2] / shares[-1]) if len(shares) > 1 else 0.0)
        own = float((shares**2 * chance / (doubt + chance)).sum()) * (1 + carried) / (1 - carried)
        common = (shares / np.sqrt(doubt + chance)) @ past.design
        return own + float(common @ self.covariance @ common)

    def find_steps(self, past: Past, limit: float) -> Steps:
        """Return what steps do to the deviations of periods and to a limit, in standard deviations."""
        if self.measure == "time":
            return Steps(np.zeros(len(past.totals)), np.ones(len(past.totals)), np.ones(len(past.totals)))
        wide, expected = as_seldom(limit, self.freedom), self.expect(past.design)
        if self.measure == "share":
            return steps_of_shares(past.totals, expected, self._spreads(past), wide)
        return steps_of_counts(expected, self._spreads(past), wide)

    def deviate(self, past: Past) -> Doubles:
        """Return how far each period is from what was expected, in standard deviations (−8 to 8), shape (n_periods,)."""
        expected, spreads = self.expect(past.design), self._spreads(past)
        if self.measure == "time":
            found = (past.values - np.log(expected)) / np.maximum(np.sqrt(spreads), _TINY)
        elif self.measure == "share":
            found = deviate_shares(past.values, past.totals, expected, spreads)
        else:
            found = deviate_counts(past.values, expected, spreads)
        known = np.asarray(np.clip(found, -30, 30))
        tails = np.maximum(stdtr(self.freedom, -np.abs(known)), 1e-200)
        narrowed = -np.sign(known) * ndtri(tails)  # the scatter itself is only estimated
        return np.asarray(np.clip(narrowed, -_LARGEST_DEVIATION, _LARGEST_DEVIATION))

    def bound(self, past: Past, deviation: float) -> tuple[Doubles, Doubles]:
        """Return the values that are `deviation` standard deviations below and above what is expected, each of shape (n_periods,)."""
        wide = as_seldom(deviation, self.freedom)
        expected, spreads = self.expect(past.design), self._spreads(past)
        ends = np.array([ndtr(-wide), ndtr(wide)])[:, None]
        if self.measure == "time":
            half = wide * np.sqrt(spreads)
            return np.asarray(expected * np.exp(-half)), np.asarray(expected * np.exp(half))
        if self.measure == "count":
            low, high = nbinom.ppf(ends, 1 / spreads, 1 / (1 + spreads * expected))
            return np.asarray(low), np.asarray(high)
        low, high = np.zeros(len(expected)), np.zeros(len(expected))
        for place, (total, mean, spread) in enumerate(zip(past.totals, expected, spreads, strict=True)):
            chances = np.cumsum(beta_binomial(total, mean, spread))
            low[place], high[place] = np.minimum(np.searchsorted(chances, ends[:, 0]), total) / max(total, 1)
        return low, high

    def _spreads(self, past: Past) -> Doubles:
        """Return each period's scatter with the doubt about its expectation: of times a variance, of others beyond chance."""
        doubt = self.uncertainty(past.design)
        if self.measure == "time":
            return np.asarray(self.dispersion[0] + self.dispersion[1] / np.maximum(past.totals, 1) + doubt)
        expected = self.expect(past.design)
        return np.asarray(np.maximum(self.dispersion[0] + (expected * (1 - expected) if self.measure == "share" else 1) * doubt, 1e-7))


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


def as_seldom(deviation: float, freedom: float) -> float:
    """Return the deviation of Student's t that is as seldom as one of a normal law."""
    return -float(stdtrit(freedom, ndtr(-deviation)))


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
    expected = past.totals * _from_link(measure, np.clip(predictor, -20, 20))
    chance, more = (expected, expected) if measure == "count" else (expected * (1 - expected / past.totals), past.totals - 1)
    squares = (past.values - expected) ** 2 / np.maximum(chance, _TINY)
    means = np.minimum(squares / (1 + _DISPERSIONS[:, None] * more), _CUT) @ (recency / recency.sum())
    found = min(int(np.searchsorted(-means, -aim)), len(_DISPERSIONS) - 1)  # the more dispersion, the smaller the deviations
    return float(_DISPERSIONS[found]), 0.0


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
    """Return the correlation of neighbours, 0–0.8; 0 where chance alone makes as much in one of ten series."""
    cut = np.clip(residuals, -2.5, 2.5)
    centred = cut - cut.mean()
    if len(cut) < 8 or (centred**2).sum() < _TINY:
        return 0.0
    found = float((centred[1:] * centred[:-1]).sum() / (centred**2).sum()) + 1 / len(cut)
    return min(found, 0.8) if found > _CHANCE_CORRELATION / len(cut) ** 0.5 else 0.0


def _start(measure: Measure, past: Past) -> float:
    if measure == "count":
        return float(np.log(max(float(past.values.mean()), 0.05)))
    if measure == "share":
        share = (past.values.sum() + 0.5) / (past.totals.sum() + 1)
        return float(np.log(share / (1 - share)))
    return float(np.median(past.values))


def _from_link(measure: Measure, predictor: Doubles) -> Doubles:
    return np.asarray(expit(predictor) if measure == "share" else np.exp(np.clip(predictor, -50, 50)))
