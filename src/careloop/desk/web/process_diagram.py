"""The way of cases as SVG: states on a line, arcs forward above and back below, as thick as their share of the steps out of a state."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from careloop.desk.web.measure_words import span

BOX, TALL, GAP, MARGIN = 172, 60, 56, 12
MOST_STATES = 8
LETTERS = 24
THINNEST, THICKEST = 1.0, 9.0


def draw_way(
    states: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]], name: Callable[[str], str], *, alt: str
) -> SafeString:
    """The most visited eight states in the order in which cases usually come to them."""
    shown = _order([one["name"] for one in states[:MOST_STATES]], states, steps)
    place = {state: number for number, state in enumerate(shown)}
    drawn = [one for one in steps if one["source"] in place and one["target"] in place and one["source"] != one["target"]]
    farthest = max((abs(place[one["source"]] - place[one["target"]]) for one in drawn), default=1)
    middle = MARGIN + 34 * farthest + TALL // 2
    width = 2 * MARGIN + len(shown) * (BOX + GAP) - GAP
    boxes = format_html_join(
        "",
        '<rect class="state" x="{}" y="{}" width="{}" height="{}" rx="6"/><text x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text class="stay" x="{}" y="{}" text-anchor="middle">{}</text><text class="stay" x="{}" y="{}" text-anchor="middle">{}</text>',
        (
            (
                left,
                middle - TALL // 2,
                BOX,
                TALL,
                left + BOX // 2,
                middle - 12,
                _cut(name(one["name"])),
                left + BOX // 2,
                middle + 6,
                _stay(one),
                left + BOX // 2,
                middle + 22,
                _returns(one),
            )
            for one in sorted(states[:MOST_STATES], key=lambda one: place[one["name"]])
            for left in (_left(place[one["name"]]),)
        ),
    )
    arcs = format_html_join(
        "",
        '<path class="{}" d="{}" stroke-width="{}"><title>{}</title></path>',
        ((*_arc(one, place, middle), _step(one, name)) for one in drawn),
    )
    return format_html('<svg class="way" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>', width, 2 * middle, alt, arcs, boxes)


def _order(names: list[str], states: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those where cases begin first, those where they end last; between them by how much more goes out to states than comes back."""
    starts = {one["name"]: one["n_starts"] - one["n_ends"] for one in states}
    outward: dict[str, int] = dict.fromkeys(names, 0)
    for one in steps:
        if one["source"] in outward and one["target"] in outward:
            outward[one["source"]] += one["n"]
            outward[one["target"]] -= one["n"]
    return sorted(names, key=lambda state: (-starts[state] - outward[state], state))


def _arc(step: Mapping[str, Any], place: Mapping[str, int], middle: int) -> tuple[str, str, float]:
    source, target = place[step["source"]], place[step["target"]]
    is_forward = target > source
    side = -1 if is_forward else 1
    begin, end = _left(source) + BOX // 2 + (14 if is_forward else -14), _left(target) + BOX // 2 + (-14 if is_forward else 14)
    edge = middle + side * TALL // 2
    top = edge + side * 45 * abs(target - source)
    thick = THINNEST + (THICKEST - THINNEST) * float(step["share"])
    return "forward" if is_forward else "back", f"M{begin} {edge} C{begin} {top} {end} {top} {end} {edge}", round(thick, 1)


def _step(step: Mapping[str, Any], name: Callable[[str], str]) -> str:
    return f"{name(step['source'])} → {name(step['target'])}: n = {step['n']:,} · {span(step['median_seconds'])}"


def _stay(state: Mapping[str, Any]) -> str:
    """How many cases were in it and how long they usually stay."""
    parts = [f"n = {state['n_cases']:,}"]
    if state["median_seconds"] is not None and state["n_ends"] < state["n_visits"]:
        parts.append(span(state["median_seconds"]))
    return " · ".join(parts)


def _returns(state: Mapping[str, Any]) -> str:
    """How often cases came back to it."""
    return f"↺ {state['n_visits'] - state['n_cases']:,}" if state["n_visits"] > state["n_cases"] else ""


def _left(number: int) -> int:
    return MARGIN + number * (BOX + GAP)


def _cut(text: str) -> str:
    wide = sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)
    return text if wide <= LETTERS else text[: LETTERS // 2 if wide > len(text) else LETTERS - 1] + "…"
