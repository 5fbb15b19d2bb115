"""Falling curves of several groups as SVG drawn on the server; each group has its own colour and dashes; a table has the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from careloop.desk.measures.times import Moment

WIDTH, HEIGHT = 1310, 280
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 12, 26


@dataclass(frozen=True)
class Course:
    """One group's curve."""

    name: str
    moments: Sequence[Moment]
    css: str


def falling_curves(courses: Sequence[Course], horizon: int, *, alt: str, ticks: Sequence[tuple[float, str]]) -> SafeString:
    """Steps from 100 % down; a lone curve has its interval as a band."""
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]
    grid = format_html_join(
        "",
        '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick" x="{}" y="{}" text-anchor="end">{}</text>',
        ((LEFT, WIDTH - RIGHT, _y(share), _y(share), LEFT - 6, _y(share) + 4, f"{share:.0%}") for share in shares),
    )
    times = format_html_join(
        "",
        '<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>',
        ((_x(time, horizon), HEIGHT - 8, label) for time, label in ticks),
    )
    band = _band(courses[0].moments, horizon) if len(courses) == 1 else SafeString("")
    lines = format_html_join(
        "",
        '<path class="line {}" d="{}"><title>{}</title></path>',
        ((one.css, _steps([(_x(m.seconds, horizon), _y(m.share)) for m in one.moments]), one.name) for one in courses if one.moments),
    )
    return format_html(
        '<svg class="plot curves" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        alt,
        grid,
        times,
        band,
        lines,
    )


def _x(time: float, horizon: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * time / horizon, 1)


def _y(share: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)


def _steps(places: Sequence[tuple[float, float]]) -> str:
    """Level until the next place, then down."""
    return "".join(f"M{x},{y}" if number == 0 else f"H{x}V{y}" for number, (x, y) in enumerate(places))


def _band(moments: Sequence[Moment], horizon: int) -> SafeString:
    above = [(_x(m.seconds, horizon), _y(m.high)) for m in moments]
    below = [(_x(m.seconds, horizon), _y(m.low)) for m in moments]
    edges = [f"{x},{y}" for x, y in [*above, *reversed(below)]]
    return format_html('<path class="band" d="{}"/>', f"M{' L'.join(edges)} Z") if len(moments) > 1 else SafeString("")
