"""Rows go from case to case: one statement a table, whatever their number; what went is noted row by row."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, UniqueConstraint

from careloop.desk.cases.models import CaseEvent, EventKind, Message
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.merging.models import MovedRow, Regrouping
from careloop.desk.merging.rules import TABLES, CaseTable

MESSAGES = TABLES[0]


def move_everything(regrouping: Regrouping, source_id: int, into_id: int) -> int:
    """Every row of a case goes to another, but those that it has already; returns how many went."""
    moved = 0
    for table in TABLES:
        rows = _rows(table, source_id)
        moved += _move(regrouping, table, _without_rivals(table, rows, into_id), source_id, into_id)
    return moved


def move_messages(regrouping: Regrouping, message_ids: Iterable[int], source_id: int, into_id: int) -> int:
    """Messages go to another case with all that tells of them; that the case was opened stays in its history."""
    insert_rows([MovedRow(regrouping=regrouping, table=MESSAGES.model, row_id=one, was_in=source_id) for one in message_ids])
    chosen = _noted(regrouping, MESSAGES, source_id)
    moved = _rows(MESSAGES, source_id).filter(pk__in=chosen).update(case=into_id)
    for table in TABLES[1:]:
        if table.message:
            rows = _rows(table, source_id).filter(**{f"{table.message}__in": chosen}, **dict(table.only))
            if table.model == "cases.CaseEvent":
                rows = rows.exclude(kind=EventKind.OPENED)
            moved += _move(regrouping, table, _without_rivals(table, rows, into_id), source_id, into_id)
    return moved


def note_arrivals(regrouping: Regrouping, came_for: Sequence[int], source_id: int) -> list[int]:
    """Note the messages that came since and were meant for these numbers: they go to the source; returns their ids, oldest first."""
    events = CaseEvent.objects.filter(case_id=regrouping.into_id, pk__gt=regrouping.last_event_id, kind=EventKind.RECEIVED)
    meant = events.filter(after__via__in=list(came_for)).values("message_id")
    arrived = list(Message.objects.filter(case_id=regrouping.into_id, pk__in=meant).order_by("sent_at", "pk").values_list("pk", flat=True))
    insert_rows([MovedRow(regrouping=regrouping, table=MESSAGES.model, row_id=one, was_in=source_id) for one in arrived])
    return arrived


def move_back(regrouping: Regrouping, source_id: int) -> None:
    """What was noted goes back where it was, and with its messages what was written of them since."""
    for table in TABLES:
        rows = _rows(table, regrouping.into_id)
        belonging = Q(pk__in=_noted(regrouping, table, source_id))
        if table.message:
            belonging |= Q(**{f"{table.message}__in": _noted(regrouping, MESSAGES, source_id)}, **dict(table.only))
        _put(table, _without_rivals(table, rows.filter(belonging), source_id), source_id)


def move_all_back(regrouping: Regrouping, into_id: int) -> None:
    """All that a case has which was split off goes back, also what came since; its own history without messages stays."""
    for table in TABLES:
        rows = _rows(table, regrouping.into_id)
        if table.model == "cases.CaseEvent":
            rows = rows.exclude(message=None)
        _put(table, _without_rivals(table, rows, into_id), into_id)


def _move(regrouping: Regrouping, table: CaseTable, rows: QuerySet[Any], source_id: int, into_id: int) -> int:
    _note(regrouping, table, rows, source_id)
    return _put(table, _rows(table, source_id).filter(pk__in=_noted(regrouping, table, source_id)), into_id)


def _put(table: CaseTable, rows: QuerySet[Any], case_id: int) -> int:
    return rows.update(**{_column(table): case_id})


def _note(regrouping: Regrouping, table: CaseTable, rows: QuerySet[Any], was_in: int) -> None:
    chosen, values = rows.order_by().values(row_key=F("pk")).query.sql_with_params()
    quote = connection.ops.quote_name
    columns = ", ".join(map(quote, ("regrouping_id", "table", "row_id", "was_in")))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(MovedRow._meta.db_table)} ({columns}) SELECT %s, %s, chosen.row_key, %s FROM ({chosen}) chosen",  # noqa: S608
            [regrouping.pk, table.model, was_in, *values],
        )


def _noted(regrouping: Regrouping, table: CaseTable, was_in: int) -> QuerySet[Any, Any]:
    return MovedRow.objects.filter(regrouping=regrouping, table=table.model, was_in=was_in).values("row_id")


def _rows(table: CaseTable, case_id: int) -> QuerySet[Any]:
    return _model(table)._base_manager.filter(**{_column(table): case_id})


def _without_rivals(table: CaseTable, rows: QuerySet[Any], into_id: int) -> QuerySet[Any]:
    """Those of the rows that the other case can take: a table says by its unique constraints what a case has once."""
    for others, condition in _uniques(table):
        theirs = _rows(table, into_id).filter(condition, **{name: OuterRef(name) for name in others})
        rows = rows.exclude(condition & Q(Exists(theirs)))
    return rows


def _uniques(table: CaseTable) -> Iterator[tuple[list[str], Q]]:
    options = _model(table)._meta
    if getattr(options.get_field(table.field), "unique", False):
        yield [], Q()
    for constraint in options.constraints:
        if isinstance(constraint, UniqueConstraint) and table.field in constraint.fields:
            yield [name for name in constraint.fields if name != table.field], constraint.condition or Q()
    for together in options.unique_together:
        if table.field in together:
            yield [name for name in together if name != table.field], Q()


def _model(table: CaseTable) -> type[Model]:
    return apps.get_model(table.model)


def _column(table: CaseTable) -> str:
    return str(_model(table)._meta.get_field(table.field).attname)  # type: ignore[union-attr]
