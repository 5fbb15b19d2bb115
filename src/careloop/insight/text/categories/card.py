"""What a model's card says of its quality, from probabilities of rows that it had not learnt from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.stats import bootstrap_interval, measure_calibration_error, measure_coverage, sort_into_bins, wilson_interval
from careloop.insight.text.categories.rows import LabelledRows

LEAST_NOISE = 0.05  # a smaller estimate is within its own error and changes nothing

Doubles = NDArray[np.float64]


def describe_quality(rows: LabelledRows, probabilities: Doubles, tested: NDArray[np.int64], noise_ratio: float) -> dict[str, Any]:
    """Return accuracy, F1, calibration, table of thresholds, per-label figures and the confusion matrix; plain values.

    Parameters
    ----------
    rows : LabelledRows
    probabilities : ndarray of float64, shape (n_tested, n_labels)
        Said by models that had not seen the row, calibrated without it.
    tested : ndarray of int64, shape (n_tested,)
        Which rows these are.
    noise_ratio : float
        Share of labels thought to be drawn at random. Probabilities speak of the right label, not of the one given, so the calibration
        error compares agreement with what they lead to expect: probability · (1 − noise) + noise · share of the label found.
    """
    given = rows.classes[tested]
    said, found = probabilities.max(axis=1), probabilities.argmax(axis=1)
    shares = np.bincount(rows.classes, minlength=len(rows.labels)) / len(rows.classes)
    said = said if noise_ratio < LEAST_NOISE else said * (1 - noise_ratio) + noise_ratio * shares[found]
    right = found == given
    n_labels = len(rows.labels)
    confusion = np.bincount(given * n_labels + found, minlength=n_labels * n_labels).reshape(n_labels, n_labels)
    f1_interval = bootstrap_interval(lambda drawn: macro_f1(given[drawn], found[drawn], n_labels), len(tested))
    error_interval = bootstrap_interval(lambda drawn: measure_calibration_error(said[drawn], right[drawn]), len(tested))
    return {
        "tested_rows": len(tested),
        "accuracy": round(float(right.mean()), 4),
        "accuracy_interval": _round(wilson_interval(int(right.sum()), len(tested))),
        "macro_f1": round(macro_f1(given, found, n_labels), 4),
        "macro_f1_interval": _round(f1_interval),
        "expected_calibration_error": round(measure_calibration_error(said, right), 4),
        "expected_calibration_error_interval": _round(error_interval),
        "per_label": _describe_labels(rows.labels, confusion),
        "threshold_table": [
            {
                "threshold": row.threshold,
                "accuracy": None if row.accuracy is None else round(row.accuracy, 4),
                "answered": round(row.answered_ratio, 4),
                "accuracy_interval": _round((row.low, row.high)),
            }
            for row in measure_coverage(probabilities.max(axis=1), right)
        ],
        "reliability": [
            {"said": round(one.said, 4), "true": round(one.true, 4), "rows": one.rows, "interval": _round((one.low, one.high))}
            for one in sort_into_bins(said, right)
        ],
        "confusion": [[int(row), int(column), int(confusion[row, column])] for row, column in zip(*confusion.nonzero(), strict=True)],
    }


def macro_f1(given: NDArray[np.int64], found: NDArray[np.int64], n_labels: int) -> float:
    """Return the mean F1 of the labels that are given or found at least once, 0–1."""
    right = np.bincount(given[given == found], minlength=n_labels)
    counts = np.bincount(given, minlength=n_labels) + np.bincount(found, minlength=n_labels)
    present = counts > 0
    return float((2 * right[present] / counts[present]).mean())


def _describe_labels(labels: tuple[str, ...], confusion: NDArray[np.int64]) -> dict[str, Any]:
    figures = {}
    for place, name in enumerate(labels):
        right, n_given, n_found = int(confusion[place, place]), int(confusion[place].sum()), int(confusion[:, place].sum())
        figures[name] = {
            "precision": round(right / n_found, 4) if n_found else None,
            "recall": round(right / n_given, 4) if n_given else None,
            "f1": round(2 * right / (n_given + n_found), 4) if n_given + n_found else None,
            "n": n_given,
            "recall_interval": _round(wilson_interval(right, n_given)),
        }
    return figures


def _round(interval: tuple[float, float]) -> list[float]:
    return [round(one, 4) for one in interval]
