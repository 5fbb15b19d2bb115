"""Approvals that are waited for: what this person decides, and what others decide."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Approval, Case, Decision, Status
from careloop.desk.flows.queries import flow_of
from careloop.desk.flows.rules.flow import Flow
from careloop.desk.flows.rules.moving import ASKED

SHOWN = 100
COUNTED = 99


@dataclass(frozen=True)
class Waiting:
    """An approval that nobody decided yet, with the flow of its case; `is_mine`: this person decides."""

    approval: Approval
    flow: Flow | None
    decisions: list[Decision]
    is_mine: bool


def may_decide(approval: Approval, said: Iterable[Decision], viewer: Viewer) -> bool:
    """Whether this person decides now: has the role, did not ask (four eyes), and has said nothing yet."""
    return (
        viewer.may("case.approve")
        and approval.state == ASKED
        and viewer.role in approval.roles
        and approval.asked_by_id != viewer.user_id
        and all(one.who_id != viewer.user_id for one in said)
    )


def list_waiting(viewer: Viewer) -> tuple[list[Waiting], bool]:
    """Those of the viewer's teams, the longest waiting first and what the viewer decides before the rest; and whether more wait."""
    asked = _asked(viewer).select_related("case__customer", "case__flow__flow_version__flow", "asked_by")
    found = list(asked.prefetch_related("decisions__who").order_by("asked_at", "pk")[: SHOWN * 5])
    split = [(one, sorted(one.decisions.all(), key=lambda said: said.pk)) for one in found]
    rows = [Waiting(one, _flow(one.case), said, may_decide(one, said, viewer)) for one, said in split]
    rows.sort(key=lambda row: not row.is_mine)
    return rows[:SHOWN], len(rows) > SHOWN


def count_mine(viewer: Viewer) -> int:
    """How many approvals wait for this person, counted up to one above COUNTED; nobody waits for those who may not approve."""
    if not viewer.may("case.approve"):
        return 0
    asked = _asked(viewer).exclude(asked_by_id=viewer.user_id).exclude(decisions__who_id=viewer.user_id)
    return sum(viewer.role in roles for roles in asked.order_by("pk").values_list("roles", flat=True)[: COUNTED * 5])


def _asked(viewer: Viewer) -> QuerySet[Approval]:
    asked = Approval.objects.filter(state=ASKED, closed_at=None).exclude(case__status=Status.MERGED)
    return asked if viewer.team_ids is None else asked.filter(case__team_id__in=viewer.team_ids)


def _flow(case: Case) -> Flow | None:
    row = getattr(case, "flow", None)
    return flow_of(row.flow_version) if row is not None else None
