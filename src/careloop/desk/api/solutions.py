"""Solutions: searched and suggested with any key, used with a key that works in a person's name; what visitors of help pages say."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import override
from ninja import Path, Query, Router, Schema
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from careloop.desk.api.cases import CaseId
from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.api.keys import acting_viewer, viewer_of_key
from careloop.desk.api.messages import After, Limit, read_json_body
from careloop.desk.channels.api import load
from careloop.desk.channels.api.delivery import LARGEST_ID
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.solutions import queries
from careloop.desk.solutions.actions import record_vote
from careloop.desk.solutions.using import record_use

router = Router(tags=["solutions"])
SolutionId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Words = Annotated[str, Query(max_length=200, description="Every word must stand in the solution, in either language.")]
CATALOGUES = {"zh": "zh-hans", "en": "en"}


class SolutionAnswer(Schema):
    """A published solution in one language."""

    id: int
    slug: str
    language: str = Field(description="Of the texts: the one asked for, else the one that there is.")
    title: str
    body: str
    reply: str = Field(description="With its variables in double braces.")
    categories: list[str]
    n_used: int
    n_judged: int = Field(description="Uses of which it is known whether they helped.")
    n_helped: int


class SolutionsAnswer(Schema):
    """Solutions in the order of their ids; give `next_after` as `after` to go on."""

    solutions: list[SolutionAnswer]
    next_after: int


class SuggestionAnswer(Schema):
    """A solution for a case, with its reply ready to be sent but for the customer's link."""

    solution_id: int
    title: str
    language: str
    probability: float | None = Field(description="That it is the one that fits, 0–1; null until the house has used solutions enough.")
    reply: str


class SuggestionsAnswer(Schema):
    """The likeliest solutions of a case, best first; `is_sure` says whether the first is likely enough to be used unseen."""

    suggestions: list[SuggestionAnswer]
    is_sure: bool


class UseAnswer(Schema):
    """What was noted, and the whole letter."""

    use_id: int
    letter: str


class VoteBody(BaseModel):
    """What a visitor said of a help page."""

    model_config = ConfigDict(extra="forbid")
    visitor: str = Field(min_length=20, max_length=64, description="A random name of the visitor, who counts once.")
    has_helped: bool


class VoteAnswer(Schema):
    """Whether it was counted; a visitor's first word stays."""

    is_counted: bool


VOTE = {"requestBody": {"required": True, "content": {"application/json": {"schema": VoteBody.model_json_schema()}}}}


@router.get("/solutions", response={200: SolutionsAnswer, **refusals(401, 422, 503)}, summary="Search solutions")
def search_solutions(
    request: HttpRequest, q: Words = "", language: Literal["zh", "en"] = "en", after: After = 0, limit: Limit = 50
) -> dict[str, Any]:
    """Published solutions of the key's team and of the house."""
    check_parameters(request, "q", "language", "after", "limit")
    viewer = viewer_of_key(request.auth)  # type: ignore[attr-defined]
    with override(CATALOGUES[language]):
        rows = queries.list_published_after(viewer, query=q, after=after, limit=limit, today=datetime.now(UTC).date())
    told = [
        SolutionAnswer(
            id=row.solution.pk, slug=row.solution.slug, language=row.text.language, title=row.text.title, body=row.text.body,
            reply=row.text.reply, categories=row.solution.categories, n_used=row.n_used, n_judged=row.n_judged, n_helped=row.n_helped,
        )
        for row in rows
    ]  # fmt: skip
    return {"solutions": told, "next_after": told[-1].id if told else after}


@router.get("/cases/{case_id}/solutions", response={200: SuggestionsAnswer, **refusals(401, 404, 422, 503)}, summary="Suggest solutions")
def suggest_solutions(request: HttpRequest, case_id: CaseId) -> dict[str, Any]:
    """What would help in a case, in the customer's language where there is such a text."""
    check_parameters(request)
    found = queries.offers(case_id, viewer_of_key(request.auth), datetime.now(UTC))  # type: ignore[attr-defined]
    told = [
        {
            "solution_id": one.row.solution.pk,
            "title": one.title,
            "language": one.language,
            "probability": one.probability,
            "reply": one.reply,
        }
        for one in found.offers
    ]
    return {"suggestions": told, "is_sure": found.ranked.is_sure}


@router.post(
    "/cases/{case_id}/solutions/{solution_id}",
    response={200: UseAnswer, **refusals(401, 403, 404, 409, 422, 503)},
    summary="Use a solution",
)
def use_solution(request: HttpRequest, case_id: CaseId, solution_id: SolutionId) -> dict[str, Any]:
    """Note that the case is answered with the solution, and return the letter; asked twice it is one use."""
    check_parameters(request)
    key = request.auth  # type: ignore[attr-defined]
    viewer = acting_viewer(key)
    _case, _solution, letter = queries.draft_of(case_id, solution_id, replace(viewer, name=key.person.display_name))
    use = record_use(case_id=case_id, solution_id=solution_id, viewer=viewer, now=datetime.now(UTC))
    return {"use_id": use.pk, "letter": letter}


@router.post(
    "/help/{slug}/votes",
    response={200: VoteAnswer, **refusals(400, 401, 404, 411, 413, 415, 422, 503)},
    summary="Say whether a help page helped",
    openapi_extra=VOTE,
)
def vote(request: HttpRequest, slug: str) -> dict[str, bool]:
    """One word a visitor; it moves the ranking as a visitor's of the house's own help pages does."""
    check_parameters(request)
    queries.get_help(slug)
    try:
        given = VoteBody.model_validate(load(read_json_body(request)), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))[:80]
        raise InvalidInput(f"{field}: {first['msg']}.", field=field) from None
    return {"is_counted": record_vote(slug=slug, visitor=given.visitor, has_helped=given.has_helped, now=datetime.now(UTC))}
