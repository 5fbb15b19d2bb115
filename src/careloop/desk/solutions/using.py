"""Solutions in replies: noted in the transaction that writes the reply; whether they helped is found out later."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.models import Reading
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, CaseEvent, Direction, EventKind, Message
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.solutions.models import Solution, SolutionUse
from careloop.desk.solutions.queries import facts_of, text_of
from careloop.desk.solutions.rules.letters import fill
from careloop.desk.solutions.rules.using import INSERTED, QUIET_DAYS, SHOWN, Answer, has_helped, is_kept

JUDGED_FOR_DAYS = 30
JUDGED_AT_ONCE = 2_000


def reply(*, viewer: Viewer, now: datetime, taken: Sequence[int] = (), shown: Sequence[int] = (), **facts: Any) -> Message:
    """`outbox.reply_to_case`, and which solutions were taken into the reply or only shown beside it."""
    with transaction.atomic():
        message = reply_to_case(viewer=viewer, now=now, **facts)
        if (taken or shown) and message.case_id is not None:
            _note_uses(message, viewer, now, taken, shown)
    return message


def _note_uses(message: Message, viewer: Viewer, now: datetime, taken: Sequence[int], shown: Sequence[int]) -> None:
    case = Case.objects.select_related("customer").get(pk=message.case_id)
    found = {one.pk: one for one in Solution.objects.visible_to(viewer).filter(pk__in=[*taken, *shown]).prefetch_related("texts")}
    kept = [key for key in dict.fromkeys(taken) if key in found and _stands_in(found[key], case, viewer, message.body)]
    seen = [key for key in dict.fromkeys(shown) if key in found and key not in kept]
    inbound = case.messages.filter(direction=Direction.INBOUND, pk__lt=message.pk)
    is_first = not case.messages.filter(direction=Direction.OUTBOUND).exclude(pk=message.pk).exists()
    question_id = inbound.order_by("pk" if is_first else "-pk").values_list("pk", flat=True).first()
    insert_rows(
        SolutionUse(
            solution_id=key, case_id=case.pk, question_id=question_id, message_id=message.pk, who_id=viewer.user_id, how=how,
            is_first_reply=is_first, at=now,
        )
        for how, keys in ((INSERTED, kept), (SHOWN, seen))
        for key in keys
    )  # fmt: skip
    for key in kept:
        after = {"solution": key, "title": text_of(found[key]).title}
        add_event(case=case, kind=EventKind.SOLUTION, actor=actor_of(viewer), now=now, message=message, after=after)


def _stands_in(solution: Solution, case: Case, viewer: Viewer, sent: str) -> bool:
    facts = facts_of(case, viewer)
    return any(is_kept(fill(text.reply or text.body, facts), sent) for text in solution.texts.all())


def judge_uses(*, now: datetime) -> int:
    """Find out which replies have helped, as far as it is known now; a later word of the customer changes it. Returns how many changed."""
    since = now - timedelta(days=JUDGED_FOR_DAYS)
    uses = list(SolutionUse.objects.filter(at__gte=since, message__isnull=False).exclude(how=SHOWN).order_by("-pk")[:JUDGED_AT_ONCE])
    answers = _answers_in({one.case_id for one in uses}, since)
    changed = []
    for use in uses:
        until = use.at + timedelta(days=JUDGED_FOR_DAYS)
        judged = has_helped(use.at, [one for one in answers[use.case_id] if use.at < one.at <= until], now)
        if judged != use.has_helped:
            use.has_helped = judged
            changed.append(use)
    SolutionUse.objects.bulk_update(changed, ["has_helped"], batch_size=500)
    return len(changed)


def _answers_in(case_ids: set[int], since: datetime) -> dict[int, list[Answer]]:
    """What customers wrote or said in these cases."""
    found: dict[int, list[Answer]] = defaultdict(list)
    inbound = Message.objects.filter(case_id__in=case_ids, direction=Direction.INBOUND, sent_at__gte=since)
    thanks = set(Reading.objects.filter(case_id__in=case_ids, kind="PRAISE").values_list("message_id", flat=True))
    for pk, case_id, at in inbound.values_list("pk", "case_id", "sent_at"):
        found[case_id].append(Answer(at, is_thanks=pk in thanks))
    said = CaseEvent.objects.filter(case_id__in=case_ids, kind=EventKind.SURVEY, at__gte=since).values_list("case_id", "at", "after")
    for case_id, at, after in said:
        if isinstance(after.get("solved"), bool):
            found[case_id].append(Answer(at, said_solved=after["solved"]))
    return found


__all__ = ["QUIET_DAYS", "judge_uses", "reply"]
