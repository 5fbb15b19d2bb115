"""How good estimates of yes or no are, on answers that they did not see.

References
----------
Hanley & McNeil 1982, The meaning and use of the area under a receiver operating characteristic curve (its error). Brier 1950,
Verification of forecasts expressed in terms of probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from careloop.insight.stats.calibration import Bin, CalibrationError, judge_calibration, sort_into_bins
from careloop.insight.stats.intervals import Z_95

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Quality(NamedTuple):
    """How good the estimates are.

    Attributes
    ----------
    auc, auc_low, auc_high : float
        Chance that of a dissatisfied and another customer the first gets the higher estimate, with its 95 % interval.
    calibration : CalibrationError
        Over ten bins of equal width.
    brier : float
        Mean squared distance between estimate and answer, 0–1.
    base_brier : float
        That of always saying the average.
    n, n_dissatisfied : int
    bins : tuple of Bin
        The reliability diagram.
    """

    auc: float
    auc_low: float
    auc_high: float
    calibration: CalibrationError
    brier: float
    base_brier: float
    n: int
    n_dissatisfied: int
    bins: tuple[Bin, ...]

    @property
    def is_useful(self) -> bool:
        """Whether the estimates surely know more than the average."""
        return self.auc_low > 0.5 and self.brier < self.base_brier

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and numbers; `read_quality` turns them back."""
        return self._asdict() | {"calibration": list(self.calibration), "bins": [list(one) for one in self.bins]}


def read_quality(stored: Mapping[str, Any]) -> Quality:
    """Return the quality that `Quality.to_json` made; KeyError or TypeError when a part is missing."""
    bins = tuple(Bin(*one) for one in stored["bins"])
    return Quality(**{**stored, "calibration": CalibrationError(*stored["calibration"]), "bins": bins})


def measure_quality(chances: Doubles, is_dissatisfied: Bools) -> Quality:
    """Return how good estimates are; both of shape (n_answers,), with both answers among them."""
    n, n_bad = len(is_dissatisfied), int(is_dissatisfied.sum())
    auc = float((rankdata(chances)[is_dissatisfied].sum() - n_bad * (n_bad + 1) / 2) / (n_bad * (n - n_bad)))
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (auc * (1 - auc) + (n_bad - 1) * (first - auc**2) + (n - n_bad - 1) * (second - auc**2)) / (n_bad * (n - n_bad))
    half = Z_95 * max(variance, 0.0) ** 0.5
    base = n_bad / n
    bins = sort_into_bins(chances, is_dissatisfied)
    return Quality(
        auc,
        max(0.0, auc - half),
        min(1.0, auc + half),
        judge_calibration(bins),
        float(np.mean((chances - is_dissatisfied) ** 2)),
        base * (1 - base),
        n,
        n_bad,
        tuple(bins),
    )
