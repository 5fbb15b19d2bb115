"""What a person says of a message: kept as a label, taken over by its case, never overwritten by a reading."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.house_reading import model_id_of
from careloop.desk.analysis.models import CategoryReading, Correction, Reading, State, Task
from careloop.desk.analysis.rules import is_held_back
from careloop.desk.analysis.taxonomy_queries import list_leaves, taxonomies_of
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Direction, Kind, Message, Sentiment
from careloop.desk.cases.queries import access_case, get_message
from careloop.desk.kernel.errors import Conflict, InvalidInput

COLUMNS = {Task.CATEGORY.value: "category", Task.KIND.value: "kind", Task.SENTIMENT.value: "sentiment"}
VALUES = {Task.KIND.value: set(Kind.values), Task.SENTIMENT.value: set(Sentiment.values)}
RATIOS = {"POSITIVE": 1.0, "NEUTRAL": 0.5, "NEGATIVE": 0.0}


def correct(  # noqa: PLR0913  (who and when are two of them)
    *, case_id: int, message_id: int, task: str, value: str, seen_correction_id: int, viewer: Viewer, now: datetime
) -> Correction:
    """Append a person's word on a message and let its case follow; refused when a colleague spoke after `seen_correction_id`."""
    check_may(viewer, "case.work")
    message = get_message(access_case(case_id, viewer), message_id)
    scope = check_value(message, task, value)
    with transaction.atomic():
        correction, changes, is_new = _append(message, scope, task, value, seen_correction_id, viewer, now)
        if is_new:
            is_of_case = task != Task.SENTIMENT or message.pk == _newest_inbound(case_id)
            cases.take_word(case_id=case_id, message=message, said=changes, is_of_case=is_of_case, viewer=viewer, now=now)
    return correction


def correct_category(*, message: Message, value: str, seen_correction_id: int, viewer: Viewer, now: datetime) -> Correction:
    """A person's word on the category of a message that the viewer was let into, whether or not it is in a case."""
    if message.case_id is not None:
        facts: dict[str, Any] = {"task": Task.CATEGORY.value, "value": value, "seen_correction_id": seen_correction_id}
        return correct(case_id=message.case_id, message_id=message.pk, viewer=viewer, now=now, **facts)
    check_may(viewer, "case.work")
    scope = check_value(message, Task.CATEGORY, value)
    with transaction.atomic():
        return _append(message, scope, Task.CATEGORY.value, value, seen_correction_id, viewer, now)[0]


def _append(  # noqa: PLR0913, PLR0917  (a correction is these facts)
    message: Message, scope: str, task: str, value: str, seen_correction_id: int, viewer: Viewer, now: datetime
) -> tuple[Correction, dict[str, Any], bool]:
    """The new row, what changes with it in the message's reading, and whether it is new: two who say the same make one."""
    reading = Reading.objects.select_for_update().filter(message=message, state=State.DONE).first()
    if message.direction != Direction.INBOUND or reading is None:
        raise InvalidInput(_("This message has no reading that could be corrected."), field="message")
    newest: Correction | None = Correction.objects.filter(message=message, task=task).order_by("-pk").first()
    if newest is not None and newest.pk > seen_correction_id:
        if newest.value == value:
            return newest, {}, False  # both said the same
        sentence = _("%(who)s corrected this in between; look at it, then repeat your correction if it is still right.")
        raise Conflict(sentence % {"who": newest.made_by_name})
    correction: Correction = Correction.objects.create(
        message=message,
        team_id=message.team_id,
        scope=scope,
        task=task,
        value=value,
        is_held_back=is_held_back(message.pk),
        made_by_id=viewer.user_id,
        made_by_name=viewer.name,
        made_at=now,
        **_what_the_model_said(reading, task),
    )
    column = COLUMNS[task]
    setattr(reading, column, value)
    changes: dict[str, Any] = {column: value}
    if task == Task.SENTIMENT:
        changes["sentiment_probability"] = reading.sentiment_probability = RATIOS[value]
    elif task == Task.KIND:
        changes["kind_probability"] = reading.kind_probability = None
    reading.save(update_fields=list(changes))
    return correction, changes, True


def check_value(message: Message, task: str, value: str) -> str:
    """The scope of a correction; refuses a value that is none of the task."""
    if task in VALUES:
        allowed, scope = VALUES[task], COLUMNS[task]
    elif task == Task.CATEGORY:
        taxonomy = taxonomies_of([message.team_id]).get(message.team_id)
        if taxonomy is None:
            raise InvalidInput(_("There are no categories yet; a supervisor makes them."), field="value")
        allowed, scope = {one.code for one in list_leaves(taxonomy)}, scope_of(taxonomy.pk)
    else:
        raise InvalidInput(f"The task is {task!r}; expected one of {', '.join(Task.values)}.", field="task")
    if value not in allowed:
        raise InvalidInput(_("“%(value)s” cannot be chosen here; load the page again.") % {"value": value[:60]}, field="value")
    return scope


def scope_of(taxonomy_id: int) -> str:
    """The scope of a taxonomy's models and corrections."""
    return f"taxonomy:{taxonomy_id}"


def newest_corrections(message_ids: Iterable[int]) -> dict[tuple[int, str], Correction]:
    """The word that counts, by message and task (one query)."""
    rows = Correction.objects.filter(message_id__in=list(message_ids)).order_by("pk")
    return {(one.message_id, one.task): one for one in rows}


def _newest_inbound(case_id: int) -> int | None:
    rows = Message.objects.filter(case_id=case_id, direction=Direction.INBOUND).order_by("-sent_at", "-pk")
    return rows.values_list("pk", flat=True).first()


def _what_the_model_said(reading: Reading, task: str) -> dict[str, Any]:
    if task == Task.CATEGORY:
        said = CategoryReading.objects.filter(message_id=reading.message_id).first()
        return {"model_value": said.value, "model_probability": said.probability, "model_id": said.model_id} if said else {}
    column = COLUMNS[task]
    return {
        "model_value": str(reading.details.get(column, "")).upper(),
        "model_probability": reading.details.get(f"{column}_probability"),
        "model_id": model_id_of(reading, task),
    }
