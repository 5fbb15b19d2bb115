"""Cases as columns for the models that explain: what is known of each, where it waited, what was done, how it was rated."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import zip_longest
from typing import Any

from careloop.desk.analysis.models import Reading
from careloop.desk.cases.models import Case, CaseEvent, Direction
from careloop.desk.measures.models import AnswerFact, CaseFact
from careloop.desk.measures.rules.following import Happened, follow
from careloop.desk.surveys.models import Answer, Invitation

AT_ONCE = 500
RESOLVED = "RESOLVED"
STATUS_EVENTS = ("OPENED", "RECEIVED", "REPLIED", "STATUS", "MOVED", "SURVEY")
ACTIONS = {"handed_over": ("ASSIGNED", 1), "solution_used": ("SOLUTION", 0), "escalated": ("ESCALATED", 0)}  # kind, and more than so many
HOUR = 3600
PERSON = "user"


@dataclass
class Step:
    """A case entered a state at a second; the name of a flow's state is in both languages, that of a status is its code."""

    case_id: int
    state: str
    second: int


@dataclass(frozen=True)
class Asked:
    """How a case stood when its customer was asked: what a bad answer sets off afterwards tells nothing of why it was bad."""

    replies: int
    reopened: int
    messages_in: int
    resolved_second: int | None
    done: frozenset[str]


@dataclass
class CaseRows:
    """Columns of equal length, one entry a case, newest case first."""

    facts: list[CaseFact]
    now_second: int
    steps: list[Step] = field(default_factory=list)
    state_names: dict[str, dict[str, str]] = field(default_factory=dict)
    done: dict[str, set[int]] = field(default_factory=dict)
    sentiment: dict[int, list[float]] = field(default_factory=dict)  # probability of being positive, a message each, the newest last
    answers: dict[int, AnswerFact] = field(default_factory=dict)  # of surveys: the newest that has a score, else the newest invitation
    asked_at: dict[int, datetime] = field(default_factory=dict)  # of the answer, or when it came without being asked for
    asked: dict[int, Asked] = field(default_factory=dict)
    customers: dict[int, int] = field(default_factory=dict)

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
        _read_answers(rows, part)
        _read_events(rows, part)
        _read_sentiment(rows, part)
        rows.customers |= dict(Case.objects.filter(pk__in=part).values_list("pk", "customer_id"))
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
    """How a case went until its customer was asked, or until now: waits in hours, lateness, what was done; None where it is not known."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("first_response_hours", "resolution_hours", "late", "reopened", "replies", "messages_in", *ACTIONS)
    }
    for fact in rows.facts:
        then = rows.asked.get(fact.case_id) or _stand_now(rows, fact)
        until = rows.asked_at.get(fact.case_id)
        is_answered = fact.response_seconds is not None and (
            until is None or fact.opened_second + fact.response_seconds <= until.timestamp()
        )
        spent = None if then.resolved_second is None else max(0, then.resolved_second - fact.opened_second)
        columns["first_response_hours"].append(_hours(fact.response_seconds) if is_answered else None)
        columns["resolution_hours"].append(_hours(spent))
        columns["late"].append(fact.is_response_late if is_answered else None)
        columns["reopened"].append(then.reopened > 0)
        columns["replies"].append(float(then.replies))
        columns["messages_in"].append(float(then.messages_in))
        for name in ACTIONS:
            columns[name].append(name in then.done)
    return {**columns, **_facet_columns(rows), "category": [fact.facets.category or None for fact in rows.facts]}


def text_columns(rows: CaseRows) -> dict[str, list[Any]]:
    """How the customer's messages sound: the lowest, the mean and the last probability of being positive."""
    known = [rows.sentiment.get(fact.case_id) for fact in rows.facts]
    return {
        "sentiment_lowest": [min(one) if one else None for one in known],
        "sentiment_mean": [sum(one) / len(one) if one else None for one in known],
        "sentiment_last": [one[-1] if one else None for one in known],
    }


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


def _read_answers(rows: CaseRows, case_ids: list[int]) -> None:
    """The answer or invitation that counts for each case, and when its customer was asked."""
    for answer in AnswerFact.objects.filter(case_id__in=case_ids, origin="SURVEY").order_by("pk"):
        known = rows.answers.get(answer.case_id)
        if known is None or answer.hundredths is not None or known.hundredths is None:
            rows.answers[answer.case_id] = answer
    chosen = {rows.answers[case_id].origin_id: case_id for case_id in case_ids if case_id in rows.answers}
    moments = Invitation.objects.filter(pk__in=chosen).values_list("pk", "sent_at", "answer__answered_at")
    rows.asked_at |= {chosen[number]: sent or answered for number, sent, answered in moments if sent or answered}


def _read_events(rows: CaseRows, case_ids: list[int]) -> None:
    """Steps from state to state: those of a flow where the case runs on one, else its statuses; and what was done to it."""
    kinds = (*STATUS_EVENTS, *(kind for kind, _least in ACTIONS.values()))
    events = CaseEvent.objects.filter(case_id__in=case_ids, kind__in=kinds).order_by("case_id", "pk")
    by_case: dict[int, list[CaseEvent]] = defaultdict(list)
    for event in events.only("case_id", "kind", "at", "actor_kind", "after"):
        by_case[event.case_id].append(event)
    for case_id, happened in by_case.items():
        moved = [event for event in happened if event.kind == "MOVED" and event.after.get("state")]
        for event in moved:
            rows.state_names.setdefault(str(event.after["state"]), event.after.get("state_name") or event.after.get("name") or {})
        told = moved or [event for event in happened if event.after.get("status")]
        rows.steps += _enter(case_id, [(str(event.after.get("state") if moved else event.after["status"]), event.at) for event in told])
        for name in _done(happened):
            rows.done.setdefault(name, set()).add(case_id)
        if case_id in rows.asked_at:
            rows.asked[case_id] = _stand([event for event in happened if event.at <= rows.asked_at[case_id]])


def _done(happened: list[CaseEvent]) -> frozenset[str]:
    counts = Counter(event.kind for event in happened)
    return frozenset(name for name, (kind, least) in ACTIONS.items() if counts[kind] > least)


def _stand(happened: list[CaseEvent]) -> Asked:
    """How a case stood after these of its events."""
    told = [
        Happened(event.kind, int(event.at.timestamp()), event.actor_kind == PERSON, event.after.get("status") or "") for event in happened
    ]
    course = follow(told)
    resolved = [one.second for one in told if one.status == RESOLVED]
    return Asked(course.replies, course.reopened, course.messages_in, resolved[-1] if resolved else None, _done(happened))


def _stand_now(rows: CaseRows, fact: CaseFact) -> Asked:
    resolved = None if fact.resolution_seconds is None else fact.opened_second + fact.resolution_seconds
    done = frozenset(name for name, case_ids in rows.done.items() if fact.case_id in case_ids)
    return Asked(fact.replies, fact.reopened, fact.messages_in, resolved, done)


def _enter(case_id: int, told: Iterable[tuple[str, datetime]]) -> Iterator[Step]:
    """A step for each change of the state."""
    before = ""
    for state, at in told:
        if state != before:
            yield Step(case_id, state, int(at.timestamp()))
        before = state


def _read_sentiment(rows: CaseRows, case_ids: list[int]) -> None:
    """Of messages of the customer from before they were asked that are no review: those would tell what is to be estimated."""
    messages = Reading.objects.filter(case_id__in=case_ids, message__direction=Direction.INBOUND, message__feedback=None)
    asked = AnswerFact.objects.filter(case_id__in=case_ids, origin="SURVEY").values("origin_id")
    messages = messages.exclude(message__in=_answers_of(asked)).exclude(sentiment_probability=None)
    found = messages.order_by("message__sent_at", "message_id").values_list("case_id", "message__sent_at", "sentiment_probability")
    for case_id, sent_at, probability in found:
        until = rows.asked_at.get(case_id)
        if until is None or sent_at <= until:
            rows.sentiment.setdefault(case_id, []).append(probability)


def _answers_of(invitations: Any) -> Any:
    return Answer.objects.filter(invitation__in=invitations, message__isnull=False).values("message")


def _spent(fact: CaseFact, now_second: int) -> int:
    return fact.resolution_seconds if fact.resolution_seconds is not None else max(0, now_second - fact.opened_second)


def _hours(seconds: int | None) -> float | None:
    return None if seconds is None else seconds / HOUR


def _parts(numbers: list[int]) -> Iterator[list[int]]:
    for begin in range(0, len(numbers), AT_ONCE):
        yield numbers[begin : begin + AT_ONCE]
