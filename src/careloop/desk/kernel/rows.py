"""Rows in and out by plain statements, for the steps that every message takes (docs/decisions/0009-intake-speed.md).

The ORM builds a statement anew at each call, which costs five to ten times as much as the database needs to run it. Values are prepared
by the models' own columns, so encryption, times and JSON are the same either way. Everything else stays with the ORM.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.expressions import Col

Row = TypeVar("Row", bound=models.Model)
AS_THEY_ARE = (str, int, bool, float, type(None))
PLAIN_COLUMNS = frozenset(
    {"CharField", "TextField", "ForeignKey", "OneToOneField", "IntegerField", "BigIntegerField", "PositiveIntegerField"}
    | {"SmallIntegerField", "PositiveSmallIntegerField", "BooleanField", "FloatField", "SlugField"}
)


@dataclass(frozen=True)
class Table:
    """A model's columns on the database in use, looked up once."""

    name: str
    attributes: tuple[str, ...]  # without the primary key
    columns: tuple[str, ...]
    prepare: tuple[Callable[..., Any], ...]
    selected: str
    read_attributes: tuple[str, ...]
    convert: tuple[tuple[int, tuple[Callable[..., Any], ...], Any], ...]
    rows_at_once: int


def insert_rows(rows: Iterable[Row], *, ignore_conflicts: bool = False) -> list[Row]:
    """Store new rows of one model in their order, in as few statements as the database takes; gives them their primary keys.

    With `ignore_conflicts` rows that are there already are left alone, and none gets a key.
    """
    stored = list(rows)
    if not stored:
        return stored
    connection = connections[DEFAULT_DB_ALIAS]
    table = table_of(type(stored[0]))
    head = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES "  # noqa: S608  (names of our own models)
    one = f"({marks(table.columns)})"
    tail = " ON CONFLICT DO NOTHING" if ignore_conflicts else " RETURNING id"
    with connection.cursor() as cursor:
        for start in range(0, len(stored), table.rows_at_once):
            part = stored[start : start + table.rows_at_once]
            cursor.execute(head + ", ".join([one] * len(part)) + tail, _values(table, part, connection))
            if ignore_conflicts:
                continue
            for row, (key,) in zip(part, cursor.fetchall(), strict=True):
                row.pk, row._state.adding, row._state.db = key, False, connection.alias
    return stored


def update_rows(rows: Collection[models.Model], *attributes: str) -> None:
    """Write the named attributes of rows that are stored, each found by its primary key."""
    if not rows:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    table = table_of(type(next(iter(rows))))
    places = [table.attributes.index(attribute) for attribute in attributes]
    changes = ", ".join(f"{table.columns[place]} = %s" for place in places)
    chosen = [(table.attributes[place], table.prepare[place]) for place in places]
    values = [(*(prepare(getattr(row, attribute), connection) for attribute, prepare in chosen), row.pk) for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table.name} SET {changes} WHERE id = %s", values)  # noqa: S608  (names of our own models)


def find_rows(model: type[Row], condition: str, values: Sequence[Any], *, is_locked: bool = False) -> list[Row]:
    """The rows for which an SQL condition holds (it may end in ORDER BY); `is_locked` keeps them for us until the transaction ends."""
    connection = connections[DEFAULT_DB_ALIAS]
    table = table_of(model)
    lock = " FOR UPDATE" if is_locked and connection.features.has_select_for_update else ""  # SQLite has one writer anyway
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {table.selected} FROM {table.name} WHERE {condition}{lock}", values)  # noqa: S608  (callers' constants)
        found = cursor.fetchall()
    return [model.from_db(connection.alias, table.read_attributes, _converted(table, row, connection)) for row in found]


def marks(values: Collection[Any]) -> str:
    """A placeholder for each value, for IN (…) and VALUES (…)."""
    return ", ".join(["%s"] * len(values))


def table_of(model: type[models.Model]) -> Table:
    """How to write and read a model's rows on the database in use."""
    return _table_of(model, connections[DEFAULT_DB_ALIAS].vendor)


@lru_cache(maxsize=100)
def _table_of(model: type[models.Model], _vendor: str) -> Table:
    connection = connections[DEFAULT_DB_ALIAS]
    quote = connection.ops.quote_name
    every = list(model._meta.local_concrete_fields)
    written = [column for column in every if not column.primary_key]
    return Table(
        name=quote(model._meta.db_table),
        attributes=tuple(column.attname for column in written),
        columns=tuple(quote(column.column or column.attname) for column in written),
        prepare=tuple(_preparation(column) for column in written),
        selected=", ".join(quote(column.column or column.attname) for column in every),
        read_attributes=tuple(column.attname for column in every),
        convert=tuple(found for place, column in enumerate(every) if (found := _converters(place, column, connection))[1]),
        rows_at_once=max(1, connection.ops.bulk_batch_size(written, [None] * 1_000)),
    )


def _preparation(column: Any) -> Callable[..., Any]:
    """How a column's values become what the database takes: text, numbers and times without the ORM's many steps."""
    kind = column.get_internal_type()
    if kind in PLAIN_COLUMNS:
        return _plain
    return _moment if kind == "DateTimeField" else column.get_db_prep_save


def _plain(value: Any, _connection: Any) -> Any:
    return value if type(value) in AS_THEY_ARE else getattr(value, "value", value)


def _moment(value: Any, connection: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def _converters(place: int, column: Any, connection: Any) -> tuple[int, tuple[Callable[..., Any], ...], Any]:
    expression = Col(column.model._meta.db_table, column)
    return place, (*connection.ops.get_db_converters(expression), *expression.get_db_converters(connection)), expression


def _values(table: Table, rows: Sequence[models.Model], connection: Any) -> list[Any]:
    columns = list(zip(table.attributes, table.prepare, strict=True))
    return [prepare(getattr(row, attribute), connection) for row in rows for attribute, prepare in columns]


def _converted(table: Table, row: Sequence[Any], connection: Any) -> Sequence[Any]:
    if not table.convert:
        return row
    values = list(row)
    for place, converters, expression in table.convert:
        for convert in converters:
            values[place] = convert(values[place], expression, connection)
    return values
