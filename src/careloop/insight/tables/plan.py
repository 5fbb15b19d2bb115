"""What shall become of each column: its field, its kind, and what to do about missing values and duplicates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from careloop.insight.errors import MissingColumnError, Sentence
from careloop.insight.tables.addresses import CALLING_CODES, parse_email, parse_phone
from careloop.insight.tables.dates import parse_date, parse_datetime
from careloop.insight.tables.errors import PlanError
from careloop.insight.tables.quantities import parse_amount, parse_integer, parse_number, parse_rating
from careloop.insight.tables.reasons import ValueProblem

MISSING_WORDS = frozenset(
    [
        "",
        "na",
        "n/a",
        "#n/a",
        "#null!",
        "#ref!",
        "#value!",
        "#div/0!",
        "#name?",
        "#num!",
        "nan",
        "null",
        "none",
        "nil",
        "\\n",
        "-",
        "--",
        "—",
        "——",
        "/",
        "无",
        "空",
        "暂无",
        "未填写",
    ]
)


class Kind(StrEnum):
    """How a column's cells are read, and the Python type that comes out."""

    TEXT = "TEXT"  # str, trimmed
    INTEGER = "INTEGER"  # int
    NUMBER = "NUMBER"  # Decimal
    RATING = "RATING"  # float
    DATE = "DATE"  # datetime.date
    DATETIME = "DATETIME"  # datetime.datetime in UTC
    EMAIL = "EMAIL"  # str
    PHONE = "PHONE"  # str, E.164
    AMOUNT = "AMOUNT"  # Amount(cents, currency)


PLAIN_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
PLAIN_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?", re.ASCII)
PLAIN_SPELLINGS = {  # a value spelled like this does not count as normalised, though its type changes
    Kind.INTEGER: PLAIN_NUMBER,
    Kind.NUMBER: PLAIN_NUMBER,
    Kind.RATING: PLAIN_NUMBER,
    Kind.AMOUNT: PLAIN_NUMBER,
    Kind.DATE: PLAIN_DATE,
    Kind.DATETIME: PLAIN_DATE,
}


class Missing(StrEnum):
    """What to do with a row that lacks the value: drop the row, fill the value in, or keep it as None."""

    DROP = "DROP"
    FILL = "FILL"
    KEEP = "KEEP"


@dataclass(frozen=True)
class ColumnPlan:
    """The plan for one column.

    Attributes
    ----------
    column : str
        Its name in the table.
    field : str
        Its name afterwards; unique in a plan.
    kind : Kind
    missing : Missing
    fill : str or None
        The value to fill in, written as it would stand in the file; needed with `Missing.FILL` and only there.
    scale : tuple of float
        Lowest and highest rating.
    is_day_first : bool or None
        Meaning of 03/05/2026; None refuses such dates as ambiguous.
    currency : str
        ISO 4217 code of amounts that name none.
    """

    column: str
    field: str
    kind: Kind = Kind.TEXT
    missing: Missing = Missing.KEEP
    fill: str | None = None
    scale: tuple[float, float] = (0.0, 5.0)
    is_day_first: bool | None = None
    currency: str = "CNY"

    def __post_init__(self) -> None:
        if (self.fill is not None) != (self.missing is Missing.FILL):
            state = Sentence("without a value") if self.fill is None else Sentence("and gives a value")
            told = Sentence(
                "The plan for column “{column}” says {policy} for missing values {state} to fill in; "
                "give a value with FILL and only with FILL.",
                column=self.column,
                policy=str(self.missing),
                state=state,
            )
            raise PlanError(told, field=self.field)
        if not self.scale[0] < self.scale[1]:
            raise PlanError(
                Sentence(
                    "The rating scale of “{column}” runs from {lowest:g} to {highest:g}; its end must be above its beginning.",
                    column=self.column,
                    lowest=self.scale[0],
                    highest=self.scale[1],
                ),
                field=self.field,
            )


@dataclass(frozen=True)
class CleaningPlan:
    """The plan for a table; columns that it does not name are left out.

    Attributes
    ----------
    columns : tuple of ColumnPlan
    duplicate_keys : tuple of str
        Fields that make two rows duplicates when all of them are equal; of these the first row stays. Empty: duplicates
        are kept. Rows that lack all of them are never duplicates.
    missing_words : frozenset of str
        What counts as missing, in lower case; cells are trimmed and lower-cased before the comparison.
    region : str
        ISO 3166 code for phone numbers without a country.
    time_zone : str
        IANA name, for times without an offset.

    Raises
    ------
    PlanError
        When fields repeat, a key is no field, a fill value cannot be read as its kind, or region or zone are unknown.
    """

    columns: tuple[ColumnPlan, ...]
    duplicate_keys: tuple[str, ...] = ()
    missing_words: frozenset[str] = field(default=MISSING_WORDS)
    region: str = "CN"
    time_zone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        fields = [one.field for one in self.columns]
        if not fields:
            raise PlanError(Sentence("The cleaning plan names no column; map at least one column to a field."))
        for name in fields:
            if fields.count(name) > 1:
                told = Sentence("Two columns are mapped to the field “{field}”; map one of them elsewhere.", field=name)
                raise PlanError(told, field=name)
        for key in self.duplicate_keys:
            if key not in fields:
                told = Sentence("Duplicates cannot be found by “{field}”, as no column is mapped to it.", field=key)
                raise PlanError(told, field=key)
        if self.region not in CALLING_CODES:
            told = Sentence("“{region}” is no known region; use one of {known}.", region=self.region, known=", ".join(CALLING_CODES))
            raise PlanError(told, field="region")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            told = Sentence("“{zone}” is no time zone; use a name like Asia/Shanghai.", zone=self.time_zone)
            raise PlanError(told, field="time_zone") from None
        self.steps  # noqa: B018 - reads the fill values, so that a wrong one is found now

    def check_columns(self, present: Iterable[str]) -> None:
        """Check that a table has the columns of the plan.

        Raises
        ------
        MissingColumnError
        """
        names = tuple(present)
        for one in self.columns:
            if one.column not in names:
                raise MissingColumnError(one.column, names)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The plan, compiled: one step a column."""
        steps = []
        for one in self.columns:
            parse = _parser(one, self)
            fill = None
            if one.fill is not None:
                try:
                    fill = parse(one.fill)
                except ValueProblem as problem:
                    told = Sentence(
                        "The value to fill into “{field}” cannot be used: {problem}.", field=one.field, problem=problem.sentence
                    )
                    raise PlanError(told, field=one.field) from None
            steps.append(Step(one.column, one.field, parse, one.missing, fill, PLAIN_SPELLINGS.get(one.kind)))
        return tuple(steps)

    @cached_property
    def longest_missing_word(self) -> int:
        """Characters of the longest missing word; longer cells need no look-up."""
        return max((len(word) for word in self.missing_words), default=0)


@dataclass(frozen=True, slots=True)
class Step:
    """What is done with one cell of every row."""

    column: str
    field: str
    parse: Callable[[str], Any]
    missing: Missing
    fill: Any
    plain: re.Pattern[str] | None


def _parser(one: ColumnPlan, plan: CleaningPlan) -> Callable[[str], Any]:
    lowest, highest = one.scale
    parsers: dict[Kind, Callable[[str], Any]] = {
        Kind.TEXT: str.strip,
        Kind.INTEGER: parse_integer,
        Kind.NUMBER: parse_number,
        Kind.RATING: partial(parse_rating, lowest=lowest, highest=highest),
        Kind.DATE: partial(parse_date, is_day_first=one.is_day_first),
        Kind.DATETIME: partial(parse_datetime, is_day_first=one.is_day_first, zone=ZoneInfo(plan.time_zone)),
        Kind.EMAIL: parse_email,
        Kind.PHONE: partial(parse_phone, region=plan.region),
        Kind.AMOUNT: partial(parse_amount, currency=one.currency),
    }
    return parsers[one.kind]
