"""Calendars and levels change: open cases are counted anew at once, and history is shown as it would have been. Escalations."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from careloop.desk.accounts.models import Role, User
from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import save_case
from careloop.desk.cases.clocks import COUNTED, Happening, find_ticks, keep_clocks, recount, write_due
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, Clock, EscalationDone, EventKind, Priority
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.kernel.rows import update_rows
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind
from careloop.desk.sla import actions as sla
from careloop.desk.sla.models import Calendar, EscalationStep, ServiceLevel, StepAction
from careloop.desk.sla.queries import Calendars, working_calendar
from careloop.desk.sla.rules.clocks import MET, PAUSED, RUNNING, replay
from careloop.desk.sla.rules.facts import CalendarFacts, LevelFacts
from careloop.desk.sla.rules.following import FACTS

AT_ONCE = 500
STEPS_AT_ONCE = 200
HISTORY_DAYS = 90
MOST_HISTORY = 20_000


@dataclass(frozen=True)
class History:
    """What the clocks that ended in the last 90 days came to, and would have come to on a changed calendar."""

    clocks: int
    late_before: int
    late_after: int
    turned_late: int
    turned_in_time: int


def change_calendar(
    *, facts: CalendarFacts, viewer: Viewer, now: datetime, calendar_id: int | None = None, expected_version: int | None = None
) -> tuple[Calendar, int]:
    """Make or change a calendar and count every open clock on it anew; returns it with the number of clocks that changed."""
    with transaction.atomic():
        calendar = sla.save_calendar(facts=facts, viewer=viewer, now=now, calendar_id=calendar_id, expected_version=expected_version)
        changed = 0 if calendar_id is None else recount_open(calendar.pk)
    return calendar, changed


def change_level(
    *, facts: LevelFacts, viewer: Viewer, now: datetime, level_id: int | None = None, expected_changed_at: datetime | None = None
) -> tuple[ServiceLevel, int]:
    """Make or change a level and hold every open case to it at once; returns it with the number of cases looked at."""
    with transaction.atomic():
        level = sla.save_level(facts=facts, viewer=viewer, now=now, level_id=level_id, expected_changed_at=expected_changed_at)
        looked_at = judge_open_cases(now)
        pass_over_steps(now)
    return level, looked_at


def remove_level(*, level_id: int, viewer: Viewer, now: datetime) -> int:
    """Remove a level; open cases are judged by the next one that fits."""
    with transaction.atomic():
        sla.delete_level(level_id=level_id, viewer=viewer, now=now)
        return judge_open_cases(now)


def recount_open(calendar_id: int) -> int:
    """Count the running and paused clocks of a calendar anew; returns how many have another deadline or figure now."""
    changed = 0
    calendars = Calendars()
    for part in _parts(Clock.objects.filter(calendar_id=calendar_id, state__in=(RUNNING, PAUSED))):
        different = recount(part, calendars)
        update_rows(different, *COUNTED)
        numbers = {clock.case_id for clock in different}
        write_due(list(Case.objects.filter(pk__in=numbers)), Clock.objects.filter(case_id__in=numbers))
        changed += len(different)
    return changed


def judge_open_cases(now: datetime) -> int:
    """Hold every open case that did not come from a file to the levels as they are now; returns how many."""
    looked_at = 0
    last = 0
    waiting = Case.objects.select_for_update(of=("self",)).filter(status__in=UNRESOLVED).exclude(channel__kind="FILE").order_by("pk")
    while rows := list(waiting.filter(pk__gt=last)[:AT_ONCE]):
        keep_clocks([Happening(case, FACTS, now, case.first_response_at is not None) for case in rows])
        last, looked_at = rows[-1].pk, looked_at + len(rows)
    return looked_at


def imagine_history(*, facts: CalendarFacts, calendar_id: int, viewer: Viewer, now: datetime) -> History:
    """How the clocks of the last 90 days (the newest 20,000) would have ended on these hours; nothing is written."""
    check_may(viewer, "sla.view")
    imagined = {calendar_id: working_calendar(facts)}
    ended = Clock.objects.filter(calendar_id=calendar_id, state=MET, started_at__gte=now - timedelta(days=HISTORY_DAYS))
    clocks = before = after = turned_late = turned_in_time = 0
    for part in _parts(ended.order_by("-pk")[:MOST_HISTORY]):
        ticks = find_ticks(part)
        for clock in part:
            is_late = replay(ticks[clock.pk], imagined).is_late
            clocks, before, after = clocks + 1, before + clock.is_late, after + is_late
            turned_late, turned_in_time = turned_late + (is_late and not clock.is_late), turned_in_time + (clock.is_late and not is_late)
    return History(clocks, before, after, turned_late, turned_in_time)


def escalate(*, now: datetime) -> int:
    """Take every escalation step whose time has come, each once a clock; returns how many were taken."""
    taken = 0
    for step in _steps():
        for clock in _reached(step, now)[:STEPS_AT_ONCE]:
            with transaction.atomic():
                taken += _take_step(clock, step, now)
    return taken


def pass_over_steps(now: datetime) -> int:
    """Count the steps whose time has come as taken: a promise that is new tells nobody of what is late already."""
    passed = 0
    for step in _steps():
        marks = [_mark(clock, step, now) for clock in _reached(step, now)]
        passed += len(EscalationDone.objects.bulk_create(marks, ignore_conflicts=True))
    return passed


def _steps() -> list[EscalationStep]:
    return list(EscalationStep.objects.filter(level__is_active=True).select_related("level").order_by("minutes"))


def _reached(step: EscalationStep, now: datetime) -> QuerySet[Clock]:
    """Running clocks for which the step's time has come; one before the deadline makes no sense after it."""
    done = EscalationDone.objects.filter(clock_id=OuterRef("pk"), minutes=step.minutes, action=step.action)
    clocks = Clock.objects.filter(
        state=RUNNING, level_id=step.level_id, target=step.target, due_at__lte=now - timedelta(minutes=step.minutes)
    )
    if step.minutes < 0:
        clocks = clocks.filter(due_at__gt=now)
    return clocks.exclude(Exists(done)).order_by("due_at")


def _mark(clock: Clock, step: EscalationStep, now: datetime) -> EscalationDone:
    return EscalationDone(clock=clock, target=step.target, minutes=step.minutes, action=step.action, at=now)


def _take_step(clock: Clock, step: EscalationStep, now: datetime) -> bool:
    case = Case.objects.select_for_update().get(pk=clock.case_id)
    mark = {"clock": clock, "minutes": step.minutes, "action": step.action}
    _row, is_new = EscalationDone.objects.get_or_create(**mark, defaults={"at": now, "target": step.target})
    if not is_new or case.status not in UNRESOLVED:
        return False
    before, after = _act(case, clock, step, now)
    facts = {"target": step.target, "minutes": step.minutes, "action": step.action, "level": step.level.name}
    add_event(case=case, kind=EventKind.ESCALATED, actor=SYSTEM, now=now, before=before, after={**facts, **after})
    return True


def _act(case: Case, clock: Clock, step: EscalationStep, now: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    if step.action == StepAction.RAISE_PRIORITY and case.priority < Priority.URGENT:
        before = {"priority": case.priority}
        case.priority = next(priority for priority in sorted(Priority.values) if priority > case.priority)
        save_case(case, "priority")
        keep_clocks([Happening(case, FACTS, now, case.first_response_at is not None)])
        return before, {"priority": case.priority}
    if step.action == StepAction.UNASSIGN and case.assignee_id is not None:
        before = {"assignee_id": case.assignee_id}
        case.assignee_id = None
        save_case(case, "assignee_id")
        return before, {"assignee_id": None}
    if step.action in {StepAction.NOTIFY_ASSIGNEE, StepAction.NOTIFY_SUPERVISORS}:
        is_late = clock.due_at is not None and now >= clock.due_at
        notify(
            user_ids=_told(case, step.action),
            kind=NoticeKind.OVERDUE if is_late else NoticeKind.DUE_SOON,
            key=f"clock {clock.pk} {step.minutes} {step.action}",
            case_id=case.pk,
            facts={"target": step.target, "due_at": clock.due_at.isoformat() if clock.due_at else "", "subject": case.subject},
            now=now,
        )
    return {}, {}


def _told(case: Case, action: str) -> list[int]:
    supervisors = User.objects.filter(is_active=True, role=Role.SUPERVISOR, teams=case.team_id).values_list("pk", flat=True)
    owners = User.objects.filter(is_active=True, role=Role.OWNER).values_list("pk", flat=True)
    if action == StepAction.NOTIFY_ASSIGNEE and case.assignee_id is not None:
        return [case.assignee_id]
    return list(supervisors) or list(owners)


def _parts(clocks: Iterable[Clock]) -> Iterator[list[Clock]]:
    rows = list(clocks)
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
