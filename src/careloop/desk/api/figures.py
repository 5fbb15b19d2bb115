"""Figures: the same numbers as on the reports and in their files, to the digit."""

from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema

from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.api.keys import acting_viewer
from careloop.desk.measures.queries import ask
from careloop.desk.measures.rules.definitions import GROUPS, MEASURES
from careloop.desk.measures.rules.values import Figure
from careloop.desk.reports.address import address_from

router = Router(tags=["figures"])
PARAMETERS = ("measure", "period", "since", "until", "by", "per", "as_of", *GROUPS)


class FiguresAsked(Schema):
    """Keys of measures with commas; a period or its days; the split; a moment at which the figures were shown."""

    measure: str
    period: Literal["", "7", "30", "90", "365", "all"] = ""
    since: str = ""
    until: str = ""
    by: str = ""
    per: Literal["", "day", "week", "month"] = ""
    as_of: str = ""


class FigureAnswer(Schema):
    """A number with its 95 % interval and the number of facts behind it; null where that cannot be told."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class FiguresRow(Schema):
    """The figures of one group at one time."""

    group: str | int | None
    day: date | None
    figures: dict[str, FigureAnswer]


class FiguresAnswer(Schema):
    """What was asked; `as_of` asked for again gives the same numbers at any later time."""

    as_of: datetime | None
    since: date | None
    until: date | None
    whole: dict[str, FigureAnswer]
    rows: list[FiguresRow]


@router.get("/figures", response={200: FiguresAnswer, **refusals(401, 403, 422, 503)}, summary="Ask for figures")
def figures(request: HttpRequest, asked: Query[FiguresAsked]) -> dict[str, Any]:
    """Measures of the last 30 days or of another period, split by a facet and by time; facets (team=3, kind=COMPLAINT …) choose.

    The key must work for a person who may see reports; it counts the cases of its channel's team.
    """
    check_parameters(request, *PARAMETERS)
    keys = tuple(dict.fromkeys(one.strip() for one in asked.measure.split(",")))
    question = address_from(request.GET).question(timezone.localdate(), keys)
    table = ask(question, acting_viewer(request.auth))  # type: ignore[attr-defined]
    return {
        "as_of": table.as_of,
        "since": question.since,
        "until": question.until,
        "whole": _plain(table.whole),
        "rows": [{"group": row.group, "day": row.day, "figures": _plain(row.figures)} for row in table.rows],
    }


class MeasureAnswer(Schema):
    """What a measure counts: its form, unit and by which day a period chooses."""

    key: str
    form: str
    unit: str
    dated_by: str
    better: str


@router.get("/measures", response={200: list[MeasureAnswer], **refusals(401, 503)}, summary="List measures")
def measures(request: HttpRequest) -> list[dict[str, str]]:
    """All measures that can be asked for; docs/reference/measures.md defines them."""
    check_parameters(request)
    return [
        {"key": one.key, "form": one.form, "unit": one.unit, "dated_by": one.dated_by, "better": one.better} for one in MEASURES.values()
    ]


def _plain(found: dict[str, Figure]) -> dict[str, dict[str, Any]]:
    return {key: {"value": one.value, "low": one.low, "high": one.high, "n": one.n} for key, one in found.items()}
