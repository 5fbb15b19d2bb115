"""Asking for figures: one question, one table; what a screen shows, a file holds and the API returns is this table.

A question as of an earlier moment reads the facts that held then, so it gives what was shown then, to the digit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import ArrayLike

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.columns import Integers
from careloop.desk.measures.models import Ledger
from careloop.desk.measures.reading import Facts, Question
from careloop.desk.measures.rules.definitions import GROUPS, MEASURES, MEDIAN, RATE, TIMES, Measure
from careloop.desk.measures.rules.values import NOTHING, Figure, Sums, add_up, figure_of
from careloop.desk.measures.sheets import Fold, Group, Sheet
from careloop.insight.stats.intervals import median_interval
from careloop.insight.stats.survival import fit_survival

CASES_SHOWN = 500


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
    sheet, facts = sheet or Sheet(question.measures), Facts(read_as or question, viewer, as_of)
    fold = Fold(question.since, question.until, bool(question.by), question.per)
    cells: dict[str, dict[Group, Figure]] = {}
    whole: dict[str, Figure] = {}
    for key in question.measures:
        measure = MEASURES[key]
        if measure.form == MEDIAN:
            parts = sheet.spans(key, fold, facts) if question.by or question.per else {}
            cells[key] = {group: _median_of(spans) for group, spans in parts.items()}
            whole[key] = sheet.median(key, fold, facts, _median_of)
            continue
        sums = sheet.sums(key, fold, facts)
        if measure.form == RATE:
            sums = _rates(sheet.sums(measure.value, fold, facts), sums)
        cells[key] = {group: figure_of(measure, one) for group, one in sums.items()}
        whole[key] = figure_of(measure, add_up(sums.values()))
    groups = sorted({group for some in cells.values() for group in some}, key=lambda one: (one[1], str(one[0])))
    rows = [Row(name, _date(day), {key: cells[key].get((name, day), NOTHING) for key in question.measures}) for name, day in groups]
    return Table(question, as_of, rows if question.by or question.per else [], whole)


def list_cases_behind(question: Question, key: str, viewer: Viewer, *, is_hit: bool | None = None) -> list[Case]:
    """The newest 500 cases that a figure of this question counts; with `is_hit` those that hit (a span: is over), or did not."""
    check_may(viewer, "report.view")
    check_question(question)
    as_of = find_moment(question.as_of)
    if as_of is None:
        return []
    measure = MEASURES[key]
    if measure.form == RATE:
        measure = MEASURES[measure.value]
    numbers = Facts(question, viewer, as_of).list_cases(measure, most=CASES_SHOWN, is_hit=is_hit)
    found = {case.pk: case for case in Case.objects.visible_to(viewer).filter(pk__in=numbers).select_related("customer", "assignee")}
    return [found[number] for number in numbers if number in found]


def find_moment(as_of: datetime | None) -> datetime | None:
    """The moment that the facts show: the newest, or the one asked for; None where nothing had been counted yet."""
    ledger = Ledger.objects.filter(pk=1).first()
    if ledger is None or ledger.shown_at is None:
        return None
    if as_of is None:
        return ledger.shown_at
    is_before_all = ledger.first_shown_at is not None and as_of < ledger.first_shown_at
    return None if is_before_all else min(as_of, ledger.shown_at)


def check_question(question: Question) -> None:
    """Refuse unknown measures, groups and times, and a period that ends before it begins."""
    for key in question.measures:
        if key not in MEASURES:
            raise InvalidInput(f"The measure is {key!r}; expected one of {', '.join(MEASURES)}.", field="measure")
    if question.by and question.by not in GROUPS:
        sentence = _("The figures shall be split by %(given)r; expected one of %(known)s.")
        raise InvalidInput(_expected(sentence, question.by, GROUPS), field="by")
    if question.per and question.per not in TIMES:
        raise InvalidInput(_expected(_("The times are %(given)r; expected one of %(known)s."), question.per, TIMES), field="per")
    for name in question.chosen:
        if name not in GROUPS:
            raise InvalidInput(f"The figures shall be chosen by {name!r}; expected one of {', '.join(GROUPS)}.", field="chosen")
    if question.since and question.until and question.since > question.until:
        sentence = _("The period begins on %(since)s and ends on %(until)s, before that; swap them.")
        raise InvalidInput(sentence % {"since": question.since, "until": question.until}, field="since")


def _expected(sentence: str, given: str, known: Iterable[str]) -> str:
    return sentence % {"given": given, "known": ", ".join(known)}


def median_of(seconds: ArrayLike, has_ended: ArrayLike) -> Figure:
    """The time by which half have ended, from those that are over and those that are not; None when fewer than half have."""
    spans = np.maximum(np.asarray(seconds, dtype=np.int64), 0)
    if not len(spans):
        return NOTHING
    curve = fit_survival(spans, has_ended)
    low, high = median_interval(curve)
    return Figure(curve.quantile(0.5), low, high, len(spans))


def _median_of(spans: Integers) -> Figure:
    """Of spans as a sheet has them."""
    return median_of(spans >> 1, spans & 1)


def _rates(tasks: dict[Group, Sums], work: dict[Group, Sums]) -> dict[Group, Sums]:
    """Tasks done and seconds worked, for groups in which somebody worked."""
    return {group: Sums(tasks.get(group, Sums()).n, one.total) for group, one in work.items()}


def _date(day: int) -> date | None:
    return date.fromordinal(day) if day else None


def list_measures() -> Iterable[Measure]:
    """All of them, in the order in which pages show them."""
    return MEASURES.values()
