"""Changing many cases at once, and taking it back: all or nothing, but for cases that somebody else changed in the meantime."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may, list_assignable
from careloop.desk.accounts.rules import Viewer
from careloop.desk.bulk.models import BulkChange, BulkChangedCase
from careloop.desk.bulk.queries import access_change, can_undo, judge_cases
from careloop.desk.bulk.rules import ASSIGN, CATEGORY, CHANGES, MOST_CASES, PRIORITY, STATUS, TEAM, Wish, columns_of
from careloop.desk.cases.clock_undo import newest_ticks
from careloop.desk.cases.events import plain
from careloop.desk.cases.many import CaseChange, change_many, lock_as_seen, take_many_ticks_back
from careloop.desk.cases.models import Case, EventKind
from careloop.desk.cases.teams import columns_in_team
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.kernel.rows import insert_rows

KINDS: dict[str, str] = {
    ASSIGN: EventKind.ASSIGNED,
    TEAM: EventKind.TEAM,
    PRIORITY: EventKind.PRIORITY,
    STATUS: EventKind.STATUS,
    CATEGORY: EventKind.CORRECTED,
}
MOVES_CLOCKS = (TEAM, PRIORITY, STATUS)


def change_cases(*, versions: Mapping[int, int], wish: Wish, viewer: Viewer, now: datetime) -> BulkChange:
    """Set one thing on many cases, given with the versions that were seen; others' changes since are kept and their cases named.

    Either everything is written (columns, events, clocks, audit entries, what undo needs) or nothing.
    """
    check_may(viewer, "case.work")
    if not 0 < len(versions) <= MOST_CASES:
        sentence = _("%(n)s cases were given to change at once; choose 1 to %(most)s.")
        raise InvalidInput(sentence % {"n": f"{len(versions):,}", "most": f"{MOST_CASES:,}"}, field="case")
    with transaction.atomic():
        cases = lock_as_seen(versions, viewer)
        judged = judge_cases(cases, wish)
        chosen = [case for case in cases if judged[case.pk] == CHANGES]
        ticks = newest_ticks(chosen) if wish.field in MOVES_CLOCKS else {}
        made = BulkChange.objects.create(field=wish.field, value=wish.value, made_by_id=viewer.user_id, made_at=now)
        people = {one.pk for one in list_assignable(wish.value)} if wish.field == TEAM else set()
        changes = [CaseChange(case.pk, case.version, _wished(case, wish, people, now)) for case in chosen]
        done = change_many(changes=changes, kind=KINDS[wish.field], part_of={"bulk": made.pk}, viewer=viewer, now=now)
        insert_rows(
            BulkChangedCase(
                change=made,
                case=case,
                before=plain(done.before[case.pk]),
                version_after=case.version,
                last_tick_id=ticks.get(case.pk, 0),
            )
            for case in done.cases
        )
        made.left_out = sorted(versions.keys() - {case.pk for case in done.cases})
        made.save(update_fields=["left_out"])
    return made


def undo_change(*, change_id: int, viewer: Viewer, now: datetime) -> BulkChange:
    """Give every case its columns and deadlines back, but for those that somebody changed since: they stay and are named."""
    access_change(change_id, viewer)
    with transaction.atomic():
        made = BulkChange.objects.select_for_update().get(pk=change_id)
        if not can_undo(made, now):
            raise Conflict(_("This change was taken back already, or is more than an hour old; change the cases again instead."))
        parts = {part.case_id: part for part in made.cases.all()}
        back = [CaseChange(part.case_id, part.version_after, _columns(part.before)) for part in parts.values()]
        part_of = {"bulk": made.pk, "is_undo": True}
        done = change_many(changes=back, kind=KINDS[made.field], part_of=part_of, viewer=_maker(made, viewer), now=now)
        if made.field in MOVES_CLOCKS:
            take_many_ticks_back(done.cases, {number: part.last_tick_id for number, part in parts.items()}, now)
        made.undone_at, made.kept = now, done.left_out
        made.save(update_fields=["undone_at", "kept"])
    return made


def _wished(case: Case, wish: Wish, people: Collection[int], now: datetime) -> dict[str, Any]:
    return columns_in_team(case, wish.value, people) if wish.field == TEAM else columns_of(wish, case.corrected, now)


def _maker(made: BulkChange, viewer: Viewer) -> Viewer:
    """Whoever gave cases out of sight can take them back: they are still in the version in which they went."""
    if made.field != TEAM or viewer.team_ids is None:
        return viewer
    return replace(viewer, team_ids=viewer.team_ids | {int(made.value or 0)})


def _columns(before: Mapping[str, Any]) -> dict[str, Any]:
    moments = {name for name in before if name.endswith("_at") and before[name]}
    return {name: datetime.fromisoformat(value) if name in moments else value for name, value in before.items()}
