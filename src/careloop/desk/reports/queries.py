"""A whole report: tiles with the period before, figures over time, a table by groups and how surely they differ."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.groups import Comparison, compare_groups
from careloop.desk.measures.queries import Table, ask
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.values import Figure, period_before
from careloop.desk.measures.sheets import Sheet
from careloop.desk.reports.rules.layouts import Layout

DAYS_BY_DAY, DAYS_BY_WEEK = 31, 190


@dataclass(frozen=True)
class Report:
    """All that a report shows; every figure is from one of three questions, each of which can be asked alone."""

    layout: Layout
    tiles: dict[str, Figure]
    before: dict[str, Figure]
    over_time: Table
    table: Table
    comparison: Comparison | None


def make_report(layout: Layout, question: Question, viewer: Viewer) -> Report:
    """Count a report for a period, a choice and a split; the question's own measures do not matter."""
    by, columns = question.by or layout.by, tuple(dict.fromkeys((*layout.columns, *([layout.compared] if layout.compared else []))))
    since, until = question.since, question.until
    earlier = period_before(since, until) if since is not None and until is not None else None
    sheet = Sheet(tuple(dict.fromkeys((*layout.tiles, *layout.over_time, *columns))))
    read_as = replace(question, by=by, per="", since=earlier[0] if earlier else since)

    def count(**terms: Any) -> Table:
        return ask(replace(question, **{"by": "", "per": "", **terms}), viewer, sheet, read_as)

    tiles = count(measures=layout.tiles)
    over_time = count(measures=layout.over_time, per=time_unit(since, until))
    table = count(measures=columns, by=by)
    before = count(measures=layout.tiles, since=earlier[0], until=earlier[1]).whole if earlier else {}
    comparison = compare_groups(table, layout.compared) if layout.compared else None
    return Report(layout, tiles.whole, before, over_time, table, comparison)


def time_unit(since: date | None, until: date | None) -> str:
    """Days for up to a month, weeks for up to half a year, else months."""
    if since is None or until is None:
        return "month"
    days = (until - since).days + 1
    return "day" if days <= DAYS_BY_DAY else "week" if days <= DAYS_BY_WEEK else "month"
