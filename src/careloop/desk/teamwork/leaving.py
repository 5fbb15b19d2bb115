"""Tasks of people who left: they go to a team, so that they stand in somebody's list again."""

from datetime import datetime

from django.db import transaction

from careloop.desk.accounts.models import Role, User
from careloop.desk.cases.models import Case, EventKind
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.teamwork.models import Task
from careloop.desk.teamwork.telling import tell_case


def return_tasks(*, now: datetime, user_id: int | None = None) -> int:
    """Give the unfinished tasks of people who no longer work on cases (or of this one, if so) to the task's team, else the case's.

    The history of each case says it; returns how many tasks were given back.
    """
    left = User.objects.filter(is_active=False) | User.objects.filter(role=Role.ANALYST)
    people = dict(left.values_list("pk", "display_name"))
    theirs = Task.objects.filter(assignee_id__in=people, done_at=None)
    wanted = theirs if user_id is None else theirs.filter(assignee_id=user_id)
    returned = 0
    for case_id in wanted.order_by("case_id").values_list("case_id", flat=True).distinct():
        with transaction.atomic():
            case = Case.objects.select_for_update().get(pk=case_id)
            for task in wanted.filter(case=case).select_for_update(of=("self",)).order_by("pk"):
                after = {"state": "RETURNED", "title": task.title, "task": task.pk, "left": people[task.assignee_id or 0]}
                task.assignee, task.team_id = None, task.team_id or case.team_id
                task.save(update_fields=["assignee", "team"])
                tell_case(case, EventKind.TASK, SYSTEM, now, after=after)
                returned += 1
    return returned
