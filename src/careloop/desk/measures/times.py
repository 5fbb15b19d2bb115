"""How long cases take to the first response or the resolution: whole curves in which what is open is not over yet, group beside group."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.models import Facets
from careloop.desk.measures.queries import ask, check_question, find_moment
from careloop.desk.measures.reading import Facts, Question
from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.measures.rules.values import NOTHING, Figure, add_up, figure_of
from careloop.insight.errors import InputError
from careloop.insight.stats import SurvivalCurve, compare_survival, correct_by_holm, fit_survival, median_interval

TARGETS = ("first_response", "resolution")
SHARES = (0.25, 0.5, 0.75, 0.9)
DEFAULT_SPLIT = "channel"
MOST_GROUPS = 8
REST = "…"  # the groups beyond the largest, together
LEAST_ENDED = 10  # in all groups together; with fewer no difference is looked for
CALLED = 0.05
SOONER, LATER = "SOONER", "LATER"
POINTS = 120  # of a drawn curve
MINUTE, HOUR, DAY = 60, 3600, 86_400
LADDER_DAYS = (1, 2, 3, 7, 14, 30, 90, 180, 365, 730, 1825, 3650)
HORIZONS = (5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, *(DAY * days for days in LADDER_DAYS))
FACETS = ("team", "channel", "agent", "kind", "category", "priority", "sentiment", "segment", "product")


@dataclass(frozen=True)
class CaseSpans:
    """One entry a case: the number of its combination of facets, when it began, how long it took so far, and whether that was over."""

    facets: NDArray[np.int64]
    opened: NDArray[np.int64]
    seconds: NDArray[np.int64]
    ended: NDArray[np.bool_]
    combinations: dict[int, dict[str, Any]]

    def groups(self, by: str) -> list[Any]:
        """Each case's value of a facet."""
        values = {number: facets[by] for number, facets in self.combinations.items()}
        return [values[number] for number in self.facets.tolist()]


@dataclass(frozen=True)
class Moment:
    """The share of cases (0–1) that take longer than `seconds`, with its interval."""

    seconds: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class GroupTimes:
    """One group: how many cases, how many are not over, by when a quarter, half, three quarters and nine tenths are, the average up to
    the horizon, the share on time, the curve, and whether it is over sooner or later than the others by more than chance.
    """

    group: Any
    n: int
    n_open: int
    points: tuple[Figure, ...]
    mean: Figure
    on_time: Figure
    course: tuple[Moment, ...]
    verdict: str = ""


@dataclass(frozen=True)
class Times:
    """The answer; `as_of` is None before anything was counted, `p` None where there is too little to compare. Spans are in seconds."""

    question: Question
    target: str
    as_of: datetime | None
    horizon: int
    groups: tuple[GroupTimes, ...]
    whole: GroupTimes | None
    p: float | None
    statistic: float | None
    freedom: int


def measure_times(question: Question, target: str, viewer: Viewer) -> tuple[Times, CaseSpans | None]:
    """Curves, points, averages and the log-rank test of the cases that began in the period; the question's measures do not matter."""
    check_may(viewer, "report.view")
    if target not in TARGETS:
        raise InvalidInput(f"The time is {target!r}; expected one of {', '.join(TARGETS)}.", field="target")
    by = question.by or DEFAULT_SPLIT
    question = replace(question, by=by, per="", measures=(f"{target}_on_time",))
    check_question(question)
    as_of = find_moment(question.as_of)
    spans = read_spans(question, target, viewer, as_of) if as_of is not None else None
    if spans is None or not len(spans.seconds):
        return Times(question, target, as_of, HORIZONS[0], (), None, None, None, 0), spans
    parts = _parts(spans.groups(by))
    everything = np.arange(len(spans.seconds))
    curve = fit_survival(spans.seconds, spans.ended)
    horizon = _horizon(curve, int(spans.seconds.max()))
    punctual = _punctual(question, viewer, parts)
    groups = [_times_of(name, spans, rows, horizon, punctual.get(name, NOTHING)) for name, rows in parts.items()]
    p, statistic, freedom, verdicts = _compare(spans, list(parts.values()))
    found = tuple(replace(one, verdict=verdict) for one, verdict in zip(groups, verdicts, strict=True))
    whole = _times_of(None, spans, everything, horizon, punctual[None])
    return Times(question, target, as_of, horizon, found, whole, p, statistic, freedom), spans


def read_spans(question: Question, target: str, viewer: Viewer, as_of: datetime) -> CaseSpans:
    """The cases of a question, in the order of their beginning; a span that would end before it begins counts as none."""
    measure = MEASURES[target]
    columns = ["f.facets_id", "f.opened_second", "f.case_id", measure.value, f"CASE WHEN {measure.ended} THEN 1 ELSE 0 END"]
    rows = Facts(question, viewer, as_of).columns(measure, columns)
    facets, opened, _case_ids, seconds, ended = rows[:, np.lexsort((rows[2], rows[1]))]
    used = set(np.unique(facets).tolist())
    names = [f"{name}_id" if name in {"team", "channel", "agent"} else name for name in FACETS]
    known = Facets.objects.values_list("pk", *names)
    combinations = {number: dict(zip(FACETS, told, strict=True)) for number, *told in known if number in used}
    return CaseSpans(facets, opened, np.maximum(seconds, 0), ended != 0, combinations)


def _parts(names: list[Any]) -> dict[Any, NDArray[np.int64]]:
    """The cases of each group, the largest group first; those beyond the largest eight together."""
    places: dict[Any, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    order = sorted(places, key=lambda name: (-len(places[name]), str(name)))
    kept = order if len(order) <= MOST_GROUPS + 1 else order[:MOST_GROUPS]
    parts = {name: np.array(places[name], dtype=np.int64) for name in kept}
    rest = [place for name in order[len(kept) :] for place in places[name]]
    return {**parts, REST: np.array(sorted(rest), dtype=np.int64)} if rest else parts


def _horizon(curve: SurvivalCurve, longest: int) -> int:
    """A round time by which most are over, not beyond what was seen."""
    reached = curve.quantile(0.9)
    wanted = next((one for one in HORIZONS if one >= (longest if reached is None else reached)), HORIZONS[-1])
    seen = max((one for one in HORIZONS if one <= longest), default=HORIZONS[0])
    return min(wanted, seen)


def _times_of(name: Any, spans: CaseSpans, rows: NDArray[np.int64], horizon: int, on_time: Figure) -> GroupTimes:
    seconds, ended = spans.seconds[rows], spans.ended[rows]
    curve = fit_survival(seconds, ended)
    points = tuple(Figure(curve.quantile(share), *median_interval(curve, share=share), curve.n) for share in SHARES)
    is_seen = int(seconds.max()) >= horizon or bool(len(curve.survival) and curve.survival[-1] == 0)
    mean = Figure(*curve.restricted_mean(horizon), curve.n) if is_seen and curve.n_ended else replace(NOTHING, n=curve.n)
    return GroupTimes(name, curve.n, curve.n - curve.n_ended, points, mean, on_time, _course(curve, seconds, horizon))


def _course(curve: SurvivalCurve, seconds: NDArray[np.int64], horizon: int) -> tuple[Moment, ...]:
    """The curve at even times up to the horizon, not beyond what was seen of the group."""
    times = np.unique(np.linspace(0, horizon, POINTS + 1).astype(np.int64))
    times = times[times <= max(int(seconds.max()), int(curve.times[-1]) if len(curve.times) else 0)]
    lows, highs = curve.bounds()
    places = np.searchsorted(curve.times, times, side="right") - 1
    found = []
    for time, place in zip(times.tolist(), places.tolist(), strict=True):
        share, low, high = (1.0, 1.0, 1.0) if place < 0 else (float(curve.survival[place]), float(lows[place]), float(highs[place]))
        found.append(Moment(time, share, low, high))
    return tuple(found)


def _punctual(question: Question, viewer: Viewer, groups: Iterable[Any]) -> dict[Any, Figure]:
    """The share on time, in working time, of each group; under None that of all."""
    key = question.measures[0]
    table = ask(question, viewer)
    own = {row.group: row.figures[key] for row in table.rows}
    shown = set(groups)
    rest = add_up([figure.sums for name, figure in own.items() if name not in shown and figure.sums is not None])
    return {**own, REST: figure_of(MEASURES[key], rest), None: table.whole[key]}


def _compare(spans: CaseSpans, parts: list[NDArray[np.int64]]) -> tuple[float | None, float | None, int, list[str]]:
    """The log-rank test of all groups, and which of them differ from the others, put right for how many were asked (Holm)."""
    nothing = (None, None, 0, [""] * len(parts))
    if int(spans.ended.sum()) < LEAST_ENDED or len(parts) < 2:
        return nothing
    try:
        found = compare_survival([(spans.seconds[rows], spans.ended[rows]) for rows in parts])
    except InputError:
        return nothing
    spread = np.sqrt(np.maximum(found.variances, 0))
    scores = np.where(spread > 0, (found.observed - found.expected) / np.where(spread > 0, spread, 1), 0.0)
    corrected = correct_by_holm(2 * ndtr(-np.abs(scores)))
    is_told = (corrected < CALLED) & (found.p < CALLED)
    verdicts = ["" if not told else SOONER if score > 0 else LATER for told, score in zip(is_told, scores, strict=True)]
    return found.p, found.statistic, found.freedom, verdicts
