"""Where the cases went that were merged into others: their events say it."""

from collections.abc import Iterable

from careloop.desk.cases.models import Case, CaseEvent, EventKind, Status
from careloop.desk.kernel.rows import find_rows, marks

LONGEST_CHAIN = 50


def find_targets(case_ids: Iterable[int]) -> dict[int, int]:
    """Merged case → the case that its rows are in now, at the end of the chain (a query for each link of the longest chain)."""
    ends = {number: number for number in case_ids}
    for _link in range(LONGEST_CHAIN):
        step = _next(set(ends.values()))
        if not step:
            break
        ends = {number: step.get(end, end) for number, end in ends.items()}
    return {number: end for number, end in ends.items() if end != number}


def lock_with_targets(cases: Iterable[Case]) -> tuple[dict[int, Case], dict[int, int]]:
    """Cases that were read, now locked with those that merged ones lead to, and which leads where; by number, as they are now.

    All are locked in the order of their numbers, as merging and whoever else changes many cases does: nobody waits for each other.
    """
    found = list(cases)
    numbers = {case.pk for case in found}
    while True:
        numbers |= set(_targets_of(found).values())
        if not numbers:
            return {}, {}
        found = find_rows(Case, f"id IN ({marks(numbers)}) ORDER BY id", [*numbers], is_locked=True)
        targets = _targets_of(found)
        if numbers >= set(targets.values()):  # else one of them was merged between reading and locking
            return {case.pk: case for case in found}, targets


def lock_unmerged(case_ids: list[int]) -> list[Case]:
    """Those of the cases that were not merged into others in the meantime, locked until the transaction ends."""
    if not case_ids:
        return []
    unmerged = f"id IN ({marks(case_ids)}) AND status <> %s ORDER BY id"
    return find_rows(Case, unmerged, [*case_ids, Status.MERGED.value], is_locked=True)


def lock_cases(case_ids: list[int]) -> list[Case]:
    """The cases, in the order of their numbers, locked until the transaction ends."""
    return find_rows(Case, f"id IN ({marks(case_ids)}) ORDER BY id", case_ids, is_locked=True) if case_ids else []


def _targets_of(cases: Iterable[Case]) -> dict[int, int]:
    return find_targets([case.pk for case in cases if case.status == Status.MERGED])


def _next(case_ids: set[int]) -> dict[int, int]:
    events = CaseEvent.objects.filter(case_id__in=case_ids, kind=EventKind.MERGED, case__status=Status.MERGED)
    rows = events.order_by("pk").values_list("case_id", "after")
    return {number: after["into"] for number, after in rows if "into" in after}
