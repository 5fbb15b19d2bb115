"""Reports, dashboards, times, retention and explanations: the lines of their files, to the digit."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router, Schema
from pydantic import Field

from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.api.keys import acting_viewer
from careloop.desk.channels.api.delivery import LARGEST_ID
from careloop.desk.measures.retention import DEFAULT_WITHIN, WITHIN_BY_PERIOD, measure_retention
from careloop.desk.measures.rules.definitions import GROUPS
from careloop.desk.measures.times import measure_times
from careloop.desk.reports import retention_lines, times_lines, why_lines
from careloop.desk.reports.address import ReportAddress, address_from
from careloop.desk.reports.content import Content, dashboard_content, report_content
from careloop.desk.reports.dashboards import get_dashboard, list_dashboards
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.reports.why_words import Words
from careloop.desk.watch.explanations import find_explanation, scopes_of, weights_of
from careloop.desk.watch.queries import find_setting

router = Router(tags=["figures"])
DashboardId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
CHOICE = ("period", "since", "until", "as_of", *GROUPS)
REFUSALS = refusals(401, 403, 404, 422, 503)
Code = str | int | float | None
Number = int | float | None  # as it was counted: whole numbers stay whole, as in the files


class Choice(Schema):
    """A period or its days, a moment at which the figures were shown; facets (team=3, kind=COMPLAINT …) choose."""

    period: Literal["", "7", "30", "90", "365", "all"] = ""
    since: str = ""
    until: str = ""
    as_of: str = ""


class SplitChoice(Choice):
    """The same with a split."""

    by: str = ""


class TimesChoice(SplitChoice):
    """The same with the time that is asked for."""

    target: Literal["first_response", "resolution"] = "resolution"


class RetentionChoice(Choice):
    """The same with the days to come back in; those of the page when left out."""

    within: Literal["", "7", "30", "90", "180", "365"] = ""


class Line(Schema):
    """A number with its 95 % interval and the number of cases, answers or customers behind it; null where that cannot be told."""

    value: Number
    low: Number
    high: Number
    n: int | None


class ReportLine(Line):
    """A figure of a report or a dashboard; `drawn` is a compared group's figure drawn towards the whole."""

    measure: str
    group: Code
    group_name: Code
    day: date | None
    since: date | None
    until: date | None
    chosen: str | None = None
    drawn: Number = None
    drawn_low: Number = None
    drawn_high: Number = None
    verdict: str | None = None


class TimesLine(Line):
    """A point or a moment of a group's curve, or an effect; `open` cases count as not over yet."""

    target: str
    figure: str
    group: Code
    group_name: str | None
    against: str | None
    seconds: int | None
    open: int | None
    verdict: str | None


class RetentionLine(Line):
    """A rate of a group; of `n` customers `n_until` were followed to the end."""

    figure: str
    group: str | None
    within_days: int
    n_until: int | None
    difference: Number
    difference_low: Number
    difference_high: Number
    is_shown: bool | None


class WhyLine(Line):
    """A figure of an explanation; `done` and `hours` are those of efficiencies."""

    part: str
    figure: str
    group: Code
    group_name: str | None
    done: Number
    hours: Number
    is_shown: bool | None


class Answer(Schema):
    """When it was counted, and of which days."""

    as_of: datetime | None
    since: date | None
    until: date | None


class ReportAnswer(Answer):
    """A report or a dashboard."""

    title: str
    lines: list[ReportLine]


class TimesAnswer(Answer):
    """Times."""

    lines: list[TimesLine]


class RetentionAnswer(Answer):
    """Retention."""

    lines: list[RetentionLine]


class WhyAnswer(Schema):
    """Explanations; nothing before they were first computed."""

    team: int | None = Field(description="Null for the whole house.")
    made_at: datetime | None
    lines: list[WhyLine]


class DashboardShort(Schema):
    """A dashboard."""

    id: int
    name: str
    scope: str
    team_id: int | None


@router.get("/reports/{report}", response={200: ReportAnswer, **REFUSALS}, summary="A whole report")
def report(request: HttpRequest, report: Literal[tuple(LAYOUTS)], asked: Query[SplitChoice]) -> dict[str, Any]:  # type: ignore[valid-type]
    """What the report's page and its file hold: tiles, times, the table, how groups compare, and the period before."""
    return _content(report_content(LAYOUTS[report], _address(request, "by"), timezone.localdate(), _viewer(request)))


@router.get("/dashboards", response={200: list[DashboardShort], **refusals(401, 403, 422, 503)}, summary="List dashboards")
def dashboards(request: HttpRequest) -> Any:
    """Those that the person in whose name the key works sees, of the channel's team and of everybody."""
    check_parameters(request)
    return list_dashboards(_viewer(request))


@router.get("/dashboards/{dashboard_id}", response={200: ReportAnswer, **REFUSALS}, summary="All figures of a dashboard")
def dashboard(request: HttpRequest, dashboard_id: DashboardId, asked: Query[Choice]) -> dict[str, Any]:
    """What its page and its file hold, each tile with its own period and choice."""
    address, viewer = _address(request), _viewer(request)
    return _content(dashboard_content(get_dashboard(dashboard_id, viewer), address, timezone.localdate(), viewer))


@router.get("/times", response={200: TimesAnswer, **REFUSALS}, summary="How long cases take")
def times(request: HttpRequest, asked: Query[TimesChoice]) -> dict[str, Any]:
    """Curves (Kaplan–Meier), points, the log-rank test and the effects of the Cox model, as on the page of times."""
    question, viewer = _address(request, "by", "target").question(timezone.localdate()), _viewer(request)
    found, cases = measure_times(question, asked.target, viewer)
    lines = times_lines.lines_of(found, cases, viewer)
    return {"as_of": found.as_of, "since": question.since, "until": question.until, "lines": lines}


@router.get("/retention", response={200: RetentionAnswer, **REFUSALS}, summary="Whether customers come back")
def retention(request: HttpRequest, asked: Query[RetentionChoice]) -> dict[str, Any]:
    """Rates after a complaint and without, by remedy, outcome and month, as on the page of retention."""
    address = _address(request, "within")
    question = address.question(timezone.localdate())
    within = int(asked.within) if asked.within else WITHIN_BY_PERIOD.get(address.period, DEFAULT_WITHIN)
    found = measure_retention(question, within, _viewer(request))
    return {"as_of": found.as_of, "since": question.since, "until": question.until, "lines": retention_lines.lines_of(found)}


@router.get("/explanations", response={200: WhyAnswer, **REFUSALS}, summary="Why figures are as they are")
def explanations(request: HttpRequest, team: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0) -> dict[str, Any]:
    """Slow cases, the way of cases, what moves satisfaction, those who did not answer, efficiency and the communication score.

    Of the team, or where the key sees all teams of the whole house.
    """
    check_parameters(request, "team")
    viewer = _viewer(request)
    scopes = scopes_of(viewer)
    team_id = team or (int(scopes[0][0]) if scopes and scopes[0][0] else None)
    found = find_explanation(team_id, viewer)
    if found is None:
        return {"team": team_id, "made_at": None, "lines": []}
    words = Words(viewer, found.parts["way"].get("names", {}))
    return {"team": team_id, "made_at": found.made_at, "lines": why_lines.lines_of(found.parts, weights_of(find_setting()), words)}


def _viewer(request: HttpRequest) -> Any:
    return acting_viewer(request.auth)  # type: ignore[attr-defined]


def _address(request: HttpRequest, *more: str) -> ReportAddress:
    check_parameters(request, *CHOICE, *more)
    return address_from(request.GET)


def _content(found: Content) -> dict[str, Any]:
    lines = [dict(zip(found.head, line, strict=True)) for line in found.lines]
    days = {"since": found.question.since, "until": found.question.until}
    return {"title": found.title, "as_of": found.as_of, **days, "lines": lines}
