"""A flow as a drawing: states in columns by their distance from the start, numbered steps between them. Plain figures for SVG."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from careloop.desk.flows.queries import named
from careloop.desk.flows.rules.flow import Flow, State, Transition

WIDTH, HEIGHT, GAP_X, GAP_Y, LANE, MARGIN = 132, 52, 60, 28, 18, 24
BULGE = 40
LETTERS = 19  # of a line in a box; a Chinese character takes the place of two


@dataclass(frozen=True)
class Box:
    """A state: its upper left corner and what stands in it."""

    x: int
    y: int
    lines: tuple[str, ...]
    cases: int
    tone: str

    @property
    def middle(self) -> tuple[int, int]:
        """The middle of the box."""
        return self.x + WIDTH // 2, self.y + HEIGHT // 2


def draw_flow(flow: Flow, cases: Mapping[str, int]) -> dict[str, Any]:
    """Boxes and numbered arrows with the size of the whole; `cases` by the state's code."""
    columns = _columns(flow)
    tallest = max(len(column) for column in columns)
    above = MARGIN + LANE * sum(1 for step in flow.transitions if _span(columns, step) > 1)
    below = MARGIN + LANE * sum(1 for step in flow.transitions if _span(columns, step) < 0)
    boxes: dict[str, Box] = {}
    for number, column in enumerate(columns):
        top = above + (tallest - len(column)) * (HEIGHT + GAP_Y) // 2
        for place, state in enumerate(column):
            x, y = MARGIN + number * (WIDTH + GAP_X), top + place * (HEIGHT + GAP_Y)
            boxes[state.code] = Box(x, y, _lines(named(state.name)), cases.get(state.code, 0), _tone(state))
    inside = tallest * (HEIGHT + GAP_Y) - GAP_Y
    width = 2 * MARGIN + len(columns) * (WIDTH + GAP_X) - GAP_X
    return {
        "width": width,
        "least": width * 3 // 4,  # drawn smaller than that nobody reads it: it scrolls
        "height": above + inside + below,
        "boxes": [_drawn(box) for box in boxes.values()],
        "arrows": _arrows(flow, columns, boxes, above, above + inside),
        "box": {"width": WIDTH, "height": HEIGHT},
    }


def _columns(flow: Flow) -> list[list[State]]:
    """States by the fewest steps from the start; in a column ends stand above, since steps back come from below."""
    distance = {flow.start.code: 0}
    waiting = [flow.start.code]
    for code in waiting:
        for step in flow.steps_from(code):
            if step.target not in distance:
                distance[step.target] = distance[code] + 1
                waiting.append(step.target)
    columns: dict[int, list[State]] = defaultdict(list)
    for code in waiting:
        state = flow.find_state(code)
        if state is not None:
            columns[distance[code]].append(state)
    return [sorted(columns[number], key=lambda state: not state.is_end) for number in sorted(columns)]


def _span(columns: list[list[State]], step: Transition) -> int:
    place = {state.code: number for number, column in enumerate(columns) for state in column}
    return place.get(step.target, 0) - place.get(step.source, 0)


def _arrows(flow: Flow, columns: list[list[State]], boxes: Mapping[str, Box], top: int, bottom: int) -> list[dict[str, Any]]:
    arrows, over, under = [], 0, 0
    pairs: dict[tuple[str, str], int] = defaultdict(int)
    for number, step in enumerate(flow.transitions, start=1):
        source, target = boxes[step.source], boxes[step.target]
        span = _span(columns, step)
        again = pairs[step.source, step.target]
        pairs[step.source, step.target] += 1
        if span == 1:
            x1, y1, x2, y2 = source.x + WIDTH, source.middle[1] + 8 * again, target.x, target.middle[1] + 8 * again
            path, at = f"M{x1},{y1} C{x1 + GAP_X // 2},{y1} {x2 - GAP_X // 2},{y2} {x2},{y2}", ((x1 + x2) // 2, (y1 + y2) // 2 + 12 * again)
        elif span > 1:
            over += 1
            path, at = _arc(source.middle[0] + 12, source.y, target.middle[0] - 12, target.y, top - LANE * over)
        elif span == 0:
            x, y1, y2 = source.x + WIDTH, source.middle[1], target.middle[1]
            path, at = f"M{x},{y1} C{x + BULGE},{y1} {x + BULGE},{y2} {x},{y2}", (x + BULGE * 3 // 4, (y1 + 2 * y2) // 3)
        else:
            under += 1
            edge = HEIGHT
            path, at = _arc(source.middle[0] - 12, source.y + edge, target.middle[0] + 12, target.y + edge, bottom + LANE * under)
        is_guarded = bool(step.roles or step.required or step.approval)
        arrows.append({"number": number, "path": path, "x": at[0], "y": at[1], "name": named(step.name), "is_guarded": is_guarded})
    return arrows


def _arc(x1: int, y1: int, x2: int, y2: int, lane: int) -> tuple[str, tuple[int, int]]:
    return f"M{x1},{y1} C{x1},{lane} {x1},{lane} {(x1 + x2) // 2},{lane} S{x2},{lane} {x2},{y2}", ((x1 + x2) // 2, lane)


def _tone(state: State) -> str:
    return "start" if state.is_start else "end" if state.is_end else state.status


def _drawn(box: Box) -> dict[str, Any]:
    """A box with the places of its lines: the name, and below it how many cases stand there."""
    x, y = box.middle
    lines = [*box.lines, *([str(box.cases)] if box.cases else [])]
    first = y + 4 - 7 * (len(lines) - 1)
    texts = [{"text": text, "y": first + 14 * place, "is_count": place == len(box.lines)} for place, text in enumerate(lines)]
    return {"x": box.x, "y": box.y, "cx": x, "texts": texts, "tone": box.tone}


def _lines(name: str) -> tuple[str, ...]:
    """A name on at most two lines, broken at a space or between Chinese characters, cut where it is too long."""
    parts = re.findall(r"[^\s\u2e80-\uffef]+\s*|[\u2e80-\uffef]", name)
    lines = [""]
    for part in parts:
        if lines[-1] and _letters(lines[-1] + part.rstrip()) > LETTERS:
            lines.append("")
        lines[-1] += part
    shown = [line.strip() for line in lines[:2]]
    if len(lines) > 2:
        shown[1] += "…"
    return tuple(line if _letters(line) <= LETTERS + 2 else line[:LETTERS] + "…" for line in shown)


def _letters(text: str) -> int:
    return sum(2 if letter > "\u2e7f" else 1 for letter in text)
