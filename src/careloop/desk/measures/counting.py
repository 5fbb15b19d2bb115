"""Facts of some cases, counted from their events, clocks and answers; nothing is written here."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from careloop.desk.cases.models import Case, CaseEvent, Clock, Status
from careloop.desk.customers.models import Customer
from careloop.desk.feedback.models import Feedback
from careloop.desk.kernel.rows import find_rows, marks, table_of
from careloop.desk.measures.models import AnswerFact, CaseFact, WorkFact
from careloop.desk.measures.rules.following import Happened, follow
from careloop.desk.sla.rules.clocks import FIRST_RESPONSE, MET, NEXT_RESPONSE, RESOLUTION, RUNNING
from careloop.desk.surveys.models import Invitation
from careloop.desk.teamwork.models import FieldValue
from careloop.desk.writing.work_time import list_work

REVIEW, SURVEY, STARS = "REVIEW", "SURVEY", "STARS"
PRODUCT = "product"  # the code of a house's own field that names what a case is about


class Combination(NamedTuple):
    """The columns of Facets."""

    team_id: int
    channel_id: int
    agent_id: int = 0
    kind: str = ""
    category: str = ""
    priority: int = 0
    sentiment: str = ""
    segment: str = ""
    product: str = ""


class Counted(NamedTuple):
    """A fact that is not stored yet, with the combination that its `facets` shall be."""

    fact: Any
    facets: Combination


def count_cases(case_ids: Iterable[int], zone: tzinfo) -> list[Counted]:
    """The facts of these cases as their rows tell them now; none for a case that is gone or was merged into another."""
    numbers = sorted(case_ids)
    if not numbers:
        return []
    cases = [case for case in find_rows(Case, f"id IN ({marks(numbers)})", numbers) if case.status != Status.MERGED]
    happened, clocks = _list_happened(numbers), _list_clocks(numbers)
    segments, products, reviews = _segments_of(cases), _products_of(numbers), _list_reviews(numbers)
    invitations = _list_invitations(numbers)
    found = []
    for case in cases:
        facets = Combination(
            case.team_id,
            case.channel_id,
            case.assignee_id or 0,
            case.kind,
            case.category,
            case.priority,
            case.sentiment,
            segments.get(case.customer_id, ""),
            products.get(case.pk, ""),
        )
        fact = _case_fact(case, happened[case.pk], zone)
        _take_clocks(fact, clocks[case.pk])
        found.append(Counted(fact, facets))
        for one in reviews[case.pk]:
            found.append(Counted(_review_fact(one, case.pk, zone), facets._replace(product=one.product or facets.product)))
        for invitation in invitations[case.pk]:
            found.append(Counted(_invitation_fact(invitation, case.pk, zone), facets))
    combinations = {one.fact.case_id: one.facets for one in found if isinstance(one.fact, CaseFact)}
    for worked in list_work(combinations):
        work = WorkFact(case_id=worked.case_id, user_id=worked.user_id, worked_on=worked.day.toordinal(), seconds=worked.seconds)
        found.append(Counted(work, combinations[worked.case_id]))
    return found


def count_invitations(invitations: Iterable[Invitation], zone: tzinfo) -> list[Counted]:
    """The facts of invitations whose case was erased, or that never had one."""
    return [Counted(_invitation_fact(one, 0, zone), Combination(one.team_id, one.channel_id)) for one in invitations]


def count_reviews(feedback: Iterable[Feedback], zone: tzinfo) -> list[Counted]:
    """The facts of ratings that belong to no case."""
    found = []
    for one in feedback:
        facets = Combination(one.team_id, one.message.channel_id, category=one.category, product=one.product)
        found.append(Counted(_review_fact(one, 0, zone), facets))
    return found


def day_of(moment: datetime, zone: tzinfo) -> int:
    """The ordinal of the day on which a moment falls in a zone."""
    return moment.astimezone(zone).toordinal()


def _case_fact(case: Case, happened: list[Happened], zone: tzinfo) -> CaseFact:
    course = follow(happened)
    opened = int(case.opened_at.timestamp())
    return CaseFact(
        case_id=case.pk,
        opened_on=day_of(case.opened_at, zone),
        opened_second=opened,
        resolved_on=day_of(case.resolved_at, zone) if case.resolved_at else None,
        resolution_seconds=max(0, int(case.resolved_at.timestamp()) - opened) if case.resolved_at else None,
        response_seconds=max(0, int(case.first_response_at.timestamp()) - opened) if case.first_response_at else None,
        messages_in=course.messages_in,
        replies=course.replies,
        reopened=course.reopened,
        customer_seconds=course.customer_seconds,
    )


def _take_clocks(fact: CaseFact, clocks: list[Clock]) -> None:
    """What was promised: whether it was kept, and until when what still runs must be."""
    for clock in clocks:
        due = int(clock.due_at.timestamp()) if clock.state == RUNNING and clock.due_at else None
        is_late = clock.is_late if clock.state == MET else None
        if clock.target == FIRST_RESPONSE:
            fact.response_due_second, fact.is_response_late = due, is_late
        elif clock.target == RESOLUTION:
            fact.resolution_due_second, fact.is_resolution_late = due, is_late
        elif clock.target == NEXT_RESPONSE:
            fact.next_due_second = due if due is not None else fact.next_due_second
            fact.next_late += is_late is True
            fact.next_in_time += is_late is False


def _review_fact(one: Feedback, case_id: int, zone: tzinfo) -> AnswerFact:
    day = day_of(one.message.sent_at, zone)
    span = one.rating_max - one.rating_min
    hundredths = None if one.rating is None or span <= 0 else 100 + round(400 * (one.rating - one.rating_min) / span)
    return AnswerFact(
        origin=REVIEW,
        origin_id=one.pk,
        case_id=case_id,
        scale=STARS,
        answered_on=day,
        score=None if one.rating is None else round(one.rating),
        hundredths=hundredths,
    )


def _invitation_fact(one: Invitation, case_id: int, zone: tzinfo) -> AnswerFact:
    answer = getattr(one, "answer", None)
    score = answer.score if answer is not None else None
    hundredths = None
    if answer is not None and score is not None and answer.score_min is not None and answer.score_max > answer.score_min:
        hundredths = 100 + round(400 * (score - answer.score_min) / (answer.score_max - answer.score_min))
    return AnswerFact(
        origin=SURVEY,
        origin_id=one.pk,
        case_id=case_id,
        scale=one.survey.kind,
        sent_on=day_of(one.sent_at, zone) if one.sent_at else None,
        answered_on=day_of(answer.answered_at, zone) if answer is not None else None,
        score=score,
        hundredths=hundredths,
    )


def _list_happened(case_ids: list[int]) -> dict[int, list[Happened]]:
    """Events in the order in which they were written, without what the figures do not need."""
    found: dict[int, list[Happened]] = defaultdict(list)
    kinds = ("OPENED", "RECEIVED", "REPLIED", "STATUS", "MERGED", "UNDONE", "SPLIT")
    columns, chosen = "case_id, kind, at, actor_kind, after", f"case_id IN ({marks(case_ids)}) AND kind IN ({marks(kinds)})"
    sql = f"SELECT {columns} FROM {table_of(CaseEvent).name} WHERE {chosen} ORDER BY case_id, id"  # noqa: S608  (names of our own)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*case_ids, *kinds])
        for case_id, kind, at, actor_kind, after in cursor.fetchall():
            moment = at if isinstance(at, datetime) else _parse(at)
            told = json.loads(after) if isinstance(after, str) else after
            found[case_id].append(Happened(kind, int(moment.timestamp()), actor_kind == "user", str(told.get("status", ""))))
    return found


def _parse(text: str) -> datetime:
    """SQLite keeps moments as text in UTC."""
    return datetime.fromisoformat(text if "+" in text else text + "+00:00")


def _list_clocks(case_ids: list[int]) -> dict[int, list[Clock]]:
    found: dict[int, list[Clock]] = defaultdict(list)
    for clock in find_rows(Clock, f"case_id IN ({marks(case_ids)}) ORDER BY case_id, id", case_ids):
        found[clock.case_id].append(clock)
    return found


def _list_reviews(case_ids: list[int]) -> dict[int, list[Feedback]]:
    found: dict[int, list[Feedback]] = defaultdict(list)
    reviews = Feedback.objects.filter(message__case_id__in=case_ids).exclude(source=SURVEY)  # those count as answers
    for one in reviews.select_related("message").order_by("pk"):
        found[one.message.case_id or 0].append(one)
    return found


def _list_invitations(case_ids: list[int]) -> dict[int, list[Invitation]]:
    found: dict[int, list[Invitation]] = defaultdict(list)
    for one in asked_or_answered(Invitation.objects.filter(case_id__in=case_ids)).order_by("pk"):
        found[one.case_id or 0].append(one)
    return found


def asked_or_answered(invitations: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """Those that were sent or answered without being sent, with survey and answer."""
    return invitations.filter(Q(sent_at__isnull=False) | Q(answer__isnull=False)).select_related("survey", "answer")


def _segments_of(cases: list[Case]) -> dict[int, str]:
    people = Customer.objects.filter(pk__in={case.customer_id for case in cases}).values_list("pk", "attributes")
    return {number: str(attributes.get("segment", ""))[:80] for number, attributes in people}


def _products_of(case_ids: list[int]) -> dict[int, str]:
    values = FieldValue.objects.filter(case_id__in=case_ids, definition__code=PRODUCT).values_list("case_id", "value")
    return {number: str(value)[:120] for number, value in values}
