"""Whether customers come back after a complaint and without: with further cases, and, where the house tells of them, with purchases.

Each customer enters once, with the first case in the period that fits the choice, and is told by what that case was. So nobody is called
"without a complaint" for what came later, and no time before the entry counts. Who cannot be followed to the end counts as far as seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, CaseFlow, Kind
from careloop.desk.flows.models import FlowVersion
from careloop.desk.flows.queries import flow_of, named
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.rows import table_of
from careloop.desk.measures.changes import Change, change_of, difference_of_changes
from careloop.desk.measures.queries import check_question, find_moment
from careloop.desk.measures.reading import Facts, Question
from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.measures.sales import Sales, measure_sales
from careloop.insight.service.retention import Followed, Rate, RateDifference, measure_churn, measure_rate, measure_repeat, subtract
from careloop.insight.service.retention import measure_retention as measure_return

DAY = 86_400
WITHIN = (7, 30, 90, 180, 365)  # days
WITHIN_BY_PERIOD = {"7": 7, "30": 7, "90": 30}
DEFAULT_WITHIN = 90
REMEDY = "REMEDY"  # the field of shipped and own flows that names what was done for the customer
RATES = ("retention", "repeat", "churn", "complained_again")
MOST_MONTHS = 24


@dataclass(frozen=True)
class Entrant:
    """One customer from the entering case on; days from it to the first and second further case and to the next complaint, or as far as
    seen. `before` and `after` count the cases in the days before and after, None where these were not all seen.
    """

    case_id: int
    customer_id: int
    entered_second: int
    is_complaint: bool
    days: tuple[float, float, float]
    has_come: tuple[bool, bool, bool]
    before: int | None
    after: int | None


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


@dataclass(frozen=True)
class _History:
    """Cases by customer, each customer's in the order of their beginning."""

    case_ids: NDArray[np.int64]
    customers: NDArray[np.int64]
    opened: NDArray[np.int64]
    is_complaint: NDArray[np.bool_]
    is_known: NDArray[np.bool_]
    began: int


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
    history = _read_history(question, viewer, as_of)
    entering = _list_entering(question, viewer, as_of)
    entrants, n_unknown, n_ahead = _follow(history, entering, within, int(as_of.timestamp()))
    complained, others = ([one for one in entrants if one.is_complaint is wanted] for wanted in (True, False))
    base = _side("", others, within, None)
    pairs = [_seen_pairs(some) if question.since is not None else [] for some in (complained, others)]  # before the first of all is none
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


def _read_history(question: Question, viewer: Viewer, as_of: datetime) -> _History:
    """All cases in sight, whatever the period and choice."""
    told = f"CASE WHEN g.kind = '{Kind.COMPLAINT.value}' THEN 2 WHEN g.kind <> '' THEN 1 ELSE 0 END"
    customer = f"COALESCE((SELECT c.customer_id FROM {table_of(Case).name} c WHERE c.id = f.case_id), 0)"  # noqa: S608  (our own names)
    facts = Facts(Question(("opened",), as_of=question.as_of), viewer, as_of)
    rows = facts.columns(MEASURES["opened"], ["f.case_id", customer, "f.opened_second", told])
    rows = rows[:, rows[1] > 0]  # an erased case has nobody left
    case_ids, customers, opened, kinds = rows[:, np.lexsort((rows[0], rows[2], rows[1]))]
    return _History(case_ids, customers, opened, kinds == 2, kinds > 0, int(opened.min(initial=int(as_of.timestamp()))))


def _list_entering(question: Question, viewer: Viewer, as_of: datetime) -> NDArray[np.int64]:
    found: NDArray[np.int64] = Facts(question, viewer, as_of).columns(MEASURES["opened"], ["f.case_id"])[0]
    return found


def _follow(history: _History, entering: NDArray[np.int64], within: int, now: int) -> tuple[list[Entrant], int, int]:
    """Each customer from the first entering case on, and how many had none of a known kind or entered in the future."""
    may_enter = np.isin(history.case_ids, entering)
    starts = np.flatnonzero(np.diff(history.customers, prepend=-1))
    ends = np.append(starts[1:], len(history.customers))[: len(starts)].tolist()
    found: list[Entrant] = []
    n_unknown = n_ahead = 0
    for start, end in zip(starts.tolist(), ends, strict=True):
        candidates = np.flatnonzero(may_enter[start:end])
        if not len(candidates):
            continue
        place = start + int(candidates[0])
        if history.opened[place] > now:
            n_ahead += 1
        elif not history.is_known[place]:
            n_unknown += 1
        else:
            found.append(_follow_one(history, (start, place, end), within, now))
    return found, n_unknown, n_ahead


def _follow_one(history: _History, places: tuple[int, int, int], within: int, now: int) -> Entrant:
    """`places` are those of the customer's first case, of the entering one, and behind the last."""
    start, place, end = places
    entered = int(history.opened[place])
    later = [(second - entered) / DAY for second in history.opened[place + 1 : end].tolist() if second <= now]
    again = history.is_complaint[place + 1 : place + 1 + len(later)].tolist()
    complaints = [day for day, is_complaint in zip(later, again, strict=True) if is_complaint]
    come = [later[:1], later[1:2], complaints[:1]]
    seen = (now - entered) / DAY
    is_seen = seen >= within and entered - history.began >= within * DAY
    before = sum(second >= entered - within * DAY for second in history.opened[start:place].tolist())
    first, second, third = (some[0] if some else seen for some in come)
    return Entrant(
        int(history.case_ids[place]),
        int(history.customers[place]),
        entered,
        bool(history.is_complaint[place]),
        (first, second, third),
        (bool(come[0]), bool(come[1]), bool(come[2])),
        before if is_seen else None,
        sum(day <= within for day in later) if is_seen else None,
    )


def _side(name: str, entrants: Sequence[Entrant], within: int, base: Side | None) -> Side:
    rates = _rates(entrants, within)
    differences = {key: subtract(rates[key], base.rates[key]) for key in RATES} if base is not None else {}
    return Side(name, len(entrants), rates, differences)


def _rates(entrants: Sequence[Entrant], within: int) -> dict[str, Rate]:
    followed = [
        Followed(one.customer_id, one.entered_second / DAY, one.is_complaint, "", one.days[:2], one.has_come[:2]) for one in entrants
    ]
    again = measure_rate([one.days[2] for one in entrants], [one.has_come[2] for one in entrants], horizon_days=within)
    return {
        "retention": measure_return(followed, horizon_days=within),
        "repeat": measure_repeat(followed, horizon_days=within),
        "churn": measure_churn(followed, horizon_days=within),
        "complained_again": again,
    }


def _seen_pairs(entrants: Iterable[Entrant]) -> list[tuple[int, int]]:
    return [(one.before, one.after) for one in entrants if one.before is not None and one.after is not None]


def _by_remedy(complained: Sequence[Entrant]) -> tuple[dict[str, list[Entrant]], dict[str, list[Entrant]]]:
    """Those who complained by what was done for them, and by where their case stands on its flow now; the most frequent first."""
    stored = CaseFlow.objects.filter(case__kind=Kind.COMPLAINT).values_list("case_id", "flow_version_id", "state", "values")
    known = {case_id: (version, state, values) for case_id, version, state, values in stored}
    used = {known[one.case_id][0] for one in complained if one.case_id in known}
    flows = {version.pk: flow_of(version) for version in FlowVersion.objects.filter(pk__in=used)}
    by_remedy: dict[str, list[Entrant]] = defaultdict(list)
    by_state: dict[str, list[Entrant]] = defaultdict(list)
    for one in complained:
        if one.case_id not in known:
            continue
        version, state, values = known[one.case_id]
        asked = flows[version].find_field(REMEDY)
        names = {code: named(name) for code, name in asked.choices} if asked is not None else {}
        if values.get(REMEDY):
            by_remedy[names.get(str(values[REMEDY]), str(values[REMEDY]))].append(one)
        states = {place.code: named(place.name) for place in flows[version].states}
        by_state[states.get(state, state)].append(one)
    by_remedy, by_state = (dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))) for groups in (by_remedy, by_state))
    return by_remedy, by_state


def _cohorts(entrants: Iterable[Entrant], within: int) -> tuple[Cohort, ...]:
    """By the month of entering in the house's zone, the newest months."""
    zone = ZoneInfo(settings.TIME_ZONE)
    months: dict[date, list[Entrant]] = defaultdict(list)
    for one in entrants:
        months[datetime.fromtimestamp(one.entered_second, UTC).astimezone(zone).date().replace(day=1)].append(one)
    found = []
    for month in sorted(months)[-MOST_MONTHS:]:
        first, second = (
            _rates([one for one in months[month] if one.is_complaint is wanted], within)["retention"] for wanted in (True, False)
        )
        found.append(Cohort(month, first, second, subtract(first, second)))
    return tuple(found)
