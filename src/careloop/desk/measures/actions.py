"""Keeping the facts: what changed is counted anew, the old fact is closed and kept.

Everything that one step changes is written in one transaction together with `Ledger.shown_at`, the moment that the facts show from then
on. A number asked for as of such a moment is therefore the number that was shown then.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.cases.queries import newest_event_id
from careloop.desk.feedback.models import Feedback
from careloop.desk.kernel.rows import find_rows, insert_rows, marks
from careloop.desk.measures.counting import SURVEY, Combination, Counted, asked_or_answered, count_cases, count_invitations, count_reviews
from careloop.desk.measures.models import (
    AnswerFact,
    AnswerFactPast,
    CaseFact,
    CaseFactPast,
    Facets,
    Ledger,
    WorkFact,
    WorkFactPast,
)
from careloop.desk.sla.models import Calendar, ServiceLevel
from careloop.desk.surveys.models import Invitation
from careloop.desk.writing.work_time import cases_worked_since

READ_AGAIN = 200  # a transaction with a lower event number may commit later: counting anew changes nothing the second time
EVENTS_AT_ONCE = 5_000
CASES_AT_ONCE = 500
AGAIN = timedelta(minutes=10)
TICK = timedelta(microseconds=1)
PAST: dict[type[models.Model], type[models.Model]] = {CaseFact: CaseFactPast, AnswerFact: AnswerFactPast, WorkFact: WorkFactPast}


def refresh(*, now: datetime) -> int:
    """Follow the events since the last time; returns how many cases and ratings were looked at. Counts a part of all cases until that is
    done once, and begins anew when the house's zone, calendars or levels have changed.
    """
    ledger, _made = Ledger.objects.get_or_create(pk=1, defaults={"event_id": newest_event_id()})  # all before are counted case by case
    if ledger.basis != (basis := describe_basis()):
        Ledger.objects.filter(pk=1).update(basis=basis, counted_case_id=0)
        ledger.refresh_from_db()
    looked_at = _follow_events(ledger, now)
    return looked_at + _count_rest(now)


def recount(*, now: datetime) -> None:
    """Begin to count all cases anew, a part at each refresh: what changed without an event is found that way."""
    Ledger.objects.filter(pk=1).update(counted_case_id=0)


def describe_basis() -> str:
    """What facts depend on besides their case's rows."""
    calendars = Calendar.objects.order_by("pk").values_list("pk", "version")
    newest = ServiceLevel.objects.aggregate(newest=Max("changed_at"))["newest"]
    versions = ",".join(f"{number}.{version}" for number, version in calendars)
    return f"{settings.TIME_ZONE} {newest.isoformat() if newest else '-'} {versions}"[:200]


def _follow_events(ledger: Ledger, now: datetime) -> int:
    """Count the cases of new events and new ratings without a case."""
    events = list(
        CaseEvent.objects.filter(pk__gt=ledger.event_id - READ_AGAIN).order_by("pk").values_list("pk", "case_id")[:EVENTS_AT_ONCE]
    )
    reviews = list(
        Feedback.objects.filter(pk__gt=ledger.feedback_id, message__case=None)
        .exclude(source=SURVEY)
        .select_related("message")
        .order_by("pk")[:CASES_AT_ONCE]
    )
    event_id = events[-1][0] if events else ledger.event_id
    feedback_id = reviews[-1].pk if reviews else ledger.feedback_id
    touched = sorted({case_id for _number, case_id in events} | _list_touched(ledger))
    alone = list(asked_or_answered(_without_case(ledger))[:CASES_AT_ONCE])
    counted = count_reviews(reviews, house_zone()) + count_invitations(alone, house_zone())
    for begin in range(0, len(touched), CASES_AT_ONCE):
        counted += count_cases(touched[begin : begin + CASES_AT_ONCE], house_zone())
    with transaction.atomic():
        held = Ledger.objects.select_for_update().get(pk=1)
        if held.event_id != ledger.event_id or held.feedback_id != ledger.feedback_id:
            return 0  # another worker was here meanwhile
        held.event_id, held.feedback_id = event_id, feedback_id
        _write(counted, touched, held, now)
    return len(touched) + len(reviews) + len(alone)


def _list_touched(ledger: Ledger) -> set[int]:
    """Cases whose invitations were sent or answered lately, and those in which somebody worked."""
    if ledger.shown_at is None:
        return set()
    since = ledger.shown_at - AGAIN
    lately = Q(sent_at__gte=since) | Q(answer__changed_at__gte=since)
    asked = Invitation.objects.filter(lately, case__isnull=False).values_list("case_id", flat=True)[:EVENTS_AT_ONCE]
    return {number for number in asked if number} | cases_worked_since(since)


def _without_case(ledger: Ledger) -> QuerySet[Invitation]:
    """Invitations without a case: those that have no such fact yet, and those that were answered lately."""
    facts = AnswerFact.objects.filter(origin=SURVEY, origin_id=OuterRef("pk"), case_id=0)
    fresh = Q(~Exists(facts))
    if ledger.shown_at is not None:
        fresh |= Q(answer__changed_at__gte=ledger.shown_at - AGAIN)
    return Invitation.objects.filter(fresh, case=None)


def _count_rest(now: datetime) -> int:
    """Count the next part of all cases; when none is left, the facts show the whole house."""
    ledger = Ledger.objects.get(pk=1)
    numbers = list(Case.objects.filter(pk__gt=ledger.counted_case_id).order_by("pk").values_list("pk", flat=True)[:CASES_AT_ONCE])
    counted = count_cases(numbers, house_zone())
    with transaction.atomic():
        held = Ledger.objects.select_for_update().get(pk=1)
        if held.counted_case_id != ledger.counted_case_id:
            return 0
        gone = _numbers_without_case(ledger.counted_case_id, numbers)
        if not numbers and not gone and held.shown_at is not None:
            return 0
        held.counted_case_id = numbers[-1] if numbers else ledger.counted_case_id
        _write(counted, [*numbers, *gone], held, now, is_whole=len(numbers) < CASES_AT_ONCE)
    return len(numbers)


def _numbers_without_case(after: int, numbers: list[int]) -> list[int]:
    """Cases in this stretch that have facts and are gone."""
    facts = CaseFact.objects.filter(case_id__gt=after)
    if len(numbers) == CASES_AT_ONCE:
        facts = facts.filter(case_id__lte=numbers[-1])
    return list(facts.filter(without_case()).values_list("case_id", flat=True))


def without_case() -> Q:
    """Facts whose case is gone. "Not in all cases" would be the same, and PostgreSQL reads all of them for each fact once they are many."""
    return ~Q(Exists(Case.objects.filter(pk=OuterRef("case_id"))))


def house_zone() -> ZoneInfo:
    """The zone in which days begin."""
    return ZoneInfo(settings.TIME_ZONE)


def _write(counted: list[Counted], case_ids: list[int], ledger: Ledger, now: datetime, *, is_whole: bool = False) -> None:
    """Close what is no longer so, store what is new, and move the moment that is shown; in the caller's transaction."""
    moment = now if ledger.shown_at is None else max(now, ledger.shown_at + TICK)
    facets = _facets_of({one.facets for one in counted})
    by_model: dict[type[models.Model], list[models.Model]] = defaultdict(list)
    for fact, combination in counted:
        fact.facets_id, fact.known_from = facets[combination], moment
        by_model[type(fact)].append(fact)
    for model, past in PAST.items():
        _replace(model, past, by_model[model], case_ids, moment)
    if ledger.shown_at is None and is_whole:
        ledger.first_shown_at = moment
    if ledger.shown_at is not None or is_whole:
        ledger.shown_at = moment
    ledger.save()


def _replace(model: Any, past: Any, facts: list[Any], case_ids: list[int], moment: datetime) -> None:
    """Bring the stored facts of these cases to the new ones; equal ones stay as they are."""
    known: dict[tuple[Any, ...], Any] = {}
    for begin in range(0, len(case_ids), CASES_AT_ONCE):
        part = case_ids[begin : begin + CASES_AT_ONCE]
        known |= {key_of(row): row for row in find_rows(model, f"case_id IN ({marks(part)})", part)}
    if model is AnswerFact and (alone := [fact.origin_id for fact in facts if not fact.case_id]):
        wanted = {key_of(fact) for fact in facts}
        stored = find_rows(AnswerFact, f"origin_id IN ({marks(alone)})", alone)
        known |= {key_of(row): row for row in stored if key_of(row) in wanted}
    fresh = []
    for fact in facts:
        before = known.get(key_of(fact))
        if before is not None and _is_same(before, fact):
            del known[key_of(fact)]
        else:
            fresh.append(fact)
    closed = list(known.values())
    insert_rows([past(**columns_of(row), known_until=moment) for row in closed])
    for begin in range(0, len(closed), CASES_AT_ONCE):
        model.objects.filter(pk__in=[row.pk for row in closed[begin : begin + CASES_AT_ONCE]]).delete()
    insert_rows(fresh)


def _is_same(before: models.Model, after: models.Model) -> bool:
    """Whether nothing but the moment differs."""
    return columns_of(before) | {"known_from": None} == columns_of(after) | {"known_from": None}


def key_of(row: Any) -> tuple[Any, ...]:
    """What makes a fact the same fact at another moment."""
    if isinstance(row, AnswerFact):
        return row.origin, row.origin_id
    return (row.case_id, row.user_id, row.worked_on) if isinstance(row, WorkFact) else (row.case_id,)


def columns_of(row: models.Model) -> dict[str, Any]:
    """All that a fact says, without its number."""
    return {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields if not column.primary_key}


def _facets_of(wanted: Iterable[Combination]) -> dict[Combination, int]:
    """The numbers of these combinations; those that are new are stored."""
    names = Combination._fields
    missing = set(wanted)
    found: dict[Combination, int] = {}
    for is_last in (False, True):
        if not missing:
            break
        teams = {one.team_id for one in missing}
        for number, *columns in Facets.objects.filter(team_id__in=teams).values_list("pk", *names):
            if (one := Combination(*columns)) in missing:
                found[one] = number
        missing -= found.keys()
        if not is_last:
            Facets.objects.bulk_create([Facets(**one._asdict()) for one in missing], ignore_conflicts=True)
    return found


def facets_by_number() -> dict[int, Combination]:
    """All combinations by their numbers."""
    return {number: Combination(*columns) for number, *columns in Facets.objects.values_list("pk", *Combination._fields)}
