"""How long people worked on a case, as its page tells it, with a key that works in a person's name."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from careloop.desk.api.cases import CaseId
from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.api.keys import acting_viewer
from careloop.desk.writing.work_time import work_lines

router = Router(tags=["cases"])


class WorkLine(Schema):
    """A person's time in the case on a day."""

    agent: int
    agent_name: str
    day: date = Field(description="Of the house's zone: the one on which the work began.")
    seconds: int = Field(description="What counts: as measured, or as it was put right.")
    measured_seconds: int
    is_corrected: bool
    reason: str = Field(description='Why it was put right; "" where it was not.')
    corrected_by: str


class WorkAnswer(Schema):
    """The time of everybody in a case, by day and person, and all of it together."""

    case_id: int
    seconds: int
    lines: list[WorkLine]


@router.get("/cases/{case_id}/work-time", response={200: WorkAnswer, **refusals(401, 403, 404, 422, 503)}, summary="Time worked on a case")
def work_time(request: HttpRequest, case_id: CaseId) -> dict[str, Any]:
    """Who was active in the case on which day for how long, measured and as it counts, with the reason where the two differ."""
    check_parameters(request)
    lines = work_lines(case_id, acting_viewer(request.auth))  # type: ignore[attr-defined]
    return {"case_id": case_id, "seconds": sum(one["seconds"] for one in lines), "lines": lines}
