"""Surveys for the key's team: listed, with what became of them; programs ask customers and hand over what they answered."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.api.keys import viewer_of_key
from careloop.desk.api.messages import read_json_body
from careloop.desk.cases.queries import access_case
from careloop.desk.channels.api import load
from careloop.desk.channels.api.delivery import LARGEST_ID
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.silence import estimate_all
from careloop.desk.surveys import inviting, queries
from careloop.desk.surveys.answering import record_answer
from careloop.desk.surveys.figures import QuestionFigures
from careloop.desk.surveys.links import is_open, link_for

router = Router(tags=["surveys"])
SurveyId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
InvitationId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
WRITING = refusals(400, 401, 404, 409, 411, 413, 415, 422, 503)


class SurveyAnswer(Schema):
    """A survey and its newest questions."""

    id: int
    name: str
    kind: str = Field(description="CSAT, NPS, CES or FORM.")
    is_active: bool
    version: int = Field(description="Of the questions.")
    questions: list[dict[str, Any]] = Field(description="With code, kind, text by language, scale ends, choices.")


class SurveysAnswer(Schema):
    """Every survey of the house."""

    surveys: list[SurveyAnswer]


class QuestionAnswer(Schema):
    """One question of the newest version; intervals are 95 %."""

    code: str
    kind: str
    n: int = Field(description="How many answered it.")
    shares: dict[str, dict[str, float | int | None]] = Field(description="By answer: hits, n, share, low, high.")
    average: dict[str, float | int | None] | None = Field(description="Of a scale: n, average, low, high.")
    top: dict[str, float | int | None] | None = Field(
        description="Of a scale: the share of scores in its top quarter, such as 4 and 5 of 5."
    )
    net: dict[str, float | int | None] | None = Field(description="Of a recommendation: the net promoter score, −100 to 100.")


class EstimateAnswer(Schema):
    """The share of top scores (of a recommendation the net score) among all who were asked, weighted for who answers."""

    value: float
    low: float
    high: float
    plain: float = Field(description="Of the answers as they came.")
    n_invited: int
    n_answered: int
    effective_n: float
    sensitivity: tuple[float, float] = Field(description="If the odds of the silent were half, twice what is known of them says.")
    bounds: tuple[float, float] = Field(description="If all who were silent were at the worst, at the best.")


class ResultsAnswer(Schema):
    """What became of a survey in the key's team; rates count those who were asked, never those who came by themselves."""

    planned: int
    asked: int
    opened: int
    answered: int
    skipped: int
    failed: int
    by_themselves: int
    rate: float | None = Field(description="Answered per asked, 0–1.")
    rate_low: float | None = Field(description="Lower end of Wilson's 95 % interval.")
    rate_high: float | None
    average: float | None
    average_low: float | None
    average_high: float | None
    n: int = Field(description="Scores behind the average and the distribution.")
    scores: dict[str, int] = Field(description="How often each score was given.")
    reasons: dict[str, int] = Field(description="Why people were not asked, by code.")
    questions: list[QuestionAnswer]
    all_asked: EstimateAnswer | None = Field(description="null where there is no scale, or fewer than five of those asked answered.")


class InvitationAnswer(Schema):
    """One invitation; `link` is empty where nobody is asked, and `reason` says why."""

    id: int
    state: str
    reason: str
    planned_at: datetime
    link: str


class StoredAnswer(Schema):
    """The answer as it stands."""

    invitation_id: int
    score: int | None
    score_min: int | None
    score_max: int | None
    answered_at: datetime
    changed_at: datetime


class InviteBody(BaseModel):
    """Whom to ask about what."""

    model_config = ConfigDict(extra="forbid")
    case_id: int = Field(ge=1, le=LARGEST_ID)
    key: str = Field(min_length=1, max_length=40, description="Yours: the same key for the same survey and case is the same invitation.")
    sends: bool = Field(default=True, description="Whether the desk writes to the customer; else you show the link yourself, at once.")


class AnswerBody(BaseModel):
    """What the customer answered."""

    model_config = ConfigDict(extra="forbid")
    answers: dict[str, int | str | bool] = Field(description="By the code of the question.")


@router.get("/surveys", response={200: SurveysAnswer, **refusals(401, 422, 503)}, summary="List surveys")
def list_surveys(request: HttpRequest) -> dict[str, Any]:
    """Every survey with its newest questions."""
    check_parameters(request)
    return {
        "surveys": [
            {
                "id": one.survey_id, "name": one.survey.name, "kind": one.survey.kind, "is_active": one.survey.is_active,
                "version": one.number, "questions": one.questions,
            }
            for one in queries.list_newest_versions()
        ]
    }  # fmt: skip


@router.get("/surveys/{survey_id}/results", response={200: ResultsAnswer, **refusals(401, 404, 422, 503)}, summary="Results of a survey")
def read_results(request: HttpRequest, survey_id: SurveyId) -> dict[str, Any]:
    """The figures of the survey's page, to the digit."""
    check_parameters(request)
    viewer = viewer_of_key(request.auth)  # type: ignore[attr-defined]
    survey = queries.access_survey(survey_id)
    found = queries.results_of(survey, viewer)
    estimate = estimate_all(survey, found.version, viewer)
    rate, mean = found.counts.rate, found.mean
    return {
        **vars(found.counts),
        "rate": rate.share,
        "rate_low": rate.low,
        "rate_high": rate.high,
        "average": mean.average,
        "average_low": mean.low,
        "average_high": mean.high,
        "n": mean.n,
        "scores": {str(score): n for score, n in found.scores},
        "reasons": dict(found.reasons),
        "questions": [_question(one) for one in found.figures],
        "all_asked": vars(estimate) if estimate is not None else None,
    }


@router.post(
    "/surveys/{survey_id}/invitations",
    response={200: InvitationAnswer, **WRITING},
    summary="Ask a customer",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": InviteBody.model_json_schema()}}}},
)
def invite(request: HttpRequest, survey_id: SurveyId) -> Any:
    """Plan to ask the customer of a case; consent, the pause and quiet hours hold for programs, too."""
    check_parameters(request)
    body = _body(InviteBody, request)
    case = access_case(body.case_id, viewer_of_key(request.auth))  # type: ignore[attr-defined]
    survey, now = queries.access_survey(survey_id), datetime.now(UTC)
    ask = inviting.plan_for_program if body.sends else inviting.link_only
    made = ask(survey=survey, case=case, key=f"api-{survey.pk}-{case.pk}-{body.key}", now=now)
    return _told(made, now)


@router.post(
    "/invitations/{invitation_id}/answer",
    response={200: StoredAnswer, **WRITING},
    summary="Submit an answer",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": AnswerBody.model_json_schema()}}}},
)
def submit_answer(request: HttpRequest, invitation_id: InvitationId) -> Any:
    """What the customer answered in your program; again, it is a change of the answer."""
    check_parameters(request)
    viewer = viewer_of_key(request.auth)  # type: ignore[attr-defined]
    found = queries.find_invitation_for(invitation_id, viewer)
    body = _body(AnswerBody, request)
    answer = record_answer(invitation_id=found.pk, given=body.answers, now=datetime.now(UTC))
    return Status(200, StoredAnswer.from_orm(answer))


def _question(one: QuestionFigures) -> dict[str, Any]:
    parts = {name: vars(part) if part is not None else None for name, part in (("average", one.mean), ("top", one.top), ("net", one.net))}
    shares = {line.value: vars(line.rate) for line in one.lines}
    return {"code": one.question.code, "kind": one.question.kind, "n": one.n, "shares": shares, **parts}


def _told(invitation: Any, now: datetime) -> dict[str, Any]:
    is_shown = is_open(invitation) or invitation.state == "QUEUED"
    return {
        "id": invitation.pk,
        "state": invitation.state,
        "reason": invitation.reason,
        "planned_at": invitation.planned_at,
        "link": link_for(invitation, now=now) if is_shown else "",
    }


def _body(shape: Any, request: HttpRequest) -> Any:
    try:
        return shape.model_validate(load(read_json_body(request)), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))[:80]
        raise InvalidInput(f"{field}: {first['msg']}.", field=field) from None
