"""Tasks, mentions, followers, tags, fields, snoozes, saved views and templates of follow-up."""

from datetime import timedelta

import pytest

from careloop.desk.cases.actions import add_note, reply
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound
from careloop.desk.notices.models import Notice
from careloop.desk.teamwork import saved_views, snoozes, tags
from careloop.desk.teamwork.case_tasks import (
    NewTask,
    add_task,
    apply_template,
    list_my_tasks,
    remind_of_tasks,
    set_done,
)
from careloop.desk.teamwork.following import follow, follow_events, list_followers
from careloop.desk.teamwork.models import CaseTag, FieldValue, Follower, SavedView, Snooze, Task
from careloop.desk.teamwork.rules import lines_to_items, people_mentioned, tag_from

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, inbound, now) -> Case:
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    follow_events(now=now)  # marks the place; what happened before is told to nobody
    return case


@pytest.fixture
def agent(cast):
    return cast.viewer(cast.agent)


def told() -> list[tuple[str, str]]:
    return list(Notice.objects.order_by("pk").values_list("user__display_name", "kind"))


def kinds(case) -> list[str]:
    return list(CaseEvent.objects.filter(case=case).order_by("pk").values_list("kind", flat=True))[1:]


def test_a_task_for_another_department_is_told_listed_and_ticked_off(cast, case, agent, now):
    task = add_task(case_id=case.pk, new=NewTask(" 检查  批次 ", "Warehouse", assignee_id=cast.outsider.pk), viewer=agent, now=now)
    assert (task.title, task.created_by_name) == ("检查 批次", "Chen")
    outsider = cast.viewer(cast.outsider)
    assert (list_my_tasks(outsider), list_my_tasks(agent)) == ([task], [])
    set_done(task_id=task.pk, is_done=True, viewer=outsider, now=now)
    set_done(task_id=task.pk, is_done=True, viewer=outsider, now=now)
    assert (list_my_tasks(outsider), list_my_tasks(outsider, is_done=True)) == ([], [task])
    assert told() == [("Wang", "TASK"), ("Chen", "TASK")]
    assert kinds(case) == ["TASK", "TASK"]


def test_the_page_of_tasks_tells_another_department_the_number_but_not_the_case(client, cast, case, agent, now):
    add_task(case_id=case.pk, new=NewTask("Check the batch", assignee_id=cast.outsider.pk), viewer=agent, now=now)
    client.force_login(cast.outsider)
    page = client.get("/tasks/").content.decode()
    assert "Check the batch" in page and f"#{case.pk}" in page
    assert "热水器漏水" not in page


def test_nobody_ticks_off_or_adds_what_is_not_theirs(cast, case, agent, now):
    task = add_task(case_id=case.pk, new=NewTask("Check the batch"), viewer=agent, now=now)
    version = Case.objects.get(pk=case.pk).version
    with pytest.raises(NotFound):
        set_done(task_id=task.pk, is_done=True, viewer=cast.viewer(cast.outsider), now=now)
    with pytest.raises(NotFound):
        add_task(case_id=case.pk, new=NewTask("x"), viewer=cast.viewer(cast.outsider), now=now)
    with pytest.raises(NotAllowed):
        add_task(case_id=case.pk, new=NewTask("x"), viewer=cast.viewer(cast.analyst), now=now)
    for wrong in (NewTask(" "), NewTask("x" * 201), NewTask("x", assignee_id=cast.analyst.pk), NewTask("x", team_id=10**9)):
        with pytest.raises(InvalidInput):
            add_task(case_id=case.pk, new=wrong, viewer=agent, now=now)
    assert (Task.objects.count(), Task.objects.get().done_at, Case.objects.get(pk=case.pk).version) == (1, None, version)


def test_a_due_task_is_told_once(cast, case, agent, now):
    add_task(case_id=case.pk, new=NewTask("Call", assignee_id=cast.agent.pk, due_at=now + timedelta(hours=1)), viewer=agent, now=now)
    assert remind_of_tasks(now=now) == 0
    assert [remind_of_tasks(now=now + timedelta(hours=hours)) for hours in (1, 2)] == [1, 0]
    assert told() == [("Chen", "OVERDUE")]


def test_a_step_that_brings_tasks_brings_them_once(case, now):
    name = {"en": "Check the batch", "zh": "检查批次"}
    asked = [{"name": name, "department": "Warehouse", "due_at": (now + timedelta(days=2)).isoformat()}]
    CaseEvent.objects.create(case=case, team=case.team, kind="MOVED", at=now, actor_kind="user", actor_name="Chen", after={"tasks": asked})
    follow_events(now=now)
    follow_events(now=now)
    task = Task.objects.get()
    assert (task.title, task.department, task.due_at) == ("Check the batch · 检查批次", "Warehouse", now + timedelta(days=2))


def test_a_template_adds_its_tasks_together(cast, case, agent, now):
    supervisor = cast.viewer(cast.supervisor)
    lines = "Check the batch | Warehouse | 2\nCall the customer | | 7\n"
    template = saved_views.save_template(name="Recall", lines=lines, viewer=supervisor, now=now)
    made = apply_template(case_id=case.pk, template_id=template.pk, viewer=agent, now=now)
    assert [(one.title, one.department, one.assignee_id, one.due_at) for one in made] == [
        ("Check the batch", "Warehouse", None, now + timedelta(days=2)),
        ("Call the customer", "", cast.agent.pk, now + timedelta(days=7)),
    ]
    with pytest.raises(NotAllowed):
        saved_views.remove_template(template_id=template.pk, viewer=agent, now=now)
    assert len(saved_views.list_templates()) == 1


def test_a_template_with_a_line_that_is_no_task_names_the_line():
    assert lines_to_items("a｜b｜3") == [{"title": "a", "department": "b", "days": 3}]
    with pytest.raises(ValueError, match="2"):
        lines_to_items("a\n|b|3")
    with pytest.raises(ValueError, match="1"):
        lines_to_items("a|b|soon")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@Sun please look", {1}),
        ("@Sunny please look", {2}),
        ("@sun wei and ＠陈晨请看", {3, 4}),
        ("mail to sun@desk.example", set()),
        ("nobody", set()),
    ],
)
def test_who_is_mentioned(text, found):
    assert people_mentioned(text, {1: "Sun", 2: "Sunny", 3: "Sun Wei", 4: "陈晨"}) == found


def test_a_mention_tells_and_makes_a_follower_but_nobody_who_does_not_see_the_case(cast, case, agent, now):
    add_note(case_id=case.pk, body="@Sun @Wang @Chen please look", viewer=agent, now=now)
    follow_events(now=now)
    follow_events(now=now)
    assert told() == [("Sun", "MENTIONED")]
    assert list_followers(case) == [cast.supervisor]


def test_followers_are_told_of_answers_and_solutions_until_they_leave(cast, case, agent, inbound, now):
    supervisor = cast.viewer(cast.supervisor)
    follow(case_id=case.pk, viewer=supervisor, now=now)
    receive_message(inbound(external_id="m-2", text="还在漏"), now=now)
    reply(case_id=case.pk, body="Solved.", viewer=agent, now=now, status="RESOLVED")
    follow_events(now=now)
    assert told() == [("Sun", "REPLIED"), ("Chen", "REPLIED"), ("Sun", "FOLLOWED")]
    follow(case_id=case.pk, viewer=supervisor, now=now, is_on=False)
    receive_message(inbound(external_id="m-3", text="又漏了", case_id=case.pk), now=now)
    follow_events(now=now)
    assert told()[3:] == [("Chen", "REPLIED")]
    with pytest.raises(NotFound):
        follow(case_id=case.pk, viewer=cast.viewer(cast.outsider), now=now)
    assert Follower.objects.count() == 1


def test_tags_are_put_on_found_and_taken_off(client, cast, case, agent, inbound, now):
    tags.set_tag(case_id=case.pk, name=" #批次 B17 ", viewer=agent, now=now)
    tags.set_tag(case_id=case.pk, name="批次 b17", viewer=agent, now=now)
    assert (tags.tags_of([case.pk])[case.pk], kinds(case)) == (["批次 b17"], ["TAGGED"])
    client.force_login(cast.agent)
    assert "热水器漏水" in client.get("/?view=all&tag=批次 b17").content.decode()
    assert f"/cases/{case.pk}/" not in client.get("/?view=all&tag=other").content.decode()
    assert (tags.list_tags(agent), tags.list_tags(cast.viewer(cast.outsider))) == (["批次 b17"], [])
    with pytest.raises(NotFound):
        tags.set_tag(case_id=case.pk, name="x", viewer=cast.viewer(cast.outsider), now=now)
    assert CaseTag.objects.count() == 1
    tags.set_tag(case_id=case.pk, name="批次 b17", viewer=agent, now=now, is_on=False)
    assert CaseTag.objects.count() == 0


def test_a_tag_is_a_few_words():
    assert [tag_from(given) for given in ("#VIP", " a,  b ", "＃急", "###", "x" * 50)] == ["vip", "a b", "急", "", "x" * 40]


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [("TEXT", " B17 ", "B17"), ("NUMBER", "1,299.5", 1299.5), ("NUMBER", "3", 3), ("DATE", "2026-05-04", "2026-05-04"),
     ("YES_NO", "yes", True), ("YES_NO", "no", False), ("CHOICE", "红", "红"), ("TEXT", " ", None)],
)  # fmt: skip
def test_a_field_keeps_what_was_entered(cast, case, agent, now, kind, given, stored):
    options = ["红", "蓝"] if kind == "CHOICE" else []
    facts = {"name": "Batch", "name_zh": "批次", "kind": kind, "choices": options}
    tags.add_definition(**facts, viewer=cast.viewer(cast.supervisor), now=now)
    tags.set_field(case_id=case.pk, code="batch", given=given, viewer=agent, now=now)
    assert tags.values_of([case.pk])[case.pk] == ({} if stored is None else {"batch": stored})


@pytest.mark.parametrize(("kind", "given"), [("NUMBER", "many"), ("NUMBER", "inf"), ("DATE", "4.5.2026"), ("CHOICE", "green")])
def test_a_field_refuses_what_does_not_fit(cast, case, agent, now, kind, given):
    options = ["红"] if kind == "CHOICE" else []
    tags.add_definition(name="Batch", name_zh="", kind=kind, choices=options, viewer=cast.viewer(cast.supervisor), now=now)
    version = Case.objects.get(pk=case.pk).version
    with pytest.raises(InvalidInput):
        tags.set_field(case_id=case.pk, code="batch", given=given, viewer=agent, now=now)
    assert (FieldValue.objects.count(), Case.objects.get(pk=case.pk).version) == (0, version)


def test_an_agent_defines_no_fields(agent, now):
    with pytest.raises(NotAllowed):
        tags.add_definition(name="Batch", name_zh="", kind="TEXT", choices=[], viewer=agent, now=now)
    assert tags.list_definitions() == []


def test_a_snoozed_case_waits_and_comes_back_with_a_notice(cast, case, agent, now):
    snoozes.snooze(case_id=case.pk, until=now + timedelta(days=1), reason="Ask the supplier", viewer=agent, now=now)
    assert Case.objects.get(pk=case.pk).status == "WAITING"
    assert snoozes.wake_cases(now=now + timedelta(hours=23)) == 0
    assert [snoozes.wake_cases(now=now + timedelta(days=days)) for days in (1, 2)] == [1, 0]
    assert (Case.objects.get(pk=case.pk).status, snoozes.find_snooze(case)) == ("OPEN", None)
    assert told() == [("Chen", "REMINDER")]
    assert kinds(case) == ["SNOOZED", "SNOOZED"]


def test_a_customer_who_writes_ends_the_waiting_without_a_notice(case, agent, inbound, now):
    snoozes.snooze(case_id=case.pk, until=now + timedelta(days=1), reason="", viewer=agent, now=now)
    receive_message(inbound(external_id="m-2"), now=now)
    snoozes.wake_cases(now=now + timedelta(days=1))
    assert (Case.objects.get(pk=case.pk).status, told()) == ("OPEN", [])


def test_a_case_is_not_snoozed_into_the_past_nor_by_an_outsider(cast, case, agent, now):
    for until in (now, now + timedelta(days=366)):
        with pytest.raises(InvalidInput):
            snoozes.snooze(case_id=case.pk, until=until, reason="", viewer=agent, now=now)
    with pytest.raises(NotFound):
        snoozes.snooze(case_id=case.pk, until=now + timedelta(days=1), reason="", viewer=cast.viewer(cast.outsider), now=now)
    assert (Snooze.objects.count(), Case.objects.get(pk=case.pk).status) == (0, "OPEN")


def test_views_are_ones_own_or_a_teams(cast, agent, now):
    own = saved_views.save_view(name="B17", query="?tag=b17&view=all", team_id=None, viewer=agent, now=now)
    shared = saved_views.save_view(name="Team", query="view=open", team_id=cast.team.pk, viewer=agent, now=now)
    assert own.query == "tag=b17&view=all"
    assert saved_views.list_saved_views(agent) == [own, shared]
    assert saved_views.list_saved_views(cast.viewer(cast.supervisor)) == [shared]
    outsider = cast.viewer(cast.outsider)
    assert saved_views.list_saved_views(outsider) == []
    with pytest.raises(NotFound):
        saved_views.save_view(name="x", query="", team_id=cast.team.pk, viewer=outsider, now=now)
    with pytest.raises(NotFound):
        saved_views.remove_view(view_id=shared.pk, viewer=outsider)
    assert SavedView.objects.count() == 2


def test_everything_beside_the_case_is_done_from_its_panel(client, cast, case, agent, now):
    tags.add_definition(name="Batch", name_zh="", kind="TEXT", choices=[], viewer=cast.viewer(cast.supervisor), now=now)
    client.force_login(cast.agent)
    at = f"/cases/{case.pk}/"
    posted = [("tasks/", {"title": "Call", "due": "2026-05-05T10:00"}), ("tags/", {"tag": "b17"}),
              ("field/", {"code": "batch", "value": "B17"}), ("follow/", {"follow": "yes"}),
              ("snooze/", {"until": "2030-01-01T09:00", "reason": "Later"})]  # fmt: skip
    for path, fields in posted[:4]:
        assert client.post(at + path, fields, headers={"HX-Request": "true"}).status_code == 200
    assert client.post(at + posted[4][0], posted[4][1]).status_code == 422  # more than a year away
    page = client.get(at + "together/").content.decode()
    assert all(word in page for word in ("Call", "b17", "B17", "Chen"))
    assert client.post(f"/tasks/{Task.objects.get().pk}/done/", {"done": "yes"}).status_code == 302
    assert Task.objects.get().done_by_name == "Chen"
    client.post("/views/save/", {"name": "Mine", "query": "?view=all&tag=b17"})
    assert "Mine" in client.get("/").content.decode()
    history = client.get(at).content.decode()
    assert "Chen added the task “Call”" in history and "Chen tagged the case: b17" in history


def test_fields_and_templates_are_kept_on_their_page(client, cast, now):
    client.force_login(cast.supervisor)
    client.post("/fields/new/", {"name": "Colour", "name_zh": "颜色", "kind": "CHOICE", "choices": "red\nblue\n"})
    client.post("/fields/follow-up/new/", {"name": "Recall", "lines": "Check | Warehouse | 2"})
    page = client.get("/fields/").content.decode()
    assert "red, blue" in page and "Check (Warehouse) in 2 days" in page
    client.force_login(cast.agent)
    assert client.get("/fields/").status_code == 403


def test_programs_read_tags_and_fields(client, cast, case, agent, now):
    from careloop.desk.accounts.actions import create_api_key
    from careloop.desk.accounts.queries import actor_of

    supervisor = cast.viewer(cast.supervisor)
    tags.add_definition(name="Batch", name_zh="", kind="NUMBER", choices=[], viewer=supervisor, now=now)
    tags.set_field(case_id=case.pk, code="batch", given="17", viewer=agent, now=now)
    tags.set_tag(case_id=case.pk, name="vip", viewer=agent, now=now)
    token = create_api_key(name="Shop", channel_id=cast.channel.pk, actor=actor_of(cast.viewer(cast.owner)), now=now)[1]
    headers = {"Authorization": f"Bearer {token}"}
    (listed,) = client.get("/api/v1/cases", headers=headers).json()["cases"]
    read = client.get(f"/api/v1/cases/{case.pk}", headers=headers).json()
    assert [(one["tags"], one["fields"]) for one in (listed, read)] == [(["vip"], {"batch": 17})] * 2


def test_an_at_offers_those_who_may_see_the_case_and_nobody_else(client, cast, case):
    client.force_login(cast.agent)
    assert client.get(f"/cases/{case.pk}/mentions/").json() == {"people": ["Ana", "Olga", "Sun"]}
    client.force_login(cast.outsider)
    assert client.get(f"/cases/{case.pk}/mentions/").status_code == 404
    client.force_login(cast.analyst)
    assert client.get(f"/cases/{case.pk}/mentions/").status_code == 403
