"""What a report or a dashboard holds, whatever it is printed on: numbers, figures over time, tables by group."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.groups import Comparison
from careloop.desk.measures.queries import Row, find_moment
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.measures.rules.values import Figure, period_before
from careloop.desk.reports.address import ReportAddress
from careloop.desk.reports.dashboards import Counted, count_tiles, tiles_of
from careloop.desk.reports.models import Dashboard
from careloop.desk.reports.queries import Report, make_report
from careloop.desk.reports.rules.layouts import Layout
from careloop.desk.reports.rules.tiles import BY_GROUP, OVER_TIME, Tile
from careloop.desk.reports.words import NAMES, REPORT_NAMES, days_words, facet_words, group_names, period_words, say, say_interval

HEAD = ("measure", "group", "group_name", "day", "value", "low", "high", "n", "since", "until")
Days = tuple[date | None, date | None]
DRAWN = ("drawn", "drawn_low", "drawn_high", "verdict")  # of groups that are compared


@dataclass(frozen=True)
class Number:
    """One figure; `own` says what it chooses whatever the page says."""

    key: str
    figure: Figure
    before: Figure | None = None
    own: str = ""


@dataclass(frozen=True)
class Course:
    """A measure over days, weeks or months."""

    key: str
    unit: str
    rows: list[Row]
    own: str = ""


@dataclass(frozen=True)
class Split:
    """Measures of groups, the largest group first, and of the whole."""

    by: str
    keys: tuple[str, ...]
    rows: list[Row]
    whole: dict[str, Figure]
    names: dict[Any, str]
    own: str = ""


@dataclass(frozen=True)
class Content:
    """All of it, with what was asked."""

    slug: str
    title: str
    question: Question
    as_of: datetime | None
    chosen: list[str]
    numbers: list[Number]
    courses: list[Course]
    splits: list[Split]
    comparison: Comparison | None = None
    head: tuple[str, ...] = HEAD  # of the file
    lines: list[list[Any]] = field(default_factory=list)  # below it
    is_part: bool = False  # whether a choice or the viewer's teams leave something of the house out

    @property
    def keys(self) -> list[str]:
        """The measures that occur, each once."""
        found = [one.key for one in self.numbers] + [one.key for one in self.courses] + [key for one in self.splits for key in one.keys]
        return list(dict.fromkeys(found))

    @property
    def figures(self) -> list[str]:
        """The numbers as a mail tells them in its text."""
        told = []
        for one in self.numbers:
            interval, own = say_interval(one.key, one.figure), f" ({one.own})" if one.own else ""
            told.append(f"{NAMES[one.key]}{own}: {say(one.key, one.figure.value)}" + (f" · {interval}" if interval else ""))
        return told

    @property
    def days(self) -> str:
        """The period in words."""
        return days_words(self.question.since, self.question.until)


def report_content(layout: Layout, address: ReportAddress, today: date, viewer: Viewer) -> Content:
    """A report as its page shows it."""
    question = address.question(today)
    made = make_report(layout, question, viewer)
    table = made.table
    names = group_names(table.question.by, viewer)
    before = {key: figure for key, figure in made.before.items() if MEASURES[key].dated_by}
    numbers = [Number(key, figure, before.get(key)) for key, figure in made.tiles.items()]
    courses = [Course(key, made.over_time.question.per, made.over_time.rows) for key in layout.over_time]
    split = Split(table.question.by, layout.columns, _largest_first(table.rows), table.whole, names)
    return Content(
        layout.slug,
        str(REPORT_NAMES[layout.slug]),
        question,
        table.as_of,
        facet_words(question.chosen.items(), viewer),
        numbers,
        courses,
        [split],
        made.comparison,
        head=(*HEAD, *DRAWN),
        lines=list(_lines_of_report(made, question, before, names)),
        is_part=_is_part(question, viewer),
    )


def dashboard_content(dashboard: Dashboard, address: ReportAddress, today: date, viewer: Viewer) -> Content:
    """A dashboard: each tile is a number, and what it shows besides."""
    question = address.question(today)
    numbers, courses, splits = [], [], []
    lines: list[list[Any]] = []
    is_part = _is_part(question, viewer)
    for one in count_tiles(tiles_of(dashboard), address, today, viewer):
        key, own = one.tile.measure, own_words(one.tile, viewer)
        is_part = is_part or bool(own)
        names = group_names(one.tile.by, viewer) if one.tile.form == BY_GROUP else {}
        numbers.append(Number(key, one.figure, None, own))
        if one.tile.form == OVER_TIME:
            courses.append(Course(key, one.question.per, one.table.rows, own))
        if one.tile.form == BY_GROUP:
            splits.append(Split(one.tile.by, (key,), _largest_first(one.table.rows), one.table.whole, names, own))
        lines += _lines_of_tile(one, names)
    return Content(
        f"dashboard-{dashboard.pk}",
        dashboard.name,
        question,
        find_moment(question.as_of),
        facet_words(question.chosen.items(), viewer),
        numbers,
        courses,
        splits,
        head=(*HEAD, "chosen"),
        lines=lines,
        is_part=is_part,
    )


def own_words(tile: Tile, viewer: Viewer) -> str:
    """What a tile chooses by itself, whatever the page says."""
    return " · ".join([*([dict(period_words())[tile.period]] if tile.period else []), *facet_words(tile.chosen, viewer)])


def _is_part(question: Question, viewer: Viewer) -> bool:
    return bool(question.chosen) or viewer.team_ids is not None


def _largest_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-max(figure.n for figure in row.figures.values()), str(row.group)))


def _lines_of_report(made: Report, question: Question, before: dict[str, Figure], names: dict[Any, str]) -> Iterable[list[Any]]:
    """Tiles, what is drawn over time, the table with how groups compare, then the tiles in the period before."""
    days, nothing = (question.since, question.until), [None] * len(DRAWN)
    standings = {(made.comparison.key, one.group): one for one in made.comparison.standings} if made.comparison else {}
    for key, figure in made.tiles.items():
        yield [*_line(key, figure, days), *nothing]
    for row in [*made.over_time.rows, *made.table.rows]:
        for key, figure in row.figures.items():
            one = standings.get((key, row.group)) if row.day is None else None
            drawn = [one.drawn.value, one.drawn.low, one.drawn.high, one.verdict or None] if one is not None else nothing
            yield [*_line(key, figure, days, row, names), *drawn]
    if before and question.since is not None and question.until is not None:
        for key, figure in before.items():
            yield [*_line(key, figure, period_before(question.since, question.until)), *nothing]


def _lines_of_tile(one: Counted, names: dict[Any, str]) -> Iterable[list[Any]]:
    question, key = one.question, one.tile.measure
    days = question.since, question.until
    chosen = " ".join(f"{name}={value}" for name, value in sorted(question.chosen.items()))
    yield [*_line(key, one.figure, days), chosen]
    for row in one.table.rows:
        yield [*_line(key, row.figures[key], days, row, names), chosen]


def _line(key: str, figure: Figure, days: Days, row: Row | None = None, names: dict[Any, str] | None = None) -> list[Any]:
    """As HEAD; what there is none of is None."""
    group, day = (row.group, row.day) if row is not None else (None, None)
    name = None if row is None or day is not None else (names or {}).get(group, group)
    return [key, group, name, day, figure.value, figure.low, figure.high, figure.n, *days]
