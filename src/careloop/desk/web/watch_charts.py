"""Control charts as SVG drawn on the server: limits as a band, what was expected, what came, and what alarmed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.reports.rules.scales import measure_ticks
from careloop.desk.watch.words import clock
from careloop.desk.web.charts import short_day
from careloop.desk.web.measure_words import say

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 24
MOST_TICKS = 7


@dataclass(frozen=True)
class Place:
    """A point on the chart and in the table below it."""

    start: date
    label: str
    value: float | None
    expected: float | None
    low: float | None
    high: float | None
    n: int
    alarm: str
    is_up: bool
    cells: tuple[str, str, str]


def places(measure: str, chart: Mapping[str, Any]) -> list[Place]:
    """The points of a stored chart, oldest first."""
    return [_place(measure, point) for point in chart.get("points", [])]


def hour_places(measure: str, chart: Mapping[str, Any]) -> list[Place]:
    """The hours of the last two days, oldest first; none before they were looked at."""
    points = chart.get("hours", {}).get("points", [])
    return [_hour(measure, point, timezone.localtime(datetime.fromisoformat(point["since"]))) for point in points]


def draw(measure: str, points: Sequence[Place], *, alt: str) -> SafeString:
    """The chart; empty when there is no value."""
    known = [one for one in points if one.value is not None]
    if not known:
        return SafeString("")
    values = [one.value for one in known if one.value is not None] + [one.low for one in points if one.low is not None]
    highs = sorted(one.high for one in points if one.high is not None)
    top = min(highs[-len(highs) // 4], 3 * max(values)) if highs else 0.0  # limits of a few small days would flatten the others
    marks = measure_ticks(measure, min(values), max(*values, top))
    x = [LEFT + (WIDTH - LEFT - RIGHT) * (place + 0.5) / len(points) for place in range(len(points))]

    def y(value: float) -> float:
        inside = min(max(value, marks[0]), marks[-1])
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (inside - marks[0]) / ((marks[-1] - marks[0]) or 1.0))

    grid = format_html_join(
        "",
        '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick" x="{}" y="{}" text-anchor="end">{}</text>',
        ((LEFT, WIDTH - RIGHT, round(y(one), 1), round(y(one), 1), LEFT - 6, round(y(one) + 4, 1), say(measure, one)) for one in marks),
    )
    judged = [(at, one) for at, one in zip(x, points, strict=True) if one.low is not None and one.high is not None]
    edges = [f"{at:.1f},{y(one.high or 0):.1f}" for at, one in judged] + [f"{at:.1f},{y(one.low or 0):.1f}" for at, one in reversed(judged)]
    band = format_html('<path class="band" d="M{} Z"/>', " L".join(edges)) if len(judged) > 1 else ""
    expected = _path("whole", [(at, y(one.expected or 0)) for at, one in judged])
    seen = [(at, one) for at, one in zip(x, points, strict=True) if one.value is not None]
    line = _path("line", [(at, y(one.value or 0)) for at, one in seen])
    dots = format_html_join(
        "",
        '<circle class="dot {}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>',
        (
            ("bad" if one.alarm else "", round(at, 1), round(y(one.value or 0), 1), 5 if one.alarm else 2, f"{one.label}: {one.cells[0]}")
            for at, one in seen
        ),
    )
    step = max(1, -(-len(points) // MOST_TICKS))
    shown = list(zip(x, points, strict=True))[::step]
    labels = format_html_join(
        "",
        '<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>',
        ((round(at, 1), HEIGHT - 6, one.label) for at, one in shown),
    )
    return format_html(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        alt,
        grid,
        band,
        expected,
        line,
        dots,
        labels,
    )


def _place(measure: str, point: Mapping[str, Any]) -> Place:
    start = date.fromisoformat(point["start"])
    limits = "–" if point["low"] is None else f"{say(measure, point['low'])}–{say(measure, point['high'])}"
    expected = say(measure, point["expected"])
    deviation = point["mean_deviation"] if point["alarm"] == "lasting" else point["deviation"]
    value = say(measure, point["value"])
    return Place(
        start,
        short_day(start),
        point["value"],
        point["expected"],
        point["low"],
        point["high"],
        point["n"],
        point["alarm"],
        (deviation or 0) > 0,
        (value if MEASURES[measure].form == "COUNT" else f"{value} (n = {point['n']:,})", expected, limits),
    )


def _hour(measure: str, point: Mapping[str, Any], since: datetime) -> Place:
    low, high = say(measure, point["low"]), say(measure, point["high"])
    cells = (say(measure, point["value"]), f"{point['expected']:.1f}", f"{low}–{high}")
    numbers = (point["value"], point["expected"], point["low"], point["high"], int(point["value"]))
    return Place(since.date(), clock(since), *numbers, point["alarm"], point["value"] > point["expected"], cells)


def hour_words(since: datetime, until: datetime) -> str:
    """Hours of a day as a person writes them; those that began the day before say so."""
    begun = clock(since) if since.date() == (until - timedelta(seconds=1)).date() else f"{day_words(since.date())}, {clock(since)}"
    return f"{begun}–{clock(until)}"


def _path(name: str, at: Sequence[tuple[float, float]]) -> SafeString:
    if len(at) < 2:
        return SafeString("")
    return format_html('<path class="{}" d="M{}"/>', name, " L".join(f"{x:.1f},{y:.1f}" for x, y in at))


def alarm_words(place: Place) -> str:
    """What alarmed, for the table."""
    if not place.alarm:
        return ""
    if place.alarm == "single":
        return _("far above what was expected") if place.is_up else _("far below what was expected")
    return _("higher than usual for some time") if place.is_up else _("lower than usual for some time")


def day_words(day: date) -> str:
    """A day as a person writes it."""
    return str(date_format(day, "DATE_FORMAT"))
