"""Messages about another matter get a case of their own."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.actions import for_triage
from careloop.desk.analysis.models import Reading, State
from careloop.desk.cases.actions import triage
from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, Direction, EventKind, Message, Status
from careloop.desk.cases.rules import SUBJECT_LENGTH, snippet_from, subject_from
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.merging.locking import audit_regrouping, check_versions, lock_cases, note_regrouping, outline_by_messages, put_outline
from careloop.desk.merging.models import Regrouping
from careloop.desk.merging.moving import move_messages
from careloop.desk.sla.rules.following import ARRIVED

LOOKED_AT = 200  # readings that a new case takes its kind and sentiment from


def split_case(
    *, case_id: int, message_ids: Sequence[int], expected_version: int, viewer: Viewer, now: datetime, subject: str = ""
) -> Regrouping:
    """Give messages, with readings, search and ratings, a new case; `regrouping.into` is the new one, `actions.undo` takes it back."""
    chosen = set(message_ids)
    with transaction.atomic():
        cases = lock_cases([case_id], viewer)
        check_versions(cases, {case_id: expected_version})
        case = cases[case_id]
        messages = _messages(case, chosen)
        spoken = [one for one in messages if one.direction != Direction.NOTE]
        if not spoken:
            raise InvalidInput(_("Only notes were chosen; choose at least one message from or to the customer."), field="message")
        new = _open(case, spoken, subject)
        made = note_regrouping(kind=Regrouping.Kind.SPLIT, into=new, cases=[case, new], viewer=viewer, now=now)
        moved = move_messages(made, [one.pk for one in messages], case_id, new.pk)
        put_outline(case, outline_by_messages(case))
        add_event(case=case, kind=EventKind.SPLIT, actor=actor_of(viewer), now=now, after={"into": new.pk, "messages": len(messages)})
        after = {"from": case_id, "messages": len(messages), "regrouping": made.pk}
        add_event(case=new, kind=EventKind.SPLIT, actor=actor_of(viewer), now=now, after=after)
        _start_clocks(new, spoken)
        _triage(new, now)
        audit_regrouping(case, "case.split", viewer, now, {"into": new.pk, "messages": len(messages), "rows": moved})
    return made


def _messages(case: Case, chosen: set[int]) -> list[Message]:
    """The chosen messages in the order in which they were said; some must stay."""
    if not chosen:
        raise InvalidInput(_("No message was chosen; tick those that belong to the new case."), field="message")
    everything = list(case.messages.defer("body").order_by("sent_at", "pk"))
    found = [one for one in everything if one.pk in chosen]
    if len(found) < len(chosen):
        missing = min(chosen - {one.pk for one in found})
        raise NotFound(_("Case #%(number)s has no message %(message)s.") % {"number": case.pk, "message": missing})
    if not any(one.pk not in chosen and one.direction != Direction.NOTE for one in everything):
        raise InvalidInput(_("All messages were chosen; leave at least one from or to the customer in the case."), field="message")
    return found


def _open(case: Case, spoken: Sequence[Message], subject: str) -> Case:
    """The new case: of whom wrote its first message, over that message's channel, in the same hands."""
    first = next((one for one in spoken if one.direction == Direction.INBOUND), spoken[0])
    outbound = [one for one in spoken if one.direction == Direction.OUTBOUND]
    waits = spoken[-1].direction == Direction.INBOUND
    return Case.objects.create(
        team_id=case.team_id,
        customer_id=first.customer_id or case.customer_id,
        channel_id=first.channel_id,
        assignee_id=case.assignee_id,
        subject=(subject.strip() or subject_from(first.body))[:SUBJECT_LENGTH],
        snippet=snippet_from(spoken[-1].body),
        status=Status.OPEN if waits else Status.WAITING,
        priority=case.priority,
        opened_at=spoken[0].sent_at,
        last_message_at=spoken[-1].sent_at,
        first_response_at=outbound[0].sent_at if outbound else None,
    )


def _start_clocks(new: Case, spoken: Sequence[Message]) -> None:
    """What the customer said last and nobody answered is promised an answer from the time at which it was said."""
    unanswered = None
    for one in reversed(spoken):
        if one.direction != Direction.INBOUND:
            break
        unanswered = one
    if unanswered is not None and new.channel.kind != ChannelKind.FILE:
        keep_clocks([Happening(new, ARRIVED, unanswered.sent_at, new.first_response_at is not None)])


def _triage(new: Case, now: datetime) -> None:
    readings = list(Reading.objects.filter(case=new, state=State.DONE).order_by("message__sent_at", "message")[:LOOKED_AT])
    if readings:
        triage(readings={new.pk: for_triage(readings)}, now=now)
