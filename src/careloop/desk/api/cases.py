"""Cases, for the team of the calling key's channel."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Router

from careloop.desk.api.answers import CaseAnswer, CasesAnswer, CaseWithMessagesAnswer, MessageAnswer
from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.api.keys import viewer_of_key
from careloop.desk.api.messages import After, Limit
from careloop.desk.cases.channel_queries import list_cases_after, list_spoken
from careloop.desk.cases.queries import access_case
from careloop.desk.channels.api.delivery import LARGEST_ID
from careloop.desk.teamwork.tags import show_with

router = Router(tags=["cases"])

CaseId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("/cases", response={200: CasesAnswer, **refusals(401, 422, 503)}, summary="List cases")
def list_cases(
    request: HttpRequest, after: After = 0, limit: Limit = 50, status: Literal["", "OPEN", "WAITING", "RESOLVED"] = ""
) -> dict[str, Any]:
    """Cases of the key's team, oldest first."""
    check_parameters(request, "after", "limit", "status")
    cases = list_cases_after(viewer_of_key(request.auth), status=status, after=after, limit=limit)  # type: ignore[attr-defined]
    show_with(cases)
    return {"cases": cases, "next_after": cases[-1].pk if cases else after}


@router.get("/cases/{case_id}", response={200: CaseWithMessagesAnswer, **refusals(401, 404, 422, 503)}, summary="Read a case")
def read_case(request: HttpRequest, case_id: CaseId) -> CaseWithMessagesAnswer:
    """One case with the newest 200 messages between the customer and the house; another team's case is not found."""
    check_parameters(request)
    case = access_case(case_id, viewer_of_key(request.auth))  # type: ignore[attr-defined]
    show_with([case])
    spoken = [MessageAnswer.from_orm(message) for message in list_spoken(case)]
    return CaseWithMessagesAnswer.model_construct(**CaseAnswer.from_orm(case).model_dump(), messages=spoken)
