"""Statistics that several families share: how sure a figure is, and whether probabilities mean what they say. NumPy and SciPy only."""

from careloop.insight.stats.calibration import Bin, Isotonic, Temperature, measure_calibration_error, sort_into_bins
from careloop.insight.stats.coverage import ThresholdRow, find_threshold, measure_coverage
from careloop.insight.stats.intervals import bootstrap_interval, wilson_interval
from careloop.insight.stats.survival import SurvivalCurve, fit_survival

__all__ = [
    "Bin",
    "Isotonic",
    "SurvivalCurve",
    "Temperature",
    "ThresholdRow",
    "bootstrap_interval",
    "find_threshold",
    "fit_survival",
    "measure_calibration_error",
    "measure_coverage",
    "sort_into_bins",
    "wilson_interval",
]
