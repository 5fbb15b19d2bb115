"""Keeping the index, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from careloop.desk.kernel.rows import insert_rows
from careloop.desk.search.models import SearchDocument
from careloop.desk.search.rules import tokens


@dataclass(frozen=True)
class Searchable:
    """One subject to be found by `text`."""

    subject: str
    object_id: int
    text: str
    case_id: int | None = None
    customer_id: int | None = None
    team_id: int | None = None


def index(subjects: Iterable[Searchable], *, is_new: bool = False) -> None:
    """Put subjects into the index; one that is there already is replaced, which callers who know better (`is_new`) need not look for."""
    documents = [
        SearchDocument(
            subject=one.subject,
            object_id=one.object_id,
            case_id=one.case_id,
            customer_id=one.customer_id,
            team_id=one.team_id,
            tokens=" ".join(tokens(one.text)),
        )
        for one in subjects
    ]
    if not documents:
        return
    for subject in set() if is_new else {document.subject for document in documents}:
        forget(subject, [document.object_id for document in documents if document.subject == subject])
    insert_rows(documents)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO search_fts(rowid, tokens) VALUES (%s, %s)", [(one.pk, one.tokens) for one in documents])


def forget(subject: str, object_ids: list[int]) -> None:
    """Take subjects out of the index."""
    stale = list(SearchDocument.objects.filter(subject=subject, object_id__in=object_ids).only("pk", "tokens"))
    if not stale:
        return
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO search_fts(search_fts, rowid, tokens) VALUES ('delete', %s, %s)",
                [(one.pk, one.tokens) for one in stale],
            )
    SearchDocument.objects.filter(pk__in=[one.pk for one in stale]).delete()
