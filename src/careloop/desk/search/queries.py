"""Finding: one query for both databases but for the matching clause."""

from dataclasses import dataclass

from django.db import connection, models
from django.db.models.expressions import RawSQL

from careloop.desk.search.models import SearchDocument
from careloop.desk.search.rules import phrases

NEWEST = 20_000
ON_SQLITE = """
    SELECT found.subject, found.case_id, found.customer_id
    FROM search_fts JOIN search_searchdocument found ON found.id = search_fts.rowid
    WHERE search_fts MATCH %s ORDER BY search_fts.rowid DESC LIMIT %s"""
ON_POSTGRESQL = """
    WITH hits AS MATERIALIZED (
        SELECT id, subject, case_id, customer_id FROM search_searchdocument
        WHERE to_tsvector('simple', tokens) @@ to_tsquery('simple', %s)
    )
    SELECT subject, case_id, customer_id FROM hits ORDER BY id DESC LIMIT %s"""


@dataclass(frozen=True)
class Found:
    """Cases whose messages, and customers whose names, hold every phrase of a query."""

    case_ids: frozenset[int]
    customer_ids: frozenset[int]


def find_newest(query: str) -> Found:
    """What the newest NEWEST matching texts belong to (not scoped): the index is asked once, and a word that is everywhere stays cheap."""
    wanted = phrases(query)
    if not wanted:
        return Found(frozenset(), frozenset())
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        text = _fts5(wanted) if is_sqlite else _tsquery(wanted)
        cursor.execute(ON_SQLITE if is_sqlite else ON_POSTGRESQL, [text, NEWEST])
        rows = cursor.fetchall()
    cases = frozenset(case for subject, case, _ in rows if subject == "MESSAGE" and case is not None)
    return Found(cases, frozenset(customer for subject, _, customer in rows if subject == "CUSTOMER"))


def find_messages(query: str) -> frozenset[int]:
    """The ids of all messages that hold every phrase of a query (not scoped): for screens that count them several times."""
    return frozenset(matching(query).filter(subject="MESSAGE").values_list("object_id", flat=True))


def one_of(ids: frozenset[int]) -> RawSQL:
    """The right side of `pk__in` for thousands of ids: one parameter instead of one for each."""
    if connection.vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", (str(sorted(ids)),))
    return RawSQL("SELECT unnest(%s::bigint[])", (sorted(ids),))


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
