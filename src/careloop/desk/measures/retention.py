"""Whether customers come back after a complaint and without: with further cases, and, where the house tells of them, with purchases."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import CaseFlow, Kind
from careloop.desk.flows.models import FlowVersion
from careloop.desk.flows.queries import flow_of, named
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.changes import BeforeAfter, Change, change_of, difference_of_changes
from careloop.desk.measures.entering import Entrants, list_entrants
from careloop.desk.measures.queries import check_question, find_moment
from careloop.desk.measures.reading import Question
from careloop.desk.measures.sales import Sales, measure_sales
from careloop.insight.service.retention import Rate, RateDifference, complement, measure_rate, subtract

WITHIN = (7, 30, 90, 180, 365)  # days
WITHIN_BY_PERIOD = {"7": 7, "30": 7, "90": 30}
DEFAULT_WITHIN = 90
REMEDY = "REMEDY"  # the field of shipped and own flows that names what was done for the customer
RATES = ("retention", "repeat", "churn", "complained_again")
MOST_MONTHS = 24


@dataclass(frozen=True)
class Side:
    """The rates of some customers, and their difference from those who came without a complaint."""

    name: str
    n: int
    rates: dict[str, Rate]
    differences: dict[str, RateDifference] = field(default_factory=dict)


@dataclass(frozen=True)
class Cohort:
    """Customers who entered in a month: how many came back after a complaint, and without."""

    month: date
    complained: Rate
    others: Rate
    difference: RateDifference


@dataclass(frozen=True)
class Retention:
    """The answer; `as_of` is None before anything was counted. Cases of unknown kind make nobody enter, nor do cases from the future."""

    question: Question
    within: int
    as_of: datetime | None
    complained: Side | None = None
    others: Side | None = None
    contacts: tuple[Change, Change] | None = None
    contacts_difference: tuple[float, float, float] | None = None
    remedies: tuple[Side, ...] = ()
    outcomes: tuple[Side, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    sales: Sales | None = None
    n_unknown: int = 0
    n_ahead: int = 0


def measure_retention(question: Question, within: int, viewer: Viewer) -> Retention:
    """Rates within some days after entering; the question's measures, split and times do not matter."""
    check_may(viewer, "report.view")
    if within not in WITHIN:
        raise InvalidInput(f"The days to come back in are {within!r}; expected one of {', '.join(map(str, WITHIN))}.", field="within")
    question = replace(question, by="", per="", measures=("opened",))
    check_question(question)
    as_of = find_moment(question.as_of)
    if as_of is None:
        return Retention(question, within, None)
    entrants, n_unknown, n_ahead = list_entrants(question, within, viewer, as_of)
    complained, others = entrants.pick(entrants.is_complaint), entrants.pick(~entrants.is_complaint)
    base = _side("", others, within, None)
    pairs = [_seen(some, is_bounded=question.since is not None) for some in (complained, others)]
    by_remedy, by_state = _by_remedy(complained)
    return Retention(
        question,
        within,
        as_of,
        _side("", complained, within, base),
        base,
        (change_of(pairs[0]), change_of(pairs[1])),
        difference_of_changes(*pairs),
        tuple(_side(name, some, within, base) for name, some in by_remedy.items()),
        tuple(_side(name, some, within, base) for name, some in by_state.items()),
        _cohorts(entrants, within),
        measure_sales(complained, others, by_remedy, within, viewer, as_of),
        n_unknown,
        n_ahead,
    )


def _side(name: str, entrants: Entrants, within: int, base: Side | None) -> Side:
    rates = _rates(entrants, within)
    differences = {key: subtract(rates[key], base.rates[key]) for key in RATES} if base is not None else {}
    return Side(name, len(entrants), rates, differences)


def _rates(entrants: Entrants, within: int) -> dict[str, Rate]:
    once, twice, again = (measure_rate(*some, horizon_days=within) for some in zip(entrants.days, entrants.has_come, strict=True))
    return {"retention": once, "repeat": twice, "churn": complement(once), "complained_again": again}


def _seen(entrants: Entrants, *, is_bounded: bool) -> BeforeAfter:
    """Cases before and after; without a first day of the period nobody has any before."""
    seen = entrants.pick(entrants.is_seen & is_bounded)
    return seen.before, seen.after


def _by_remedy(complained: Entrants) -> tuple[dict[str, Entrants], dict[str, Entrants]]:
    """Those who complained by what was done for them, and by where their case stands on its flow now; the most frequent first."""
    stored = CaseFlow.objects.filter(case__kind=Kind.COMPLAINT).values_list("case_id", "flow_version_id", "state", "values")
    known = {case_id: (version, state, values) for case_id, version, state, values in stored}
    entered = [(place, *known[case_id]) for place, case_id in enumerate(complained.case_ids.tolist()) if case_id in known]
    flows = {
        version.pk: flow_of(version) for version in FlowVersion.objects.filter(pk__in={version for _place, version, *_rest in entered})
    }
    by_remedy: dict[str, list[int]] = defaultdict(list)
    by_state: dict[str, list[int]] = defaultdict(list)
    for place, version, state, values in entered:
        asked = flows[version].find_field(REMEDY)
        names = {code: named(name) for code, name in asked.choices} if asked is not None else {}
        if values.get(REMEDY):
            by_remedy[names.get(str(values[REMEDY]), str(values[REMEDY]))].append(place)
        states = {one.code: named(one.name) for one in flows[version].states}
        by_state[states.get(state, state)].append(place)
    return _picked(complained, by_remedy), _picked(complained, by_state)


def _picked(entrants: Entrants, groups: dict[str, list[int]]) -> dict[str, Entrants]:
    return {name: entrants.pick(np.array(places)) for name, places in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))}


def _cohorts(entrants: Entrants, within: int) -> tuple[Cohort, ...]:
    """By the month of entering in the house's zone, the newest months in which somebody did."""
    if not len(entrants):
        return ()
    months, starts = _months(int(entrants.seconds.min()), int(entrants.seconds.max()))
    month_of = np.searchsorted(starts, entrants.seconds, side="right") - 1
    found = []
    for place in np.unique(month_of)[-MOST_MONTHS:].tolist():
        first, second = (
            _rates(entrants.pick((month_of == place) & (entrants.is_complaint == wanted)), within)["retention"] for wanted in (True, False)
        )
        found.append(Cohort(months[place], first, second, subtract(first, second)))
    return tuple(found)


def _months(first: int, last: int) -> tuple[list[date], list[int]]:
    """The months from one second to another, and the second in which each begins in the house's zone."""
    zone = ZoneInfo(settings.TIME_ZONE)
    month, end = (datetime.fromtimestamp(second, UTC).astimezone(zone).date().replace(day=1) for second in (first, last))
    months = []
    while month <= end:
        months.append(month)
        month = (month + timedelta(days=31)).replace(day=1)
    return months, [int(datetime(one.year, one.month, 1, tzinfo=zone).timestamp()) for one in months]
