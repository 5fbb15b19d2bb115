"""Cases follow when the messages of the past are read again by another model."""

from datetime import datetime
from typing import Any

from django.db import transaction

from careloop.desk.cases.changes import save_cases
from careloop.desk.cases.events import event_of
from careloop.desk.cases.flow_steps import start_flows
from careloop.desk.cases.merged import lock_unmerged
from careloop.desk.cases.models import Case, EventKind
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.kernel.rows import insert_rows

TAKEN = ("kind", "kind_probability", "sentiment", "sentiment_probability")


def take_readings_again(*, readings: dict[int, dict[str, Any]], now: datetime) -> list[Case]:
    """Take over kind and sentiment by case id; a kind that a person said stays, and so does the priority. Returns the changed cases."""
    changed = []
    with transaction.atomic():
        cases = lock_unmerged([*readings])
        events = []
        for case in cases:
            said = readings[case.pk]
            names = [name for name in TAKEN if not (name.startswith("kind") and "kind" in case.corrected)]
            before = {name: getattr(case, name) for name in names}
            if before["sentiment"] == said["sentiment"] and before.get("kind", said["kind"]) == said["kind"]:
                continue
            for name in names:
                setattr(case, name, said[name])
            changed.append(case)
            after = {name: said[name] for name in names}
            events.append(event_of(case=case, kind=EventKind.TRIAGED, actor=SYSTEM, now=now, before=before, after=after))
        save_cases(changed, *TAKEN)
        insert_rows(events)
        start_flows([case for case, event in zip(changed, events, strict=True) if event.before.get("kind") != event.after.get("kind")], now)
    return changed
