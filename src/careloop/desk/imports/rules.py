"""What a person chose for an import, checked and turned into a cleaning plan: plain Python."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from careloop.insight.errors import InputError, Sentence
from careloop.insight.tables import CleaningPlan, ColumnPlan, Kind, Missing, PlanError, Suggestion, Table, parse_rating

FEEDBACK, MESSAGES, PURCHASES = "FEEDBACK", "MESSAGES", "PURCHASES"
FIELDS: dict[str, Kind] = {
    "text": Kind.TEXT,
    "rating": Kind.RATING,
    "category": Kind.TEXT,
    "product": Kind.TEXT,
    "sent_at": Kind.DATETIME,
    "external_id": Kind.TEXT,
    "subject": Kind.TEXT,
    "customer_name": Kind.TEXT,
    "email": Kind.EMAIL,
    "phone": Kind.PHONE,
    "customer_id": Kind.TEXT,
    "language": Kind.TEXT,
    "amount": Kind.TEXT,
    "currency": Kind.TEXT,
}
FIELD_OF_SUGGESTION = {"created_at": "sent_at", "title": "subject"}
ADDRESS_FIELDS = ("email", "phone", "customer_id")
NEEDED_OF_PURCHASES = ("external_id", "sent_at", "amount")
FIELDS_OF_PURCHASES = (*NEEDED_OF_PURCHASES, "currency", "product", "customer_name", *ADDRESS_FIELDS, "language")
WIDEST_RATING = 1_000_000.0


@dataclass(frozen=True)
class ColumnChoice:
    """One column: the field that it becomes, and what happens to rows without a value (KEEP, DROP or FILL with `fill`)."""

    column: str
    field: str
    missing: str = "KEEP"
    fill: str = ""


@dataclass(frozen=True)
class Choices:
    """What a person may choose for one import; kept as JSON with the run. The rating scale is None until the file is looked at."""

    columns: tuple[ColumnChoice, ...]
    rating_min: float | None = None
    rating_max: float | None = None
    is_day_first: bool | None = None
    drops_repeated: bool = False
    region: str = "CN"
    time_zone: str = "UTC"
    encoding: str = ""
    sheet: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain lists, texts and numbers; `from_json` turns them back."""
        return asdict(self) | {"columns": [asdict(one) for one in self.columns]}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Choices":
        """The choices that `to_json` wrote."""
        return cls(**stored | {"columns": tuple(ColumnChoice(**one) for one in stored["columns"])})

    def column_of(self, field: str) -> str | None:
        """The column that becomes this field."""
        return next((one.column for one in self.columns if one.field == field), None)


def suggested_choices(suggestions: Sequence[Suggestion], what: str, *, time_zone: str) -> Choices:
    """The choices proposed to the person: fields that we store; rows without text are dropped unless a rating can stand alone."""
    known = fields_of(what)
    alike = FIELD_OF_SUGGESTION if what != PURCHASES else {**FIELD_OF_SUGGESTION, **_order_numbers(suggestions)}
    named = [(one.column, alike.get(one.field or "", one.field or "")) for one in suggestions]
    mapped = {field for _, field in named}
    dropped = NEEDED_OF_PURCHASES if what == PURCHASES else ("text",) if what == MESSAGES or "rating" not in mapped else ()
    columns = tuple(ColumnChoice(column, field, "DROP" if field in dropped else "KEEP") for column, field in named if field in known)
    return Choices(columns, time_zone=time_zone)


def fields_of(what: str) -> tuple[str, ...]:
    """What the columns of a file can be."""
    return FIELDS_OF_PURCHASES if what == PURCHASES else tuple(field for field in FIELDS if field not in ("amount", "currency"))


def check_choices(choices: Choices, what: str) -> None:
    """Refuse choices from which no message or purchase can come (PlanError)."""
    fields = {one.field for one in choices.columns}
    if what not in (FEEDBACK, MESSAGES, PURCHASES):
        told = Sentence("The import is of “{what}”; expected {known}.", what=what, known=f"{FEEDBACK}, {MESSAGES}, {PURCHASES}")
        raise PlanError(told, field="what")
    if unknown := sorted(fields.difference(fields_of(what))):
        told = Sentence("“{field}” is no field; choose one of {known}.", field=unknown[0], known=", ".join(fields_of(what)))
        raise PlanError(told, field=unknown[0])
    if what == FEEDBACK and not fields & {"text", "rating"}:
        raise PlanError(Sentence("No column is chosen as text or rating; feedback needs at least one of them."), field="text")
    if what == MESSAGES and "text" not in fields:
        raise PlanError(Sentence("No column is chosen as text; messages need one."), field="text")
    if what == MESSAGES and not fields & set(ADDRESS_FIELDS):
        raise PlanError(
            Sentence("No column is chosen as e-mail, phone or customer number; a message that opens a case needs a sender to answer to."),
            field="email",
        )
    if what == PURCHASES and not (fields.issuperset(NEEDED_OF_PURCHASES) and fields & set(ADDRESS_FIELDS)):
        told = Sentence(
            "Purchases need an order number, a time, an amount, and the customer's e-mail, phone or number; choose their columns."
        )
        raise PlanError(told, field="external_id")
    if (choices.rating_min is None) != (choices.rating_max is None):
        sentence = Sentence("Only one end of the rating scale is given; give both, or none to take them from the values.")
        raise PlanError(sentence, field="rating")
    cleaning_plan(choices)


def cleaning_plan(choices: Choices) -> CleaningPlan:
    """The plan that the tables package cleans by; rows with the same external id, or the same in every column, are duplicates."""
    scale = (0.0, 5.0) if choices.rating_min is None or choices.rating_max is None else (choices.rating_min, choices.rating_max)
    columns = tuple(
        ColumnPlan(
            one.column,
            one.field,
            FIELDS[one.field],
            Missing(one.missing),
            one.fill if one.missing == Missing.FILL else None,
            scale=scale,
            is_day_first=choices.is_day_first,
        )
        for one in choices.columns
    )
    return CleaningPlan(columns, duplicate_keys=_duplicate_keys(choices), region=choices.region, time_zone=choices.time_zone)


def _order_numbers(suggestions: Sequence[Suggestion]) -> dict[str, str]:
    """The column of order numbers names the row; another one that numbers rows is left out beside it."""
    has_orders = any(one.field == "order_number" for one in suggestions)
    return {"order_number": "external_id", "external_id": ""} if has_orders else {}


def _duplicate_keys(choices: Choices) -> tuple[str, ...]:
    if choices.column_of("external_id"):
        return ("external_id",)
    return tuple(one.field for one in choices.columns) if choices.drops_repeated else ()


def looked_over(choices: Choices, table: Table) -> tuple[Choices, int]:
    """The number of the file's last row, and the choices with the rating scale that the whole file shows if none was given."""
    column = choices.column_of("rating")
    last = 0

    def cells() -> Iterator[str | None]:
        nonlocal last
        for row in table:
            last = row.number
            yield row.values.get(column) if column else None

    lowest, highest = usual_scale(cells())
    if column is None or choices.rating_min is not None:
        return choices, last
    return replace(choices, rating_min=lowest, rating_max=highest), last


def usual_scale(cells: Iterable[str | None]) -> tuple[float, float]:
    """The narrowest usual scale (0–1, 1–5, 0–5, 0–10, 0–100) that holds every rating; 1–5 when there is none."""
    lowest, highest = float("inf"), float("-inf")
    known: dict[str, tuple[float, ...]] = {}
    for cell in cells:
        if cell is None:
            continue
        values = known.get(cell)
        if values is None:
            values = _ratings(cell)
            if len(known) < 10_000:
                known[cell] = values
        for value in values:
            lowest, highest = min(lowest, value), max(highest, value)
    if lowest > highest:
        return 1.0, 5.0
    for bottom, top in ((0.0, 1.0), (1.0, 5.0), (0.0, 5.0), (0.0, 10.0), (0.0, 100.0)):
        if bottom <= lowest and highest <= top:
            return bottom, top
    return min(0.0, lowest), max(1.0, highest)


def _ratings(cell: str) -> tuple[float, ...]:
    """The rating in a cell; "4/10" names the end of its scale too. Nothing for a cell that is no rating."""
    value, slash, top = cell.rpartition("/")
    try:
        if slash:
            return parse_rating(value, 0, WIDEST_RATING), float(top)
        return (parse_rating(cell, -WIDEST_RATING, WIDEST_RATING),)
    except ValueError:
        return ()


def missing_choice(text: str) -> tuple[str, str, str]:
    """Column, policy and fill value of "COL=drop", "COL=keep" or "COL=fill:VALUE" (InputError otherwise)."""
    column, equals, policy = text.rpartition("=") if "=fill:" not in text else text.partition("=fill:")
    if "=fill:" in text:
        return column, "FILL", policy
    if not equals or not column or policy not in ("drop", "keep"):
        raise InputError(
            Sentence("“{text}” says nothing about missing values; write COLUMN=drop, COLUMN=keep or COLUMN=fill:VALUE.", text=text),
            field="missing",
        )
    return column, policy.upper(), ""
