"""What goes with a sooner end: proportional hazards of what is known of cases, each with the others held."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import NormalDist
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from careloop.desk.measures.times import REST, CaseSpans
from careloop.insight.errors import InputError
from careloop.insight.stats import CoxModel, fit_cox
from careloop.insight.stats.regression import list_redundant

MOST_CASES = 10_000  # the newest; the model is computed while the page is made
LEAST_ENDED = 60
ENDED_PER_COLUMN = 10
LEAST_OF_VALUE = 20  # ended cases with a value, and without it
MOST_VALUES = 8  # of one facet
ASKED = ("channel", "kind", "category", "priority", "team", "sentiment", "arrived")
WORKDAY, NIGHT, WEEKEND = "WORKDAY", "NIGHT", "WEEKEND"
DAY_BEGINS, DAY_ENDS, SATURDAY = 8, 18, 5
CALLED = 0.05
Column = tuple[str, Any]  # the facet and its value


@dataclass(frozen=True)
class Effect:
    """Cases with `value` of a facet end `ratio` times as fast as those with `base`; the interval holds for all effects together.

    `is_steady`: nothing shows that the ratio changes while cases wait.
    """

    facet: str
    value: Any
    base: Any
    ratio: float
    low: float
    high: float
    p: float
    n: int
    is_shown: bool
    is_steady: bool


@dataclass(frozen=True)
class TimesModel:
    """All effects, strongest first; none and the least number of ended cases in `needed` where there is too little.

    `agreement` (0.5–1) is the share of pairs of cases of which the model tells rightly which ends sooner; `n_all` cases were there.
    """

    effects: tuple[Effect, ...]
    n: int
    n_ended: int
    n_all: int
    agreement: float | None
    needed: int = 0
    nothing_varies: bool = False


def explain_times(spans: CaseSpans) -> TimesModel:
    """Fit to the newest cases; values with few cases stand with the most frequent one or together."""
    rows = np.arange(len(spans.seconds))[-MOST_CASES:]
    ended = spans.ended[rows]
    counts = (len(rows), int(ended.sum()), len(spans.seconds))
    if counts[1] < LEAST_ENDED:
        return TimesModel((), *counts, None, needed=LEAST_ENDED)
    values = _values(spans, rows)
    bases, columns = _columns(values, ended)
    model, kept = _fit(spans.seconds[rows], ended, columns)
    if model is None:
        return TimesModel((), *counts, None, nothing_varies=True)
    together = NormalDist().inv_cdf(1 - CALLED / (2 * len(kept)))
    intervals = model.intervals(z=together)
    effects = [
        Effect(
            facet,
            value,
            bases[facet],
            float(model.ratios[place]),
            float(intervals[place, 0]),
            float(intervals[place, 1]),
            min(1.0, float(model.p[place]) * len(kept)),
            int(columns[facet, value].sum()),
            not intervals[place, 0] <= 1 <= intervals[place, 1],
            float(model.proportionality_p[place]) * len(kept) >= CALLED,
        )
        for place, (facet, value) in enumerate(kept)
        if value != REST
    ]
    return TimesModel(tuple(sorted(effects, key=lambda one: one.p)), *counts, model.concordance)


def _values(spans: CaseSpans, rows: NDArray[np.int64]) -> dict[str, list[Any]]:
    """Each case's value of what is asked; whether it came at night or on a weekend is told in the house's zone."""
    zone = ZoneInfo(settings.TIME_ZONE)
    chosen = CaseSpans(spans.facets[rows], spans.opened[rows], spans.seconds[rows], spans.ended[rows], spans.combinations)
    found = {name: chosen.groups(name) for name in ASKED if name != "arrived"}
    found["arrived"] = [_arrived(datetime.fromtimestamp(second, UTC).astimezone(zone)) for second in chosen.opened.tolist()]
    return found


def _arrived(moment: datetime) -> str:
    if moment.weekday() >= SATURDAY:
        return WEEKEND
    return WORKDAY if DAY_BEGINS <= moment.hour < DAY_ENDS else NIGHT


def _columns(values: Mapping[str, list[Any]], ended: NDArray[np.bool_]) -> tuple[dict[str, Any], dict[Column, NDArray[np.float64]]]:
    """The most frequent value of each facet, and a column of 0 and 1 for each other value that has enough ended cases."""
    bases: dict[str, Any] = {}
    columns: dict[Column, NDArray[np.float64]] = {}
    for facet, column in values.items():
        over = Counter(value for value, is_over in zip(column, ended.tolist(), strict=True) if is_over)
        order = sorted(over, key=lambda value: (-over[value], str(value)))
        told = [value for value in order[1:] if over[value] >= LEAST_OF_VALUE][:MOST_VALUES]
        bases[facet] = order[0]
        rare = {value for value in set(column) if value != order[0] and value not in told}
        for value in told:
            columns[facet, value] = np.array([one == value for one in column], dtype=np.float64)
        if sum(over[value] for value in rare) >= LEAST_OF_VALUE:
            columns[facet, REST] = np.array([one in rare for one in column], dtype=np.float64)
    most = int(ended.sum()) // ENDED_PER_COLUMN
    frequent = sorted(columns, key=lambda one: -columns[one].sum())[:most]
    return bases, {name: columns[name] for name in columns if name in frequent}


def _fit(
    seconds: NDArray[np.int64], ended: NDArray[np.bool_], columns: Mapping[Column, NDArray[np.float64]]
) -> tuple[CoxModel | None, list[Column]]:
    """The model without columns that follow from others, and without any that parts the ended from the open so that no ratio exists."""
    kept = list(columns)
    while kept:
        matrix = np.column_stack([columns[name] for name in kept])
        labels = [str(place) for place in range(len(kept))]
        gone = set(list_redundant(matrix, labels))
        if not gone:
            try:
                return fit_cox(seconds, ended, matrix, names=labels, least_ended_per_column=ENDED_PER_COLUMN), kept
            except InputError as error:
                gone = {str(error.sentence.values.get("column", labels[-1]))}
        kept = [name for place, name in enumerate(kept) if str(place) not in gone]
    return None, []
