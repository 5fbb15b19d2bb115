"""Finding: one query for both databases but for the matching clause."""

from django.db import connection, models
from django.db.models.expressions import RawSQL

from careloop.desk.search.models import SearchDocument
from careloop.desk.search.rules import phrases


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
