"""Automatic replies go out: each new case is looked at once, and answered when everything speaks for it. Switching is in automatic.py."""

import uuid
from collections import defaultdict
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from careloop.desk.analysis.solution_ranking import Ranked
from careloop.desk.cases.automatic_reply import reply_as_house, take_back_reply, why_not
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, Direction, EventKind, Message
from careloop.desk.channels.machine_mail import headers_of, is_machines_address, why_machine_made
from careloop.desk.customers.queries import list_addresses
from careloop.desk.experiments.actions import is_held_out
from careloop.desk.experiments.rules import AUTOMATIC
from careloop.desk.intake.models import RawPayload
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.outbox.actions import withdraw
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.outbox.tasks import deliver
from careloop.desk.solutions.evidence import rank_for_team
from careloop.desk.solutions.models import AutomaticReplies, SolutionStatus, SolutionText, SolutionUse, Suggested
from careloop.desk.solutions.queries import ASKED_WITH, facts_of
from careloop.desk.solutions.rules.letters import automatic_letter, lacks_facts, language_of
from careloop.desk.solutions.rules.using import AUTO
from careloop.desk.teamwork.customer_links import fill_link

LOOKED_BACK = timedelta(days=1)  # cases that opened before are left to people
PAUSE = timedelta(days=1)
MOST_A_DAY = 1  # automatic replies to a customer: two machines must not write to each other
AT_ONCE = 50


def look_at_new_cases(*, now: datetime) -> int:
    """Note the likeliest solution of each new case, and answer those above the threshold if that is on; returns how many were answered."""
    cases = Case.objects.filter(opened_at__gte=now - LOOKED_BACK).exclude(channel__kind="FILE").exclude(status="MERGED")
    asked = Message.objects.filter(case=OuterRef("pk"), direction=Direction.INBOUND)
    waiting = cases.filter(Exists(asked), ~Exists(Suggested.objects.filter(case=OuterRef("pk")))).order_by("pk")
    by_team: dict[int, list[Message]] = defaultdict(list)
    for case in waiting[:AT_ONCE]:
        first = case.messages.filter(direction=Direction.INBOUND).order_by("sent_at", "pk").first()
        if first is not None:
            by_team[case.team_id].append(first)
    n = 0
    for team_id, messages in by_team.items():
        for message, ranked in zip(messages, rank_for_team(team_id, [one.body[:ASKED_WITH] for one in messages]), strict=True):
            n += _note_and_answer(message.case_id or 0, message, ranked, now)
    return n


def _note_and_answer(case_id: int, message: Message, ranked: Ranked, now: datetime) -> bool:
    key, probability = ranked.solutions[0] if ranked.solutions else (None, 0.0)
    facts = {"message": message, "solution_id": key, "probability": probability, "is_sure": ranked.is_sure, "at": now}
    _row, is_new = Suggested.objects.get_or_create(case_id=case_id, defaults=facts)
    return is_new and key is not None and ranked.is_sure and answer(message=message, solution_id=key, probability=probability, now=now)


def answer(*, message: Message, solution_id: int, probability: float, now: datetime) -> bool:
    """Answer one message with a solution if everything speaks for it; returns whether it was answered. Once a message, whoever asks."""
    try:
        with transaction.atomic():
            policy = AutomaticReplies.objects.select_for_update().filter(pk=1, is_on=True).first()
            if policy is None or policy.threshold is None or probability < policy.threshold:
                return False
            case: Case = Case.objects.select_for_update(of=("self",)).select_related("customer").get(pk=message.case_id)
            text = _text_for(case, message, solution_id)
            if text is None or lacks_facts(text.reply, facts_of(case, None)) or why_not(case, message):
                return False
            if _is_from_machine(case, message) or _was_answered(case, message, now):
                return False
            if is_held_out(subject=AUTOMATIC, subject_id=solution_id, case=case, now=now):
                return False
            _send(case, message, text, probability, now)
            return True
    except IntegrityError:  # another worker answered it in this moment
        return False


def _text_for(case: Case, message: Message, solution_id: int) -> SolutionText | None:
    """The reply in the customer's own language; None when there is none, or the solution was withdrawn."""
    language = language_of(message.body, case.customer.language)
    published = SolutionText.objects.filter(solution_id=solution_id, solution__status=SolutionStatus.PUBLISHED, language=language)
    return published.exclude(reply="").first()


def _is_from_machine(case: Case, message: Message) -> bool:
    raw = RawPayload.objects.filter(message=message).first()
    headers = headers_of(bytes(raw.body), raw.content_type) if raw is not None else {}
    own = {settings.DEFAULT_FROM_EMAIL}
    mails = [one.value for one in list_addresses(case.customer) if one.kind == "EMAIL"]
    return bool(why_machine_made(case.subject, message.body, headers)) or any(is_machines_address(mail, own) for mail in mails)


def _was_answered(case: Case, message: Message, now: datetime) -> bool:
    """Whether this message got an automatic reply, or this customer as many as one gets a day."""
    automatic = SolutionUse.objects.filter(how=AUTO)
    if automatic.filter(question=message).exists():
        return True
    return automatic.filter(case__customer_id=case.customer_id, at__gt=now - PAUSE).count() >= MOST_A_DAY


def _send(case: Case, question: Message, text: SolutionText, probability: float, now: datetime) -> None:
    body = fill_link(automatic_letter(text.reply, facts_of(case, None), text.language), case.pk, now=now)
    message = reply_as_house(case=case, body=body, now=now)
    SolutionUse.objects.create(
        solution_id=text.solution_id, case=case, question=question, message=message, how=AUTO, is_first_reply=True,
        probability=probability, at=now,
    )  # fmt: skip
    after = {"solution": text.solution_id, "title": text.title, "automatic": True, "probability": probability}
    add_event(case=case, kind=EventKind.SOLUTION, actor=SYSTEM, now=now, message=message, after=after)
    item = OutboxItem.objects.create(message=message, idempotency_key=uuid.uuid4().hex, created_at=now)
    deliver.enqueue(item.pk)


def take_back_unsent(*, now: datetime) -> int:
    """Take automatic replies back that wait for the mail server; their cases are open again. Returns how many."""
    waiting = SolutionUse.objects.filter(how=AUTO, message__outbox_item__sent_at__isnull=True, message__delivery="QUEUED")
    n = 0
    for use in waiting.select_related("message").order_by("pk"):
        with transaction.atomic():
            case: Case = Case.objects.select_for_update(of=("self",)).select_related("customer").get(pk=use.case_id)
            if use.message is None or not withdraw(message_id=use.message.pk):
                continue
            take_back_reply(case=case, message=use.message, now=now)
            use.delete()
            n += 1
    return n
