"""Statistics that several families share: how sure a figure is, and whether probabilities mean what they say. NumPy and SciPy only."""

from careloop.insight.stats.adjustment import Adjusted, BeforeAfter, adjust_mean, adjust_share, compare_trends, difference_in_differences
from careloop.insight.stats.calibration import Bin, Isotonic, Temperature, measure_calibration_error, sort_into_bins
from careloop.insight.stats.comparison import (
    Difference,
    PairDifference,
    compare_means,
    compare_means_unequal,
    compare_pairs,
    compare_ranks,
    compare_shares,
    compare_with_plan,
)
from careloop.insight.stats.coverage import ThresholdRow, find_threshold, measure_coverage
from careloop.insight.stats.cox import CoxModel, fit_cox, measure_concordance
from careloop.insight.stats.effect_sizes import Effect, cohens_h, eta_squared, hedges_g, omega_squared
from careloop.insight.stats.intervals import (
    Moments,
    bootstrap_interval,
    difference_of_means,
    difference_of_shares,
    mean_interval,
    median_interval,
    rate_interval,
    wilson_interval,
)
from careloop.insight.stats.multiplicity import correct_by_benjamini_hochberg, correct_by_holm
from careloop.insight.stats.sequential import Look, Plan, follow_p, look_at_means, look_at_shares, look_at_times, plan_means, plan_shares
from careloop.insight.stats.shrinkage import Shrunk, funnel_of_means, funnel_of_shares, shrink_means, shrink_shares
from careloop.insight.stats.survival import SurvivalComparison, SurvivalCurve, compare_survival, fit_survival

__all__ = [
    "Adjusted",
    "BeforeAfter",
    "Bin",
    "CoxModel",
    "Difference",
    "Effect",
    "Isotonic",
    "Look",
    "Moments",
    "PairDifference",
    "Plan",
    "Shrunk",
    "SurvivalComparison",
    "SurvivalCurve",
    "Temperature",
    "ThresholdRow",
    "adjust_mean",
    "adjust_share",
    "bootstrap_interval",
    "cohens_h",
    "compare_means",
    "compare_means_unequal",
    "compare_pairs",
    "compare_ranks",
    "compare_shares",
    "compare_survival",
    "compare_trends",
    "compare_with_plan",
    "correct_by_benjamini_hochberg",
    "correct_by_holm",
    "difference_in_differences",
    "difference_of_means",
    "difference_of_shares",
    "eta_squared",
    "find_threshold",
    "fit_cox",
    "fit_survival",
    "follow_p",
    "funnel_of_means",
    "funnel_of_shares",
    "hedges_g",
    "look_at_means",
    "look_at_shares",
    "look_at_times",
    "mean_interval",
    "measure_calibration_error",
    "measure_concordance",
    "measure_coverage",
    "median_interval",
    "omega_squared",
    "plan_means",
    "plan_shares",
    "rate_interval",
    "shrink_means",
    "shrink_shares",
    "sort_into_bins",
    "wilson_interval",
]
