"""Snoozing: a case waits until a moment, then comes back with a notice."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import case_to_change
from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.models import Case, EventKind, Status
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.notices.actions import notify
from careloop.desk.sla.rules.following import STATUS
from careloop.desk.teamwork.models import Snooze
from careloop.desk.teamwork.telling import tell_case

LONGEST = timedelta(days=365)


def find_snooze(case: Case) -> Snooze | None:
    """Until when the case waits, if it does."""
    return Snooze.objects.filter(case=case, ended_at=None).first()


def snooze(*, case_id: int, until: datetime, reason: str, viewer: Viewer, now: datetime) -> Snooze:
    """Let the case wait; it leaves the open ones and comes back at `until`. A later snooze replaces an earlier one."""
    if not now < until <= now + LONGEST:
        raise InvalidInput(_("Choose a moment in the future, at most a year away."), field="until")
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        Snooze.objects.filter(case=case, ended_at=None).update(ended_at=now)
        made = Snooze.objects.create(case=case, until=until, reason=reason.strip()[:200], made_by_id=viewer.person_id, made_at=now)
        before = _set_status(case, Status.WAITING, now)
        after = {"until": until.isoformat(), "status": case.status}
        tell_case(case, EventKind.SNOOZED, actor_of(viewer), now, before=before, after=after)
    return made


def wake_cases(*, now: datetime) -> int:
    """Bring back the cases whose time has come and tell whoever has them; one that is open or resolved by then stays as it is."""
    due = list(Snooze.objects.filter(ended_at=None, until__lte=now).order_by("pk")[:500])
    for one in due:
        with transaction.atomic():
            if not Snooze.objects.filter(pk=one.pk, ended_at=None).update(ended_at=now):
                continue
            case: Case = Case.objects.select_for_update().get(pk=one.case_id)
            if case.status != Status.WAITING:
                continue
            before = _set_status(case, Status.OPEN, now)
            tell_case(case, EventKind.SNOOZED, SYSTEM, now, before=before, after={"status": case.status})
            people = {number for number in (case.assignee_id, one.made_by_id) if number}
            facts = {"text": one.reason or case.subject}
            notify(user_ids=people, kind="REMINDER", key=f"snooze:{one.pk}", case_id=case.pk, facts=facts, now=now)
    return len(due)


def _set_status(case: Case, status: str, now: datetime) -> dict[str, str]:
    before = {"status": str(case.status)}
    case.status, case.resolved_at = status, None
    case.save(update_fields=["status", "resolved_at"])
    keep_clocks([Happening(case, STATUS, now, case.first_response_at is not None)])
    return before
