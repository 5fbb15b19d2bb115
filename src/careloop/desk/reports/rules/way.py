"""Where the parts of a process map stand: states below each other, steps forward as arcs at the right, steps back at the left.

Lengths are in the map's own unit: a state is WIDE by TALL, and whoever draws scales them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDE, TALL, GAP, MARGIN = 190, 62, 34, 8
LEVEL = 38  # how much farther out an arc reaches for each state that it spans
LABEL = 92  # beside the outermost arc
MOST_STATES = 8
THINNEST, THICKEST = 1.0, 8.0
OFF = 14  # between the middle of a state and where its arcs begin and end
STAGGER = 24  # between labels of arcs around the same middle
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A state with its upper left corner; `number` is its place among the states as they were given."""

    state: Mapping[str, Any]
    number: int
    x: float
    y: float


@dataclass(frozen=True)
class Arc:
    """A step as a Bézier curve of four points, and where its label begins (ends, for steps back)."""

    step: Mapping[str, Any]
    number: int
    is_forward: bool
    points: tuple[Point, Point, Point, Point]
    label: Point
    thickness: float


@dataclass(frozen=True)
class Way:
    """All of it."""

    width: float
    height: float
    boxes: list[Box]
    arcs: list[Arc]


def lay_out(states: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]) -> Way:
    """The most visited eight states in the order in which cases usually come to them; steps from a state to itself are left out."""
    shown = _order([one["name"] for one in states[:MOST_STATES]], states, steps)
    place = {state: number for number, state in enumerate(shown)}
    known = [
        (number, one)
        for number, one in enumerate(steps)
        if one["source"] in place and one["target"] in place and one["source"] != one["target"]
    ]
    reach = {True: 0.0, False: 0.0}
    for _number, one in known:
        span = place[one["target"]] - place[one["source"]]
        reach[span > 0] = max(reach[span > 0], 0.75 * LEVEL * abs(span) + LABEL)
    left = MARGIN + reach[False]
    boxes = [
        Box(one, number, left, MARGIN + place[one["name"]] * (TALL + GAP))
        for number, one in sorted(enumerate(states[:MOST_STATES]), key=lambda pair: place[pair[1]["name"]])
    ]
    arcs = [_arc(one, number, place, left) for number, one in known]
    return Way(left + WIDE + reach[True] + MARGIN, 2 * MARGIN + len(shown) * (TALL + GAP) - GAP, boxes, arcs)


def _arc(step: Mapping[str, Any], number: int, place: Mapping[str, int], left: float) -> Arc:
    source, target = place[step["source"]], place[step["target"]]
    is_forward, far = target > source, abs(target - source)
    side, edge = (1, left + WIDE) if is_forward else (-1, left)
    begin, end = (MARGIN + one * (TALL + GAP) + TALL / 2 for one in (source, target))
    begin, end = (begin + OFF, end - OFF) if is_forward else (begin - OFF, end + OFF)
    out = edge + side * LEVEL * far
    aside = 0 if far < 3 else STAGGER * (1 if far % 4 > 1 else -1)  # 1–2 and 0–3 have one middle
    thickness = round(THINNEST + (THICKEST - THINNEST) * float(step["share"]), 1)
    label = (edge + side * (0.75 * LEVEL * far + thickness / 2 + 4), (begin + end) / 2 + aside)
    points = ((edge, begin), (out, begin), (out, end), (edge, end))
    return Arc(step, number, is_forward, points, label, thickness)


def _order(names: list[str], states: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those where cases begin first, those where they end last; between them by how much more goes out to states than comes back."""
    starts = {one["name"]: one["n_starts"] - one["n_ends"] for one in states}
    outward: dict[str, int] = dict.fromkeys(names, 0)
    for one in steps:
        if one["source"] in outward and one["target"] in outward:
            outward[one["source"]] += one["n"]
            outward[one["target"]] -= one["n"]
    return sorted(names, key=lambda state: (-starts[state] - outward[state], state))
