"""Figures as files: unrounded, with commas between them, and no text in them that a spreadsheet would run."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from careloop.desk.analysis.feedback_export import escape_formula
from careloop.desk.reports.content import Content
from careloop.desk.reports.parts import Document

MARK = "\ufeff"  # by which spreadsheets know UTF-8


def csv_of(content: Content | Document) -> str:
    """A report or a dashboard as a file."""
    return csv_text(content.head, content.lines)


def csv_text(head: Sequence[str], lines: Iterable[Sequence[Any] | Mapping[str, Any]]) -> str:
    """The text of a file; lines may be given by the names of their columns."""
    return "".join(csv_parts([head, *([line[name] for name in head] if isinstance(line, Mapping) else line for line in lines)]))


def csv_parts(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The same a row at a time, for files that are too long to be held."""
    yield MARK
    for row in rows:
        text = StringIO()
        csv.writer(text).writerow([_harmless(value) for value in row])
        yield text.getvalue()


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it; numbers below zero stay numbers."""
    return escape_formula(value) if isinstance(value, str) else value
