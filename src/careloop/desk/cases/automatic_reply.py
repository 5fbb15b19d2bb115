"""A reply that the house itself writes: no author, the case stays nobody's, and everything else as when a person replies."""

from datetime import datetime

from django.utils.translation import gettext_noop

from careloop.desk.audit import actions as audit
from careloop.desk.cases.changes import save_case
from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.events import add_event
from careloop.desk.cases.messages import add_message
from careloop.desk.cases.models import Case, Delivery, Direction, EventKind, Message, Status
from careloop.desk.cases.rules import snippet_from
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.search import actions as search
from careloop.desk.search.actions import Searchable
from careloop.desk.sla.rules.following import ARRIVED, REPLIED


def why_not(case: Case, question: Message) -> str:
    """What speaks against answering this message automatically: "person", "status", "answered" or "newer"; "" when nothing does."""
    if case.assignee_id is not None:
        return "person"
    if case.status != Status.OPEN:
        return "status"
    said = list(case.messages.exclude(pk=question.pk).values_list("direction", flat=True))
    if case.first_response_at is not None or Direction.OUTBOUND in said:
        return "answered"
    return "newer" if said else ""


def reply_as_house(*, case: Case, body: str, now: datetime) -> Message:
    """Append the reply to a locked case, in the caller's transaction; the case then waits for the customer."""
    message = add_message(case=case, direction=Direction.OUTBOUND, body=body, now=now, delivery=Delivery.QUEUED)
    search.index([Searchable("MESSAGE", message.pk, body, case.pk, case.customer_id, case.team_id)], is_new=True)
    before = {"status": case.status}
    case.status, case.last_message_at, case.snippet, case.first_response_at = Status.WAITING, now, snippet_from(body), now
    save_case(case, "status", "last_message_at", "snippet", "first_response_at")
    keep_clocks([Happening(case, REPLIED, now, False)])
    after = {"status": Status.WAITING.value, "automatic": True}
    add_event(case=case, kind=EventKind.REPLIED, actor=SYSTEM, now=now, message=message, before=before, after=after)
    details = {"message": message.pk, "status": Status.WAITING.value, "automatic": True}
    audit.record(actor=SYSTEM, action="case.reply", object_type="case", object_id=case.pk, now=now, details=details)
    return message


def take_back_reply(*, case: Case, message: Message, now: datetime) -> None:
    """Note on a locked case that an automatic reply never left the house; the customer waits for a person again."""
    message.delivery, message.delivery_error = Delivery.FAILED, gettext_noop("Automatic replies were switched off before it was sent.")
    message.save(update_fields=["delivery", "delivery_error"])
    before = {"status": case.status}
    after = {"delivery": Delivery.FAILED.value, "error": message.delivery_error}
    add_event(
        case=case, kind=EventKind.DELIVERY, actor=SYSTEM, now=now, message=message, before={"delivery": Delivery.QUEUED.value}, after=after
    )
    if case.messages.exclude(pk=message.pk).filter(direction=Direction.OUTBOUND).exists():
        return
    case.first_response_at = None
    if case.status == Status.WAITING:
        case.status = Status.OPEN
        add_event(case=case, kind=EventKind.STATUS, actor=SYSTEM, now=now, before=before, after={"status": Status.OPEN.value})
    save_case(case, "status", "first_response_at")
    keep_clocks([Happening(case, ARRIVED, now, True)])
