"""Flows, and the steps of cases: read with any key, taken with a key that works in a person's name."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import BaseModel, ValidationError

from careloop.desk.accounts.rules import Viewer
from careloop.desk.api.cases import CaseId
from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.api.flow_answers import (
    ApprovalAnswer,
    ApprovalsAnswer,
    AskBody,
    CaseFlowAnswer,
    DecisionBody,
    FlowsAnswer,
    FlowVersionAnswer,
    StepBody,
    body_of,
)
from careloop.desk.api.keys import acting_viewer, viewer_of_key
from careloop.desk.api.messages import read_json_body
from careloop.desk.cases import moves
from careloop.desk.cases.approval_queries import list_waiting, may_decide
from careloop.desk.cases.flow_queries import flow_page
from careloop.desk.cases.queries import access_case
from careloop.desk.channels.api import load
from careloop.desk.channels.api.delivery import LARGEST_ID
from careloop.desk.flows import queries
from careloop.desk.flows.wording import why_not
from careloop.desk.kernel.errors import InvalidInput, NotFound

router = Router(tags=["flows"])
FlowId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
ApprovalId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
VersionNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="An older version; the newest when absent.")]
WRITING = refusals(400, 401, 403, 404, 409, 411, 413, 415, 422, 503)
Shape = TypeVar("Shape", bound=BaseModel)


@router.get("/flows", response={200: FlowsAnswer, **refusals(401, 422, 503)}, summary="List flows")
def list_flows(request: HttpRequest) -> dict[str, Any]:
    """Every flow of the house with its newest version's number."""
    check_parameters(request)
    return {"flows": [_flow(version) for version in queries.live_versions()]}


@router.get("/flows/{flow_id}", response={200: FlowVersionAnswer, **refusals(401, 404, 422, 503)}, summary="Read a flow")
def read_flow(request: HttpRequest, flow_id: FlowId, version: VersionNumber = None) -> dict[str, Any]:
    """A flow's newest version, or an older one."""
    check_parameters(request, "version")
    found = queries.access_version(flow_id, version)
    numbers = [one.number for one in queries.list_versions(flow_id)]
    facts = {"versions": numbers, "definition": found.definition, "at": found.at, "note": found.note}
    return {**_flow(found), "version": found.number, **facts}


@router.get("/cases/{case_id}/flow", response={200: CaseFlowAnswer, **refusals(401, 404, 422, 503)}, summary="Where a case stands")
def read_case_flow(request: HttpRequest, case_id: CaseId) -> dict[str, Any]:
    """The state, the steps from there as the key's person may take them, and the approvals that are open."""
    check_parameters(request)
    key = request.auth  # type: ignore[attr-defined]
    return _standing(case_id, viewer_of_key(key) if key.person_id is None else acting_viewer(key))


@router.post("/cases/{case_id}/steps", response={200: CaseFlowAnswer, **WRITING}, summary="Take a step", openapi_extra=body_of(StepBody))
def take_step(request: HttpRequest, case_id: CaseId) -> dict[str, Any]:
    """Take a step with what is entered for it; 409 when somebody changed the case after `expected_version`."""
    viewer, body = begin(request, case_id, StepBody)
    entered, now = dict(body.fields), datetime.now(UTC)
    moves.move(case_id=case_id, transition=body.step, expected_version=body.expected_version, viewer=viewer, now=now, entered=entered)
    return _standing(case_id, viewer)


@router.post(
    "/cases/{case_id}/approvals", response={200: CaseFlowAnswer, **WRITING}, summary="Ask for an approval", openapi_extra=body_of(AskBody)
)
def ask_approval(request: HttpRequest, case_id: CaseId) -> dict[str, Any]:
    """Ask whether a step may be taken, for the amount that is entered; who may say so is told."""
    viewer, body = begin(request, case_id, AskBody)
    moves.ask_approval(
        case_id=case_id,
        transition=body.step,
        expected_version=body.expected_version,
        viewer=viewer,
        now=datetime.now(UTC),
        entered=dict(body.fields),
        comment=body.comment,
    )
    return _standing(case_id, viewer)


@router.post(
    "/cases/{case_id}/approvals/{approval_id}",
    response={200: CaseFlowAnswer, **WRITING},
    summary="Approve or refuse",
    openapi_extra=body_of(DecisionBody),
)
def decide(request: HttpRequest, case_id: CaseId, approval_id: ApprovalId) -> dict[str, Any]:
    """Agree to a step or refuse it; never the person who asked (four eyes), each person once, while it is open."""
    viewer, body = begin(request, case_id, DecisionBody)
    page = flow_page(access_case(case_id, viewer), viewer)
    if page is None or approval_id not in {one.pk for one in page.approvals}:
        raise NotFound(f"Case {case_id} has no open approval {approval_id}.")
    moves.decide(
        approval_id=approval_id,
        is_yes=body.decision == "yes",
        expected_version=body.expected_version,
        viewer=viewer,
        now=datetime.now(UTC),
        comment=body.comment,
    )
    return _standing(case_id, viewer)


@router.get("/approvals", response={200: ApprovalsAnswer, **refusals(401, 403, 422, 503)}, summary="List approvals that wait")
def list_approvals(request: HttpRequest) -> dict[str, Any]:
    """What waits for a word in the key's team, what its person decides first."""
    check_parameters(request)
    viewer = acting_viewer(request.auth)  # type: ignore[attr-defined]
    found, is_more = list_waiting(viewer)
    return {"approvals": [_approval(one.approval, one.decisions, viewer) for one in found], "is_more": is_more}


def begin(request: HttpRequest, case_id: int, shape: type[Shape]) -> tuple[Viewer, Shape]:
    """The person of the key, let into the case, and the body; who may not see the case learns nothing about the body either."""
    viewer = acting_viewer(request.auth)  # type: ignore[attr-defined]
    access_case(case_id, viewer)
    check_parameters(request)
    try:
        return viewer, shape.model_validate(load(read_json_body(request)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        raise InvalidInput(f"{field or 'The body'}: {first['msg']}.", field=field) from None


def _flow(version: Any) -> dict[str, Any]:
    flow = version.flow
    facts = {"kind": flow.kind, "position": flow.position, "is_active": flow.is_active}
    return {"id": flow.pk, "name": flow.name, **facts, "version": version.number}


def _standing(case_id: int, viewer: Viewer) -> dict[str, Any]:
    case = access_case(case_id, viewer)
    facts = {"case_id": case.pk, "version": case.version, "status": case.status}
    page = flow_page(case, viewer)
    if page is None:
        nowhere: dict[str, Any] = {"flow_id": None, "flow_version": None, "state": "", "state_name": {}, "entered_at": None}
        return {**facts, **nowhere, "values": {}, "steps": [], "approvals": []}
    state = page.flow.find_state(page.row.state)
    return {
        **facts,
        "flow_id": page.row.flow_version.flow_id,
        "flow_version": page.row.flow_version.number,
        "state": page.row.state,
        "state_name": dict(state.name) if state is not None else {},
        "entered_at": page.row.entered_at,
        "values": page.row.values,
        "steps": [
            {
                "code": move.step.code,
                "name": dict(move.step.name),
                "target": move.step.target,
                "is_possible": move.is_possible and viewer.may("case.work"),
                "obstacle": move.obstacle,
                "missing": list(move.fields),
                "why": why_not(page.flow, move),
            }
            for move in page.moves
        ],
        "approvals": [_approval(one, list(one.decisions.all()), viewer) for one in page.approvals],
    }


def _approval(asked: Any, decisions: Sequence[Any], viewer: Viewer) -> ApprovalAnswer:
    said = [{"who": str(one.who or ""), "is_yes": one.is_yes, "at": one.at, "comment": one.comment} for one in decisions]
    facts = {name: getattr(asked, name) for name in ("id", "case_id", "state", "amount", "needs", "roles", "asked_at", "comment")}
    who = {"asked_by": str(asked.asked_by or ""), "decisions": said, "may_decide": may_decide(asked, decisions, viewer)}
    return ApprovalAnswer.model_validate({**facts, **who, "step": asked.transition})
