"""Asking for figures: one question, one table; what a screen shows, a file holds and the API returns is this table.

A question as of an earlier moment reads the facts that held then, so it gives what was shown then, to the digit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import connection
from django.utils.translation import gettext as _
from numpy.typing import ArrayLike

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.rows import marks, table_of
from careloop.desk.measures.models import (
    AnswerFact,
    AnswerFactPast,
    CaseFact,
    CaseFactPast,
    Facets,
    Ledger,
    WorkFact,
    WorkFactPast,
)
from careloop.desk.measures.rules.definitions import (
    ANSWER,
    CASE,
    COUNT,
    GROUPS,
    MEASURES,
    MEDIAN,
    RATE,
    SHARE,
    TIMES,
    WORK,
    Measure,
)
from careloop.desk.measures.rules.values import NOTHING, Figure, Sums, add_up, figure_of
from careloop.desk.measures.sheets import Fold, Group, Sheet
from careloop.insight.stats.intervals import median_interval
from careloop.insight.stats.survival import fit_survival

TABLES: dict[str, tuple[type, type]] = {
    CASE: (CaseFact, CaseFactPast),
    ANSWER: (AnswerFact, AnswerFactPast),
    WORK: (WorkFact, WorkFactPast),
}
CASES_SHOWN = 500


@dataclass(frozen=True)
class Question:
    """Which figures: measures by their keys, split `by` a facet and `per` day, week or month, of facts chosen by period and facets.

    `as_of` None asks for what is shown now.
    """

    measures: tuple[str, ...]
    by: str = ""
    per: str = ""
    since: date | None = None
    until: date | None = None
    chosen: dict[str, Any] = field(default_factory=dict)
    as_of: datetime | None = None


@dataclass(frozen=True)
class Row:
    """The figures of one group at one time, by the measures' keys; `day` is the first day of the time."""

    group: Any
    day: date | None
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Table:
    """The answer: `whole` has the figures of all facts together; `as_of` is None when nothing was counted yet."""

    question: Question
    as_of: datetime | None
    rows: list[Row]
    whole: dict[str, Figure]


def ask(question: Question, viewer: Viewer, sheet: Sheet | None = None, read_as: Question | None = None) -> Table:
    """Count; one query for the measures that look at the same facts and days.

    Questions that differ in nothing but measures, times, split and period share a `sheet`, read as `read_as`: its split and its period,
    which holds theirs.
    """
    check_may(viewer, "report.view")
    check_question(question)
    as_of = find_moment(question.as_of)
    if as_of is None:
        return Table(question, None, [], dict.fromkeys(question.measures, NOTHING))
    sheet, asked = sheet or Sheet(question.measures), _Asked(read_as or question, viewer, as_of)
    fold = Fold(question.since, question.until, bool(question.by), question.per)
    cells: dict[str, dict[Group, Figure]] = {}
    whole: dict[str, Figure] = {}
    for key in question.measures:
        measure = MEASURES[key]
        if measure.form == MEDIAN:
            parts, together = sheet.spans(key, fold, asked.read_spans)
            cells[key] = {group: median_of(*some) for group, some in parts.items()}
            whole[key] = median_of(*together)
            continue
        sums = sheet.sums(key, fold, asked.read_sums)
        if measure.form == RATE:
            sums = _rates(sheet.sums(measure.value, fold, asked.read_sums), sums)
        cells[key] = {group: figure_of(measure, one) for group, one in sums.items()}
        whole[key] = figure_of(measure, add_up(sums.values()))
    groups = sorted({group for some in cells.values() for group in some}, key=lambda one: (one[1], str(one[0])))
    rows = [Row(name, _date(day), {key: cells[key].get((name, day), NOTHING) for key in question.measures}) for name, day in groups]
    return Table(question, as_of, rows if question.by or question.per else [], whole)


def list_cases_behind(question: Question, key: str, viewer: Viewer, *, is_hit: bool | None = None) -> list[Case]:
    """The newest 500 cases that a figure of this question counts; with `is_hit` those of a share that hit, or did not."""
    check_may(viewer, "report.view")
    check_question(question)
    as_of = find_moment(question.as_of)
    if as_of is None:
        return []
    measure = MEASURES[key]
    if measure.form == RATE:
        measure = MEASURES[measure.value]
    numbers = _Asked(question, viewer, as_of).list_cases(measure, is_hit)
    found = {case.pk: case for case in Case.objects.visible_to(viewer).filter(pk__in=numbers).select_related("customer", "assignee")}
    return [found[number] for number in numbers if number in found]


def find_moment(as_of: datetime | None) -> datetime | None:
    """The moment that the facts show: the newest, or the one asked for if facts were kept then; None before the first count."""
    ledger = Ledger.objects.filter(pk=1).first()
    shown_at = ledger.shown_at if ledger is not None else None
    if as_of is None or shown_at is None:
        return shown_at
    return min(as_of, shown_at)


def check_question(question: Question) -> None:
    """Refuse unknown measures, groups and times, and a period that ends before it begins."""
    for key in question.measures:
        if key not in MEASURES:
            raise InvalidInput(f"The measure is {key!r}; expected one of {', '.join(MEASURES)}.", field="measure")
    if question.by and question.by not in GROUPS:
        raise InvalidInput(f"The figures shall be split by {question.by!r}; expected one of {', '.join(GROUPS)}.", field="by")
    if question.per and question.per not in TIMES:
        raise InvalidInput(f"The times are {question.per!r}; expected one of {', '.join(TIMES)}.", field="per")
    for name in question.chosen:
        if name not in GROUPS:
            raise InvalidInput(f"The figures shall be chosen by {name!r}; expected one of {', '.join(GROUPS)}.", field="chosen")
    if question.since and question.until and question.since > question.until:
        sentence = _("The period begins on %(since)s and ends on %(until)s, before that; swap them.")
        raise InvalidInput(sentence % {"since": question.since, "until": question.until}, field="since")


def median_of(seconds: ArrayLike, has_ended: ArrayLike) -> Figure:
    """The time by which half have ended, from those that are over and those that are not; None when fewer than half have."""
    spans = np.maximum(np.asarray(seconds, dtype=np.int64), 0)
    if not len(spans):
        return NOTHING
    curve = fit_survival(spans, has_ended)
    low, high = median_interval(curve)
    return Figure(curve.quantile(0.5), low, high, len(spans))


def source_of(fact: str, as_of: datetime | None) -> tuple[str, list[Any]]:
    """The table of facts as it is, or as it was at a moment: SQL to select from, and its values."""
    now, past = (table_of(model) for model in TABLES[fact])
    if as_of is None:
        return now.name, []
    columns = ", ".join(now.columns)
    moment = connection.ops.adapt_datetimefield_value(as_of)
    kept = f"SELECT {columns} FROM {now.name} WHERE known_from <= %s"  # noqa: S608  (names of our own models)
    was = f"SELECT {columns} FROM {past.name} WHERE known_from <= %s AND known_until > %s"  # noqa: S608  (the same)
    return f"({kept} UNION ALL {was})", [moment, moment, moment]


class _Asked:
    """A question with its moment and viewer, as SQL."""

    def __init__(self, question: Question, viewer: Viewer, as_of: datetime) -> None:
        self.question, self.viewer, self.as_of = question, viewer, as_of

    def read_sums(self, measures: list[Measure]) -> list[tuple[Any, ...]]:
        """For each group and day: its label, the day, and three sums for each measure."""
        group, day = self._group_columns(measures[0])
        sql, values = self._rows_of(measures[0], f"SELECT {group}, {day}, {self._sql(', '.join(_sums_of(one) for one in measures))}")
        grouped = [name for name in (group, day) if name not in {"0", "NULL"}]
        rows = self._fetch(sql + (f" GROUP BY {', '.join(grouped)}" if grouped else ""), values)
        return [row for row in rows if row[2] is not None]

    def read_spans(self, measures: list[Measure]) -> list[tuple[Any, ...]]:
        """For each fact: its label, the day, and for each measure the seconds and whether they were over (1 or 0)."""
        group, day = self._group_columns(measures[0])
        spans = ", ".join(f"{one.value}, CASE WHEN {one.ended} THEN 1 ELSE 0 END" for one in measures)
        sql, values = self._rows_of(measures[0], f"SELECT {group}, {day}, {self._sql(spans)}")
        chosen = measures[0].chosen
        return self._fetch(f"{sql} AND ({self._sql(chosen)})" if chosen else sql, values)

    def list_cases(self, measure: Measure, is_hit: bool | None) -> list[int]:
        """The newest cases behind a measure."""
        sql, values = self._rows_of(measure, "SELECT DISTINCT f.case_id")
        sql += " AND f.case_id <> 0"
        if measure.chosen:
            sql += f" AND ({self._sql(measure.chosen)})"
        if is_hit is not None and measure.form == SHARE:
            sql += f" AND {'' if is_hit else 'NOT '}({self._sql(measure.value)})"
        return [number for (number,) in self._fetch(f"{sql} ORDER BY f.case_id DESC LIMIT {CASES_SHOWN}", values)]

    def _group_columns(self, measure: Measure) -> tuple[str, str]:
        group = _facet(self.question.by, measure) if self.question.by else "NULL"
        return group, f"f.{measure.dated_by}" if measure.dated_by else "0"

    def _rows_of(self, measure: Measure, select: str) -> tuple[str, list[Any]]:
        """The statement up to its conditions, and its values."""
        question = self.question
        source, values = self._source(measure.fact)
        conditions = [f"f.{measure.dated_by} IS NOT NULL" if measure.dated_by else "1 = 1"]
        if measure.dated_by:
            for sign, day in ((">=", question.since), ("<=", question.until)):
                if day is not None:
                    conditions.append(f"f.{measure.dated_by} {sign} %s")
                    values.append(day.toordinal())
        for name, value in question.chosen.items():
            conditions.append(f"{_facet(name, measure)} = %s")
            values.append(value)
        if self.viewer.team_ids is not None:
            conditions.append(f"g.team_id IN ({marks(self.viewer.team_ids) or 'NULL'})")
            values += self.viewer.team_ids
        facets = table_of(Facets).name
        return f"{select} FROM {source} f JOIN {facets} g ON g.id = f.facets_id WHERE {' AND '.join(conditions)}", values

    def _source(self, fact: str) -> tuple[str, list[Any]]:
        return source_of(fact, None if self.question.as_of is None else self.as_of)

    def _sql(self, text: str) -> str:
        return text.replace("{now}", str(int(self.as_of.timestamp())))

    @staticmethod
    def _fetch(sql: str, values: list[Any]) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())


def _facet(name: str, measure: Measure) -> str:
    """The column of a facet; work is done by whoever did it, whosever case it is."""
    return "f.user_id" if name == "agent" and measure.fact == WORK else GROUPS[name]


def _sums_of(measure: Measure) -> str:
    """SQL of a measure's number of facts, sum and sum of squares."""
    chosen = measure.chosen or "1 = 1"
    if measure.form == COUNT:
        return f"{_sum(chosen, '1')}, 0, 0"
    if measure.form == SHARE:
        return f"{_sum(chosen, '1')}, {_sum(f'({chosen}) AND ({measure.value})', '1')}, 0"
    value = "f.seconds" if measure.form == RATE else f"({measure.value})"
    return f"{_sum(chosen, '1')}, {_sum(chosen, value)}, {_sum(chosen, f'CAST({value} AS BIGINT) * {value}')}"


def _sum(chosen: str, value: str) -> str:
    return f"CAST(SUM(CASE WHEN {chosen} THEN {value} ELSE 0 END) AS BIGINT)"


def _rates(tasks: dict[Group, Sums], work: dict[Group, Sums]) -> dict[Group, Sums]:
    """Tasks done and seconds worked, for groups in which somebody worked."""
    return {group: Sums(tasks.get(group, Sums()).n, one.total) for group, one in work.items()}


def _date(day: int) -> date | None:
    return date.fromordinal(day) if day else None


def list_measures() -> Iterable[Measure]:
    """All of them, in the order in which pages show them."""
    return MEASURES.values()
