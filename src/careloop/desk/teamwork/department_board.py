"""The board by department: unresolved cases under each department and team that still has a task for them, the earliest due first."""

from datetime import datetime

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.teamwork.models import Task

NOWHERE = "0"  # the column of tasks that belong to no department; its name depends on the reader's language
CODE_LENGTH = 40
MOST_TASKS = 3_000  # of a house with more, those due first


def departments(viewer: Viewer, team_id: int | None) -> dict[str, list[tuple[Case, list[Task]]]]:
    """By the column's code: each case once, with its open tasks there. Departments in alphabetical order, those without one first."""
    found: dict[str, dict[int, tuple[Case, list[Task]]]] = {NOWHERE: {}}
    for task in _open_tasks(viewer, team_id)[:MOST_TASKS]:
        column = found.setdefault(column_of(task), {})
        column.setdefault(task.case_id, (task.case, []))[1].append(task)
    return {code: list(found[code].values()) for code in sorted(found, key=lambda code: (code != NOWHERE, code))}


def column_of(task: Task) -> str:
    """The code of the column in which a task stands: its department's name, else its team's."""
    return (task.department or (task.team.name if task.team else ""))[:CODE_LENGTH] or NOWHERE


def department_name(code: str) -> str:
    """What a column is called."""
    return _("No department") if code == NOWHERE else code


def is_late(task: Task, now: datetime) -> bool:
    """Whether its time has passed."""
    return task.due_at is not None and task.due_at < now


def _open_tasks(viewer: Viewer, team_id: int | None) -> QuerySet[Task]:
    cases = Case.objects.visible_to(viewer).filter(status__in=UNRESOLVED)
    if team_id is not None:
        cases = cases.filter(team_id=team_id)
    tasks = Task.objects.filter(done_at=None, case__in=cases).select_related("case__customer", "case__assignee", "team")
    return tasks.order_by(F("due_at").asc(nulls_last=True), "pk")
