"""Rows of a made-up desk written as fast as the database takes them, past the ORM."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any


def stored(value: Any) -> Any:
    """A value as Django keeps it in SQLite."""
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return json.dumps(value) if isinstance(value, dict | list) else value


def insert(model: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows with their primary keys; columns that are not named take the model's default."""
    from django.db import connection

    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    table = f'"{model._meta.db_table}" ({columns})'
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for values in _lines(fields, rows):
                    copy.write_row([json.dumps(one) if isinstance(one, dict | list) else one for one in values])
        else:
            places = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} VALUES ({places})", ([stored(one) for one in line] for line in _lines(fields, rows)))


def _lines(fields: Any, rows: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    defaults = {field.attname: field.get_default() for field in fields}
    names = list(defaults)
    return ([row[name] if name in row else defaults[name] for name in names] for row in rows)


def index(messages: list[dict[str, Any]], customers: list[dict[str, Any]]) -> None:
    """Put messages and customers' names into SQLite's search index."""
    from careloop.desk.search.models import SearchDocument
    from careloop.desk.search.rules import tokens

    documents = [
        {
            "subject": "MESSAGE",
            "object_id": row["id"],
            "text": row["body"],
            **{name: row[name] for name in ("case_id", "customer_id", "team_id")},
        }
        for row in messages
    ]
    documents += [{"subject": "CUSTOMER", "object_id": row["id"], "customer_id": row["id"], "text": row["name"]} for row in customers]
    last = SearchDocument.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for number, row in enumerate(documents, last + 1):
        row |= {"id": number, "tokens": " ".join(tokens(row.pop("text")))}
    insert(SearchDocument, documents)


def unchecked() -> None:
    """PostgreSQL does not look at foreign keys row by row in this transaction; SQLite does not do so anyway."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")


def settle(models: Iterable[Any], *, is_searchable: bool) -> None:
    """What a desk that has grown slowly has: statistics, numbers that go on behind the last one, a merged search index."""
    from django.core.management.color import no_style
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
                cursor.execute(statement)
            cursor.execute("VACUUM ANALYZE")
            return
        if is_searchable:
            cursor.execute("INSERT INTO search_fts(search_fts) VALUES ('rebuild')")
            cursor.execute("INSERT INTO search_fts(search_fts) VALUES ('optimize')")
        cursor.execute("ANALYZE")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
