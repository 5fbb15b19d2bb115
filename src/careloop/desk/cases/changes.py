"""The steps that every change of a case by a person shares: let in, lock, write with event, clocks and audit entry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.events import add_event, plain
from careloop.desk.cases.merged import find_targets
from careloop.desk.cases.models import Case, EventKind, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.kernel.rows import update_rows
from careloop.desk.sla.rules.following import FACTS, STATUS

CLOCKED: dict[str, str] = {EventKind.STATUS: STATUS, EventKind.PRIORITY: FACTS, EventKind.TEAM: FACTS}  # what a change means to the clocks


def case_to_change(case_id: int, viewer: Viewer, expected_version: int | None = None) -> Case:
    """The case, locked until the transaction ends; refused when it is not the version that the viewer has seen, or was merged."""
    check_may(viewer, "case.work")
    access_case(case_id, viewer)
    case: Case = Case.objects.select_for_update().get(pk=case_id)
    if expected_version is not None and case.version != expected_version:
        sentence = _("Somebody else changed case #%(number)s in between; look at the change and repeat yours if it is still right.")
        raise Conflict(sentence % {"number": case_id})
    if case.status == Status.MERGED:
        into = find_targets([case_id]).get(case_id, case_id)
        sentence = _("Case #%(number)s was merged into #%(into)s; go on there, or undo the merge first.")
        raise InvalidInput(sentence % {"number": case_id, "into": into})
    return case


def change_case(case: Case, kind: str, changes: dict[str, Any], viewer: Viewer, now: datetime) -> bool:
    """Write columns of a locked case with the event of this kind; returns whether anything changed."""
    before, after = plain({name: getattr(case, name) for name in changes}), plain(changes)
    if before == after:
        return False
    for name, value in changes.items():
        setattr(case, name, value)
    save_case(case, *changes)
    if kind in CLOCKED:
        keep_clocks([Happening(case, CLOCKED[kind], now, case.first_response_at is not None)])
    add_event(case=case, kind=kind, actor=actor_of(viewer), now=now, before=before, after=after)
    audit_case(case, f"case.{kind.lower()}", viewer, now, {"before": before, "after": after})
    return True


def save_case(case: Case, *fields: str) -> None:
    """Write these columns and the next version, so that whoever saw the one before is refused."""
    case.version += 1
    case.save(update_fields=["version", *fields])


def save_cases(cases: Sequence[Case], *columns: str) -> None:
    """The same for many cases in one statement."""
    for case in cases:
        case.version += 1
    update_rows(cases, *columns, "version")


def audit_case(case: Case, action: str, viewer: Viewer, now: datetime, details: dict[str, Any]) -> None:
    """An audit entry about a case."""
    audit.record(actor=actor_of(viewer), action=action, object_type="case", object_id=case.pk, now=now, details=details)
