"""The worker's part: mask the conversation, note in the audit trail what leaves, ask, put the values back, keep the answer."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from careloop.desk.accounts.models import User
from careloop.desk.analysis.conversation_queries import ROLES, list_said
from careloop.desk.analysis.masking import Mask
from careloop.desk.audit import actions as audit
from careloop.desk.cases.models import Case, Direction
from careloop.desk.channels.language_model import NoAnswer, Service, complete
from careloop.desk.customers.queries import list_addresses
from careloop.desk.drafting.models import MachineText, State
from careloop.desk.drafting.queries import find_service
from careloop.desk.drafting.rules import MOST_MESSAGES, Turn, question, told, without_thoughts
from careloop.desk.kernel.actor import SYSTEM, Actor

NOT_WRITTEN = gettext_noop("The text was not written: the job that asks the language model did not end. Try again.")
SWITCHED_OFF = gettext_noop("The language model was disconnected before the text was written.")


def write_text(text_id: int, *, clock: Callable[[], datetime]) -> str:
    """Ask for one text unless that was done; the state afterwards. What goes wrong is kept as a sentence for the person who waits."""
    asked = MachineText.objects.select_related("case__customer", "asked_by").filter(pk=text_id).first()
    if asked is None or asked.state != State.WAITING:
        return asked.state if asked else ""
    service = find_service()
    if service is None:
        return fail(asked, SWITCHED_OFF, {}, clock())
    try:
        mask = mask_of(asked.case)
        messages = masked_question(asked, mask)
        note_departure(asked, messages, mask, service, clock())
        answer = complete(service, messages)
    except NoAnswer as error:
        return fail(asked, error.template, error.values, clock())
    except Exception:
        fail(asked, NOT_WRITTEN, {}, clock())
        raise
    text = mask.restore(without_thoughts(answer)).replace("\0", "")
    changes = {"state": State.DONE, "text": text, "model": service.model[:120], "finished_at": clock()}
    MachineText.objects.filter(pk=asked.pk, state=State.WAITING).update(**changes)
    return State.DONE


def fail(asked: MachineText, template: str, values: dict[str, Any], now: datetime) -> str:
    """Note why there is no text."""
    changes = {"state": State.FAILED, "error": template, "error_values": values, "finished_at": now}
    MachineText.objects.filter(pk=asked.pk, state=State.WAITING).update(**changes)
    return State.FAILED


def mask_of(case: Case) -> Mask:
    """A mask that knows what the house knows of the people in a case: the customer's names and addresses, the names of staff."""
    mask, customer = Mask(), case.customer
    mask.know([customer.name, customer.company])
    mask.know((address.value for address in list_addresses(customer)), "CONTACT")
    authors = User.objects.filter(pk__in=case.messages.exclude(author=None).values("author")).values_list("display_name", flat=True)
    mask.know(authors)
    return mask


def masked_question(asked: MachineText, mask: Mask) -> list[dict[str, str]]:
    """The chat that is sent for a text, without personal data."""
    case = asked.case
    said = list_said(case, MOST_MESSAGES)
    # Nothing is cut before it is masked, half a number would not be known: a subject that was cut out of a message is left out.
    is_from_message = any(case.subject.rstrip("…") in one.body for one in said)
    subject, *texts = mask.hide(["" if is_from_message else case.subject, *(one.body for one in said)])
    turns = [
        Turn(ROLES[Direction(one.direction)], timezone.localtime(one.sent_at).strftime("%Y-%m-%d %H:%M"), text)
        for one, text in zip(said, texts, strict=True)
    ]
    return question(asked.purpose, subject, told(turns), asked.language)


def note_departure(asked: MachineText, messages: list[dict[str, str]], mask: Mask, service: Service, now: datetime) -> None:
    """The audit entry of what is about to leave: where to, how much, its fingerprint, how much was masked; never the text itself."""
    sent = json.dumps(messages, ensure_ascii=False)
    person = asked.asked_by
    actor = Actor("user", person.pk, person.display_name) if person else SYSTEM
    details = {
        "purpose": asked.purpose,
        "host": service.host,
        "model": service.model,
        "sha256": hashlib.sha256(sent.encode()).hexdigest(),
        "characters": len(sent),
        "masked": mask.counts(),
    }
    with transaction.atomic():
        audit.record(actor=actor, action="model.ask", object_type="case", object_id=asked.case_id, now=now, details=details)
