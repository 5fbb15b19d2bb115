"""Cases as columns for the models that explain: what is known of each, where it waited, what was done, how it was rated."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import zip_longest
from typing import Any

from django.db.models import Avg, Min

from careloop.desk.analysis.models import Reading
from careloop.desk.cases.models import CaseEvent, Direction
from careloop.desk.measures.models import AnswerFact, CaseFact
from careloop.desk.surveys.models import Answer

AT_ONCE = 500
RESOLVED = "RESOLVED"
STATUS_EVENTS = ("OPENED", "RECEIVED", "REPLIED", "STATUS", "MOVED", "SURVEY")
ACTIONS = {"handed_over": ("ASSIGNED", 1), "solution_used": ("SOLUTION", 0), "escalated": ("ESCALATED", 0)}  # kind, and more than so many
HOUR = 3600


@dataclass
class Step:
    """A case entered a state at a second; the name of a flow's state is in both languages, that of a status is its code."""

    case_id: int
    state: str
    second: int


@dataclass
class CaseRows:
    """Columns of equal length, one entry a case, newest case first."""

    facts: list[CaseFact]
    now_second: int
    steps: list[Step] = field(default_factory=list)
    state_names: dict[str, dict[str, str]] = field(default_factory=dict)
    done: dict[str, set[int]] = field(default_factory=dict)
    sentiment: dict[int, tuple[float, float]] = field(default_factory=dict)  # lowest and mean probability of being positive
    answers: dict[int, AnswerFact] = field(default_factory=dict)  # the newest that has a score, else the newest invitation

    @property
    def is_open(self) -> list[bool]:
        """Whether each case is not resolved now."""
        return [fact.resolution_seconds is None for fact in self.facts]

    @property
    def seconds(self) -> list[float]:
        """From the beginning to the last resolution, or until now."""
        return [float(_spent(fact, self.now_second)) for fact in self.facts]


def read_cases(*, since_day: int, most: int, team_id: int | None, now_second: int) -> CaseRows:
    """The newest cases begun since a day, as the facts stand now, with their events, readings and answers."""
    chosen = CaseFact.objects.filter(opened_on__gte=since_day).select_related("facets")
    if team_id is not None:
        chosen = chosen.filter(facets__team_id=team_id)
    rows = CaseRows(list(chosen.order_by("-opened_second", "-case_id")[:most]), now_second)
    for part in _parts([fact.case_id for fact in rows.facts]):
        _read_events(rows, part)
        _read_sentiment(rows, part)
        for answer in AnswerFact.objects.filter(case_id__in=part).order_by("pk"):
            known = rows.answers.get(answer.case_id)
            if known is None or answer.hundredths is not None or known.hundredths is None:
                rows.answers[answer.case_id] = answer
    return rows


def arrival_columns(rows: CaseRows, zone: tzinfo) -> dict[str, list[Any]]:
    """What is known when a case arrives, and where it waited longest."""
    begun = [datetime.fromtimestamp(fact.opened_second, UTC).astimezone(zone) for fact in rows.facts]
    waited = longest_states(rows)
    return {
        **_facet_columns(rows),
        "category": [fact.facets.category or None for fact in rows.facts],
        "team": [str(fact.facets.team_id) for fact in rows.facts],
        "hour": [float(moment.hour) for moment in begun],
        "weekday": [str(moment.weekday()) for moment in begun],
        "waiting_for": [waited.get(fact.case_id) for fact in rows.facts],
    }


def course_columns(rows: CaseRows) -> dict[str, list[Any]]:
    """How a case went: waits in hours, lateness, what was done; None where it is not known."""
    columns: dict[str, list[Any]] = {
        "first_response_hours": [_hours(fact.response_seconds) for fact in rows.facts],
        "resolution_hours": [_hours(fact.resolution_seconds) for fact in rows.facts],
        "late": [fact.is_response_late for fact in rows.facts],
        "reopened": [fact.reopened > 0 for fact in rows.facts],
        "replies": [float(fact.replies) for fact in rows.facts],
    }
    for name in ACTIONS:
        done = rows.done.get(name, set())
        columns[name] = [fact.case_id in done for fact in rows.facts]
    return {**columns, **_facet_columns(rows), "category": [fact.facets.category or None for fact in rows.facts]}


def text_columns(rows: CaseRows) -> dict[str, list[Any]]:
    """How the customer's messages sound: the lowest and the mean probability of being positive."""
    known = [rows.sentiment.get(fact.case_id, (None, None)) for fact in rows.facts]
    return {"sentiment_lowest": [lowest for lowest, _mean in known], "sentiment_mean": [mean for _lowest, mean in known]}


def longest_states(rows: CaseRows) -> dict[int, str]:
    """The state in which each case spent the most time, resolved ones apart."""
    spent: dict[int, Counter[str]] = defaultdict(Counter)
    for step, after in zip_longest(rows.steps, rows.steps[1:]):
        until = after.second if after is not None and after.case_id == step.case_id else rows.now_second
        if step.state != RESOLVED:
            spent[step.case_id][step.state] += max(0, until - step.second)
    return {case_id: states.most_common(1)[0][0] for case_id, states in spent.items()}


def _facet_columns(rows: CaseRows) -> dict[str, list[Any]]:
    return {
        "kind": [fact.facets.kind or None for fact in rows.facts],
        "channel": [str(fact.facets.channel_id) for fact in rows.facts],
        "priority": [str(fact.facets.priority) for fact in rows.facts],
    }


def _read_events(rows: CaseRows, case_ids: list[int]) -> None:
    """Steps from state to state: those of a flow where the case runs on one, else its statuses; and what was done to it."""
    kinds = (*STATUS_EVENTS, *(kind for kind, _least in ACTIONS.values()))
    events = CaseEvent.objects.filter(case_id__in=case_ids, kind__in=kinds).order_by("case_id", "pk")
    by_case: dict[int, list[tuple[str, datetime, dict[str, Any]]]] = defaultdict(list)
    for case_id, kind, at, after in events.values_list("case_id", "kind", "at", "after"):
        by_case[case_id].append((kind, at, after))
    for case_id, happened in by_case.items():
        moved = [(at, after) for kind, at, after in happened if kind == "MOVED" and after.get("state")]
        for _at, after in moved:
            rows.state_names.setdefault(str(after["state"]), after.get("state_name") or after.get("name") or {})
        told = moved or [(at, after) for _kind, at, after in happened if after.get("status")]
        rows.steps += _enter(case_id, [(str(after.get("state") if moved else after["status"]), at) for at, after in told])
        counts = Counter(kind for kind, _at, _after in happened)
        for name, (kind, least) in ACTIONS.items():
            if counts[kind] > least:
                rows.done.setdefault(name, set()).add(case_id)


def _enter(case_id: int, told: Iterable[tuple[str, datetime]]) -> Iterator[Step]:
    """A step for each change of the state."""
    before = ""
    for state, at in told:
        if state != before:
            yield Step(case_id, state, int(at.timestamp()))
        before = state


def _read_sentiment(rows: CaseRows, case_ids: list[int]) -> None:
    """Of messages of the customer that are neither a review nor the answer to a survey: those would tell what is to be estimated."""
    asked = AnswerFact.objects.filter(case_id__in=case_ids, origin="SURVEY").values("origin_id")
    messages = Reading.objects.filter(case_id__in=case_ids, message__direction=Direction.INBOUND, message__feedback=None)
    messages = messages.exclude(message__in=_answers_of(asked))
    for case_id, lowest, mean in messages.values_list("case_id").annotate(Min("sentiment_probability"), Avg("sentiment_probability")):
        if lowest is not None:
            rows.sentiment[case_id] = (float(lowest), float(mean))


def _answers_of(invitations: Any) -> Any:
    return Answer.objects.filter(invitation__in=invitations, message__isnull=False).values("message")


def _spent(fact: CaseFact, now_second: int) -> int:
    return fact.resolution_seconds if fact.resolution_seconds is not None else max(0, now_second - fact.opened_second)


def _hours(seconds: int | None) -> float | None:
    return None if seconds is None else seconds / HOUR


def _parts(numbers: list[int]) -> Iterator[list[int]]:
    for begin in range(0, len(numbers), AT_ONCE):
        yield numbers[begin : begin + AT_ONCE]
