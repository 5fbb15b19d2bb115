"""The parts of a report, ready to be shown: tiles, charts over time, rows of the table, groups beside each other."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careloop.desk.measures.groups import BETTER, WORSE, Comparison
from careloop.desk.measures.queries import Row
from careloop.desk.measures.rules.definitions import COUNT, DOWN, MEASURES, UP
from careloop.desk.measures.rules.values import Figure
from careloop.desk.reports.address import ReportAddress, spell
from careloop.desk.reports.queries import Report
from careloop.desk.reports.rules.layouts import Layout
from careloop.desk.reports.rules.scales import measure_ticks
from careloop.desk.web import report_charts
from careloop.desk.web.charts import short_day
from careloop.desk.web.measure_words import DEFINITIONS, NAMES, say, say_interval

TONES = {BETTER: "good", WORSE: "bad"}


def tiles(report: Report, address: ReportAddress) -> list[dict[str, Any]]:
    """Value, interval and what changed since the period before, with the cases behind it."""
    return [
        {
            "name": NAMES[key],
            "definition": DEFINITIONS[key],
            "value": say(key, figure.value),
            "interval": say_interval(key, figure),
            "url": cases_url(key, address),
            **_change(key, figure, report.before.get(key)),
        }
        for key, figure in report.tiles.items()
    ]


def time_panels(report: Report, address: ReportAddress) -> list[dict[str, Any]]:
    """One chart for each measure over time, with its rows as a table."""
    unit, rows = report.over_time.question.per, report.over_time.rows
    keys = report.layout.over_time
    return [time_panel(key, unit, rows, is_wide=len(keys) % 2 == 1 and place == 0) for place, key in enumerate(keys)]


def table_rows(report: Report, layout: Layout, address: ReportAddress, names: dict[Any, str]) -> list[dict[str, Any]]:
    """A row for each group, the largest first, and the whole at the end."""
    by = report.table.question.by
    order = sorted(report.table.rows, key=lambda row: (-max(figure.n for figure in row.figures.values()), str(row.group)))
    rows = [
        {
            "name": names.get(row.group, row.group),
            "url": address.link(**{by: spell(row.group)}),
            "cells": [cell(key, row.figures[key], cases_url(key, address, {by: spell(row.group)})) for key in layout.columns],
        }
        for row in order
    ]
    whole = {
        "name": _("All together"),
        "url": "",
        "cells": [cell(key, report.table.whole[key], cases_url(key, address)) for key in layout.columns],
    }
    return [*rows, whole] if rows else []


def comparison_panel(comparison: Comparison | None, names: dict[Any, str]) -> dict[str, Any] | None:
    """The funnel, and the groups by their figures drawn towards the whole."""
    if comparison is None:
        return None
    key = comparison.key
    shown = [one for one in comparison.standings if one.verdict]
    dots = [
        report_charts.Group(
            one.own.n, one.own.value or 0, TONES.get(one.verdict, ""), f"{names.get(one.group, one.group)}: {_told(key, one.own)}"
        )
        for one in comparison.standings
    ]
    whole = comparison.whole.value or 0
    values = [dot.value for dot in dots] + [whole]
    marks = measure_ticks(key, min(values), max(values))
    alt = _("%(name)s of each group by its size; the shaded area is what chance alone makes of groups of that size.") % {"name": NAMES[key]}
    return {
        "name": NAMES[key],
        "svg": report_charts.funnel(dots, comparison.funnel, whole, alt=alt, ticks=[(mark, say(key, mark)) for mark in marks]),
        "verdict": _verdict_words(len(shown)),
        "rows": [
            {
                "name": names.get(one.group, one.group),
                "own": say(key, one.own.value),
                "n": one.own.n,
                "drawn": say(key, one.drawn.value),
                "interval": f"{say(key, one.drawn.low)}–{say(key, one.drawn.high)}",
                "tone": TONES.get(one.verdict, ""),
                "verdict": {BETTER: _("better than chance explains"), WORSE: _("worse than chance explains")}.get(one.verdict, ""),
            }
            for one in comparison.standings
        ],
    }


def cases_url(key: str, address: ReportAddress, changes: dict[str, str] | None = None) -> str:
    """The page of the cases behind a figure."""
    return reverse("report-cases") + address.link(**(changes or {}), measure=key, by="", per="")


def cell(key: str, figure: Figure, url: str) -> dict[str, Any]:
    """One figure of a table."""
    few = figure.n < 5 and MEASURES[key].form != COUNT
    return {"value": say(key, figure.value), "interval": say_interval(key, figure), "url": url if figure.n else "", "is_few": few}


def _change(key: str, figure: Figure, before: Figure | None) -> dict[str, str]:
    """What can be said about the change: an arrow only where the intervals do not overlap."""
    if before is None or before.value is None or figure.value is None or not MEASURES[key].dated_by:
        return {}
    said = _("%(value)s in the period before") % {"value": say(key, before.value)}
    measure = MEASURES[key]
    if measure.form == COUNT:
        return {"change": said}
    if None in {figure.low, figure.high, before.low, before.high}:
        return {"change": said}
    if (figure.low or 0) <= (before.high or 0) and (before.low or 0) <= (figure.high or 0):
        return {"change": said + " · " + _("no clear change")}
    is_up = figure.value > before.value
    tone = "" if measure.better not in {UP, DOWN} else "good" if is_up == (measure.better == UP) else "bad"
    return {
        "change": said,
        "arrow": "arrow-up" if is_up else "arrow-down",
        "tone": tone,
        "arrow_words": _("clearly more") if is_up else _("clearly less"),
    }


def time_panel(key: str, unit: str, rows: list[Row], *, is_wide: bool) -> dict[str, Any]:
    """A measure over time, drawn, with its points."""
    points = [_point(key, unit, row) for row in rows if row.day is not None]
    name = NAMES[key]
    known = [point for point in points if point.value is not None]
    panel: dict[str, Any] = {"name": name, "definition": DEFINITIONS[key], "points": points, "is_empty": not known, "is_wide": is_wide}
    width = report_charts.WIDE if is_wide else report_charts.WIDTH
    if not known:
        return panel
    alt = _("%(name)s over time; the numbers are in the table below.") % {"name": name}
    ends = [end for point in known for end in (point.low, point.high, point.value) if end is not None]
    lowest, highest = min(ends), max(ends)
    if MEASURES[key].form == COUNT:
        marks = measure_ticks(key, 0, highest)
        panel["svg"] = report_charts.bars(points, alt=alt, ticks=[(mark, say(key, mark)) for mark in marks], top=marks[-1], width=width)
        return panel
    marks = measure_ticks(key, lowest, highest)
    ticks = [(mark, say(key, mark)) for mark in marks]
    panel["svg"] = report_charts.line(points, alt=alt, ticks=ticks, ends=(marks[0], marks[-1]), width=width)
    return panel


def _point(key: str, unit: str, row: Row) -> report_charts.Point:
    figure, day = row.figures[key], row.day
    assert day is not None
    label = f"{day:%Y-%m}" if unit == "month" else short_day(day)
    told = _told(key, figure)
    return report_charts.Point(label, figure.value, figure.low, figure.high, f"{label}: {told}", told=told)


def _told(key: str, figure: Figure) -> str:
    interval = say_interval(key, figure)
    return f"{say(key, figure.value)} ({interval})" if interval else say(key, figure.value)


def _verdict_words(count: int) -> str:
    if not count:
        return _("No group differs from the whole by more than chance explains.")
    return ngettext(
        "%(count)d group differs from the whole by more than chance explains.",
        "%(count)d groups differ from the whole by more than chance explains.",
        count,
    ) % {"count": count}
