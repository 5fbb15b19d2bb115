"""A whole report: tiles with the period before, figures over time, a table by groups and how surely they differ."""

from dataclasses import dataclass, replace
from datetime import date

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.groups import Comparison, compare_groups
from careloop.desk.measures.queries import Question, Spans, Table, ask
from careloop.desk.measures.rules.values import Figure, period_before
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
    by = question.by or layout.by
    spans = Spans(by)
    tiles = ask(replace(question, measures=layout.tiles, by="", per=""), viewer, spans)
    over_time = ask(replace(question, measures=layout.over_time, by="", per=time_unit(question.since, question.until)), viewer, spans)
    columns = tuple(dict.fromkeys((*layout.columns, *([layout.compared] if layout.compared else []))))
    table = ask(replace(question, measures=columns, by=by, per=""), viewer, spans)
    comparison = compare_groups(table, layout.compared) if layout.compared else None
    return Report(layout, tiles.whole, _before(layout, question, viewer), over_time, table, comparison)


def time_unit(since: date | None, until: date | None) -> str:
    """Days for up to a month, weeks for up to half a year, else months."""
    if since is None or until is None:
        return "month"
    days = (until - since).days + 1
    return "day" if days <= DAYS_BY_DAY else "week" if days <= DAYS_BY_WEEK else "month"


def _before(layout: Layout, question: Question, viewer: Viewer) -> dict[str, Figure]:
    """The tiles of the period of the same length before this one; empty without a period."""
    if question.since is None or question.until is None:
        return {}
    since, until = period_before(question.since, question.until)
    return ask(replace(question, measures=layout.tiles, by="", per="", since=since, until=until), viewer).whole
