"""The way of cases as SVG: states below each other, arcs forward at the right and back at the left, each with its numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from careloop.desk.reports.rules.way import TALL, WIDE, Arc, Box, lay_out
from careloop.desk.reports.why_rows import cut_name, state_lines, step_lines

TIPS = format_html_join(
    "",
    '<marker id="way-{}" class="{}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" orient="auto" '
    'markerUnits="userSpaceOnUse"><path d="M0,0L10,5L0,10z"/></marker>',
    (("forward", "forward"), ("back", "back")),
)
Cases = Callable[[str, int], str]  # the address of the cases behind a state or a step


def draw_way(
    states: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]], name: Callable[[str], str], cases: Cases, *, alt: str
) -> SafeString:
    """The map; states and arcs open their cases."""
    way = lay_out(states, steps)
    arcs = format_html_join("", "{}", ((_arc(one),) for one in way.arcs))
    labels = format_html_join("", "{}", ((_label(one, name, cases),) for one in way.arcs))
    boxes = format_html_join("", "{}", ((_box(one, name, cases),) for one in way.boxes))
    svg = '<svg class="way" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="group" aria-label="{2}"><defs>{3}</defs>{4}{5}{6}</svg>'
    return format_html(svg, round(way.width), round(way.height), alt, TIPS, arcs, boxes, labels)


def _box(one: Box, name: Callable[[str], str], cases: Cases) -> SafeString:
    middle, lines = one.x + WIDE / 2, state_lines(one.state)
    rows = [("", cut_name(name(one.state["name"]))), *(("stay", line) for line in lines)]
    texts = format_html_join(
        "",
        '<text class="{}" x="{}" y="{}" text-anchor="middle">{}</text>',
        ((css, middle, one.y + 19 + 17 * place, text) for place, (css, text) in enumerate(rows)),
    )
    rect = '<a href="{}"><title>{}</title><rect class="state" x="{}" y="{}" width="{}" height="{}" rx="6"/>{}</a>'
    return format_html(rect, cases("states", one.number), name(one.state["name"]), one.x, one.y, WIDE, TALL, texts)


def _arc(one: Arc) -> SafeString:
    (x, y), *rest = one.points
    curve = " ".join(f"{round(at, 1):g} {round(down, 1):g}" for at, down in rest)
    css = "forward" if one.is_forward else "back"
    path = '<path class="{0}" d="M{1} {2} C{3}" stroke-width="{4}" marker-end="url(#way-{0})"/>'
    return format_html(path, css, f"{x:g}", f"{y:g}", curve, one.thickness)


def _label(one: Arc, name: Callable[[str], str], cases: Cases) -> SafeString:
    x, y = one.label
    anchor = "start" if one.is_forward else "end"
    texts = format_html_join(
        "",
        '<text class="told" x="{}" y="{}" text-anchor="{}">{}</text>',
        ((f"{x:g}", f"{y - 2 + 13 * place:g}", anchor, text) for place, text in enumerate(step_lines(one.step))),
    )
    title = f"{name(one.step['source'])} → {name(one.step['target'])}"
    return format_html('<a href="{}"><title>{}</title>{}</a>', cases("steps", one.number), title, texts)
