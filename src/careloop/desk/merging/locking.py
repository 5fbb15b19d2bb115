"""Cases that are about to be regrouped: let in, locked in one order, checked; their outlines read and written."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.clock_undo import newest_ticks
from careloop.desk.cases.models import Case, CaseEvent, Direction, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.cases.rules import snippet_from
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.desk.kernel.rows import update_rows
from careloop.desk.merging.models import RegroupedCase, Regrouping
from careloop.desk.merging.queries import outline_of
from careloop.desk.merging.rules import Outline


def lock_cases(numbers: Collection[int], viewer: Viewer) -> dict[int, Case]:
    """The cases by number, locked in the order of their numbers; every one must be in the viewer's sight."""
    check_may(viewer, "case.work")
    for number in numbers:
        access_case(number, viewer)
    rows = Case.objects.select_for_update(of=("self",)).select_related("channel").filter(pk__in=numbers).order_by("pk")
    return {case.pk: case for case in rows}


def check_versions(cases: Mapping[int, Case], expected_versions: Mapping[int, int]) -> None:
    """Conflict when one of the cases is not as the person saw it; cases that were merged take part in nothing."""
    for number, case in cases.items():
        if case.version != expected_versions.get(number):
            sentence = _("Somebody else changed case #%(number)s in between; look at the change and repeat yours if it is still right.")
            raise Conflict(sentence % {"number": number})
        if case.status == Status.MERGED:
            raise InvalidInput(_("Case #%(number)s was merged already; choose the case that it was merged into.") % {"number": number})


def note_regrouping(*, kind: str, into: Case, cases: Collection[Case], viewer: Viewer, now: datetime) -> Regrouping:
    """A merge or split with the cases as they are before it."""
    made = Regrouping.objects.create(
        kind=kind,
        into=into,
        made_by_id=viewer.user_id,
        made_by_name=viewer.name,
        made_at=now,
        last_event_id=CaseEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0,
    )
    ticks = newest_ticks(cases)
    RegroupedCase.objects.bulk_create(
        RegroupedCase(regrouping=made, case=case, before=to_json(outline_of(case)), last_tick_id=ticks.get(case.pk, 0)) for case in cases
    )
    return made


def access_regrouping(regrouping_id: int, viewer: Viewer) -> tuple[Regrouping, dict[int, Case]]:
    """A live merge or split, and the cases that took part, all locked; refused while a later one rests on it."""
    check_may(viewer, "case.work")
    made = Regrouping.objects.select_for_update(of=("self",)).filter(pk=regrouping_id).first()
    if made is None:
        raise NotFound(_("There is no such merge or split in your teams."))
    numbers = list(made.cases.values_list("case_id", flat=True))
    cases = lock_cases(numbers, viewer)
    if made.undone_at is not None:
        raise Conflict(_("This was undone already."))
    later = RegroupedCase.objects.filter(case__in=numbers, regrouping__pk__gt=made.pk, regrouping__undone_at=None)
    if (rival := later.select_related("regrouping").order_by("-regrouping").first()) is not None:
        facts = {"number": rival.case_id, "into": rival.regrouping.into_id}
        if rival.regrouping.kind == Regrouping.Kind.SPLIT:
            raise InvalidInput(_("Messages of case #%(number)s were split off later, into #%(into)s; undo that first.") % facts)
        raise InvalidInput(_("Case #%(number)s took part in a later merge, into #%(into)s; undo that first.") % facts)
    return made, cases


def outline_by_messages(case: Case) -> Outline:
    """As its newest message leaves it; the status stays as it is."""
    newest = case.messages.exclude(direction=Direction.NOTE).order_by("-sent_at", "-pk").first()
    outline = outline_of(case)
    return outline._replace(last_message_at=newest.sent_at, snippet=snippet_from(newest.body)) if newest else outline


def put_outline(case: Case, outline: Outline) -> None:
    """Write them with the next version: a version never comes back, so that nobody writes over what they have not seen."""
    for name, value in outline._asdict().items():
        setattr(case, name, value)
    case.version += 1
    update_rows([case], *Outline._fields, "version")


def to_json(outline: Outline) -> dict[str, Any]:
    """Times as text."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in outline._asdict().items()}


def from_json(stored: Mapping[str, Any]) -> Outline:
    """What `to_json` wrote."""
    moments = {name: datetime.fromisoformat(stored[name]) if stored[name] else None for name in ("resolved_at", "last_message_at")}
    return Outline(**{**stored, **moments})


def audit_regrouping(case: Case, action: str, viewer: Viewer, now: datetime, details: dict[str, Any]) -> None:
    """An audit entry about a case that was regrouped or linked."""
    audit.record(actor=actor_of(viewer), action=action, object_type="case", object_id=case.pk, now=now, details=details)
