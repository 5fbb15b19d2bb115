"""Giving a case to another team, with a key that works in a person's name."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema
from pydantic import BaseModel, ConfigDict

from careloop.desk.api.cases import CaseId
from careloop.desk.api.flow_answers import body_of
from careloop.desk.api.flows import WRITING, begin
from careloop.desk.cases.teams import give_to_team
from careloop.desk.channels.api.delivery import LARGEST_ID

router = Router(tags=["cases"])


class TeamBody(BaseModel):
    """The team that shall have the case."""

    model_config = ConfigDict(extra="forbid", strict=True)
    team: int = Field(ge=1, le=LARGEST_ID, description="The team's number; the answer to one that there is not names all.")
    expected_version: int = Field(ge=1, le=LARGEST_ID, description="The case's version that you have seen.")


class GivenAnswer(Schema):
    """A case that was given to a team."""

    case_id: int
    team: int
    version: int
    assignee_id: int | None = Field(description="Whoever had the case, if they work in the new team, too.")
    is_in_sight: bool = Field(description="Whether the key goes on seeing the case: keys see those of their channel's team.")


@router.post("/cases/{case_id}/team", response={200: GivenAnswer, **WRITING}, summary="Give to a team", openapi_extra=body_of(TeamBody))
def give(request: HttpRequest, case_id: CaseId) -> dict[str, Any]:
    """Give the case to another team with everything that it has; 409 when somebody changed it after `expected_version`."""
    viewer, body = begin(request, case_id, TeamBody)
    case = give_to_team(case_id=case_id, team_id=body.team, expected_version=body.expected_version, viewer=viewer, now=datetime.now(UTC))
    facts = {"case_id": case.pk, "team": case.team_id, "version": case.version, "assignee_id": case.assignee_id}
    return {**facts, "is_in_sight": viewer.sees_team(case.team_id)}
