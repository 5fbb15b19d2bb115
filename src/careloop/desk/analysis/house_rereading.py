"""Reading kind and sentiment of earlier messages again, after another model went live."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from careloop import insight
from careloop.desk.analysis.actions import for_triage
from careloop.desk.analysis.house_reading import COLUMNS, as_the_house_reads, live_house_models
from careloop.desk.analysis.models import Correction, Reading, State
from careloop.desk.cases.models import Message
from careloop.desk.cases.rereading import take_readings_again
from careloop.desk.kernel.rows import update_rows

AGAIN = 5_000  # of the newest messages are read again by a new live model: some seconds of a core, as no encoder is needed
AT_ONCE = 200
CHANGED = ("kind", "kind_probability", "sentiment", "sentiment_probability", "details", "model_versions")


def list_to_read_again() -> list[int]:
    """The newest messages that were read, newest first."""
    return list(Reading.objects.filter(state=State.DONE).order_by("-message_id").values_list("message_id", flat=True)[:AGAIN])


def read_again(message_ids: Iterable[int], *, now: datetime) -> int:
    """Read kind and sentiment again with what is live now; what people said stays. Returns how many readings changed; again changes none.

    Cases follow, but their priority stays: somebody may have relied on it.
    """
    live = live_house_models()
    bodies = dict(Message.objects.filter(pk__in=list(message_ids)).order_by("pk").values_list("pk", "body"))
    texts = list(bodies.values())
    understood = dict(zip(bodies, as_the_house_reads(texts, insight.read(texts), live), strict=True))
    with transaction.atomic():
        if {task: one.pk for task, one in live_house_models().items()} != {task: one.pk for task, one in live.items()}:
            return 0  # another went live meanwhile, and reads these messages itself
        rows = list(Reading.objects.select_for_update().filter(message_id__in=bodies, state=State.DONE).order_by("message_id"))
        said = Correction.objects.filter(message_id__in=bodies, task__in=COLUMNS).values_list("message_id", "task")
        spoken = set(said)
        changed = [row for row in rows if _take(row, understood[row.message_id], spoken)]
        update_rows(changed, *CHANGED)
        _hand_on({row.case_id for row in changed if row.case_id is not None}, now)
    return len(changed)


def _take(row: Reading, understood: insight.Reading, spoken: set[tuple[int, str]]) -> bool:
    """Put what was understood into a row, unless a person said it; returns whether anything is new."""
    if understood.error is not None:
        return False
    new, is_changed = understood.to_json(), False
    for task, name in COLUMNS.items():
        wanted = {key: new[key] for key in (name, f"{name}_probability", f"{name}_evidence", f"{name}_abstained")}
        version = understood.models.get(name, "")
        if row.model_versions.get(name, "") == version and all(row.details.get(key) == value for key, value in wanted.items()):
            continue
        is_changed = True
        row.details = {**row.details, **wanted}
        row.model_versions = {**row.model_versions, **({name: version} if version else {})}
        if (row.message_id, task) not in spoken:
            setattr(row, name, new[name].upper())
            setattr(row, f"{name}_probability", new[f"{name}_probability"])
    return is_changed


def _hand_on(case_ids: set[int], now: datetime) -> None:
    kept = Reading.objects.filter(case_id__in=case_ids, state=State.DONE).order_by("message_id")
    by_case: dict[int, list[Reading]] = {}
    for row in kept.only("case_id", "kind", "kind_probability", "category", "sentiment", "sentiment_probability", "details"):
        by_case.setdefault(row.case_id or 0, []).append(row)
    readings: dict[int, dict[str, Any]] = {case_id: for_triage(rows) for case_id, rows in by_case.items()}
    take_readings_again(readings=readings, now=now)
