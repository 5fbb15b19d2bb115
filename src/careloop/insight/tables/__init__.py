"""Tabular files from outside: reading CSV, JSON lines, XLSX and Parquet as streams, and cleaning what they hold.

`open_table` reads, `preview` looks, `suggest_mapping` proposes, `clean_table` cleans by a `CleaningPlan` and counts in a
`CleaningReport`, `RejectWriter` keeps what was not taken over. Nothing here writes to a database.
"""

from careloop.insight.tables.addresses import parse_email, parse_phone
from careloop.insight.tables.cleaning import clean_row, clean_table, spelled
from careloop.insight.tables.dates import parse_date, parse_datetime
from careloop.insight.tables.errors import DamagedFileError, PlanError, TooLargeError
from careloop.insight.tables.mapping import Suggestion, suggest_mapping
from careloop.insight.tables.plan import MISSING_WORDS, CleaningPlan, ColumnPlan, Kind, Missing
from careloop.insight.tables.preview import Preview, preview
from careloop.insight.tables.quantities import Amount, parse_amount, parse_integer, parse_number, parse_rating
from careloop.insight.tables.reasons import Reason
from careloop.insight.tables.rejects import RejectWriter, escape_formula
from careloop.insight.tables.report import CleaningReport
from careloop.insight.tables.results import CleanRow, Rejected
from careloop.insight.tables.rows import Fault, Limits, Row
from careloop.insight.tables.table import Table, open_table

__all__ = [
    "MISSING_WORDS",
    "Amount",
    "CleanRow",
    "CleaningPlan",
    "CleaningReport",
    "ColumnPlan",
    "DamagedFileError",
    "Fault",
    "Kind",
    "Limits",
    "Missing",
    "PlanError",
    "Preview",
    "Reason",
    "RejectWriter",
    "Rejected",
    "Row",
    "Suggestion",
    "Table",
    "TooLargeError",
    "clean_row",
    "clean_table",
    "escape_formula",
    "open_table",
    "parse_amount",
    "parse_date",
    "parse_datetime",
    "parse_email",
    "parse_integer",
    "parse_number",
    "parse_phone",
    "parse_rating",
    "preview",
    "spelled",
    "suggest_mapping",
]
