"""Steps of a case on its flow: taking them, entering what they need, asking for approval and deciding (four eyes)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import audit_case, case_to_change, change_case, save_case
from careloop.desk.cases.events import add_event
from careloop.desk.cases.flow_steps import approvers_of, close_approvals, facts_of, find_case_flow, take_step
from careloop.desk.cases.models import Approval, Case, CaseFlow, Decision, EventKind, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.flows.queries import named
from careloop.desk.flows.rules.flow import RESOLVED, Flow, Transition
from careloop.desk.flows.rules.moving import ASK, ASKED, REFUSED, amount_of, judge_step, standing_of
from careloop.desk.flows.rules.values import read_value
from careloop.desk.flows.wording import role_names, why_not
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput, NotAllowed, NotFound
from careloop.desk.kernel.wording import spoken
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind

LONGEST_COMMENT = 500
Entered = Mapping[str, str]  # text by the field's code, as `read_value` takes it


def move(*, case_id: int, transition: str, expected_version: int, viewer: Viewer, now: datetime, entered: Entered | None = None) -> Case:
    """Take a step, with what was entered for it; the case gets the status of the state that it comes to."""
    with transaction.atomic():
        case, row, flow = _begin(case_id, expected_version, viewer)
        step = _step_of(flow, row, transition)
        is_filled = _fill(case, row, flow, entered or {}, viewer, now)
        found = judge_step(step, facts_of(row, _open_approvals(case)), viewer.role)
        if not found.is_possible:
            raise InvalidInput(why_not(flow, found), field=found.fields[0] if found.fields else "transition")
        take_step(case, row, step, viewer, now)
        target = flow.find_state(step.target)
        status = target.status if target is not None else case.status
        is_resolved = status == RESOLVED
        changes: dict[str, Any] = {"status": status}
        if status != case.status:
            changes["resolved_at"] = now if is_resolved else None
        if not change_case(case, EventKind.STATUS, changes, viewer, now) and not is_filled:
            save_case(case)
    return case


def fill_fields(*, case_id: int, entered: Entered, expected_version: int, viewer: Viewer, now: datetime) -> Case:
    """Enter values of the flow's fields; an approval that was asked for another amount is closed."""
    with transaction.atomic():
        case, row, flow = _begin(case_id, expected_version, viewer)
        _fill(case, row, flow, entered, viewer, now)
    return case


def ask_approval(  # noqa: PLR0913  (a step's facts and the comment)
    *,
    case_id: int,
    transition: str,
    expected_version: int,
    viewer: Viewer,
    now: datetime,
    entered: Entered | None = None,
    comment: str = "",
) -> Approval:
    """Ask whether a step may be taken; those who may say so are told. One that was refused may be asked again."""
    with transaction.atomic():
        case, row, flow = _begin(case_id, expected_version, viewer)
        step = _step_of(flow, row, transition)
        _fill(case, row, flow, entered or {}, viewer, now)
        found = judge_step(step, facts_of(row, _open_approvals(case)), viewer.role)
        if step.approval is None or not step.approval.is_needed(row.values) or found.obstacle not in (ASK, REFUSED):
            sentence = why_not(flow, found) or _("“%(step)s” needs no approval now; take the step.") % {"step": named(step.name)}
            raise InvalidInput(sentence, field=found.fields[0] if found.fields else "transition")
        told = approvers_of(case, step.approval.roles, viewer.user_id)
        if len(told) < step.approval.people:
            facts = {"step": named(step.name), "n": step.approval.people, "able": len(told), "roles": role_names(step.approval.roles)}
            sentence = _("“%(step)s” needs %(n)s to approve, and beside you %(able)s may (%(roles)s); ask an owner of the desk.")
            raise InvalidInput(sentence % facts, field="transition")
        close_approvals(_open_approvals(case).filter(transition=step.code), now)
        asked = Approval.objects.create(
            case=case,
            transition=step.code,
            state=ASKED,
            asked_by_id=viewer.user_id,
            asked_at=now,
            amount=amount_of(step, row.values),
            needs=step.approval.people,
            roles=list(step.approval.roles),
            comment=comment.strip()[:LONGEST_COMMENT],
        )
        _tell(case, asked, step, viewer, now, {"state": ASKED})
        facts = {"who": viewer.name, "subject": case.subject, "step": dict(step.name)}
        notify(user_ids=told, kind=NoticeKind.APPROVAL, key=f"approval {asked.pk}", case_id=case.pk, facts=facts, now=now)
    return asked


def decide(
    *, approval_id: int, is_yes: bool, viewer: Viewer, now: datetime, comment: str = "", expected_version: int | None = None
) -> Approval:
    """Agree or refuse: never the one who asked, each person once, and only while it is open.

    An approval is about one amount, so people need no version; a program may give the one of the case that it has seen.
    """
    check_may(viewer, "case.approve")
    with transaction.atomic():
        found = Approval.objects.filter(pk=approval_id).first()
        if found is None:
            raise NotFound(_("There is no approval %(number)s.") % {"number": approval_id})
        access_case(found.case_id, viewer)
        case = case_to_change(found.case_id, viewer, expected_version)
        asked = Approval.objects.select_for_update().get(pk=approval_id)
        decisions = list(asked.decisions.order_by("pk"))
        _check_decider(asked, decisions, viewer)
        said = Decision(approval=asked, who_id=viewer.user_id, is_yes=is_yes, at=now, comment=comment.strip()[:LONGEST_COMMENT])
        said.save(force_insert=True)
        asked.state = standing_of([*(one.is_yes for one in decisions), is_yes], asked.needs)
        asked.save(update_fields=["state"])
        running = find_case_flow(case)
        step = running[1].find_transition(asked.transition) if running else None
        _tell(case, asked, step, viewer, now, {"state": asked.state, "is_yes": is_yes, "comment": said.comment})
        facts = {"who": viewer.name, "text": said.comment or case.subject, "step": dict(step.name) if step is not None else {}}
        asker = [asked.asked_by_id] if asked.asked_by_id else []
        notify(user_ids=asker, kind=NoticeKind.FOLLOWED, key=f"decision {said.pk}", case_id=case.pk, facts=facts, now=now)
    return asked


def _begin(case_id: int, expected_version: int, viewer: Viewer) -> tuple[Case, CaseFlow, Flow]:
    case = case_to_change(case_id, viewer, expected_version)
    found = find_case_flow(case, is_locked=True)
    if found is None or case.status == Status.MERGED:
        raise InvalidInput(_("Case #%(number)s runs on no flow; it has no steps.") % {"number": case_id}, field="transition")
    return case, *found


def _step_of(flow: Flow, row: CaseFlow, code: str) -> Transition:
    step = next((step for step in flow.steps_from(row.state) if step.code == code), None)
    if step is None:
        state = flow.find_state(row.state)
        facts = {"given": code[:40], "state": named(state.name) if state is not None else row.state}
        raise InvalidInput(_("“%(given)s” is no step from “%(state)s”; load the page again.") % facts, field="transition")
    return step


def _open_approvals(case: Case) -> Any:
    return Approval.objects.filter(case_id=case.pk, closed_at=None)


def _fill(case: Case, row: CaseFlow, flow: Flow, entered: Entered, viewer: Viewer, now: datetime) -> bool:
    """Store what differs, with one event; returns whether anything did."""
    values = dict(row.values)
    for code, text in entered.items():
        field = flow.find_field(code)
        if field is None:
            raise InvalidInput(_("This flow has no field “%(given)s”; load the page again.") % {"given": code[:40]}, field=code)
        try:
            values[code] = read_value(field, text, get_language() or "en")
        except DeskError as refused:
            raise InvalidInput(spoken(refused.message), field=code) from refused
    changed = [code for code in values if values[code] != row.values.get(code)]
    if not changed:
        return False
    before = {code: row.values.get(code) for code in changed}
    after = {code: values[code] for code in changed}
    names = {code: dict(field.name) for code in changed if (field := flow.find_field(code)) is not None}
    row.values = values
    row.save(update_fields=["values"])
    stale = [
        one for one in _open_approvals(case) if (step := flow.find_transition(one.transition)) and one.amount != amount_of(step, values)
    ]
    close_approvals(stale, now)
    save_case(case)
    add_event(case=case, kind=EventKind.FIELD, actor=actor_of(viewer), now=now, before=before, after={**after, "names": names})
    audit_case(case, "case.field", viewer, now, {"before": before, "after": after})
    return True


def _check_decider(asked: Approval, decisions: list[Decision], viewer: Viewer) -> None:
    if asked.asked_by_id == viewer.user_id:
        raise NotAllowed(_("You asked for this approval yourself; somebody else decides (four eyes)."))
    if viewer.role not in asked.roles:
        raise NotAllowed(_("This approval is given by: %(roles)s.") % {"roles": role_names(asked.roles)})
    if asked.closed_at is not None:
        raise Conflict(_("This approval is no longer open: the case went on, or the amount was changed. Load the page again."))
    if asked.state != ASKED or any(one.who_id == viewer.user_id for one in decisions):
        raise Conflict(_("This approval is decided already; load the page again to see by whom."))


def _tell(case: Case, asked: Approval, step: Transition | None, viewer: Viewer, now: datetime, after: dict[str, Any]) -> None:
    """The event and the audit entry of an approval, and the case's next version."""
    save_case(case)
    facts = {"approval": asked.pk, "step": asked.transition, "amount": asked.amount, **after}
    named_step = {"step_name": dict(step.name)} if step is not None else {}
    add_event(case=case, kind=EventKind.APPROVAL, actor=actor_of(viewer), now=now, after={**facts, **named_step})
    audit_case(case, "case.approval", viewer, now, facts)
