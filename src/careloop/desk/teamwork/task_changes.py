"""Changing and removing tasks: with an entry in the case's history, and never over somebody else's change unseen."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import case_to_change
from careloop.desk.cases.models import EventKind
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import Conflict
from careloop.desk.notices.actions import notify
from careloop.desk.teamwork.case_tasks import NewTask, access_task, check_task
from careloop.desk.teamwork.models import Task
from careloop.desk.teamwork.telling import tell_case

FIELDS = ("title", "department", "team_id", "assignee_id", "due_at")


def task_to_change(task_id: int, viewer: Viewer) -> Task:
    """The task of a case that the viewer sees; whoever was only given the task ticks it off."""
    task = access_task(task_id, viewer)
    access_case(task.case_id, viewer)
    return task


def change_task(*, task_id: int, new: NewTask, expected_version: int, viewer: Viewer, now: datetime) -> Task:
    """Say anew what is to be done, where, by whom and until when; whoever has it from now on is told."""
    title = check_task(new)
    task = task_to_change(task_id, viewer)
    with transaction.atomic():
        case = case_to_change(task.case_id, viewer)
        task = _unchanged(task_id, expected_version)
        before, assignee_id = _plain(task), task.assignee_id
        task.title, task.department, task.team_id = title, new.department.strip()[:80], new.team_id
        task.assignee_id, task.due_at = new.assignee_id, new.due_at
        after = _plain(task)
        if before == after:
            return task
        task.version += 1
        task.reminded_at = None if before["due_at"] != after["due_at"] else task.reminded_at
        task.save(update_fields=[*FIELDS, "version", "reminded_at"])
        changed = [name for name in FIELDS if before[name] != after[name]]
        told = {"state": "CHANGED", "title": title, "task": task.pk, "to": {name: after[name] for name in changed}}
        tell_case(case, EventKind.TASK, actor_of(viewer), now, before={name: before[name] for name in changed}, after=told)
        if task.assignee_id not in (None, assignee_id, viewer.person_id):
            facts = {"text": title, "who": viewer.name}
            notify(user_ids=[task.assignee_id], kind="TASK", key=f"task:{task.pk}", case_id=case.pk, facts=facts, now=now)
    return task


def remove_task(*, task_id: int, expected_version: int, viewer: Viewer, now: datetime) -> int:
    """Remove a task; what it was stays in the case's history. Returns the case's number."""
    task = task_to_change(task_id, viewer)
    with transaction.atomic():
        case = case_to_change(task.case_id, viewer)
        task = _unchanged(task_id, expected_version)
        told = {"state": "REMOVED", "title": task.title, "task": task.pk}
        tell_case(case, EventKind.TASK, actor_of(viewer), now, before=_plain(task), after=told)
        task.delete()
    return case.pk


def _unchanged(task_id: int, expected_version: int) -> Task:
    """The task, locked, as the viewer has seen it."""
    task = Task.objects.select_for_update(of=("self",)).filter(pk=task_id).first()
    if task is None:
        raise Conflict(_("Somebody else removed this task in between."))
    if task.version != expected_version:
        raise Conflict(_("Somebody else changed this task in between; nothing of yours was saved yet."))
    return task


def _plain(task: Task) -> dict[str, Any]:
    found = {name: getattr(task, name) for name in FIELDS}
    return found | {"due_at": task.due_at.isoformat() if task.due_at else None}
