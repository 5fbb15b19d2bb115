"""How long people work on cases: measured from signs of activity, never longer than those reach, and correctable with a reason."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import InvalidInput, NotAllowed
from careloop.desk.writing.models import WorkCorrection, WorkSpan

GAP = timedelta(seconds=50)  # pages give a sign every 15 s while somebody is active; three may get lost
LONGEST = timedelta(hours=4)  # no stretch is longer: then another begins, so that a machine that gives signs for ever is seen
MOST_MINUTES = 24 * 60
COLUMNS = ("case", "agent", "agent_name", "day", "seconds", "measured_seconds", "is_corrected", "reason", "corrected_by")


@dataclass(frozen=True)
class Worked:
    """A person's time in a case on a day: what counts, what was measured, and why the two differ ("" where they do not)."""

    case_id: int
    user_id: int
    name: str
    day: date
    seconds: int
    measured_seconds: int
    reason: str
    corrected_by: str


def note_work(*, case_id: int, viewer: Viewer, now: datetime) -> None:
    """Somebody is active in a case: their stretch goes on, or a new one begins. A clock that runs backwards adds nothing."""
    check_may(viewer, "case.work")
    access_case(case_id, viewer)
    with transaction.atomic():
        span = WorkSpan.objects.select_for_update().filter(case_id=case_id, user_id=viewer.user_id).order_by("-seen_at").first()
        if span is None or now - span.seen_at > GAP or now - span.began_at > LONGEST:
            WorkSpan.objects.create(case_id=case_id, user_id=viewer.user_id, began_at=now, seen_at=now)
        elif now > span.seen_at:
            span.seen_at = now
            span.save(update_fields=["seen_at"])


def correct_work(  # noqa: PLR0913  (a correction is these facts)
    *, case_id: int, user_id: int, day: date, minutes: int, reason: str, viewer: Viewer, now: datetime
) -> WorkCorrection:
    """Say how long somebody worked on a case on a day; people correct their own time, supervisors everybody's."""
    check_may(viewer, "case.work")
    access_case(case_id, viewer)
    if user_id != viewer.person_id and not viewer.may("case.approve"):
        raise NotAllowed(_("Only supervisors correct the time of others; ask one of them."))
    if not 0 <= minutes <= MOST_MINUTES:
        raise InvalidInput(
            _("A day has at most %(most)d minutes; %(given)d were given.") % {"most": MOST_MINUTES, "given": minutes}, field="minutes"
        )
    if not reason.strip():
        raise InvalidInput(_("Say why the measured time is wrong; the reason stands beside the corrected time."), field="reason")
    with transaction.atomic():
        facts = {"seconds": 60 * minutes, "reason": reason.strip()[:200], "made_by_name": viewer.name, "changed_at": now}
        made, _is_new = WorkCorrection.objects.update_or_create(case_id=case_id, user_id=user_id, day=day, defaults=facts)
        details = {"user": user_id, "day": day.isoformat(), "minutes": minutes, "reason": made.reason}
        audit.record(actor=actor_of(viewer), action="case.work_time", object_type="case", object_id=case_id, now=now, details=details)
    return made


def list_work(case_ids: Collection[int]) -> list[Worked]:
    """The time of everybody in these cases, by case, day and person; two queries. A stretch counts on the day on which it began."""
    zone = ZoneInfo(settings.TIME_ZONE)
    measured: dict[tuple[int, int, date], float] = defaultdict(float)
    names: dict[int, str] = {}
    for span in WorkSpan.objects.filter(case_id__in=case_ids).select_related("user").order_by("pk"):
        key = span.case_id, span.user_id, span.began_at.astimezone(zone).date()
        measured[key] += max(0.0, (span.seen_at - span.began_at).total_seconds())  # a clock that ran backwards takes no time away
        names[span.user_id] = span.user.display_name
    corrections = {}
    for one in WorkCorrection.objects.filter(case_id__in=case_ids).select_related("user"):
        corrections[one.case_id, one.user_id, one.day] = one
        names[one.user_id] = one.user.display_name
    found = []
    for key in sorted(measured.keys() | corrections.keys(), key=lambda one: (one[0], one[2], one[1])):
        case_id, user_id, day = key
        seconds, correction = round(measured.get(key, 0)), corrections.get(key)
        counts = correction.seconds if correction is not None else seconds
        why = (correction.reason, correction.made_by_name) if correction is not None else ("", "")
        found.append(Worked(case_id, user_id, names[user_id], day, counts, seconds, *why))
    return found


def work_lines(case_id: int, viewer: Viewer) -> list[dict[str, Any]]:
    """The time of everybody in a case as its page tells it, for files and programs: as COLUMNS, by day and person."""
    check_may(viewer, "case.work")
    access_case(case_id, viewer)
    return [
        {
            "case": one.case_id,
            "agent": one.user_id,
            "agent_name": one.name,
            "day": one.day,
            "seconds": one.seconds,
            "measured_seconds": one.measured_seconds,
            "is_corrected": bool(one.reason),
            "reason": one.reason,
            "corrected_by": one.corrected_by,
        }
        for one in list_work([case_id])
    ]


def cases_worked_since(since: datetime) -> set[int]:
    """The cases whose time changed since a moment."""
    spans = WorkSpan.objects.filter(seen_at__gte=since).values_list("case_id", flat=True)
    return {*spans, *WorkCorrection.objects.filter(changed_at__gte=since).values_list("case_id", flat=True)}
