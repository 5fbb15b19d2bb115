"""Tasks: things that somebody does for a case, perhaps in another department."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Team, User
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import case_to_change
from careloop.desk.cases.models import Case, CaseEvent, EventKind
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.notices.actions import notify
from careloop.desk.teamwork.models import FollowUpTemplate, Task
from careloop.desk.teamwork.telling import tell_case

SHOWN = 200


@dataclass(frozen=True)
class NewTask:
    """What somebody shall do, where and until when."""

    title: str
    department: str = ""
    team_id: int | None = None
    assignee_id: int | None = None
    due_at: datetime | None = None


def list_people() -> list[User]:
    """Everybody who may be given a task: tasks go to other departments, too."""
    return list(User.objects.filter(is_active=True).exclude(role="ANALYST").order_by("display_name"))


def list_case_tasks(case: Case) -> list[Task]:
    """The tasks of a case: what is to be done first, by their deadlines."""
    tasks = Task.objects.filter(case=case).select_related("assignee", "team")
    return list(tasks.order_by(F("done_at").asc(nulls_first=True), F("due_at").asc(nulls_last=True), "pk")[:SHOWN])


def list_my_tasks(viewer: Viewer, *, is_done: bool = False) -> list[Task]:
    """What the viewer has to do: given to them, or to one of their teams and to nobody there."""
    mine = Q(assignee_id=viewer.user_id) | Q(assignee=None, team_id__in=User.objects.get(pk=viewer.user_id).teams.values("pk"))
    tasks = Task.objects.filter(mine, done_at__isnull=not is_done).select_related("case", "assignee", "team")
    order = ("-done_at",) if is_done else (F("due_at").asc(nulls_last=True), "pk")
    return list(tasks.order_by(*order)[:SHOWN])


def check_task(new: NewTask) -> str:
    """The title without needless blanks; InvalidInput if something cannot be a task."""
    title = " ".join(new.title.replace("\0", "").split())
    if not title or len(title) > 200:
        raise InvalidInput(_("Write what is to be done, in at most 200 characters."), field="title")
    if new.assignee_id is not None and new.assignee_id not in {person.pk for person in list_people()}:
        raise InvalidInput(_("There is no such person at the desk; choose somebody from the list."), field="assignee")
    if new.team_id is not None and not Team.objects.filter(pk=new.team_id).exists():
        raise InvalidInput(_("There is no such team; choose one from the list."), field="team")
    return title


def add_task(*, case_id: int, new: NewTask, viewer: Viewer, now: datetime) -> Task:
    """Ask somebody to do something for the case, and tell them."""
    title = check_task(new)
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        task = Task.objects.create(
            case=case, title=title, department=new.department.strip()[:80], team_id=new.team_id, assignee_id=new.assignee_id,
            due_at=new.due_at, created_by_id=viewer.person_id, created_by_name=viewer.name, created_at=now,
        )  # fmt: skip
        tell_case(case, EventKind.TASK, actor_of(viewer), now, after={"state": "ADDED", "title": title, "task": task.pk})
        _tell_assignee(task, viewer.person_id, viewer.name, now)
    return task


def set_done(*, task_id: int, is_done: bool, viewer: Viewer, now: datetime) -> Task:
    """Tick a task off, or say that it is to be done after all; done twice is done once."""
    check_may(viewer, "case.work")
    with transaction.atomic():
        task = access_task(task_id, viewer)
        case: Case = Case.objects.select_for_update().get(pk=task.case_id)
        task = Task.objects.select_for_update(of=("self",)).get(pk=task_id)
        if (task.done_at is not None) == is_done:
            return task
        task.done_at, task.done_by_name = (now, viewer.name) if is_done else (None, "")
        task.save(update_fields=["done_at", "done_by_name"])
        state = "DONE" if is_done else "OPENED"
        tell_case(case, EventKind.TASK, actor_of(viewer), now, after={"state": state, "title": task.title, "task": task.pk})
        if is_done and task.created_by_id and task.created_by_id != viewer.user_id:
            facts = {"text": f"✓ {task.title}", "who": viewer.name}
            notify(user_ids=[task.created_by_id], kind="TASK", key=f"task-done:{task.pk}", case_id=case.pk, facts=facts, now=now)
    return task


def access_task(task_id: int, viewer: Viewer) -> Task:
    """The task, if the viewer sees its case or it is the viewer's or the viewer's team's."""
    task = Task.objects.select_related("case").filter(pk=task_id).first()
    if task is not None:
        own_team = task.team_id is not None and viewer.team_ids is not None and task.team_id in viewer.team_ids
        if viewer.sees_team(task.case.team_id) or task.assignee_id == viewer.user_id or own_team:
            return task
    raise NotFound(_("There is no task %(number)s for you.") % {"number": task_id})


def add_tasks_of_step(event: CaseEvent, case: Case, now: datetime) -> None:
    """The tasks that a step of a flow brings with it, once an event."""
    asked = event.after.get("tasks", [])
    insert_rows(
        (
            Task(
                case_id=case.pk, title=_name_of(one["name"])[:200], event_id=event.pk,
                department=_department_of(one.get("department", ""))[:80],
                position=position, due_at=datetime.fromisoformat(one["due_at"]) if one.get("due_at") else None, created_at=now,
                created_by_id=event.actor_id if event.actor_kind == "user" else None, created_by_name=event.actor_name,
            )
            for position, one in enumerate(asked)
        ),
        ignore_conflicts=True,
    )  # fmt: skip


def remind_of_tasks(*, now: datetime) -> int:
    """Tell people of their tasks whose time has come, once a task; without assignee the person who asked for it."""
    due = list(Task.objects.filter(done_at=None, reminded_at=None, due_at__lte=now).order_by("pk")[:500])
    for task in due:
        with transaction.atomic():
            if not Task.objects.filter(pk=task.pk, reminded_at=None, done_at=None).update(reminded_at=now):
                continue
            people = {number for number in (task.assignee_id or task.created_by_id,) if number}
            facts = {"text": task.title, "due_at": task.due_at.isoformat() if task.due_at else ""}
            notify(
                user_ids=people,
                kind="OVERDUE",
                key=f"task-due:{task.pk}:{task.due_at:%Y%m%d%H%M}",
                case_id=task.case_id,
                facts=facts,
                now=now,
            )
    return len(due)


def apply_template(*, case_id: int, template_id: int, viewer: Viewer, now: datetime) -> list[Task]:
    """Add all tasks of a template to the case, due in as many days as each says; all or none."""
    template = FollowUpTemplate.objects.filter(pk=template_id).first()
    if template is None:
        raise InvalidInput(_("There is no such template any more; load the page again."), field="template")
    with transaction.atomic():
        return [
            add_task(
                case_id=case_id,
                new=NewTask(one["title"], one["department"], due_at=now + timedelta(days=one["days"]) if one["days"] else None,
                            assignee_id=None if one["department"] else viewer.user_id),
                viewer=viewer,
                now=now,
            )
            for one in template.items
        ]  # fmt: skip


def _tell_assignee(task: Task, by_id: int | None, by_name: str, now: datetime) -> None:
    if task.assignee_id is not None and task.assignee_id != by_id:
        facts = {"text": task.title, "who": by_name}
        notify(user_ids=[task.assignee_id], kind="TASK", key=f"task:{task.pk}", case_id=task.case_id, facts=facts, now=now)


def _department_of(stored: str | dict[str, str]) -> str:
    return stored if isinstance(stored, str) else _name_of(stored)


def _name_of(name: dict[str, str]) -> str:
    return " · ".join(filter(None, dict.fromkeys(name.values()))) or "–"
