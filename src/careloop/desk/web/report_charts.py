"""Charts of reports as SVG drawn on the server: they print, follow light and dark through classes, and need no script.

Each is an image with a sentence for those who do not see it; the numbers stand in a table beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, WIDE, HEIGHT = 640, 1310, 200
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 24
MOST_TICKS = 7
HALF_LABEL = 34  # of a day in English, such as "24 September"
Scale = Callable[[float], float]
Ticks = Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Point:
    """One moment of a line: its label, value and interval; None where nothing can be told. `told` is the value in words."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    title: str
    told: str = ""


Known = list[tuple[float, Point]]


def line(points: Sequence[Point], *, alt: str, ticks: Ticks, ends: tuple[float, float], width: int = WIDTH) -> SafeString:
    """A line over time with its interval as a band; `ticks` are (value, label) of the scale between its `ends`."""
    x = _places(len(points), width)
    y = _scale(*ends)
    known = [(place, one) for place, one in zip(x, points, strict=True) if one.value is not None]
    return format_html(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}{}</svg>',
        width,
        HEIGHT,
        alt,
        _grid(ticks, y, width),
        _band(known, y, ends),
        _path(known, y),
        _dots(known, y),
        _labels(points, x, width),
    )


def bars(points: Sequence[Point], *, alt: str, ticks: Ticks, top: float, width: int = WIDTH) -> SafeString:
    """Upright bars from 0."""
    x, y = _places(len(points), width), _scale(0, top)
    wide = max(1.5, 0.7 * (width - LEFT - RIGHT) / max(1, len(points)))
    drawn = format_html_join(
        "",
        '<rect class="bar" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        (
            (
                round(place - wide / 2, 1),
                round(y(one.value or 0), 1),
                round(wide, 1),
                round(max(0.0, y(0) - y(one.value or 0)), 1),
                one.title,
            )
            for place, one in zip(x, points, strict=True)
            if one.value is not None
        ),
    )
    return format_html(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>',
        width,
        HEIGHT,
        alt,
        _grid(ticks, y, width),
        drawn,
        _labels(points, x, width),
    )


# A triangle with its tip up or down, or a dot: colours alone tell nothing to some.
MARKS = {"good": "M0 -6.5L6 4.5H-6Z", "bad": "M0 6.5L6 -4.5H-6Z", "": "M-4.5 0A4.5 4.5 0 1 0 4.5 0A4.5 4.5 0 1 0 -4.5 0Z"}


@dataclass(frozen=True)
class Group:
    """One mark of a funnel: how many facts it has, its own value, and how it is shown (good, bad or "")."""

    n: int
    value: float
    tone: str
    title: str


def funnel(
    groups: Sequence[Group],
    limits: Sequence[tuple[int, float, float, float, float]],
    whole: float,
    *,
    alt: str,
    ticks: Ticks,
) -> SafeString:
    """Groups by size and value, the whole as a line and between which ends chance alone leaves groups of each size."""
    values = [one.value for one in groups] + [whole] + [value for value, _label in ticks]
    y = _scale(min(values), max(values))
    largest = max(size for size, *_ends in limits)

    def x(size: int) -> float:
        return float(LEFT + (WIDTH - LEFT - RIGHT) * (size / largest) ** 0.5)

    areas = format_html_join(
        "",
        '<path class="{}" d="{}"/>',
        (
            (name, _area([(x(row[0]), y(_within(row[high], values)), y(_within(row[low], values))) for row in limits]))
            for name, low, high in (("outer", 3, 4), ("inner", 1, 2))
        ),
    )
    dots = format_html_join(
        "",
        '<path class="dot {}" transform="translate({} {})" d="{}"><title>{}</title></path>',
        ((one.tone, round(x(one.n), 1), round(y(one.value or 0), 1), MARKS[one.tone], one.title) for one in groups),
    )
    sizes = format_html_join(
        "",
        '<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>',
        ((round(x(n), 1), HEIGHT - 6, f"{n:,}") for n in _round_sizes(largest)),
    )
    return format_html(
        '<svg class="plot funnel" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}'
        '<line class="whole" x1="{}" x2="{}" y1="{}" y2="{}"/>{}{}</svg>',
        WIDTH,
        HEIGHT,
        alt,
        areas,
        _grid(ticks, y),
        LEFT,
        WIDTH - RIGHT,
        round(y(whole), 1),
        round(y(whole), 1),
        dots,
        sizes,
    )


def _places(count: int, width: int) -> list[float]:
    room = width - LEFT - RIGHT
    return [LEFT + room * (place + 0.5) / max(1, count) for place in range(count)]


def _scale(bottom: float, top: float) -> Scale:
    room, span = HEIGHT - TOP - BOTTOM, (top - bottom) or 1.0
    return lambda value: TOP + room * (1 - (value - bottom) / span)


def _grid(ticks: Ticks, y: Scale, width: int = WIDTH) -> SafeString:
    return format_html_join(
        "",
        '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick" x="{}" y="{}" text-anchor="end">{}</text>',
        ((LEFT, width - RIGHT, round(y(value), 1), round(y(value), 1), LEFT - 6, round(y(value) + 4, 1), label) for value, label in ticks),
    )


def _band(known: Known, y: Scale, ends: tuple[float, float]) -> SafeString:
    sure = [(place, one) for place, one in known if one.low is not None and one.high is not None]
    edges = [(place, y(_within(one.high or 0, ends)), y(_within(one.low or 0, ends))) for place, one in sure]
    return format_html('<path class="band" d="{}"/>', _area(edges)) if len(edges) > 1 else SafeString("")


def _area(edges: Sequence[tuple[float, float, float]]) -> str:
    """A closed shape through the upper edges and back through the lower ones."""
    above = [f"{place:.1f},{high:.1f}" for place, high, _low in edges]
    below = [f"{place:.1f},{low:.1f}" for place, _high, low in reversed(edges)]
    return f"M{' L'.join(above + below)} Z"


def _path(known: Known, y: Scale) -> SafeString:
    places = [f"{place:.1f},{y(one.value or 0):.1f}" for place, one in known]
    return format_html('<path class="line" d="M{}"/>', " L".join(places)) if len(places) > 1 else SafeString("")


def _dots(known: Known, y: Scale) -> SafeString:
    return format_html_join(
        "",
        '<circle class="dot" cx="{}" cy="{}" r="3"><title>{}</title></circle>',
        ((round(place, 1), round(y(one.value or 0), 1), one.title) for place, one in known),
    )


def _labels(points: Sequence[Point], x: Sequence[float], width: int) -> SafeString:
    """Below their points; the last one stays inside of the drawing."""
    step = max(1, -(-len(points) // MOST_TICKS))
    shown = list(zip(x, points, strict=True))[::step]
    drawn = ((round(min(place, width - HALF_LABEL), 1), HEIGHT - 6, one.label) for place, one in shown)
    return format_html_join("", '<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>', drawn)


def _within(value: float, values: Sequence[float]) -> float:
    return min(max(value, min(values)), max(values))


def _round_sizes(largest: int) -> list[int]:
    return sorted({max(1, round(largest * part)) for part in (0.05, 0.25, 0.5, 1)})
