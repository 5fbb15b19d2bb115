"""Reading where cases stand on their flows."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.flow_steps import facts_of, find_case_flow
from careloop.desk.cases.models import Approval, Case, CaseFlow
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.flows.rules.flow import Flow
from careloop.desk.flows.rules.moving import Move, possible_moves


@dataclass(frozen=True)
class FlowPage:
    """Where a case stands, the steps from there for this viewer, and the approvals that are open."""

    row: CaseFlow
    flow: Flow
    moves: list[Move]
    approvals: list[Approval]


@dataclass(frozen=True)
class StateCount:
    """How many cases stand in a state of a version; `unresolved` of them are worked on."""

    number: int
    state: str
    cases: int
    unresolved: int


def flow_page(case: Case, viewer: Viewer) -> FlowPage | None:
    """The steps of a case that the viewer was let into; None when it runs on no flow (one query then, else three)."""
    found = find_case_flow(case)
    if found is None:
        return None
    row, flow = found
    open_ones = Approval.objects.filter(case_id=case.pk, closed_at=None).select_related("asked_by").prefetch_related("decisions__who")
    approvals = list(open_ones.order_by("pk"))
    return FlowPage(row, flow, possible_moves(flow, row.state, facts_of(row, approvals), viewer.role), approvals)


def count_cases(flow_id: int, viewer: Viewer) -> list[StateCount]:
    """How many cases of the viewer's teams stand where on each version of a flow, newest version first."""
    rows = (
        _in_sight(viewer)
        .filter(flow_version__flow_id=flow_id)
        .values_list("flow_version__number", "state")
        .annotate(cases=Count("pk"), unresolved=Count("pk", filter=Q(case__status__in=UNRESOLVED)))
        .order_by("-flow_version__number", "state")
    )
    return [StateCount(*row) for row in rows]


def count_unresolved(viewer: Viewer) -> dict[int, int]:
    """How many unresolved cases of the viewer's teams run on each flow."""
    rows = _in_sight(viewer).filter(case__status__in=UNRESOLVED).values("flow_version__flow_id").annotate(n=Count("pk"))
    return dict(rows.values_list("flow_version__flow_id", "n"))


def _in_sight(viewer: Viewer) -> QuerySet[CaseFlow]:
    return CaseFlow.objects.all() if viewer.team_ids is None else CaseFlow.objects.filter(case__team_id__in=viewer.team_ids)
