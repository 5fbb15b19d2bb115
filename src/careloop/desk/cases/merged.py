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


def follow_merged(cases: Iterable[Case], known: Iterable[Case]) -> dict[int, Case]:
    """Merged case → the case that stands for it, locked; one that the caller has locked already (`known`) is the same object."""
    targets = find_targets({case.pk for case in cases})
    by_number = {case.pk: case for case in known}
    missing = sorted(set(targets.values()) - by_number.keys())
    if missing:
        found = find_rows(Case, f"id IN ({marks(missing)}) ORDER BY id", missing, is_locked=True)
        by_number |= {case.pk: case for case in found}
    return {number: by_number[target] for number, target in targets.items()}


def lock_unmerged(case_ids: list[int]) -> list[Case]:
    """Those of the cases that were not merged into others in the meantime, locked until the transaction ends."""
    if not case_ids:
        return []
    unmerged = f"id IN ({marks(case_ids)}) AND status <> %s ORDER BY id"
    return find_rows(Case, unmerged, [*case_ids, Status.MERGED.value], is_locked=True)


def _next(case_ids: set[int]) -> dict[int, int]:
    events = CaseEvent.objects.filter(case_id__in=case_ids, kind=EventKind.MERGED, case__status=Status.MERGED)
    rows = events.order_by("pk").values_list("case_id", "after")
    return {number: after["into"] for number, after in rows if "into" in after}
