"""Somebody is switched off: their open cases wait for somebody again, and so do their tasks; what is done stays theirs."""

from datetime import timedelta

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.teamwork.case_tasks import NewTask, add_task, list_my_tasks, set_done
from careloop.desk.teamwork.leaving import return_tasks
from careloop.desk.teamwork.models import Task

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def tasks(cast, inbound, now):
    """Three tasks of Chen: one to do, one of the other team to do, one done."""
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    viewer, mine = cast.viewer(cast.supervisor), {"assignee_id": cast.agent.pk}
    new = (
        NewTask("Call the customer", **mine),
        NewTask("Check the batch", team_id=cast.other_team.pk, **mine),
        NewTask("Weigh it", **mine),
    )
    made = [add_task(case_id=case.pk, new=one, viewer=viewer, now=now) for one in new]
    set_done(task_id=made[2].pk, is_done=True, viewer=cast.viewer(cast.agent), now=now)
    return made


def test_switching_somebody_off_gives_cases_and_tasks_back_and_the_history_says_so(client, cast, tasks, now):
    Case.objects.update(assignee=cast.agent)
    client.force_login(cast.owner)
    given = {"display_name": "Chen", "role": "AGENT", "teams": [cast.team.pk]}
    assert client.post(f"/settings/users/{cast.agent.pk}/", given).status_code == 302
    assert Case.objects.get().assignee is None
    assert list(Task.objects.order_by("pk").values_list("assignee", "team")) == [
        (None, cast.team.pk),
        (None, cast.other_team.pk),
        (cast.agent.pk, None),
    ]
    assert [one.title for one in list_my_tasks(cast.viewer(cast.supervisor))] == ["Call the customer"]
    assert [one.title for one in list_my_tasks(cast.viewer(cast.outsider))] == ["Check the batch"]
    page = client.get(f"/cases/{Case.objects.get().pk}/").content.decode()
    assert "Chen no longer works here; the case went back to the queue" in page
    assert "Chen no longer works here; the task “Call the customer” went to the team" in page
    assert "Chen" not in client.get("/?view=unassigned").content.decode().partition('id="row-')[2]


def test_whoever_was_switched_off_elsewhere_gives_tasks_back_once(cast, tasks, now):
    assert return_tasks(now=now) == 0
    User.objects.filter(pk=cast.agent.pk).update(is_active=False)
    version = Case.objects.get().version
    assert [return_tasks(now=now + HOUR), return_tasks(now=now + HOUR)] == [2, 0]
    assert CaseEvent.objects.filter(kind="TASK", after__state="RETURNED", actor_kind="system").count() == 2
    assert Case.objects.get().version == version + 2


def test_somebody_who_stays_keeps_tasks(client, cast, tasks):
    client.force_login(cast.owner)
    given = {"display_name": "Chen Li", "role": "AGENT", "teams": [cast.team.pk], "is_active": "on"}
    assert client.post(f"/settings/users/{cast.agent.pk}/", given).status_code == 302
    assert Task.objects.filter(assignee=cast.agent).count() == 3
