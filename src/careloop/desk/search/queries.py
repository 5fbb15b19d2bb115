"""Finding: one query for both databases but for the matching clause."""

from dataclasses import dataclass

from django.db import connection, models
from django.db.models.expressions import RawSQL

from careloop.desk.search.models import SearchDocument
from careloop.desk.search.rules import phrases

ON_SQLITE = """
    FROM search_fts CROSS JOIN search_searchdocument found ON found.id = search_fts.rowid
    WHERE search_fts MATCH %s"""
ON_POSTGRESQL = """
    FROM search_searchdocument found
    WHERE to_tsvector('simple', tokens) @@ to_tsquery('simple', %s)"""


@dataclass(frozen=True)
class Ids:
    """Ids as the database itself spells a list of them, and how many: tens of thousands go back as one parameter, unread by Python.

    The same id may stand in the list more than once.
    """

    spelled: str
    count: int


@dataclass(frozen=True)
class Found:
    """Cases whose messages, and customers whose names, hold every phrase of a query."""

    case_ids: Ids
    customer_ids: Ids


def find(query: str) -> Found:
    """What all matching texts belong to (not scoped), in one question to the index."""
    cases, customers = _collect(query, [("case_id", "MESSAGE"), ("customer_id", "CUSTOMER")])
    return Found(cases, customers)


def find_messages(query: str) -> Ids:
    """The ids of all messages that hold every phrase of a query (not scoped): for screens that count them several times."""
    return _collect(query, [("object_id", "MESSAGE")])[0]


def one_of(ids: Ids) -> RawSQL:
    """The right side of `pk__in` for any number of ids."""
    if connection.vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", (ids.spelled,))
    return RawSQL("SELECT unnest(%s::bigint[])", (ids.spelled,))


def _collect(query: str, wanted: list[tuple[str, str]]) -> list[Ids]:
    """For each (column, subject): that column of the matching documents of that subject."""
    is_sqlite = connection.vendor == "sqlite"
    empty = "[]" if is_sqlite else "{}"
    said = phrases(query)
    if not said:
        return [Ids(empty, 0) for _ in wanted]
    spell = "json_group_array(found.{0}) FILTER (WHERE {1})" if is_sqlite else "(array_agg(found.{0}) FILTER (WHERE {1}))::text"
    columns = [
        f"{spell}, count(*) FILTER (WHERE {{1}})".format(column, f"found.subject = '{subject}' AND found.{column} IS NOT NULL")
        for column, subject in wanted
    ]
    clause, text = (ON_SQLITE, _fts5(said)) if is_sqlite else (ON_POSTGRESQL, _tsquery(said))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} {clause}", [text])
        row = cursor.fetchone()
    return [Ids(spelled or empty, count) for spelled, count in zip(row[::2], row[1::2], strict=True)]


def matching(query: str) -> models.QuerySet[SearchDocument]:
    """The documents in which every phrase of the query occurs; none for a query without letters or digits."""
    wanted = phrases(query)
    if not wanted:
        return SearchDocument.objects.none()
    if connection.vendor == "sqlite":
        clause, text = "SELECT rowid FROM search_fts WHERE search_fts MATCH %s", _fts5(wanted)
    else:
        clause, text = (
            "SELECT id FROM search_searchdocument WHERE to_tsvector('simple', tokens) @@ to_tsquery('simple', %s)",
            _tsquery(wanted),
        )
    return SearchDocument.objects.filter(pk__in=RawSQL(clause, (text,)))  # noqa: S611  (the clause is a constant; the query is a parameter)


def _fts5(wanted: list[list[str]]) -> str:
    return " AND ".join(f'"{phrase[0][:-1]}" *' if phrase[0].endswith("*") else f'"{" ".join(phrase)}"' for phrase in wanted)


def _tsquery(wanted: list[list[str]]) -> str:
    return " & ".join(
        f"'{phrase[0][:-1]}':*" if phrase[0].endswith("*") else "(" + " <-> ".join(f"'{token}'" for token in phrase) + ")"
        for phrase in wanted
    )
