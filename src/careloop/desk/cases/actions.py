"""Everything that changes a case: check first, then one transaction with the change, its event and its audit entry."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may, list_assignable
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import audit_case, case_to_change, change_case, save_case, save_cases
from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.events import add_event, event_of
from careloop.desk.cases.flow_steps import check_end, end_flow, start_flows
from careloop.desk.cases.merged import lock_unmerged
from careloop.desk.cases.messages import add_message
from careloop.desk.cases.models import Case, CaseEvent, Delivery, Direction, EventKind, Kind, Message, Priority, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.cases.rules import priority_after_triage, snippet_from
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.search import actions as search
from careloop.desk.search.actions import Searchable
from careloop.desk.sla.rules.following import FACTS, REPLIED, STATUS

MAX_BODY_LENGTH = 100_000
SETTABLE = (Status.OPEN.value, Status.WAITING.value, Status.RESOLVED.value)
TRIAGED_FIELDS = ("sentiment", "sentiment_probability", "kind", "kind_probability", "category", "priority")


def reply(
    *, case_id: int, body: str, viewer: Viewer, now: datetime, status: str = Status.WAITING, seen_message_id: int | None = None
) -> Message:
    """Write to the customer; the case then waits for the customer unless another status is asked for.

    Refused when somebody wrote after `seen_message_id`: nobody shall answer past a message that they have not read.
    """
    if status not in SETTABLE:
        raise InvalidInput(f"The status is {status!r}; expected one of {', '.join(SETTABLE)}.", field="status")
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        _check_seen(case, seen_message_id)
        if status == Status.RESOLVED and case.status != status:
            end_flow(case, viewer, now)
        message = _write(case, Direction.OUTBOUND, body, viewer, now, delivery=Delivery.QUEUED)
        before: dict[str, Any] = {"status": case.status}
        was_answered = case.first_response_at is not None
        case.status, case.last_message_at, case.snippet = status, now, snippet_from(body)
        case.resolved_at = now if status == Status.RESOLVED else None
        is_person = viewer.person_id is not None  # what a rule says by itself is not the answer that was promised
        case.first_response_at = case.first_response_at or (now if is_person else None)
        if case.assignee_id is None and is_person and viewer.user_id in {person.pk for person in list_assignable(case.team_id)}:
            before["assignee"] = None
            case.assignee_id = viewer.user_id
        save_case(case, "status", "last_message_at", "snippet", "resolved_at", "first_response_at", "assignee_id")
        keep_clocks([Happening(case, REPLIED if is_person else STATUS, now, was_answered)])
        after = {"status": status, **({"assignee": viewer.user_id} if "assignee" in before else {})}
        add_event(
            case=case,
            kind=EventKind.REPLIED,
            actor=actor_of(viewer),
            now=now,
            message=message,
            before=before,
            after=after,
        )
        audit_case(case, "case.reply", viewer, now, {"message": message.pk, "status": status})
    return message


def check_reply(*, case_id: int, body: str, viewer: Viewer, status: str, seen_message_id: int | None = None) -> None:
    """Refuse what `reply` would refuse; nothing is written."""
    if status not in SETTABLE:
        raise InvalidInput(f"The status is {status!r}; expected one of {', '.join(SETTABLE)}.", field="status")
    check_may(viewer, "case.work")
    case = access_case(case_id, viewer)
    _check_seen(case, seen_message_id)
    _check_text(body)
    if status == Status.RESOLVED and case.status != status:
        check_end(case, viewer)


def add_note(*, case_id: int, body: str, viewer: Viewer, now: datetime) -> Message:
    """Write an internal note that the customer never sees."""
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        message = _write(case, Direction.NOTE, body, viewer, now)
        save_case(case)
        add_event(case=case, kind=EventKind.NOTED, actor=actor_of(viewer), now=now, message=message)
        audit_case(case, "case.note", viewer, now, {"message": message.pk})
    return message


def assign(*, case_id: int, assignee_id: int | None, expected_version: int, viewer: Viewer, now: datetime) -> Case:
    """Give the case to somebody of its team, or to nobody."""
    with transaction.atomic():
        case = case_to_change(case_id, viewer, expected_version)
        if assignee_id is not None and assignee_id not in {person.pk for person in list_assignable(case.team_id)}:
            raise InvalidInput(_("That person does not work in this case's team; choose somebody from the list."), field="assignee")
        change_case(case, EventKind.ASSIGNED, {"assignee_id": assignee_id}, viewer, now)
    return case


def set_priority(*, case_id: int, priority: int, expected_version: int, viewer: Viewer, now: datetime) -> Case:
    """Say what comes first."""
    if priority not in Priority.values:
        raise InvalidInput(f"The priority is {priority!r}; expected one of {', '.join(map(str, Priority.values))}.", field="priority")
    with transaction.atomic():
        case = case_to_change(case_id, viewer, expected_version)
        change_case(case, EventKind.PRIORITY, {"priority": priority}, viewer, now)
    return case


def set_status(*, case_id: int, status: str, expected_version: int, viewer: Viewer, now: datetime) -> Case:
    """Open the case again, let it wait for the customer, or resolve it."""
    if status not in SETTABLE:
        raise InvalidInput(f"The status is {status!r}; expected one of {', '.join(SETTABLE)}.", field="status")
    with transaction.atomic():
        case = case_to_change(case_id, viewer, expected_version)
        if status == Status.RESOLVED and case.status != status:
            end_flow(case, viewer, now)
        change_case(
            case,
            EventKind.STATUS,
            {"status": status, "resolved_at": now if status == Status.RESOLVED else None},
            viewer,
            now,
        )
    return case


def set_category(*, case_id: int, category: str, viewer: Viewer, now: datetime) -> Case:
    """Decide what the case is about; readings leave it as it is from then on."""
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        corrected = sorted({*case.corrected, "category"})
        if case.category != category:
            change_case(case, EventKind.CORRECTED, {"category": category, "corrected": corrected}, viewer, now)
    return case


def triage(*, readings: dict[int, dict[str, Any]], now: datetime) -> list[Case]:
    """Take over, by case id, what readings say: how the newest message sounds, the kind if it is unknown, and from them the priority.

    Three queries for any number of cases: on SQLite nobody else writes meanwhile.
    """
    with transaction.atomic():
        cases = lock_unmerged([*readings])
        events = []
        for case in cases:
            before, after = take_over(case, readings[case.pk])
            events.append(event_of(case=case, kind=EventKind.TRIAGED, actor=SYSTEM, now=now, before=before, after=after))
        save_cases(cases, *TRIAGED_FIELDS)
        insert_rows(events)
        start_flows([case for case, event in zip(cases, events, strict=True) if event.before.get("kind") != event.after.get("kind")], now)
        keep_clocks([_facts_of(case, now) for case, event in zip(cases, events, strict=True) if _is_promise_touched(event)])
    return cases


def take_over(case: Case, reading: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Change a case in memory as its reading says; returns the fields before and after."""
    fields = ["sentiment", "sentiment_probability"]
    if case.kind in {"", Kind.OTHER} and "kind" not in case.corrected:
        fields += ["kind", "kind_probability"]
    if not case.category and "category" not in case.corrected:
        fields.append("category")
    before = {name: getattr(case, name) for name in (*fields, "priority")}
    for name in fields:
        if reading.get(name) not in (None, ""):
            setattr(case, name, reading[name])
    happiness = 0.5 if case.sentiment_probability is None else case.sentiment_probability
    case.priority = priority_after_triage(case.kind, happiness, case.priority)
    return before, {name: getattr(case, name) for name in before}


def categorise(*, categories: dict[int, tuple[str, float]], now: datetime) -> list[Case]:
    """Take over (category, probability) by case id; cases whose category a person decided, or that have it already, stay as they are."""
    changed = []
    with transaction.atomic():
        cases = lock_unmerged([*categories])
        events = []
        for case in cases:
            category, probability = categories[case.pk]
            if "category" in case.corrected or case.category == category:
                continue
            before, after = {"category": case.category}, {"category": category, "category_probability": probability}
            case.category = category
            changed.append(case)
            events.append(event_of(case=case, kind=EventKind.TRIAGED, actor=SYSTEM, now=now, before=before, after=after))
        save_cases(changed, "category")
        insert_rows(events)
    return changed


def take_word(*, case_id: int, message: Message, said: dict[str, Any], is_of_case: bool, viewer: Viewer, now: datetime) -> Case:
    """A person's word on a message, taken over by its case unless it is about that message alone; readings leave it as it is."""
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        before = {name: getattr(case, name) for name in said} if is_of_case else {}
        if is_of_case:
            for name, value in said.items():
                setattr(case, name, value)
            case.corrected = sorted({*case.corrected, *said.keys() & {"kind", "category"}})
        save_case(case, *before, "corrected")
        start_flows([case] if "kind" in before else [], now, with_files=True)
        keep_clocks([_facts_of(case, now)] if "kind" in before else [])
        add_event(case=case, kind=EventKind.CORRECTED, actor=actor_of(viewer), now=now, message=message, before=before, after=said)
        audit_case(case, "case.corrected", viewer, now, {"message": message.pk, "before": before, "after": said})
    return case


def record_delivery(*, message_id: int, delivery: str, error: str, now: datetime) -> None:
    """Note that a message to the customer went out, or why it did not."""
    with transaction.atomic():
        message = Message.objects.select_for_update(of=("self",)).select_related("case").get(pk=message_id)
        before = {"delivery": message.delivery}
        message.delivery, message.delivery_error = delivery, error[:300]
        message.save(update_fields=["delivery", "delivery_error"])
        if message.case is not None:
            after = {"delivery": delivery, "error": error[:300]}
            add_event(
                case=message.case,
                kind=EventKind.DELIVERY,
                actor=SYSTEM,
                now=now,
                message=message,
                before=before,
                after=after,
            )


def _check_seen(case: Case, seen_message_id: int | None) -> None:
    newest = case.messages.exclude(direction=Direction.NOTE).order_by("-pk").values_list("pk", flat=True).first()
    if seen_message_id is not None and newest is not None and newest > seen_message_id:
        sentence = _("Somebody wrote in case #%(number)s in between; read it, then send your message again if it is still right.")
        raise Conflict(sentence % {"number": case.pk}, field="body")


def _write(case: Case, direction: str, body: str, viewer: Viewer, now: datetime, delivery: str = "") -> Message:
    text = _check_text(body)
    message = add_message(case=case, direction=direction, body=text, now=now, author_id=viewer.person_id, delivery=delivery)
    search.index([Searchable("MESSAGE", message.pk, text, case.pk, case.customer_id, case.team_id)], is_new=True)
    return message


def _check_text(body: str) -> str:
    text = body.replace("\0", "").strip()
    if not text:
        raise InvalidInput(_("The message is empty; write something first."), field="body")
    if len(text) > MAX_BODY_LENGTH:
        sentence = _("The message has %(n)s characters; at most %(most)s fit. Shorten it.")
        raise InvalidInput(sentence % {"n": f"{len(text):,}", "most": f"{MAX_BODY_LENGTH:,}"}, field="body")
    return text


def _facts_of(case: Case, now: datetime) -> Happening:
    return Happening(case, FACTS, now, case.first_response_at is not None)


def _is_promise_touched(event: CaseEvent) -> bool:
    return any(event.before.get(name) != event.after.get(name) for name in ("kind", "priority"))
