"""Comparisons: what came of them, to the digit as on the page; and the group of a case, for programs that do what is tried."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Schema
from pydantic import Field

from careloop.desk.api.cases import CaseId
from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.api.keys import acting_viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.channels.api.delivery import LARGEST_ID
from careloop.desk.experiments.actions import ask_arm
from careloop.desk.experiments.queries import access_comparison, list_comparisons
from careloop.desk.measures.moments import moment_of
from careloop.desk.measures.trial_lines import lines_of
from careloop.desk.measures.trials import judge_comparison

router = Router(tags=["comparisons"])
ComparisonId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


class ComparisonShort(Schema):
    """A comparison."""

    id: int
    name: str
    design: str
    state: str
    outcome: str = Field(description="By which it is judged.")
    planned: int
    exposed: int = Field(description="Cases or customers of the key's team so far.")


class GroupAnswer(Schema):
    """A group with how many were exposed and how many the lot makes one expect."""

    name: str
    exposed: int
    expected: float


class ComparisonLine(Schema):
    """One outcome of one group, of a pair or of all groups; null where it cannot be told. docs/how-to/comparisons.md says what each is."""

    line: str = Field(description="GROUP, PAIR or OVERALL.")
    outcome: str
    form: str
    group: str | None
    against: str | None
    n: int | None
    value: float | None
    low: float | None
    high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    p: float | None
    corrected_p: float | None
    always_p: float | None
    always_low: float | None
    always_high: float | None
    visible: float | None
    verdict: str | None
    adjusted: float | None
    adjusted_low: float | None
    adjusted_high: float | None
    test: str | None
    omega_squared: float | None
    spread_ratio: float | None


class ComparisonAnswer(Schema):
    """What came of a comparison."""

    id: int
    name: str
    design: str
    state: str
    outcome: str
    as_of: datetime | None
    groups: list[GroupAnswer]
    mismatch_p: float | None = Field(description="Below 0.001: groups are not as large as the lot makes them, do not trust the rest.")
    lines: list[ComparisonLine]


class ArmAnswer(Schema):
    """The group of a case."""

    comparison: int
    group: str
    goes_without: bool


@router.get("/comparisons", response={200: list[ComparisonShort], **refusals(401, 403, 422, 503)}, summary="List comparisons")
def comparisons(request: HttpRequest) -> list[dict[str, Any]]:
    """All, newest first; the key must work for a person who may see them."""
    check_parameters(request)
    viewer = acting_viewer(request.auth)  # type: ignore[attr-defined]
    names = ("name", "design", "state", "outcome", "planned")
    return [
        {"id": row.comparison.pk, "exposed": row.exposed, **{name: getattr(row.comparison, name) for name in names}}
        for row in list_comparisons(viewer)
    ]


@router.get(
    "/comparisons/{comparison_id}",
    response={200: ComparisonAnswer, **refusals(401, 403, 404, 422, 503)},
    summary="What came of a comparison",
)
def comparison(request: HttpRequest, comparison_id: ComparisonId, as_of: str = "") -> dict[str, Any]:
    """Every figure of its page, unrounded, of the key's team; with `as_of` as it was at that moment."""
    check_parameters(request, "as_of")
    viewer = acting_viewer(request.auth)  # type: ignore[attr-defined]
    found = access_comparison(comparison_id, viewer)
    trial = judge_comparison(found, viewer, now=datetime.now(UTC), as_of=moment_of(as_of))
    return {
        "id": found.pk,
        **{name: getattr(found, name) for name in ("name", "design", "state", "outcome")},
        "as_of": trial.as_of,
        "groups": [{"name": one.arm.name, "exposed": one.exposed, "expected": one.expected} for one in trial.arms],
        "mismatch_p": trial.mismatch_p,
        "lines": lines_of(trial),
    }


@router.post(
    "/cases/{case_id}/comparisons/{comparison_id}",
    response={200: ArmAnswer, **refusals(401, 403, 404, 422, 503)},
    summary="Ask for the group of a case",
)
def arm(request: HttpRequest, case_id: CaseId, comparison_id: ComparisonId) -> dict[str, Any]:
    """Ask before doing what is tried, and only then: asking counts the case. The same case always gets the same answer."""
    viewer = acting_viewer(request.auth)  # type: ignore[attr-defined]
    case = access_case(case_id, viewer)
    check_parameters(request)
    found = ask_arm(comparison_id=comparison_id, case=case, viewer=viewer, now=datetime.now(UTC))
    return {"comparison": comparison_id, "group": found.name, "goes_without": found.subject_id is None}
