"""The strip of steps on the case page: where the case stands, what can be done next, why other steps cannot be taken yet."""

from collections.abc import Iterable
from typing import Any
from zlib import crc32

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.approval_queries import may_decide
from careloop.desk.cases.flow_queries import FlowPage
from careloop.desk.flows.queries import named
from careloop.desk.flows.rules.flow import CHOICE, DATE, MONEY, NUMBER, YES_NO, Field, Flow, State, Transition
from careloop.desk.flows.rules.moving import ASK, MISSING, PENDING, REFUSED, Move, needed_fields, steps_to_end
from careloop.desk.flows.rules.values import enter_value, show_value
from careloop.desk.flows.wording import role_names, why_not

MOST_SHOWN = 9
MOST_PASSED = 2


def flow_panel(page: FlowPage | None, viewer: Viewer) -> dict[str, Any] | None:
    """What case/flow.html shows; None when the case runs on no flow."""
    if page is None:
        return None
    flow, row = page.flow, page.row
    state = flow.find_state(row.state)
    return {
        "name": named(row.flow_version.flow.name),
        "number": row.flow_version.number,
        "since": row.entered_at,
        "state": named(state.name) if state is not None else row.state,
        "path": _path(flow, row.state),
        "moves": [_move(page, move) for move in page.moves],
        "approvals": [_approval(page, one, viewer) for one in page.approvals],
        "values": [
            {"name": named(field.name), "value": shown(field, row.values[field.code])}
            for field in flow.fields
            if row.values.get(field.code) is not None
        ],
    }


def shown(field: Field, value: Any) -> str:
    """A value in the reader's words."""
    if field.type == YES_NO:
        return _("yes") if value else _("no")
    return show_value(field, value, get_language() or "en")


def _path(flow: Flow, here: str) -> list[dict[str, Any]]:
    """The shortest way from the start to where the case stands, and from there to an end; of the states passed, all but the last are one.

    So the case's state stands among the first three and is in sight, however narrow the page and without script.
    """
    behind = _way(flow, flow.start.code, here)
    codes = [*behind, *(step.target for step in steps_to_end(flow, here))]
    states = [(place, one) for place, one in enumerate(map(flow.find_state, codes)) if isinstance(one, State)]
    now = len(behind) - 1
    first = now - 1 if now > MOST_PASSED else 0
    passed = [named(one.name) for place, one in states if place < first]
    shown_states = [(place, one) for place, one in states if place >= first][:MOST_SHOWN]
    strip = [{"name": named(one.name), "when": _when(place, now), "is_end": one.is_end} for place, one in shown_states]
    return [{"name": " → ".join(passed), "n": len(passed), "when": "done", "is_end": False}, *strip] if passed else strip


def _when(place: int, now: int) -> str:
    return "done" if place < now else "here" if place == now else "ahead"


def _way(flow: Flow, begin: str, end: str) -> list[str]:
    ways, seen = [[begin]], {begin}
    for way in ways:
        if way[-1] == end:
            return way
        for step in flow.steps_from(way[-1]):
            if step.target not in seen:
                seen.add(step.target)
                ways.append([*way, step.target])
    return [end]


def _move(page: FlowPage, move: Move) -> dict[str, Any]:
    step, row = move.step, page.row
    fields = [field for code in needed_fields(step) if (field := page.flow.find_field(code)) is not None]
    inputs = [_input(field, row.values.get(field.code)) for field in fields]
    is_pending = move.obstacle == PENDING
    can_enter = not move.obstacle or move.obstacle in (MISSING, ASK, REFUSED) or (is_pending and bool(inputs))
    stamp = crc32(repr((row.pk, row.entered_at, row.values, move.obstacle)).encode())
    return {
        "code": step.code,
        "name": named(step.name),
        "is_plain": move.is_possible and not inputs and step.approval is None,
        "is_possible": move.is_possible,
        "can_enter": can_enter,
        "is_pending": is_pending,
        "inputs": inputs,
        "why": "" if move.obstacle == MISSING else why_not(page.flow, move),
        "limit": limit_words(page.flow, step.approval),
        "form": f"step-{row.case_id}-{step.code}-{stamp}",
        "tasks": [f"{named(task.name)} ({named(task.department)})" for task in step.tasks],
    }


def limit_words(flow: Flow, approval: Any) -> str:
    """Above which amount a step needs whose approval; "" when it needs none."""
    if approval is None:
        return ""
    field = flow.find_field(approval.field) if approval.field else None
    if field is None:
        return _("Needs an approval: %(roles)s.") % {"roles": role_names(approval.roles)}
    above = {"minor": approval.above, "currency": approval.currency} if approval.currency else approval.above
    facts = {"field": named(field.name), "above": shown(field, above), "roles": role_names(approval.roles)}
    if approval.currency:
        return _("%(field)s above %(above)s needs an approval: %(roles)s. Another currency always does.") % facts
    return _("%(field)s above %(above)s needs an approval: %(roles)s.") % facts


def amount_words(flow: Flow | None, step: Transition | None, amount: Any) -> str:
    """The amount that an approval is about, with its field's name; "" when it is about none."""
    looked_at = step.approval.field if step is not None and step.approval is not None else ""
    field = flow.find_field(looked_at) if flow is not None and looked_at else None
    return f"{named(field.name)} {shown(field, amount)}" if field is not None and amount is not None else ""


def _input(field: Field, value: Any) -> dict[str, Any]:
    language = get_language() or "en"
    options: Iterable[tuple[str, str]] = ()
    if field.type == CHOICE:
        options = [(code, show_value(field, code, language)) for code, _name in field.choices]
    elif field.type == YES_NO:
        options = [("yes", _("yes")), ("no", _("no"))]
    return {
        "code": field.code,
        "name": f"{named(field.name)} ({field.currency})" if field.currency else named(field.name),
        "type": {DATE: "date"}.get(field.type, "text"),
        "mode": {MONEY: "decimal", NUMBER: "decimal"}.get(field.type, "text"),
        "options": options,
        "value": enter_value(field, value),
    }


def _approval(page: FlowPage, one: Any, viewer: Viewer) -> dict[str, Any]:
    step = page.flow.find_transition(one.transition)
    decided = list(one.decisions.all())
    return {
        "id": one.pk,
        "step": named(step.name) if step is not None else one.transition,
        "state": one.state,
        "amount": amount_words(page.flow, step, one.amount),
        "asked_by": one.asked_by,
        "asked_at": one.asked_at,
        "comment": one.comment,
        "needs": one.needs,
        "decisions": decided,
        "may_decide": may_decide(one, decided, viewer),
        "is_own": one.asked_by_id == viewer.user_id,
        "roles": role_names(one.roles),
    }
