"""Tasks and fields of the house are changed and removed with an entry in the history, and never over somebody else's change unseen."""

from datetime import timedelta

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.notices.models import Notice
from careloop.desk.teamwork import tags
from careloop.desk.teamwork.case_tasks import NewTask, add_task, remind_of_tasks
from careloop.desk.teamwork.field_changes import change_definition, clean_field
from careloop.desk.teamwork.models import FieldDefinition, FieldValue, Task
from careloop.desk.teamwork.task_changes import change_task, remove_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, inbound, now) -> Case:
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


@pytest.fixture
def agent(cast):
    return cast.viewer(cast.agent)


@pytest.fixture
def task(case, agent, now) -> Task:
    return add_task(case_id=case.pk, new=NewTask("Check the batch", "Warehouse"), viewer=agent, now=now)


@pytest.fixture
def owner(cast):
    return cast.viewer(cast.owner)


@pytest.fixture
def plan(owner, now) -> FieldDefinition:
    return tags.add_definition(name="Plan", name_zh="方案", kind="CHOICE", choices=["gold", "silver"], viewer=owner, now=now)


def test_a_task_is_given_to_somebody_else_until_later(cast, case, task, agent, now):
    new = NewTask("Check batch B17", "", assignee_id=cast.supervisor.pk, due_at=now + timedelta(days=1))
    change_task(task_id=task.pk, new=new, expected_version=1, viewer=agent, now=now)
    task.refresh_from_db()
    assert (task.title, task.department, task.assignee_id, task.version) == ("Check batch B17", "", cast.supervisor.pk, 2)
    event = CaseEvent.objects.filter(kind="TASK").last()
    assert event.before == {"title": "Check the batch", "department": "Warehouse", "assignee_id": None, "due_at": None}
    assert (event.after["state"], event.after["to"]["due_at"]) == ("CHANGED", "2026-05-05T06:00:00+00:00")
    assert list(Notice.objects.values_list("user__display_name", "kind")) == [("Sun", "TASK")]
    assert AuditEntry.objects.filter(action="case.task").count() == 2


def test_a_change_that_changes_nothing_writes_nothing(task, agent, now):
    change_task(task_id=task.pk, new=NewTask(" Check  the batch ", "Warehouse"), expected_version=1, viewer=agent, now=now)
    assert (Task.objects.get().version, CaseEvent.objects.filter(kind="TASK").count()) == (1, 1)


def test_of_a_task_whose_time_was_moved_people_are_told_again(case, task, agent, now):
    for days in (0, 1):
        new = NewTask("Check the batch", due_at=now + timedelta(days=days))
        change_task(task_id=task.pk, new=new, expected_version=1 + days, viewer=agent, now=now)
        assert remind_of_tasks(now=now + timedelta(days=days)) == 1
        assert remind_of_tasks(now=now + timedelta(days=days)) == 0
    assert Notice.objects.filter(kind="OVERDUE").count() == 2


def test_the_second_writer_of_a_task_sees_both_versions_and_may_take_their_own(client, cast, case, task, agent, now):
    change_task(task_id=task.pk, new=NewTask("Check B17", "Warehouse"), expected_version=1, viewer=agent, now=now)
    client.force_login(cast.supervisor)
    answer = client.post(f"/tasks/{task.pk}/edit/", {"title": "Check B18", "department": "Warehouse", "version": "1"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Check B17" in page and "Check B18" in page and 'name="version" value="2"' in page
    assert Task.objects.get().title == "Check B17"
    assert client.post(f"/tasks/{task.pk}/edit/", {"title": "Check B18", "department": "Warehouse", "version": "2"}).status_code == 302
    assert Task.objects.get().title == "Check B18"


def test_a_task_is_removed_and_stays_in_the_history(client, cast, case, task):
    client.force_login(cast.agent)
    assert client.post(f"/tasks/{task.pk}/remove/", {"version": "1"}).status_code == 302
    assert Task.objects.count() == 0
    event = CaseEvent.objects.filter(kind="TASK").last()
    assert (event.after, event.before["department"]) == ({"state": "REMOVED", "title": "Check the batch", "task": task.pk}, "Warehouse")
    assert "removed the task “Check the batch”" in client.get(f"/cases/{case.pk}/").content.decode()


def test_a_task_that_was_changed_in_between_is_not_removed(case, task, agent, now):
    change_task(task_id=task.pk, new=NewTask("Check B17"), expected_version=1, viewer=agent, now=now)
    with pytest.raises(Conflict):
        remove_task(task_id=task.pk, expected_version=1, viewer=agent, now=now)
    assert Task.objects.count() == 1


def test_whoever_does_not_see_the_case_changes_and_removes_nothing(cast, case, agent, now):
    task = add_task(case_id=case.pk, new=NewTask("Check", assignee_id=cast.outsider.pk), viewer=agent, now=now)
    before = list(Task.objects.values())
    with pytest.raises(NotFound):
        change_task(task_id=task.pk, new=NewTask("x"), expected_version=1, viewer=cast.viewer(cast.outsider), now=now)
    with pytest.raises(NotFound):
        remove_task(task_id=task.pk, expected_version=1, viewer=cast.viewer(cast.outsider), now=now)
    with pytest.raises(NotAllowed):
        change_task(task_id=task.pk, new=NewTask("x"), expected_version=1, viewer=cast.viewer(cast.analyst), now=now)
    with pytest.raises(InvalidInput):
        change_task(task_id=task.pk, new=NewTask(" "), expected_version=1, viewer=agent, now=now)
    assert list(Task.objects.values()) == before


def test_a_field_is_renamed_and_gets_another_option_and_keeps_its_code_and_values(case, agent, owner, plan, now):
    tags.set_field(case_id=case.pk, code="plan", given="gold", viewer=agent, now=now)
    new = clean_field(" Tariff ", "资费", "CHOICE", ["gold", "bronze"])
    change_definition(definition_id=plan.pk, new=new, expected_version=1, viewer=owner, now=now)
    plan.refresh_from_db()
    assert (plan.code, plan.name, plan.name_zh, plan.choices, plan.version) == ("plan", "Tariff", "资费", ["gold", "bronze"], 2)
    assert tags.values_of([case.pk])[case.pk] == {"plan": "gold"}
    assert AuditEntry.objects.get(action="field.change").details["before"]["name"] == "Plan"


@pytest.mark.parametrize(
    ("kind", "choices", "sentence"),
    [
        ("TEXT", [], "Something is entered in this field of 1 cases"),
        ("CHOICE", ["silver"], "1 case holds the option “gold”"),
    ],
)
def test_what_cases_hold_stays_valid(case, agent, owner, plan, now, kind, choices, sentence):
    tags.set_field(case_id=case.pk, code="plan", given="gold", viewer=agent, now=now)
    with pytest.raises(InvalidInput, match=sentence):
        change_definition(definition_id=plan.pk, new=clean_field("Plan", "", kind, choices), expected_version=1, viewer=owner, now=now)
    plan.refresh_from_db()
    assert (plan.kind, plan.choices, plan.version, FieldValue.objects.get().value) == ("CHOICE", ["gold", "silver"], 1, "gold")


def test_a_field_in_which_nothing_is_entered_may_change_its_kind(owner, plan, now):
    change_definition(definition_id=plan.pk, new=clean_field("Plan", "", "NUMBER", []), expected_version=1, viewer=owner, now=now)
    assert FieldDefinition.objects.get().kind == "NUMBER"


def test_the_second_writer_of_a_field_sees_both_versions(client, cast, owner, plan, now):
    change_definition(definition_id=plan.pk, new=clean_field("Tariff", "", "TEXT", []), expected_version=1, viewer=owner, now=now)
    client.force_login(cast.owner)
    answer = client.post(f"/fields/{plan.pk}/edit/", {"name": "Contract", "kind": "NUMBER", "choices": "", "version": "1"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Tariff" in page and "Contract" in page and "Number" in page and 'name="version" value="2"' in page
    assert FieldDefinition.objects.get().name == "Tariff"
    answer = client.post(f"/fields/{plan.pk}/edit/", {"name": " ", "kind": "TEXT", "choices": "", "version": "2"})
    assert (answer.status_code, FieldDefinition.objects.get().name) == (422, "Tariff")


def test_agents_change_no_field_of_the_house(agent, plan, now):
    with pytest.raises(NotAllowed):
        change_definition(definition_id=plan.pk, new=clean_field("x", "", "TEXT", []), expected_version=1, viewer=agent, now=now)
    assert FieldDefinition.objects.get().name == "Plan"
