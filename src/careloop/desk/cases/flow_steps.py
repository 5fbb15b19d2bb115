"""Cases on their flows: where each begins, what taking a step changes, what resolving asks for. In the caller's transaction."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Channel, ChannelKind, Role, User
from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import audit_case
from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.events import add_event, event_of
from careloop.desk.cases.models import Approval, Case, CaseFlow, EventKind, Priority
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.flows.models import FlowVersion
from careloop.desk.flows.queries import flow_of, named, versions_by_kind
from careloop.desk.flows.rules.flow import (
    NOTIFY_ASSIGNEE,
    NOTIFY_SUPERVISORS,
    RAISE_PRIORITY,
    UNASSIGN,
    Flow,
    Transition,
    department_to_json,
)
from careloop.desk.flows.rules.moving import CaseFacts, Standing, possible_moves, steps_to_end
from careloop.desk.flows.wording import way_in_words, why_not
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind
from careloop.desk.sla.rules.following import FACTS


def start_flows(cases: Collection[Case], now: datetime, *, with_files: bool = False) -> None:
    """Put unresolved cases on the flow of their kind; one that still stands at a start follows a corrected kind, others stay.

    One query where no flow fits. What comes from files happened long ago and starts none, unless `with_files`.
    """
    open_cases = [case for case in cases if case.kind and case.status in UNRESOLVED]
    if not open_cases:
        return
    versions = versions_by_kind()
    running = {row.case_id: row for row in CaseFlow.objects.filter(case__in=open_cases).select_related("flow_version")}
    if not versions and not running:
        return
    files = set() if with_files else set(Channel.objects.filter(kind=ChannelKind.FILE).values_list("pk", flat=True))
    left = [row for case in open_cases if (row := running.get(case.pk)) and _may_change(row, versions.get(case.kind))]
    CaseFlow.objects.filter(pk__in=[row.pk for row in left]).delete()
    free = [case for case in open_cases if case.pk not in running or running[case.pk] in left]
    begun = [(case, versions[case.kind]) for case in free if case.kind in versions and case.channel_id not in files]
    starts = {pk: flow_of(version).start.code for pk, version in {one.pk: one for _case, one in begun}.items()}
    insert_rows(CaseFlow(case_id=case.pk, flow_version_id=one.pk, state=starts[one.pk], entered_at=now, values={}) for case, one in begun)
    insert_rows(
        event_of(case=case, kind=EventKind.MOVED, actor=SYSTEM, now=now, after={**place_of(one, starts[one.pk]), "is_start": True})
        for case, one in begun
    )


def _may_change(row: CaseFlow, version: FlowVersion | None) -> bool:
    """Whether a case that runs on a flow goes to another one: only from the start, before anything was entered or asked."""
    if version is not None and version.flow_id == row.flow_version.flow_id:
        return False
    is_at_start = row.state == flow_of(row.flow_version).start.code
    return is_at_start and not row.values and not Approval.objects.filter(case_id=row.case_id, closed_at=None).exists()


def find_case_flow(case: Case, *, is_locked: bool = False) -> tuple[CaseFlow, Flow] | None:
    """Where the case stands and on which flow; None when it runs on none."""
    rows = CaseFlow.objects.select_for_update(of=("self",)) if is_locked else CaseFlow.objects.all()
    row = rows.select_related("flow_version", "flow_version__flow").filter(case_id=case.pk).first()
    return None if row is None else (row, flow_of(row.flow_version))


def facts_of(row: CaseFlow, approvals: Iterable[Approval]) -> CaseFacts:
    """What steps look at; of approvals the open ones."""
    return CaseFacts(row.values, {one.transition: Standing(one.state, one.amount) for one in approvals if one.closed_at is None})


def take_step(case: Case, row: CaseFlow, step: Transition, viewer: Viewer, now: datetime) -> None:
    """Bring the flow of a locked case to the step's end: row, approvals, event, audit entry, what follows. Not the case's status."""
    before = place_of(row.flow_version, row.state)
    row.state, row.entered_at = step.target, now
    row.save(update_fields=["state", "entered_at"])
    close_approvals(Approval.objects.filter(case_id=case.pk, closed_at=None), now)
    tasks = [
        {
            "name": dict(task.name),
            "department": department_to_json(task.department),
            "due_at": (now + timedelta(days=task.days)).isoformat(),
        }
        for task in step.tasks
    ]
    after = {
        **place_of(row.flow_version, row.state),
        "step": step.code,
        "step_name": dict(step.name),
        **({"tasks": tasks} if tasks else {}),
    }
    add_event(case=case, kind=EventKind.MOVED, actor=actor_of(viewer), now=now, before=before, after=after)
    audit_case(case, "case.moved", viewer, now, {"before": {"state": before["state"]}, "after": {"state": row.state}, "step": step.code})
    for what in step.then:
        _follow(what, case, row, step, viewer, now)


def end_flow(case: Case, viewer: Viewer, now: datetime) -> None:
    """Before a locked case is resolved: its flow stands at an end, or one possible step takes it there; else refuse and name the way."""
    found = check_end(case, viewer, is_locked=True)
    if found is not None:
        row, step = found
        take_step(case, row, step, viewer, now)


def check_end(case: Case, viewer: Viewer, *, is_locked: bool = False) -> tuple[CaseFlow, Transition] | None:
    """The step that resolving the case would take, None where none is needed; InvalidInput names the way when none is possible."""
    found = find_case_flow(case, is_locked=is_locked)
    state = found[1].find_state(found[0].state) if found is not None else None
    if found is None or state is None or state.is_end:
        return None
    row, flow = found
    moves = possible_moves(flow, row.state, facts_of(row, Approval.objects.filter(case_id=case.pk, closed_at=None)), viewer.role)
    ends = {one.code for one in flow.states if one.is_end}
    closing = next((move.step for move in moves if move.is_possible and move.step.target in ends), None)
    if closing is not None:
        return row, closing
    way = steps_to_end(flow, row.state)
    facts = {"flow": named(row.flow_version.flow.name), "state": named(state.name), "way": way_in_words(way)}
    sentence = _("“%(flow)s” stands at “%(state)s”; before the case is resolved these steps are taken: %(way)s.") % facts
    first = next((move for move in moves if way and move.step.code == way[0].code), None)
    reason = why_not(flow, first) if first is not None else ""
    raise InvalidInput(f"{sentence} {reason}".strip(), field="status")


def close_approvals(approvals: Iterable[Approval], now: datetime) -> None:
    """What was asked or said holds no longer; the rows stay."""
    Approval.objects.filter(pk__in=[one.pk for one in approvals]).update(closed_at=now)


def approvers_of(case: Case, roles: Iterable[str], but: int) -> list[int]:
    """Who may decide on a step of this case: active people of the roles who see its team, without the one who asks."""
    people = User.objects.filter(is_active=True).exclude(pk=but)
    in_team = people.filter(role__in=set(roles) - {Role.OWNER}, teams=case.team_id).values_list("pk", flat=True)
    owners = people.filter(role=Role.OWNER).values_list("pk", flat=True) if Role.OWNER in set(roles) else []
    return sorted({*in_team, *owners})


def place_of(version: FlowVersion, state: str) -> dict[str, Any]:
    """Flow, version and state with its name, as events keep them."""
    found = next((one for one in version.definition["states"] if one["code"] == state), None)
    return {"flow": version.flow_id, "version": version.number, "state": state, "state_name": found["name"] if found else {}}


def _follow(what: str, case: Case, row: CaseFlow, step: Transition, viewer: Viewer, now: datetime) -> None:
    if what in (NOTIFY_ASSIGNEE, NOTIFY_SUPERVISORS):
        told = [case.assignee_id] if case.assignee_id else []
        if what == NOTIFY_SUPERVISORS:
            told = approvers_of(case, [Role.SUPERVISOR], viewer.user_id)
        facts = {"who": viewer.name, "subject": case.subject, "step": dict(step.name)}
        notify(
            user_ids=told,
            kind=NoticeKind.RULE,
            key=f"step {step.code} {case.pk} {now.isoformat()}",
            case_id=case.pk,
            facts=facts,
            now=now,
        )
        return
    changes: dict[str, Any] = {}
    if what == RAISE_PRIORITY and case.priority < Priority.URGENT:
        changes = {"priority": next(one for one in sorted(Priority.values) if one > case.priority)}
    if what == UNASSIGN and case.assignee_id is not None:
        changes = {"assignee_id": None}
    if not changes:
        return
    before = {name: getattr(case, name) for name in changes}
    for name, value in changes.items():
        setattr(case, name, value)
    case.save(update_fields=list(changes))
    if "priority" in changes:
        keep_clocks([Happening(case, FACTS, now, case.first_response_at is not None)])
    kind = EventKind.PRIORITY if "priority" in changes else EventKind.ASSIGNED
    add_event(case=case, kind=kind, actor=actor_of(viewer), now=now, before=before, after=changes)
