"""How good a model's answers to held-back messages are; only workers compute it, pages show what was kept."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from careloop.insight.stats import measure_calibration_error, measure_coverage, sort_into_bins, wilson_interval

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(20))


def measure(given: Sequence[str], said: Sequence[str], probabilities: Sequence[float]) -> dict[str, Any]:
    """Accuracy with its interval, macro-F1, calibration, risk and coverage, each label's figures and the pairs; plain values."""
    n = len(given)
    if n == 0:
        return {"n": 0}
    right = np.array([one == other for one, other in zip(given, said, strict=True)])
    sure = np.array(probabilities, dtype=np.float64)
    hits = int(right.sum())
    labels = _labels(given, said)
    return {
        "n": n,
        "right": hits,
        "accuracy": hits / n,
        "accuracy_interval": _rounded(wilson_interval(hits, n)),
        "macro_f1": round(sum(one["f1"] for one in labels.values()) / len(labels), 4),
        "calibration_error": round(measure_calibration_error(sure, right), 4),
        "reliability": [
            {"said": round(one.said, 4), "true": round(one.true, 4), "n": one.rows, "low": round(one.low, 4), "high": round(one.high, 4)}
            for one in sort_into_bins(sure, right)
        ],
        "coverage": [
            {
                "threshold": one.threshold,
                "answered": round(one.answered_ratio, 4),
                "accuracy": one.accuracy,
                "low": one.low,
                "high": one.high,
            }
            for one in measure_coverage(sure, right, THRESHOLDS)
        ],
        "labels": labels,
        "pairs": [[one, other, count] for (one, other), count in Counter(zip(given, said, strict=True)).most_common()],
    }


def _labels(given: Sequence[str], said: Sequence[str]) -> dict[str, dict[str, Any]]:
    n_given, n_said = Counter(given), Counter(said)
    hits = Counter(one for one, other in zip(given, said, strict=True) if one == other)
    return {
        label: {
            "n": n_given[label],
            "said": n_said[label],
            "right": hits[label],
            "f1": round(2 * hits[label] / (n_given[label] + n_said[label]), 4),
            "precision_interval": _rounded(wilson_interval(hits[label], n_said[label])),
            "recall_interval": _rounded(wilson_interval(hits[label], n_given[label])),
        }
        for label in sorted({*n_given, *n_said} - {""})
    }


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(one, 4) for one in interval]
