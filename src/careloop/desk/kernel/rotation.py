"""Moving stored values from old encryption keys to the active one, a batch at a time, beside running processes."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from careloop.desk.kernel import crypto
from careloop.desk.kernel.fields import EncryptedBytesField

BATCH = 500


@dataclass(frozen=True)
class Column:
    """One encrypted column of the database."""

    table: str
    key: str
    name: str
    context: str


def encrypted_columns() -> list[Column]:
    """Every encrypted column of every app, in the order of their names."""
    found = []
    for model in apps.get_models():
        for column in model._meta.local_concrete_fields:
            if isinstance(column, EncryptedBytesField):
                key = model._meta.pk.column or model._meta.pk.attname
                found.append(Column(model._meta.db_table, key, column.column or column.attname, column.context()))
    return sorted(found, key=lambda column: column.context)


def count_stale(column: Column, prefix: bytes) -> int:
    """How many values do not begin with `prefix`, that is: were encrypted with another key."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {_from(column)}", [len(prefix), prefix])  # noqa: S608  (names of our own models)
        return int(cursor.fetchone()[0])


def reencrypt(column: Column, batch: int = BATCH) -> Iterator[int]:
    """Re-encrypt the column's stale values with the active key; yields the number changed after each committed batch.

    May be stopped at any point and begun again. A value that somebody else changes in between keeps that change.
    """
    prefix = crypto.prefix_of(settings.SECRETS.active)
    last = 0
    while True:
        with transaction.atomic():
            rows = _stale_rows(column, prefix, last, batch)
            changed = _write(column, rows)
        if not rows:
            return
        last = rows[-1][0]
        yield changed


def _stale_rows(column: Column, prefix: bytes, after: int, batch: int) -> list[tuple[int, bytes]]:
    key, name = _quoted(column.key), _quoted(column.name)
    lock = " FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {name} FROM {_from(column)} AND {key} > %s ORDER BY {key} LIMIT %s{lock}",  # noqa: S608
            [len(prefix), prefix, after, batch],
        )
        return [(int(row[0]), bytes(row[1])) for row in cursor.fetchall()]


def _write(column: Column, rows: list[tuple[int, bytes]]) -> int:
    table, key, name = _quoted(column.table), _quoted(column.key), _quoted(column.name)
    fresh = [(crypto.encrypt(crypto.decrypt(old, column.context), column.context), row_id, old) for row_id, old in rows]
    changed = 0
    with connection.cursor() as cursor:
        for parameters in fresh:
            cursor.execute(f"UPDATE {table} SET {name} = %s WHERE {key} = %s AND {name} = %s", parameters)  # noqa: S608
            changed += cursor.rowcount
    return changed


def _from(column: Column) -> str:
    name = _quoted(column.name)
    return f"{_quoted(column.table)} WHERE {name} IS NOT NULL AND SUBSTR({name}, 1, %s) <> %s"


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
