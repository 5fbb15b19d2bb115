"""Cases on their flows: where they begin, which steps they take, who must agree; a refusal changes nothing."""

from itertools import permutations

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as with_examples
from hypothesis import strategies as st

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases import actions, moves
from careloop.desk.cases.models import Approval, Case, CaseEvent, CaseFlow, Clock, ClockTick, Decision, Message
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.flows.models import Flow, FlowVersion
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput, NotAllowed, NotFound
from careloop.desk.notices.models import Notice
from careloop.desk.sla.models import Calendar, ServiceLevel
from careloop.desk.writing.holding import hold_reply

pytestmark = pytest.mark.django_db
NEGATIVE = {"sentiment": "NEGATIVE", "sentiment_probability": 0.4, "kind_probability": 0.9}


@pytest.fixture
def case(cast, inbound, now) -> Case:
    """An unread case in a house with the shipped flows."""
    ensure_shipped(now=now)
    return Case.objects.get(pk=receive_message(inbound(channel_slug="contact"), now=now).case_id)


@pytest.fixture
def refund(case, now) -> Case:
    """A refund that was checked: its amount is asked for next."""
    read_as(case, "REFUND", now)
    take(case, "CHECK", {"ORDER": "20418837"}, now=now)
    return case


def read_as(case, kind: str, now) -> None:
    actions.triage(readings={case.pk: {**NEGATIVE, "kind": kind}}, now=now)
    case.refresh_from_db()


def take(case, step: str, entered=None, *, who=None, now) -> None:
    viewer = viewer_of(who or User.objects.get(email="chen@desk.example"))
    case.refresh_from_db()
    moves.move(case_id=case.pk, transition=step, expected_version=case.version, viewer=viewer, now=now, entered=entered)
    case.refresh_from_db()


def ask(case, amount: str, who, now, step: str = "AGREE") -> Approval:
    case.refresh_from_db()
    facts = {"case_id": case.pk, "expected_version": case.version, "viewer": viewer_of(who), "now": now}
    return moves.ask_approval(transition=step, entered={"AMOUNT": amount}, **facts)


def state(case) -> str:
    return CaseFlow.objects.get(case=case).state


def rows() -> dict[str, object]:
    kept = (Case, CaseFlow, Approval, Decision)
    counted = (CaseEvent, Message, AuditEntry, Notice, ClockTick)
    return {one.__name__: list(one.objects.order_by("pk").values()) for one in kept} | {
        one.__name__: one.objects.count() for one in counted
    }


def refused(change) -> DeskError:
    """The refusal, after which every row is as it was."""
    before = rows()
    with pytest.raises(DeskError) as caught:
        change()
    assert rows() == before
    return caught.value


def test_a_flow_begins_when_the_kind_is_read_and_says_so(case, now):
    assert CaseFlow.objects.count() == 0
    read_as(case, "COMPLAINT", now)
    row = CaseFlow.objects.get(case=case)
    assert (row.flow_version.flow.kind, row.flow_version.number, row.state, row.entered_at) == ("COMPLAINT", 1, "RECEIVED", now)
    event = CaseEvent.objects.get(kind="MOVED")
    assert (event.after["state"], event.after["is_start"], event.after["state_name"]["zh"]) == ("RECEIVED", True, "已受理")


def test_a_kind_without_a_flow_and_a_house_without_flows_begin_none(case, now):
    read_as(case, "OTHER", now)
    assert CaseFlow.objects.count() == 0
    Flow.objects.update(is_active=False)
    read_as(case, "COMPLAINT", now)
    assert CaseFlow.objects.count() == 0


def test_a_corrected_kind_changes_the_flow_only_while_the_case_stands_at_its_start(cast, case, now):
    read_as(case, "COMPLAINT", now)
    say(case, "REFUND", cast, now)
    assert CaseFlow.objects.get(case=case).flow_version.flow.kind == "REFUND"
    take(case, "CHECK", {"ORDER": "1"}, now=now)
    say(case, "PRAISE", cast, now)
    assert (CaseFlow.objects.get(case=case).flow_version.flow.kind, state(case)) == ("REFUND", "CHECKING")


def test_a_kind_that_turns_into_one_without_a_flow_leaves_the_flow(cast, case, now):
    read_as(case, "COMPLAINT", now)
    say(case, "OTHER", cast, now)
    assert CaseFlow.objects.count() == 0


def say(case, kind: str, cast, now) -> None:
    word = {"message": Message.objects.filter(case=case).first(), "said": {"kind": kind}, "is_of_case": True}
    actions.take_word(case_id=case.pk, viewer=cast.viewer(cast.agent), now=now, **word)


def test_a_step_changes_state_status_event_and_audit_entry_at_once(cast, case, now):
    read_as(case, "CONSULTATION", now)
    version = case.version
    take(case, "ANSWER", now=now)
    assert (state(case), case.status, case.version) == ("ANSWERED", "WAITING", version + 1)
    moved, changed = CaseEvent.objects.filter(kind__in=("MOVED", "STATUS")).order_by("-pk")[:2][::-1]
    assert (moved.kind, moved.before["state"], moved.after["step"], moved.actor_id) == ("MOVED", "RECEIVED", "ANSWER", cast.agent.pk)
    assert (changed.kind, changed.after) == ("STATUS", {"status": "WAITING", "resolved_at": None})
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))[-2:] == ["case.moved", "case.status"]


def test_the_clocks_follow_the_status_of_the_state(case, now):
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    ServiceLevel.objects.create(name="All", calendar=calendar, resolution_minutes=60, changed_at=now)
    read_as(case, "CONSULTATION", now)
    take(case, "ANSWER", now=now)
    assert Clock.objects.get(target="RESOLUTION").state == "PAUSED"
    take(case, "FINISH", now=now)
    assert (case.status, case.resolved_at, Clock.objects.get(target="RESOLUTION").state) == ("RESOLVED", now, "MET")


def test_what_a_step_asks_for_is_entered_with_it(refund, now):
    row = CaseFlow.objects.get(case=refund)
    assert (row.state, row.values) == ("CHECKING", {"ORDER": "20418837"})
    event = CaseEvent.objects.get(kind="FIELD")
    assert (event.before, event.after) == ({"ORDER": None}, {"ORDER": "20418837", "names": {"ORDER": {"en": "Order", "zh": "订单号"}}})


def test_a_step_with_tasks_names_them_in_its_event(refund, now):
    take(refund, "AGREE", {"AMOUNT": "500"}, now=now)
    assert CaseEvent.objects.filter(kind="MOVED").last().after["tasks"] == [
        {
            "name": {"en": "Pay the refund", "zh": "支付退款"},
            "department": {"en": "Finance", "zh": "财务部"},
            "due_at": "2026-05-07T06:00:00+00:00",
        }
    ]


@pytest.mark.parametrize(
    ("step", "entered", "sentence"),
    [
        ("AGREE", {}, "“Agree to the refund” needs first: Amount."),
        ("AGREE", {"AMOUNT": "500.01"}, "“Agree to the refund” needs an approval first (Supervisor, Owner); ask for it."),
        ("AGREE", {"AMOUNT": "much"}, "“Amount” is an amount such as 1299.50; “much” was given."),
        ("AGREE", {"COLOUR": "red"}, "This flow has no field “COLOUR”; load the page again."),
        ("PAID", {}, "“PAID” is no step from “Being checked”; load the page again."),
    ],
)
def test_a_step_that_is_not_possible_says_why_and_changes_nothing(refund, now, step, entered, sentence):
    assert refused(lambda: take(refund, step, entered, now=now)).message == sentence


def test_a_step_for_supervisors_is_refused_to_agents(cast, case, now):
    read_as(case, "COMPLAINT", now)
    take(case, "ANALYSE", now=now)
    error = refused(lambda: take(case, "DISMISS", {"REASON": "x"}, now=now))
    assert error.message == "“Not upheld” is a step for: Supervisor, Owner."
    take(case, "DISMISS", {"REASON": "no fault of ours"}, who=cast.supervisor, now=now)
    assert (state(case), case.status) == ("NOT_UPHELD", "RESOLVED")


def test_two_people_who_saw_the_same_version_take_one_step(cast, case, now):
    read_as(case, "CONSULTATION", now)
    facts = {"case_id": case.pk, "expected_version": case.version, "now": now}
    moves.move(transition="ANSWER", viewer=cast.viewer(cast.agent), **facts)
    error = refused(lambda: moves.move(transition="CLOSE", viewer=cast.viewer(cast.supervisor), **facts))
    assert isinstance(error, Conflict)
    assert state(case) == "ANSWERED"


def test_outsiders_and_analysts_take_no_step_and_decide_nothing(cast, refund, now):
    asked = ask(refund, "600", cast.agent, now)
    rival = User.objects.create(email="rival@desk.example", display_name="Rival", role="SUPERVISOR", date_joined=now)
    rival.teams.set([cast.other_team])
    refund.refresh_from_db()
    facts = {"case_id": refund.pk, "expected_version": refund.version, "now": now}
    for person, kind in ((cast.outsider, NotFound), (cast.analyst, NotAllowed)):
        for change in (
            lambda who: moves.move(transition="REFUSE", viewer=who, **facts),
            lambda who: moves.fill_fields(entered={"AMOUNT": "1"}, viewer=who, **facts),
            lambda who: moves.ask_approval(transition="AGREE", viewer=who, **facts),
        ):
            assert isinstance(refused(lambda change=change, person=person: change(viewer_of(person))), kind)
    for person, kind in ((cast.outsider, NotAllowed), (rival, NotFound), (cast.analyst, NotAllowed), (cast.agent, NotAllowed)):
        assert isinstance(refused(lambda person=person: decide(asked, person, now)), kind)


def decide(asked, who, now, is_yes: bool = True) -> Approval:
    return moves.decide(approval_id=asked.pk, is_yes=is_yes, viewer=viewer_of(who), now=now, comment="ok")


def test_above_the_limit_somebody_else_agrees_before_the_step(cast, refund, now):
    asked = ask(refund, "600", cast.agent, now)
    assert (asked.amount, asked.needs, asked.state) == ({"minor": 60_000, "currency": "CNY"}, 1, "ASKED")
    assert {(one.user, one.kind) for one in Notice.objects.all()} == {(cast.supervisor, "APPROVAL"), (cast.owner, "APPROVAL")}
    assert refused(lambda: take(refund, "AGREE", now=now)).message == "“Agree to the refund” waits for an approval that was asked for."
    assert decide(asked, cast.supervisor, now).state == "GIVEN"
    told = Notice.objects.get(user=cast.agent)
    assert (told.kind, told.facts) == ("FOLLOWED", {"who": "Sun", "text": "ok", "step": {"en": "Agree to the refund", "zh": "同意退款"}})
    take(refund, "AGREE", now=now)
    assert (state(refund), Approval.objects.get().closed_at) == ("PAYING", now)
    said = [(event.after["state"], event.actor_id) for event in CaseEvent.objects.filter(kind="APPROVAL").order_by("pk")]
    assert said == [("ASKED", cast.agent.pk), ("GIVEN", cast.supervisor.pk)]


def test_nobody_approves_what_they_asked_for(cast, refund, now):
    asked = ask(refund, "600", cast.supervisor, now)
    error = refused(lambda: decide(asked, cast.supervisor, now))
    assert error.message == "You asked for this approval yourself; somebody else decides (four eyes)."


def test_asking_is_refused_where_nobody_else_could_decide(cast, refund, now):
    User.objects.filter(role="OWNER").update(is_active=False)
    error = refused(lambda: ask(refund, "600", cast.supervisor, now))
    assert error.message == (
        "“Agree to the refund” needs 1 to approve, and beside you 0 may (Supervisor, Owner); ask an owner of the desk."
    )


def test_asking_is_refused_below_the_limit_and_while_an_answer_is_awaited(cast, refund, now):
    assert refused(lambda: ask(refund, "500", cast.agent, now)).message == "“Agree to the refund” needs no approval now; take the step."
    ask(refund, "600", cast.agent, now)
    error = refused(lambda: ask(refund, "600", cast.agent, now))
    assert error.message == "“Agree to the refund” waits for an approval that was asked for."


def test_a_refusal_stops_the_step_until_it_is_asked_again(cast, refund, now):
    assert decide(ask(refund, "600", cast.agent, now), cast.owner, now, is_yes=False).state == "REFUSED"
    error = refused(lambda: take(refund, "AGREE", now=now))
    assert error.message == "The approval of “Agree to the refund” was refused; change what was asked for, or ask again."
    assert decide(ask(refund, "600", cast.agent, now), cast.owner, now).state == "GIVEN"
    take(refund, "AGREE", now=now)
    assert state(refund) == "PAYING"


def test_an_approval_holds_for_its_amount_only(cast, refund, now):
    asked = ask(refund, "600", cast.agent, now)
    decide(asked, cast.owner, now)
    error = refused(lambda: take(refund, "AGREE", {"AMOUNT": "9000"}, now=now))
    assert error.message == "“Agree to the refund” needs an approval first (Supervisor, Owner); ask for it."
    refund.refresh_from_db()
    facts = {"case_id": refund.pk, "expected_version": refund.version, "viewer": cast.viewer(cast.agent), "now": now}
    moves.fill_fields(entered={"AMOUNT": "9000"}, **facts)
    error = refused(lambda: decide(asked, cast.supervisor, now))
    assert error.message == "This approval is no longer open: the case went on, or the amount was changed. Load the page again."


def test_an_amount_in_another_currency_is_never_below_the_limit(cast, refund, now):
    sentence = "“Agree to the refund” needs an approval first (Supervisor, Owner); ask for it."
    assert refused(lambda: take(refund, "AGREE", {"AMOUNT": "EUR 1"}, now=now)).message == sentence
    asked = ask(refund, "€1", cast.agent, now)
    assert asked.amount == {"minor": 100, "currency": "EUR"}
    decide(asked, cast.supervisor, now)
    assert refused(lambda: take(refund, "AGREE", {"AMOUNT": "1 USD"}, now=now)).message == sentence
    take(refund, "AGREE", now=now)
    assert (state(refund), CaseFlow.objects.get(case=refund).values["AMOUNT"]) == ("PAYING", {"minor": 100, "currency": "EUR"})


def test_a_version_from_before_currencies_works_as_it_did_and_compares_no_currency_with_none(cast, refund, now):
    version = FlowVersion.objects.get(flow__kind="REFUND")
    for step in version.definition["transitions"]:
        (step["approval"] or {}).pop("currency", None)
    for one in version.definition["fields"]:
        one.pop("currency", None)
    version.save()
    assert ask(refund, "500.01", cast.agent, now).amount == 50_001
    sentence = "“Agree to the refund” needs an approval first (Supervisor, Owner); ask for it."
    assert refused(lambda: take(refund, "AGREE", {"AMOUNT": "$ 300"}, now=now)).message == sentence
    take(refund, "AGREE", {"AMOUNT": "500"}, now=now)
    assert (state(refund), CaseFlow.objects.get(case=refund).values["AMOUNT"]) == ("PAYING", 50_000)


def test_the_database_keeps_two_open_approvals_of_a_step_apart(cast, refund, now):
    asked = ask(refund, "600", cast.agent, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.create(case=refund, transition="AGREE", state="ASKED", asked_at=now, needs=1, roles=["OWNER"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.bulk_create([Decision(approval=asked, who=cast.owner, is_yes=True, at=now)] * 2)


ORDERS = [list(order) for order in permutations(("Sun yes", "Olga no", "Chen moves", "Chen raises"))]


@with_examples(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.sampled_from(ORDERS))
def test_whoever_decides_first_decides_once_whatever_the_order(cast, refund, now, order):
    """Two deciders, one who takes the step and one who raises the amount, each acting on the page as it was when approval was asked."""
    with transaction.atomic():
        asked = ask(refund, "600", cast.agent, now)
        refund.refresh_from_db()
        acts = interleaved(cast, refund, asked, now)
        done = [name for name in order if succeeds(acts[name])]
        decided = [name for name in order if name in ("Sun yes", "Olga no")]
        raised_first = order.index("Chen raises") < min(order.index(name) for name in decided)
        assert done == ["Chen raises"] if raised_first else done[0] == decided[0]
        said = list(Decision.objects.filter(approval=asked).values_list("is_yes", flat=True))
        assert said == ([] if raised_first else [decided[0] == "Sun yes"])
        assert state(refund) == "CHECKING"  # whoever saw the page before the decision takes no step on it
        transaction.set_rollback(True)


def interleaved(cast, refund, asked, now) -> dict[str, object]:
    seen = {"case_id": refund.pk, "expected_version": refund.version, "viewer": cast.viewer(cast.agent), "now": now}
    return {
        "Sun yes": lambda: decide(asked, cast.supervisor, now),
        "Olga no": lambda: decide(asked, cast.owner, now, is_yes=False),
        "Chen moves": lambda: moves.move(transition="AGREE", **seen),
        "Chen raises": lambda: moves.fill_fields(entered={"AMOUNT": "601"}, **seen),
    }


def succeeds(act) -> bool:
    try:
        act()
    except DeskError:
        return False
    return True


def test_resolving_takes_the_step_to_the_end_where_one_is_possible(cast, case, now):
    read_as(case, "PRAISE", now)
    actions.reply(case_id=case.pk, body="谢谢", viewer=cast.viewer(cast.agent), now=now, status="RESOLVED")
    case.refresh_from_db()
    assert (state(case), case.status) == ("CLOSED", "RESOLVED")


@pytest.mark.parametrize("way", ["button", "reply", "held reply"])
def test_resolving_before_the_end_names_the_steps_that_lead_there(cast, case, now, way, settings):
    settings.UNDO_SEND_SECONDS = 10
    read_as(case, "REFUND", now)
    facts = {"case_id": case.pk, "status": "RESOLVED", "viewer": cast.viewer(cast.agent), "now": now}
    change = {
        "button": lambda: actions.set_status(expected_version=case.version, **facts),
        "reply": lambda: actions.reply(body="您好", **facts),
        "held reply": lambda: hold_reply(body="您好", **facts),
    }[way]
    error = refused(change)
    assert isinstance(error, InvalidInput)
    assert error.message == (
        "“Refund and return” stands at “Received”; before the case is resolved these steps are taken: "
        "Check → Agree to the refund → Refund paid. “Check” needs first: Order."
    )


def test_a_case_at_an_end_is_opened_and_resolved_as_people_like(cast, case, now):
    read_as(case, "CONSULTATION", now)
    take(case, "CLOSE", now=now)
    for status in ("OPEN", "RESOLVED"):
        case.refresh_from_db()
        facts = {"case_id": case.pk, "expected_version": case.version, "viewer": cast.viewer(cast.agent), "now": now}
        actions.set_status(status=status, **facts)
    case.refresh_from_db()
    assert (state(case), case.status) == ("CLOSED", "RESOLVED")


def test_a_case_without_a_flow_has_no_steps_and_is_resolved_freely(cast, case, now):
    facts = {"case_id": case.pk, "expected_version": case.version, "viewer": cast.viewer(cast.agent), "now": now}
    error = refused(lambda: moves.move(transition="CLOSE", **facts))
    assert error.message == f"Case #{case.pk} runs on no flow; it has no steps."
    actions.set_status(status="RESOLVED", **facts)
    case.refresh_from_db()
    assert case.status == "RESOLVED"
