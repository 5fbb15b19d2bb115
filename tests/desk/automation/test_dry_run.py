"""A dry run tells what a rule would have done, and writes nothing."""

from datetime import timedelta

import pytest

from careloop.desk.automation.dry_run import dry_run
from careloop.desk.automation.judging import judge_new_events
from careloop.desk.automation.models import Firing
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import NotAllowed
from tests.desk.automation.rule_words import do, every, leaf

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
URGENT = do("SET_PRIORITY", 40)


def facts(events, condition, *actions):
    return RuleFacts("Imagined", events, condition, list(actions))


@pytest.fixture
def history(cast, inbound, now):
    """Three cases of two teams: two speak of refunds, one of the other team does, too."""
    made = []
    for number, (slug, text) in enumerate([("shop", "我要求退款"), ("shop", "发票在哪里"), ("wholesale", "请退款")]):
        who = (AddressValue("EMAIL", f"p{number}@example.com"),)
        given = inbound(channel_slug=slug, external_id=f"h-{number}", text=text, addresses=who, sent_at=now + number * HOUR)
        made.append(receive_message(given, now=now + number * HOUR).case_id)
    return made


def test_it_lists_the_cases_with_reasons_and_counts_those_out_of_sight(cast, history, now):
    condition = every(leaf("text", "contains", "退款"))
    before = (CaseEvent.objects.count(), Firing.objects.count())
    told = dry_run(facts=facts(["OPENED"], condition, URGENT), viewer=cast.viewer(cast.supervisor), now=now + 4 * HOUR)
    assert (told.looked_at, told.count, told.out_of_sight, told.is_cut) == (3, 2, 1, False)
    assert [(one.case.pk, one.at, one.event, one.because, one.was) for one in told.touched] == [
        (history[0], now, "OPENED", [leaf("text", "contains", "退款")], {"priority": 20})
    ]
    assert (CaseEvent.objects.count(), Firing.objects.count()) == before
    assert Case.objects.filter(priority=40).count() == 0


def test_the_past_is_judged_as_it_was_not_as_it_is(cast, history, now):
    viewer = cast.viewer(cast.agent)
    case = Case.objects.get(pk=history[0])
    cases.set_priority(case_id=case.pk, priority=30, expected_version=case.version, viewer=viewer, now=now + HOUR)
    cases.reply(case_id=case.pk, body="好的", viewer=viewer, now=now + 2 * HOUR)
    told = dry_run(facts=facts(["OPENED"], every(leaf("priority", value=20)), URGENT), viewer=viewer, now=now + 9 * HOUR)
    assert {one.case.pk for one in told.touched} == {history[0], history[1]}
    told = dry_run(facts=facts(["REPLIED"], every(leaf("priority", value=20)), URGENT), viewer=viewer, now=now + 9 * HOUR)
    assert told.count == 0
    told = dry_run(facts=facts(["REPLIED"], every(leaf("priority", value=30)), URGENT), viewer=viewer, now=now + 9 * HOUR)
    assert [(one.case.pk, one.was) for one in told.touched] == [(history[0], {"priority": 30})]


def test_what_would_change_nothing_does_not_count(cast, history, now):
    told = dry_run(facts=facts(["OPENED"], every(), do("SET_PRIORITY", 20)), viewer=cast.viewer(cast.owner), now=now + 4 * HOUR)
    assert told.count == 0


def test_a_rule_by_time_is_imagined_at_the_moment_its_hours_are_over(cast, history, now):
    viewer = cast.viewer(cast.owner)
    cases.reply(case_id=history[1], body="在邮件里", viewer=viewer, now=now + 2 * HOUR)
    condition = every(leaf("status", value="WAITING"), leaf("hours_since_customer", "at_least", 72))
    told = dry_run(facts=facts(["TIME"], condition, do("SET_STATUS", "RESOLVED")), viewer=viewer, now=now + 100 * HOUR)
    assert [(one.case.pk, one.at) for one in told.touched] == [(history[1], now + 73 * HOUR)]
    told = dry_run(facts=facts(["TIME"], condition, do("SET_STATUS", "RESOLVED")), viewer=viewer, now=now + 70 * HOUR)
    assert told.count == 0


def test_it_agrees_with_what_the_rule_does(cast, inbound, make_rule, case, now):
    condition = every(leaf("text", "contains", "退款"), leaf("status", value="OPEN"))
    make_rule(["RECEIVED"], condition, do("ADD_NOTE", "look"))
    for number in range(2, 6):
        sent = now + number * HOUR
        receive_message(inbound(external_id=f"m-{number}", text="退款" if number % 2 else "谢谢", sent_at=sent), now=sent)
    judge_new_events(now=now + 6 * HOUR)
    told = dry_run(facts=facts(["RECEIVED"], condition, do("ADD_NOTE", "look")), viewer=cast.viewer(cast.agent), now=now + 7 * HOUR)
    first = Firing.objects.order_by("pk").first()
    event = CaseEvent.objects.get(pk=int(first.key[1:]))
    assert [(one.case.pk, one.at) for one in told.touched] == [(case.pk, event.at)]


def test_it_takes_the_same_queries_for_one_case_and_for_many(cast, history, now, django_assert_num_queries):
    with django_assert_num_queries(8):
        dry_run(facts=facts(["OPENED"], every(), URGENT), viewer=cast.viewer(cast.owner), now=now + 4 * HOUR)


def test_nobody_without_the_right_looks(cast, history, now):
    viewer = cast.viewer(cast.agent)
    bare = type(viewer)(viewer.user_id, viewer.name, viewer.role, viewer.team_ids, frozenset())
    with pytest.raises(NotAllowed):
        dry_run(facts=facts(["OPENED"], every(), URGENT), viewer=bare, now=now)
