"""What each action does on a case, that it names its events truly, and that doing it again changes nothing more."""

from datetime import timedelta

import pytest

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.judging import judge_new_events
from careloop.desk.automation.models import Firing, Macro
from careloop.desk.automation.registry import ACTIONS, check_values, perform
from careloop.desk.automation.rules import fields
from careloop.desk.automation.rules.fields import EVENTS
from careloop.desk.cases.models import Case, CaseEvent, CaseFlow
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.flows.queries import versions_by_kind
from careloop.desk.flows.rules.reading import read_flow
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.routing.models import RoutingSetting
from careloop.desk.surveys.models import Invitation, Survey, SurveyConsent
from careloop.desk.teamwork.models import CaseTag, Snooze, Task, Webhook, WebhookDelivery
from tests.desk.automation.rule_words import do, every, new_survey

pytestmark = pytest.mark.django_db
RULE = Viewer(1, "Rule", "RULE", None, frozenset({"case.work"}), kind="rule")


@pytest.fixture
def act(case, now):
    """Takes one action on the case as a rule does; returns the kinds of the events that it made."""

    def take(code, value=None, viewer=RULE):
        newest = CaseEvent.objects.order_by("-pk").values_list("pk", flat=True).first()
        perform(actions=[do(code, value)], case_id=case.pk, viewer=viewer, source="Rule", key="1 1 e1", now=now)
        return list(CaseEvent.objects.filter(pk__gt=newest).order_by("pk").values_list("kind", flat=True))

    return take


@pytest.fixture
def values(cast, now):
    """A value for each action that the case of these tests can take."""
    text = Macro.objects.create(name="Thanks", scope="ALL", body="收到", changed_at=now)
    hook = Webhook.objects.create(url="https://example.com/hook", secret="s", events=["OPENED"], made_by_name="Olga", made_at=now)
    RoutingSetting.objects.create(team=cast.team, mode="ASSIGN")
    return {
        "SET_PRIORITY": 40, "SET_STATUS": "WAITING", "SET_CATEGORY": "money", "ASSIGN": cast.agent.pk, "ROUTE": None, "TAG": "VIP",
        "UNTAG": "vip", "ADD_TASK": "Look for the parcel | Warehouse | 2", "SNOOZE": 48, "ADD_NOTE": "x", "REPLY": text.pk,
        "NOTIFY": [cast.agent.pk], "NOTIFY_SUPERVISORS": None, "WEBHOOK": hook.pk, "GIVE_TO_TEAM": cast.other_team.pk, "TAKE_STEP": None,
        "SURVEY": new_survey(now).pk,
    }  # fmt: skip


def test_a_rule_asks_the_customer_once_for_what_set_it_off(act, case, now):
    survey = new_survey(now)
    assert act("SURVEY", survey.pk) == act("SURVEY", survey.pk) == []
    made = Invitation.objects.get()
    assert (made.case_id, made.survey_id, made.origin, made.state) == (case.pk, survey.pk, "AUTOMATION", "QUEUED")


def test_a_rule_that_may_not_ask_notes_why_and_goes_on(act, case, now):
    survey = new_survey(now)
    SurveyConsent.objects.create(customer_id=case.customer_id, may_ask=False, said_at=now, said_by_name="")
    act("SURVEY", survey.pk)
    assert (Invitation.objects.get().state, Invitation.objects.get().reason) == ("SKIPPED", "REFUSED")


def test_only_a_survey_in_force_is_chosen(cast, now):
    survey = new_survey(now)
    check_values([do("SURVEY", survey.pk)], cast.viewer(cast.supervisor))
    Survey.objects.update(is_active=False)
    with pytest.raises(InvalidInput, match="not in force"):
        check_values([do("SURVEY", survey.pk)], cast.viewer(cast.supervisor))


def test_every_action_names_its_events_and_makes_no_other(act, values):
    assert set(values) == set(ACTIONS)
    for code, value in values.items():
        if code == "TAKE_STEP":
            continue  # this case runs on no flow; see below
        made = set(act(code, value)) - {"RULE"}
        assert made <= {*ACTIONS[code].makes, *ACTIONS[code].may_make}, code
        assert made == set(ACTIONS[code].makes) - {"DELIVERY"}, code
        if ACTIONS[code].is_quiet:
            assert act(code, value) == [], code


def test_what_an_action_leaves_is_what_the_case_then_is(act, values, case):
    told = {"priority": "priority", "status": "status", "category": "category", "assignee": "assignee_id", "team": "team_id"}
    for code, value in values.items():
        if code == "TAKE_STEP":
            continue
        act(code, value)
        case.refresh_from_db()
        for name, left in ACTIONS[code].leaves(value).items():
            if name == "tags":
                tags = set(CaseTag.objects.filter(case=case).values_list("name", flat=True))
                assert left.has <= tags and not left.lacks & tags, code
            else:
                assert getattr(case, told[name]) == left, code


def test_registry_entries_are_whole():
    for code, kind in ACTIONS.items():
        assert {*kind.makes, *kind.may_make} <= set(EVENTS), code
        assert str(kind.label) and len(code) <= 20
        assert kind.takes != fields.NOTHING or kind.words is None


def test_a_tag_goes_on_and_off_in_the_name_of_the_rule(act, case):
    act("TAG", "VIP")
    assert list(CaseTag.objects.values_list("name", flat=True)) == ["vip"]
    assert CaseEvent.objects.filter(kind="TAGGED").values_list("actor_kind", "actor_name").get() == ("rule", "Rule")
    act("UNTAG", "VIP")
    assert CaseTag.objects.count() == 0


def test_a_task_is_asked_for_by_no_person(act, case, now):
    act("ADD_TASK", "Call {{customer.name}} | Warehouse | 2")
    task = Task.objects.get()
    assert (task.title, task.department, task.due_at) == ("Call 林晓彤", "Warehouse", now + timedelta(days=2))
    assert (task.created_by_id, task.created_by_name) == (None, "Rule")


def test_a_snooze_waits_and_a_longer_one_stays(act, case, now):
    act("SNOOZE", 48)
    assert act("SNOOZE", 24) == []
    snooze = Snooze.objects.get()
    assert (snooze.until, snooze.made_by_id, snooze.reason) == (now + timedelta(hours=48), None, "Rule")
    case.refresh_from_db()
    assert case.status == "WAITING"


def test_routing_takes_the_case_back_and_says_so_when_it_is_off(act, cast, case):
    act("ASSIGN", cast.agent.pk)
    with pytest.raises(InvalidInput, match="Routing is switched off in the team"):
        act("ROUTE")
    RoutingSetting.objects.create(team=cast.team, mode="ASSIGN")
    act("ROUTE")
    case.refresh_from_db()
    assert case.assignee_id is None


def test_another_system_is_told_once_through_a_row_and_a_job(act, cast, case, now):
    facts = {"secret": "s", "events": ["OPENED"], "made_by_name": "Olga", "made_at": now}
    hook = Webhook.objects.create(url="https://example.com/hook", **facts)
    act("WEBHOOK", hook.pk)
    event = CaseEvent.objects.get(kind="RULE")
    assert event.after == {"did": "CALLED", "source": "Rule", "webhook": "https://example.com/hook"}
    assert list(WebhookDelivery.objects.values_list("webhook_id", "event_id", "case_id", "state")) == [
        (hook.pk, event.pk, case.pk, "QUEUED")
    ]
    other = Webhook.objects.create(url="https://example.com/other", team=cast.other_team, **facts)
    with pytest.raises(InvalidInput, match="is told nothing of the team"):
        act("WEBHOOK", other.pk)
    assert WebhookDelivery.objects.count() == 1


def test_a_step_of_the_flow_is_taken_and_no_other(act, cast, inbound, now):
    ensure_shipped(now=now)
    version = versions_by_kind()["COMPLAINT"]
    flow = read_flow(version.definition)
    case = Case.objects.get()
    CaseFlow.objects.create(case=case, flow_version=version, state=flow.start.code, entered_at=now)
    step = next(one for one in flow.steps_from(flow.start.code) if not one.roles and not one.required and one.approval is None)
    made = act("TAKE_STEP", f"{version.flow_id}.{step.code}")
    assert made[0] == "MOVED"
    assert set(made) <= {*ACTIONS["TAKE_STEP"].makes, *ACTIONS["TAKE_STEP"].may_make}
    assert CaseFlow.objects.get().state == step.target
    with pytest.raises(InvalidInput):
        act("TAKE_STEP", f"{version.flow_id}.{step.code}")
    with pytest.raises(InvalidInput, match="does not run on the flow of this step"):
        act("TAKE_STEP", f"{version.flow_id + 1_000}.{step.code}")
    assert CaseFlow.objects.get().state == step.target


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (do("ADD_TASK", "Look | Warehouse | soon"), "Write the task as"),
        (do("ADD_TASK", "{{nobody}}"), "There is no variable “nobody”"),
        (do("WEBHOOK", 99), "This other system is told nothing any more"),
        (do("SNOOZE", 0), "The action “Snooze for” takes no “0”"),
        (do("NOTIFY", [99]), "One of the people does not work here any more"),
    ],
)
def test_what_is_not_there_is_refused_on_saving(make_rule, action, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        make_rule(["OPENED"], every(), action)


def test_a_refused_action_takes_back_those_before_it(cast, make_rule, case, inbound, now):
    RoutingSetting.objects.filter(team=cast.team).delete()
    make_rule(["NOTED"], every(), do("TAG", "x"), do("ADD_TASK", "y"), do("ROUTE"))
    perform(actions=[do("ADD_NOTE", "n")], case_id=case.pk, viewer=cast.viewer(cast.agent), source="", key="k", now=now)
    judge_new_events(now=now)
    assert (CaseTag.objects.count(), Task.objects.count(), Firing.objects.get().outcome) == (0, 0, "FAILED")


def test_no_rule_writes_back_to_a_machine(case, inbound, make_rule, now):
    text = Macro.objects.create(name="Thanks", scope="ALL", body="收到", changed_at=now)
    make_rule(["NOTED"], every(), do("REPLY", text.pk), name="Writes")
    make_rule(["NOTED"], every(), do("TAG", "away"), name="Tags")
    receive_message(inbound(external_id="away", text="I am away", machine_made="header"), now=now)
    judge_new_events(now=now)
    assert list(CaseEvent.objects.filter(actor_kind="rule").order_by("pk").values_list("kind", flat=True)) == ["TAGGED"]
    assert list(case.messages.values_list("direction", flat=True)) == ["INBOUND", "NOTE"]
