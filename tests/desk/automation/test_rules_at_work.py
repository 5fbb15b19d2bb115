"""Rules act on what happens: once, in order, under their own name."""

from datetime import timedelta

import pytest

from careloop.desk.automation import firing, judging
from careloop.desk.automation.judging import judge_new_events
from careloop.desk.automation.models import Cursor, Firing, JudgedEvent, Macro, Rule
from careloop.desk.automation.time_rules import judge_time
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.notices.models import Notice
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.teamwork.customer_links import link_for
from tests.desk.automation.rule_words import do, every, leaf

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
REFUND = leaf("text", "contains", "退款")


def write(inbound, now, number=2, text="我要求退款，谢谢"):
    return receive_message(inbound(external_id=f"m-{number}", text=text, sent_at=now), now=now)


def test_a_rule_acts_on_an_arriving_message_and_the_history_names_it(cast, inbound, make_rule, case, now):
    rule = make_rule(["RECEIVED"], every(REFUND), do("SET_PRIORITY", 40), do("ASSIGN", cast.agent.pk), name="Refunds first")
    write(inbound, now)
    judge_new_events(now=now)
    case.refresh_from_db()
    assert (case.priority, case.assignee_id) == (40, cast.agent.pk)
    events = CaseEvent.objects.filter(case=case, actor_kind="rule").values_list("kind", "actor_id", "actor_name")
    assert list(events) == [("PRIORITY", rule.pk, "Refunds first"), ("ASSIGNED", rule.pk, "Refunds first")]
    assert list(Firing.objects.values_list("rule_id", "outcome", "depth")) == [(rule.pk, "DONE", 0)]


def test_what_does_not_fit_is_judged_and_left_alone(inbound, make_rule, case, now):
    make_rule(["RECEIVED"], every(leaf("text", "contains", "发票")), do("SET_PRIORITY", 40))
    write(inbound, now)
    assert judge_new_events(now=now) >= 1
    case.refresh_from_db()
    assert case.priority == 20
    assert Firing.objects.count() == 0
    assert judge_new_events(now=now) == 0


def test_rules_look_ahead_only(cast, inbound, make_rule, now):
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    make_rule(["OPENED"], every(), do("SET_PRIORITY", 40))
    judge_new_events(now=now)
    judge_new_events(now=now)
    case.refresh_from_db()
    assert case.priority == 20


def test_order_decides_and_a_rule_may_be_the_last(inbound, make_rule, case, now):
    make_rule(["RECEIVED"], every(REFUND), do("SET_PRIORITY", 40), position=20)
    make_rule(["RECEIVED"], every(REFUND), do("SET_PRIORITY", 30), position=10, stops=True)
    write(inbound, now)
    judge_new_events(now=now)
    case.refresh_from_db()
    assert case.priority == 30


def test_a_later_rule_sees_what_an_earlier_one_did(inbound, make_rule, case, now):
    make_rule(["RECEIVED"], every(REFUND), do("SET_PRIORITY", 40), position=1)
    make_rule(["RECEIVED"], every(leaf("priority", value=40)), do("SET_CATEGORY", "money"), position=2)
    write(inbound, now)
    judge_new_events(now=now)
    case.refresh_from_db()
    assert (case.category, case.corrected) == ("money", ["category"])


def test_a_worker_killed_in_between_leaves_nothing_and_the_next_acts_once(inbound, make_rule, case, now, monkeypatch):
    rule = make_rule(["RECEIVED"], every(REFUND), do("ADD_NOTE", "Look at {{case.number}}"), do("SET_PRIORITY", 40))
    write(inbound, now)
    before = (CaseEvent.objects.count(), Message.objects.count(), JudgedEvent.objects.count())
    real = firing._record

    def killed(*args, **facts):
        raise SystemExit

    monkeypatch.setattr(firing, "_record", killed)
    with pytest.raises(SystemExit):
        judge_new_events(now=now)
    assert (CaseEvent.objects.count(), Message.objects.count(), JudgedEvent.objects.count()) == before
    monkeypatch.setattr(firing, "_record", real)
    for _ in range(3):
        judge_new_events(now=now)
    assert [note.body for note in Message.objects.filter(direction="NOTE")] == [f"Look at {case.pk}"]
    assert Firing.objects.filter(rule=rule).count() == 1


def test_two_workers_judge_an_event_once(inbound, make_rule, case, now, monkeypatch):
    make_rule(["RECEIVED"], every(REFUND), do("ADD_NOTE", "once"))
    write(inbound, now)
    waiting = judging._waiting(Cursor.objects.get().event_id)
    judge_new_events(now=now)
    judging._judge_batch(judging.active_rules(by_time=False), waiting, now)
    assert Message.objects.filter(direction="NOTE").count() == 1


def test_the_cursor_follows_a_minute_behind_and_an_event_that_shows_late_is_judged(inbound, make_rule, case, now):
    make_rule(["RECEIVED"], every(REFUND), do("ADD_NOTE", "seen"))
    start = Cursor.objects.get().event_id
    late = CaseEvent.objects.latest("pk").pk + 1
    write(inbound, now)
    CaseEvent.objects.filter(pk__gte=late).order_by("-pk").first()
    hidden = CaseEvent.objects.get(pk=late)
    CaseEvent.objects.filter(pk=late).delete()
    write(inbound, now, 3, "还在等")
    judge_new_events(now=now + HOUR / 60 / 2)
    assert Cursor.objects.get().event_id == start
    hidden.save(force_insert=True)
    judge_new_events(now=now + HOUR / 60)
    assert Message.objects.filter(direction="NOTE", body="seen").count() == 1
    judge_new_events(now=now + 2 * HOUR)
    judge_new_events(now=now + 3 * HOUR)
    judge_new_events(now=now + 4 * HOUR)
    assert JudgedEvent.objects.count() == 0


def test_a_refused_action_undoes_the_whole_rule_is_told_and_stops_nothing_else(cast, inbound, make_rule, case, now):
    rule = make_rule(["RECEIVED"], every(REFUND), do("SET_PRIORITY", 40), do("ASSIGN", cast.outsider.pk), position=1)
    make_rule(["RECEIVED"], every(REFUND), do("SET_STATUS", "WAITING"), position=2)
    write(inbound, now)
    judge_new_events(now=now)
    case.refresh_from_db()
    assert (case.priority, case.assignee_id, case.status) == (20, None, "WAITING")
    said = "That person does not work in this case's team; choose somebody from the list."
    assert Rule.objects.get(pk=rule.pk).last_error == {"said": said}
    assert CaseEvent.objects.get(kind="RULE").after == {"did": "FAILED", "error": {"said": said}}
    assert list(Notice.objects.values_list("user_id", "kind")) == [(cast.supervisor.pk, "RULE")]


def test_a_reply_goes_out_under_the_house_and_meets_no_promise(cast, inbound, make_rule, case, now):
    text = Macro.objects.create(name="Thanks", scope="ALL", body="您好 {{customer.name}}，我们收到了。", changed_at=now)
    make_rule(["RECEIVED"], every(REFUND), do("REPLY", text.pk))
    write(inbound, now)
    judge_new_events(now=now)
    sent = Message.objects.get(direction="OUTBOUND")
    assert (sent.body, sent.author_id, sent.delivery) == ("您好 林晓彤，我们收到了。", None, "QUEUED")
    assert OutboxItem.objects.filter(message=sent).count() == 1
    case.refresh_from_db()
    assert (case.status, case.first_response_at, case.assignee_id) == ("OPEN", None, None)


def test_a_reply_carries_the_customers_link(inbound, make_rule, case, now):
    text = Macro.objects.create(name="Thanks", scope="ALL", body="See {{ link }}", changed_at=now)
    make_rule(["RECEIVED"], every(REFUND), do("REPLY", text.pk))
    write(inbound, now)
    judge_new_events(now=now)
    assert Message.objects.get(direction="OUTBOUND").body == f"See {link_for(case, now=now)}"


def test_a_reply_without_a_value_is_not_sent(inbound, make_rule, case, now):
    text = Macro.objects.create(name="Thanks", scope="ALL", body="To {{customer.company}}", changed_at=now)
    make_rule(["RECEIVED"], every(REFUND), do("REPLY", text.pk))
    write(inbound, now)
    judge_new_events(now=now)
    assert Message.objects.filter(direction="OUTBOUND").count() == 0
    assert Firing.objects.get().outcome == "FAILED"


def test_a_machine_that_answers_every_reply_gets_three_a_day(inbound, make_rule, case, now):
    text = Macro.objects.create(name="Thanks", scope="ALL", body="收到", changed_at=now)
    make_rule(["RECEIVED"], every(), do("REPLY", text.pk))
    for number in range(2, 8):
        write(inbound, now + number * HOUR / 10, number, "自动回复")
        judge_new_events(now=now + number * HOUR / 10)
    assert Message.objects.filter(direction="OUTBOUND").count() == 3
    assert Firing.objects.filter(outcome="STOPPED").count() == 3


def test_only_people_who_may_see_the_case_are_told(cast, inbound, make_rule, case, now):
    make_rule(["RECEIVED"], every(REFUND), do("NOTIFY", [cast.agent.pk, cast.outsider.pk]))
    write(inbound, now)
    judge_new_events(now=now)
    assert list(Notice.objects.values_list("user_id", flat=True)) == [cast.agent.pk]
    assert CaseEvent.objects.get(kind="RULE").after == {"did": "TOLD", "source": "Rule", "people": [cast.agent.pk]}


def test_what_came_from_a_file_is_left_alone(cast, inbound, make_rule, case, now):
    make_rule(["RECEIVED"], every(), do("SET_PRIORITY", 40))
    type(cast.channel).objects.filter(pk=cast.channel.pk).update(kind="FILE")
    write(inbound, now)
    judge_new_events(now=now)
    case.refresh_from_db()
    assert case.priority == 20


def test_a_rule_by_time_acts_once_until_somebody_does_something(cast, inbound, make_rule, case, now):
    make_rule(["TIME"], every(leaf("hours_since_customer", "at_least", 72)), do("ADD_NOTE", "three days"), do("NOTIFY_SUPERVISORS"))
    assert judge_time(now=now + 71 * HOUR) == 0
    assert [judge_time(now=now + hours * HOUR) for hours in (72, 73, 200)] == [1, 0, 0]
    write(inbound, now + 201 * HOUR)
    assert [judge_time(now=now + hours * HOUR) for hours in (202, 273, 274)] == [0, 1, 0]
    assert Message.objects.filter(direction="NOTE").count() == 2


def test_waiting_cases_are_closed_with_a_note_and_stay_closed(cast, make_rule, case, now):
    waiting = every(leaf("status", value="WAITING"), leaf("hours_since_customer", "at_least", 72))
    make_rule(["TIME"], waiting, do("ADD_NOTE", "no answer"), do("SET_STATUS", "RESOLVED"), name="Close")
    cases.reply(case_id=case.pk, body="请问订单号？", viewer=cast.viewer(cast.agent), now=now)
    assert [judge_time(now=now + hours * HOUR) for hours in (71, 72, 90)] == [0, 1, 0]
    case.refresh_from_db()
    assert case.status == "RESOLVED"
    assert CaseEvent.objects.filter(case=case, kind="STATUS").values_list("actor_name", flat=True).get() == "Close"


def test_a_batch_is_read_in_a_fixed_number_of_queries(cast, inbound, make_rule, case, now, django_assert_num_queries):
    for number in range(20):
        make_rule(["RECEIVED"], every(leaf("category", value=f"c{number}")), do("SET_PRIORITY", 40))
    for number in range(2, 12):
        write(inbound, now, number)
    with django_assert_num_queries(15):
        judge_new_events(now=now)


def test_while_nothing_happens_no_rule_is_read(make_rule, case, now, django_assert_num_queries):
    make_rule(["RECEIVED"], every(), do("SET_PRIORITY", 40))
    judge_new_events(now=now)
    with django_assert_num_queries(4):  # cursor, newest event, events that wait, events that are settled
        judge_new_events(now=now)


def test_a_rule_that_answers_itself_by_way_of_others_stops_after_a_hundred_times_a_day(make_rule, case, now):
    rule = make_rule(["RECEIVED"], every(REFUND), do("ADD_NOTE", "x"))
    rows = [Firing(rule=rule, case=case, key=f"e-{number}", root=f"e-{number}", outcome="DONE", at=now) for number in range(100)]
    Firing.objects.bulk_create(rows)
    cause = firing.Cause("e0", "e0")
    assert firing.fire(judging.active_rules(by_time=False).rules[rule.pk], case, cause, now) is False
    assert CaseEvent.objects.get(kind="RULE").after == {"did": "STOPPED", "why": "TOO_OFTEN"}
    assert firing.fire(judging.active_rules(by_time=False).rules[rule.pk], case, firing.Cause("e1", "e1"), now + 25 * HOUR) is True
    assert Message.objects.filter(direction="NOTE").count() == 1
