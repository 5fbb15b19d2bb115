"""The shipped flows, and where the sample cases stand on them."""

from datetime import datetime, timedelta
from typing import Any

from careloop.desk.accounts.models import User
from careloop.desk.cases.flow_steps import approvers_of
from careloop.desk.cases.models import Approval, Case, CaseFlow
from careloop.desk.demo.staff import House
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.flows.models import FlowVersion
from careloop.desk.flows.queries import flow_of, versions_by_kind
from careloop.desk.flows.rules.flow import Flow, State
from careloop.desk.flows.rules.moving import ASKED, needed_fields
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind

SELDOM = 5  # one resolved case of five ended otherwise than most
CENTS = 12_900
ABOVE_LIMIT = {"minor": 128_000, "currency": "CNY"}
ASKED_FOR = 3


def put_on_flows(house: House, *, now: datetime) -> None:
    """Cases stand where their status says: resolved ones at an end, others one to three steps after the start; some wait for approval."""
    ensure_shipped(now=now)
    versions = versions_by_kind()
    flows = {kind: flow_of(version) for kind, version in versions.items()}
    ways = {kind: {state.code: way for state in flow.states if (way := _way(flow, state.code)) is not None} for kind, flow in flows.items()}
    cases = Case.objects.filter(kind__in=versions).exclude(channel__kind="FILE").order_by("pk")
    rows = [_row(case, versions[case.kind], flows[case.kind], ways[case.kind], now) for case in cases]
    insert_rows(rows)
    _ask(house, {row.case_id: row for row in rows}, versions, now)


def _row(case: Case, version: FlowVersion, flow: Flow, ways: dict[str, list[str]], now: datetime) -> CaseFlow:
    states = [state for state in flow.states if _fits(state, case) and state.code in ways]
    if states and states[0].is_end and case.pk % SELDOM:
        states = states[:1]
    state = states[case.pk % len(states)] if states else flow.start
    values = {code: _value(flow, code, case) for code in ways[state.code]}
    return CaseFlow(case_id=case.pk, flow_version_id=version.pk, state=state.code, entered_at=min(case.last_message_at, now), values=values)


def _fits(state: State, case: Case) -> bool:
    return state.status == case.status and (case.status != "OPEN" or not state.is_start or case.first_response_at is None)


def _way(flow: Flow, code: str) -> list[str] | None:
    """The fields that the steps from the start to a state need."""
    ways: dict[str, list[str]] = {flow.start.code: []}
    waiting = [flow.start.code]
    for here in waiting:
        for step in flow.steps_from(here):
            if step.target not in ways:
                ways[step.target] = [*ways[here], *needed_fields(step)]
                waiting.append(step.target)
    return ways.get(code)


def _value(flow: Flow, code: str, case: Case) -> Any:
    field = flow.find_field(code)
    kind = field.type if field is not None else "text"
    if field is not None and field.choices:
        return field.choices[case.pk % len(field.choices)][0]
    day = case.last_message_at.date().isoformat()
    texts = {"ORDER": f"2026{case.pk:06d}", "REASON": "客户已撤回 · withdrawn"}
    money = {"minor": CENTS, "currency": field.currency} if field is not None and field.currency else CENTS
    return {"money": money, "number": 1, "date": day, "yes_no": case.pk % 5 != 0}.get(kind, texts.get(code, "–"))


def _ask(house: House, rows: dict[int, CaseFlow], versions: dict[str, FlowVersion], now: datetime) -> None:
    """A few refunds above the limit wait for the supervisor."""
    flow = flow_of(versions["REFUND"])
    step = flow.find_transition("AGREE")
    if step is None or step.approval is None:
        return
    for case in Case.objects.filter(kind="REFUND", status="OPEN", pk__in=rows).order_by("-last_message_at", "-pk")[:ASKED_FOR]:
        asker = case.assignee if case.assignee not in (None, house.supervisor) else _agent_of(case)
        if asker is None:
            continue
        row = rows[case.pk]
        row.values = {**row.values, "ORDER": _value(flow, "ORDER", case), "AMOUNT": ABOVE_LIMIT}
        CaseFlow.objects.filter(case_id=case.pk).update(values=row.values, state=step.source)
        asked = Approval.objects.create(
            case=case,
            transition=step.code,
            state=ASKED,
            asked_by=asker,
            asked_at=now - timedelta(minutes=20),
            amount=ABOVE_LIMIT,
            needs=step.approval.people,
            roles=list(step.approval.roles),
        )
        told = approvers_of(case, step.approval.roles, asker.pk)
        facts = {"who": asker.display_name, "subject": case.subject, "step": dict(step.name)}
        notify(user_ids=told, kind=NoticeKind.APPROVAL, key=f"approval {asked.pk}", case_id=case.pk, facts=facts, now=now)


def _agent_of(case: Case) -> User | None:
    return User.objects.filter(role="AGENT", is_active=True, teams=case.team_id).order_by("pk").first()
