"""A report or a dashboard as a file: unrounded figures with commas between them."""

import csv
from io import StringIO

from careloop.desk.reports.content import HEAD, Content

DASHBOARD_HEAD = (*HEAD, "since", "until", "chosen")


def csv_of(content: Content) -> str:
    """The text of the file; it begins with the mark by which spreadsheets know UTF-8."""
    text = StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow(DASHBOARD_HEAD if content.slug.startswith("dashboard-") else HEAD)
    writer.writerows([[_harmless(value) for value in line] for line in content.lines])
    return text.getvalue()


def _harmless(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
