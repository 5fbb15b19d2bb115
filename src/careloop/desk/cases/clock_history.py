"""Clocks of cases that were there before a promise was made, from their events."""

from collections.abc import Iterable
from copy import copy

from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.models import Case, CaseEvent, EventKind, Status
from careloop.desk.kernel.rows import find_rows, marks
from careloop.desk.sla.rules.following import ARRIVED, FACTS, REPLIED, STATUS

AT_ONCE = 200
MEANINGS = {
    EventKind.OPENED: ARRIVED,
    EventKind.RECEIVED: ARRIVED,
    EventKind.REPLIED: REPLIED,
    EventKind.STATUS: STATUS,
    EventKind.PRIORITY: FACTS,
    EventKind.TRIAGED: FACTS,
}


def follow_history(case_ids: Iterable[int]) -> int:
    """Let the events of cases without clocks move clocks as if today's promises had held then; returns how many cases."""
    numbers = list(case_ids)
    for start in range(0, len(numbers), AT_ONCE):
        part = numbers[start : start + AT_ONCE]
        cases = {case.pk: case for case in find_rows(Case, f"id IN ({marks(part)})", part)}
        events: dict[int, list[CaseEvent]] = {number: [] for number in cases}
        for event in find_rows(CaseEvent, f"case_id IN ({marks(part)}) ORDER BY at, id", part):
            events[event.case_id].append(event)
        keep_clocks([one for number, case in cases.items() for one in _happenings(case, events[number])])
    return len(numbers)


def _happenings(case: Case, events: list[CaseEvent]) -> list[Happening]:
    """What happened, each with the case as it stood then; the last one speaks of the case itself."""
    found = []
    then = copy(case)
    then.status, was_answered = Status.OPEN.value, False
    for event in events:
        what = MEANINGS.get(EventKind(event.kind))
        then.status = event.after.get("status", then.status)
        if event.kind in {EventKind.OPENED, EventKind.RECEIVED}:
            then.status = Status.OPEN.value
        if what is not None and not event.after.get("machine_made"):
            found.append(Happening(copy(then), what, event.at, was_answered))
        was_answered = was_answered or event.kind == EventKind.REPLIED
    if found:
        found[-1] = Happening(case, found[-1].what, found[-1].at, found[-1].was_answered)
    return found
