"""Cleaning: one row at a time as a pure function, and a whole table with its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from careloop.insight.errors import Sentence
from careloop.insight.tables.duplicates import SeenKeys
from careloop.insight.tables.plan import CleaningPlan, Missing, Step
from careloop.insight.tables.quantities import Amount
from careloop.insight.tables.reasons import Reason, ValueProblem
from careloop.insight.tables.report import CleaningReport
from careloop.insight.tables.results import CleanRow, Rejected
from careloop.insight.tables.rows import Row, in_column
from careloop.insight.tables.table import Table


def clean_row(row: Row, plan: CleaningPlan) -> CleanRow | Rejected:
    """Return the row cleaned by the plan, or why it cannot be; the first problem in the plan's order is told.

    Nothing is looked at but the row, so duplicates are not found here; `clean_table` does.

    Examples
    --------
    >>> from careloop.insight.tables import ColumnPlan, Kind
    >>> plan = CleaningPlan((ColumnPlan("手机", "phone", Kind.PHONE),))
    >>> clean_row(Row(1, {"手机": "138 0013 8000"}), plan).values
    {'phone': '+8613800138000'}
    """
    if row.error is not None:
        return Rejected(row.number, row.column, str(row.fault), row.error, row.values, row.line)
    values: dict[str, Any] = {}
    filled: list[str] = []
    kept: list[str] = []
    normalised: list[str] = []
    words, longest = plan.missing_words, plan.longest_missing_word
    for step in plan.steps:
        cell = row.values.get(step.column)
        if cell is None or ((cell.isspace() or len(cell) <= longest + 2) and cell.strip().lower() in words):
            if step.missing is Missing.DROP:
                return _rejected(row, step, Reason.MISSING, Sentence("the value is missing and the plan drops such rows"))
            (filled if step.missing is Missing.FILL else kept).append(step.field)
            values[step.field] = step.fill
            continue
        try:
            value = step.parse(cell)
        except ValueProblem as problem:
            return _rejected(row, step, problem.reason, problem.sentence)
        values[step.field] = value
        if value is not cell and value != cell and (step.plain is None or not step.plain.fullmatch(cell)):
            normalised.append(step.field)
    return CleanRow(row.number, values, tuple(filled), tuple(kept), tuple(normalised))


def clean_table(table: Table, plan: CleaningPlan, report: CleaningReport, *, start_after: int = 0) -> Iterator[CleanRow | Rejected]:
    """Yield the table's rows cleaned, and count them in `report`.

    Parameters
    ----------
    table : Table
    plan : CleaningPlan
    report : CleaningReport
        A fresh one.
    start_after : int
        Number of the last row already done. The rows up to it are cleaned again but not yielded, so that duplicates are
        recognised and the report is the same as that of a run without interruption.

    Raises
    ------
    MissingColumnError
        When the table lacks a column of the plan.
    DamagedFileError
        When the file breaks off.
    """
    plan.check_columns(table.columns)
    seen = SeenKeys()
    keys = plan.duplicate_keys
    for row in table:
        result = clean_row(row, plan)
        if keys and isinstance(result, CleanRow):
            cells = [result.values[key] for key in keys]
            if any(cell is not None for cell in cells) and not seen.add(*map(spelled, cells)):
                names = ", ".join(f"“{key}”" for key in keys)
                reason = in_column(row.number, row.line, None, Sentence("an earlier row has the same {names}", names=names))
                result = Rejected(row.number, None, Reason.DUPLICATE, reason, row.values, row.line)
        report.add(result)
        report.blank_rows = table.blank_rows
        if row.number > start_after:
            yield result


def spelled(value: object) -> str:
    """Return a cleaned value as text: ISO 8601 dates, plain numbers, "1250 CNY" (minor units); empty for None."""
    if isinstance(value, str):
        return value
    for types, spell in _SPELLINGS:
        if isinstance(value, types):
            return spell(value)
    return "" if value is None else str(value)


_SPELLINGS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (date, lambda value: value.isoformat()),
    (float, lambda value: f"{value:g}"),
    (Amount, lambda value: f"{value.cents} {value.currency}"),
    (Decimal, lambda value: format(value, "f")),
)


def _rejected(row: Row, step: Step, code: Reason, what: Sentence) -> Rejected:
    reason = in_column(row.number, row.line, step.column, what)
    return Rejected(row.number, step.column, code, reason, row.values, row.line)
