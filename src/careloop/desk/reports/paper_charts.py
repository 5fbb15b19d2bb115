"""Charts on paper, drawn from the same rows as those on the screen: courses, groups by size, falling curves, the way of cases."""

from collections.abc import Callable, Sequence
from datetime import date

from django.utils.formats import date_format
from fpdf import FPDF

from careloop.desk.measures.groups import BETTER, WORSE, Comparison
from careloop.desk.measures.rules.definitions import COUNT, MEASURES
from careloop.desk.reports.content import Course
from careloop.desk.reports.parts import Curves
from careloop.desk.reports.rules.scales import measure_ticks
from careloop.desk.reports.rules.way import TALL, WIDE, Way
from careloop.desk.reports.why_rows import cut_name, state_lines, step_lines
from careloop.desk.reports.words import say

INK, QUIET, GRID, LINE, BAND = (30, 34, 40), (95, 102, 112), (222, 225, 230), (37, 99, 175), (211, 225, 243)
TONES = {BETTER: (22, 128, 84), WORSE: (190, 50, 50), "": LINE}
STROKES = (LINE, (180, 83, 9), (109, 40, 217), (190, 18, 60), (22, 128, 84), (77, 124, 15), (162, 28, 175), (14, 116, 144), QUIET)
DASHES = ((0, 0), (1.8, 0.8), (0.5, 0.8), (2.6, 0.8), (1, 0.5), (3, 1), (0.3, 0.5), (1.5, 0.6), (0.8, 1.2))
OUTER, INNER = (236, 238, 241), (219, 223, 228)
LEFT_ROOM, FOOT_ROOM, MOST_LABELS, SMALL = 19.0, 5.0, 7, 6.5


class Frame:
    """A place on the page with a scale upwards between two values."""

    def __init__(self, pdf: FPDF, box: tuple[float, float, float, float], ends: tuple[float, float]) -> None:
        self.pdf, (self.x, self.y, self.width, self.height), self.ends = pdf, box, ends
        self.left, self.right = self.x + LEFT_ROOM, self.x + self.width - 1
        self.top, self.bottom = self.y + 2, self.y + self.height - FOOT_ROOM

    def up(self, value: float) -> float:
        """Where a value stands, kept inside of the frame."""
        low, high = self.ends
        part = (min(max(value, low), high) - low) / ((high - low) or 1.0)
        return self.bottom - part * (self.bottom - self.top)

    def across(self, place: int, count: int) -> float:
        """The middle of one of so many even places."""
        return self.left + (self.right - self.left) * (place + 0.5) / max(1, count)

    def grid(self, key: str, ticks: Sequence[float]) -> None:
        """Lines at the ticks, with their values."""
        self.pdf.set_draw_color(*GRID)
        self.pdf.set_line_width(0.2)
        for value in ticks:
            self.pdf.line(self.left, self.up(value), self.right, self.up(value))
            self.write(self.x, self.up(value) - 1.6, say(key, value), LEFT_ROOM - 1.5, "R")

    def write(self, x: float, y: float, text: str, width: float, align: str) -> None:
        """A small word of a scale."""
        self.pdf.set_font_size(SMALL)
        self.pdf.set_text_color(*QUIET)
        self.pdf.set_xy(x, y)
        self.pdf.cell(width, 3.2, text, align=align)


def draw_course(pdf: FPDF, course: Course, box: tuple[float, float, float, float]) -> None:
    """A measure over time; nothing is drawn for times of which nothing can be told."""
    rows = [row for row in course.rows if row.day is not None]
    figures = [row.figures[course.key] for row in rows]
    ends = [end for one in figures for end in (one.value, one.low, one.high) if end is not None]
    measure = MEASURES[course.key]
    ticks = measure_ticks(course.key, min(ends, default=0.0), max(ends, default=1.0))
    frame = Frame(pdf, box, (ticks[0], ticks[-1]))
    frame.grid(course.key, ticks)
    step = max(1, -(-len(rows) // MOST_LABELS))
    for place, row in list(enumerate(rows))[::step]:
        frame.write(frame.across(place, len(rows)) - 10, frame.bottom + 0.8, _day_words(row.day, course.unit), 20, "C")
    places = [(frame.across(place, len(rows)), one) for place, one in enumerate(figures) if one.value is not None]
    pdf.set_fill_color(*LINE)
    if measure.form == COUNT:
        wide = 0.7 * (frame.right - frame.left) / max(1, len(rows))
        for x, one in places:
            pdf.rect(x - wide / 2, frame.up(one.value or 0), wide, frame.bottom - frame.up(one.value or 0), style="F")
        return
    edges = [(x, frame.up(one.high), frame.up(one.low)) for x, one in places if one.low is not None and one.high is not None]
    if len(edges) > 1:
        pdf.set_fill_color(*BAND)
        pdf.polygon([(x, high) for x, high, _low in edges] + [(x, low) for x, _high, low in reversed(edges)], style="F")
    pdf.set_draw_color(*LINE)
    pdf.set_fill_color(*LINE)
    pdf.set_line_width(0.45)
    if len(places) > 1:
        pdf.polyline([(x, frame.up(one.value or 0)) for x, one in places])
    for x, one in places:
        pdf.circle(x=x, y=frame.up(one.value or 0), radius=0.6, style="F")


def draw_funnel(pdf: FPDF, comparison: Comparison, box: tuple[float, float, float, float]) -> None:
    """Groups by size and value; shaded is what chance alone leaves of groups of each size."""
    key, whole = comparison.key, comparison.whole.value or 0.0
    values = [one.own.value or 0.0 for one in comparison.standings] + [whole]
    ticks = measure_ticks(key, min(values), max(values))
    frame = Frame(pdf, box, (min(ticks[0], *values), max(ticks[-1], *values)))
    largest = max(row[0] for row in comparison.funnel)

    def across(size: int) -> float:
        return frame.left + float((frame.right - frame.left) * (size / largest) ** 0.5)

    for colour, low, high in ((OUTER, 3, 4), (INNER, 1, 2)):
        pdf.set_fill_color(*colour)
        upper = [(across(row[0]), frame.up(row[high])) for row in comparison.funnel]
        lower = [(across(row[0]), frame.up(row[low])) for row in reversed(comparison.funnel)]
        pdf.polygon(upper + lower, style="F")
    frame.grid(key, ticks)
    pdf.set_draw_color(*QUIET)
    pdf.set_dash_pattern(dash=1.2, gap=0.9)
    pdf.line(frame.left, frame.up(whole), frame.right, frame.up(whole))
    pdf.set_dash_pattern()
    for one in comparison.standings:
        pdf.set_fill_color(*TONES[one.verdict])
        _mark(pdf, one.verdict, across(one.own.n), frame.up(one.own.value or 0.0))
    for size in sorted({max(1, round(largest * part)) for part in (0.05, 0.25, 0.5, 1)}):
        frame.write(min(across(size) - 10, frame.right - 14), frame.bottom + 0.8, f"n = {size:,}", 20, "C")


def _mark(pdf: FPDF, verdict: str, x: float, y: float) -> None:
    """A triangle with its tip up for better, down for worse, else a dot: colours alone are lost in grey."""
    if not verdict:
        pdf.circle(x=x, y=y, radius=0.9, style="F")
        return
    tip = -1.3 if verdict == BETTER else 1.3
    pdf.polygon([(x, y + tip), (x - 1.2, y - tip * 0.6), (x + 1.2, y - tip * 0.6)], style="F")


def _day_words(day: date | None, unit: str) -> str:
    if day is None:
        return ""
    return f"{day:%Y-%m}" if unit == "month" else str(date_format(day, "MONTH_DAY_FORMAT"))


def draw_curves(pdf: FPDF, curves: Curves, box: tuple[float, float, float, float]) -> float:
    """Steps from 100 % down, each group with its colour and dashes, named below; returns the height that was used."""
    frame = Frame(pdf, box, (0.0, 1.0))
    pdf.set_draw_color(*GRID)
    pdf.set_line_width(0.2)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        pdf.line(frame.left, frame.up(share), frame.right, frame.up(share))
        frame.write(frame.x, frame.up(share) - 1.6, f"{share:.0%}", LEFT_ROOM - 1.5, "R")

    def across(seconds: float) -> float:
        return frame.left + (frame.right - frame.left) * seconds / curves.horizon

    for seconds, label in curves.ticks:
        frame.write(min(across(seconds) - 10, frame.right - 19), frame.bottom + 0.8, label, 20, "R" if seconds == curves.horizon else "C")
    x, y = frame.left, frame.y + frame.height + 2
    for place, (name, course) in enumerate(curves.courses):
        pdf.set_draw_color(*STROKES[place % len(STROKES)])
        pdf.set_line_width(0.45)
        pdf.set_dash_pattern(*DASHES[place % len(DASHES)])
        steps = [(across(course[0].seconds), frame.up(course[0].share))] if course else []
        for one in course[1:]:
            steps += [(across(one.seconds), steps[-1][1]), (across(one.seconds), frame.up(one.share))]
        if len(steps) > 1:
            pdf.polyline(steps)
        pdf.set_font_size(SMALL)
        wide = 9 + pdf.get_string_width(name) + 4
        if x + wide > frame.right and x > frame.left:
            x, y = frame.left, y + 4
        pdf.line(x, y + 1.6, x + 7, y + 1.6)
        pdf.set_dash_pattern()
        frame.write(x + 8, y, name, wide, "L")
        x += wide
    return y + 5 - frame.y


def draw_way(pdf: FPDF, way: Way, name: Callable[[str], str], box: tuple[float, float, float]) -> None:
    """The map of states and steps; `box` is its upper left corner and the millimetres for each of its units."""
    x, y, unit = box
    size = 13 * unit / 0.3528  # points of a text that is 13 units high
    pdf.set_dash_pattern()
    for arc in way.arcs:
        pdf.set_draw_color(*(LINE if arc.is_forward else TONES[WORSE]))
        pdf.set_fill_color(*(LINE if arc.is_forward else TONES[WORSE]))
        pdf.set_line_width(max(0.2, arc.thickness * unit * 0.6))
        points = [(x + across * unit, y + down * unit) for across, down in arc.points]
        pdf.bezier(points, style="D")
        tip, side = points[3], 1 if arc.is_forward else -1
        pdf.polygon([tip, (tip[0] + side * 2, tip[1] - 1), (tip[0] + side * 2, tip[1] + 1)], style="F")
    pdf.set_line_width(0.25)
    pdf.set_draw_color(*QUIET)
    pdf.set_fill_color(255)
    for one in way.boxes:
        left, top = x + one.x * unit, y + one.y * unit
        pdf.rect(left, top, WIDE * unit, TALL * unit, style="DF", round_corners=True, corner_radius=1)
        for place, text in enumerate((cut_name(name(one.state["name"])), *state_lines(one.state))):
            pdf.set_font_size(size if place == 0 else size * 0.9)
            pdf.set_text_color(*(QUIET if place else INK))
            pdf.set_xy(left, top + (7 + 17 * place) * unit)
            pdf.cell(WIDE * unit, 14 * unit, text, align="C")
    pdf.set_text_color(*INK)
    for arc in way.arcs:
        for place, text in enumerate(step_lines(arc.step)):
            pdf.set_font_size(size * 0.9)
            wide = pdf.get_string_width(text) + 1
            left = x + arc.label[0] * unit - (0 if arc.is_forward else wide)
            pdf.set_xy(left, y + (arc.label[1] - 13 + 13 * place) * unit)
            pdf.cell(wide, 13 * unit, text, fill=True, align="L" if arc.is_forward else "R")
