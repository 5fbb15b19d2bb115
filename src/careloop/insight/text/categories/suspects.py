"""Rows whose label looks wrong, listed so that people can look at them."""

from __future__ import annotations

from typing import Any

import numpy as np

from careloop.insight.text.categories.noise import Judgement
from careloop.insight.text.categories.rows import LabelledRows

_LEAST_SHARE = 0.002  # of the rows are listed, if the model disagrees with them, however clean the labels seem
_MOST_ROWS = 1_000


def list_suspects(rows: LabelledRows, judgement: Judgement) -> list[dict[str, Any]]:
    """Return the rows that a model without them takes most clearly for another label, worst first.

    Each has `row` (0-based, as the rows were given), `label`, `suggested` and `margin`, the lead of the suggestion in scores of −1 … 1.
    """
    margins = judgement.margins(rows.classes)
    n_listed = min(_MOST_ROWS, round(len(margins) * max(judgement.noise_ratio, _LEAST_SHARE)))
    worst = [row for row in np.argsort(margins, kind="stable")[:n_listed].tolist() if margins[row] < 0]
    suggestions = judgement.scores.argmax(axis=1)
    return [
        {
            "row": int(rows.numbers[row]),
            "label": rows.labels[rows.classes[row]],
            "suggested": rows.labels[suggestions[row]],
            "margin": round(-float(margins[row]), 3),
        }
        for row in worst
    ]
