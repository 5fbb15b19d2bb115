"""The facts that rules ask for: what is read, and that nothing is read for which no rule asks."""

from datetime import timedelta

import pytest

from careloop.desk.automation.dry_run import dry_run
from careloop.desk.automation.facts import Told, find_standings
from careloop.desk.automation.judging import judge_new_events
from careloop.desk.automation.rules.conditions import folded, holds
from careloop.desk.automation.rules.fields import Partly, RuleFacts
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, CaseFlow
from careloop.desk.customers.models import Customer
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.flows.queries import versions_by_kind
from careloop.desk.intake.actions import receive_message
from careloop.desk.teamwork.models import FieldDefinition
from careloop.desk.teamwork.tags import set_field, set_tag
from tests.desk.automation.rule_words import do, every, leaf

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def has(tags, op="has"):
    return {"field": "tags", "op": op, "value": tags}


def asked(case, now, condition):
    """Whether the condition holds of the case."""
    condition = folded(condition)
    wanted = {"tags", "flow_state", "reopened", "rating", "category_probability", "hours_waiting", "field.size", "field.vip"}
    return holds(condition, find_standings([case.pk], wanted)[case.pk].facts_at(now))


def test_tags_are_compared_without_capitals(cast, case, now):
    set_tag(case_id=case.pk, name="Gold Customer", viewer=cast.viewer(cast.agent), now=now)
    assert asked(case, now, has(["GOLD  customer", "silver"])) is True
    assert asked(case, now, has(["silver"])) is False
    assert asked(case, now, has(["silver"], "has_not")) is True
    assert asked(case, now, leaf("tags", "is_empty")) is False


def test_own_fields_are_compared_as_numbers_and_as_words(cast, case, now):
    viewer = cast.viewer(cast.agent)
    FieldDefinition.objects.create(code="size", name="Size", kind="NUMBER")
    FieldDefinition.objects.create(code="vip", name="VIP", kind="YES_NO")
    set_field(case_id=case.pk, code="size", given="12.5", viewer=viewer, now=now)
    assert asked(case, now, leaf("field.size", "at_least", 12)) is True
    assert asked(case, now, leaf("field.size", "at_most", 12)) is False
    assert asked(case, now, leaf("field.vip", "is_empty")) is True
    set_field(case_id=case.pk, code="vip", given="yes", viewer=viewer, now=now)
    assert asked(case, now, leaf("field.vip", "is", "true")) is True


def test_the_customers_attributes_are_words_and_numbers(case, now):
    Customer.objects.filter(pk=case.customer_id).update(
        attributes={"segment": "Gold", "orders": 14, "consent": "yes"}, company="ＡＢＣ Ltd"
    )
    assert asked(case, now, leaf("attribute.segment", "is", "gold")) is True
    assert asked(case, now, leaf("attribute.orders", "at_least", 10)) is True
    assert asked(case, now, leaf("attribute.orders", "at_most", 10)) is False
    assert asked(case, now, leaf("attribute.segment", "at_least", 1)) is False
    assert asked(case, now, leaf("attribute.newsletter", "is_empty")) is True
    assert asked(case, now, leaf("company", "contains", "abc")) is True


def test_a_customer_waits_until_a_person_answers(cast, inbound, case, now):
    waits = leaf("hours_waiting", "at_least", 2)
    assert asked(case, now + HOUR, waits) is False
    assert asked(case, now + 2 * HOUR, waits) is True
    cases.reply(case_id=case.pk, body="好的", viewer=cast.viewer(cast.agent), now=now + 2 * HOUR)
    assert asked(case, now + 9 * HOUR, waits) is False
    assert asked(case, now + 9 * HOUR, leaf("hours_waiting", "is_empty")) is True
    receive_message(inbound(external_id="m-2", sent_at=now + 9 * HOUR), now=now + 9 * HOUR)
    assert asked(case, now + 10 * HOUR, waits) is False
    assert asked(case, now + 11 * HOUR, waits) is True


def test_reopenings_and_ratings_are_counted_from_the_events():
    told = Told()
    told.take("STATUS", {"status": "OPEN"}, {"status": "RESOLVED"})
    told.take("RECEIVED", {}, {"status": "OPEN"})
    told.take("STATUS", {"status": "OPEN"}, {"status": "RESOLVED"})
    told.take("STATUS", {"status": "RESOLVED"}, {"status": "OPEN"})
    told.take("SURVEY", {}, {"rating": 9, "low": 0, "high": 10})
    assert told.facts([])["rating"] == 4.6
    told.take("SURVEY", {}, {"rating": 2})
    told.take("TRIAGED", {"category": ""}, {"category": "a", "category_probability": 0.7})
    assert told.facts([]) == {"reopened": 2, "rating": 2, "category_probability": 0.7}
    assert told.facts(["category"])["category_probability"] == 1.0


def test_a_case_that_was_opened_again_is_seen(cast, case, now):
    viewer = cast.viewer(cast.agent)
    for status in ("RESOLVED", "OPEN"):
        fresh = Case.objects.get(pk=case.pk)
        cases.set_status(case_id=case.pk, status=status, expected_version=fresh.version, viewer=viewer, now=now)
    assert asked(case, now, leaf("reopened", "at_least", 1)) is True
    assert asked(case, now, leaf("reopened", "at_least", 2)) is False


def test_where_a_case_stands_in_its_flow(case, now):
    ensure_shipped(now=now)
    version = versions_by_kind()["COMPLAINT"]
    assert asked(case, now, leaf("flow_state", "is_empty")) is True
    CaseFlow.objects.create(case=case, flow_version=version, state="analysis", entered_at=now)
    assert asked(case, now, leaf("flow_state", "is", f"{version.flow_id}.analysis")) is True


def test_facts_for_which_no_rule_asks_cost_nothing(case, django_assert_num_queries):
    with django_assert_num_queries(4):
        find_standings([case.pk], {"kind", "text", "attribute.segment"})
    with django_assert_num_queries(9):
        find_standings([case.pk], {"tags", "flow_state", "rating", "hours_waiting", "field.x"})


def test_a_rule_with_these_facts_acts_and_its_dry_run_agrees(cast, inbound, make_rule, case, now):
    viewer = cast.viewer(cast.agent)
    condition = every(has(["gold"]), {"not": {"any": [leaf("reopened", "at_least", 1)]}}, leaf("hours_waiting", "at_least", 0))
    make_rule(["RECEIVED"], condition, do("TAG", "hurry"))
    receive_message(inbound(external_id="m-2", sent_at=now + HOUR), now=now + HOUR)
    judge_new_events(now=now + HOUR)
    set_tag(case_id=case.pk, name="gold", viewer=viewer, now=now + HOUR)
    receive_message(inbound(external_id="m-3", sent_at=now + 2 * HOUR), now=now + 2 * HOUR)
    judge_new_events(now=now + 2 * HOUR)
    set_tag(case_id=case.pk, name="gold", viewer=viewer, now=now + 3 * HOUR, is_on=False)
    told = dry_run(facts=RuleFacts("X", ["RECEIVED"], condition, [do("TAG", "hurry")]), viewer=viewer, now=now + 4 * HOUR)
    assert [(one.at, one.was) for one in told.touched] == [(now + 2 * HOUR, {"tags": ("gold",)})]


def test_of_tags_that_are_known_in_part_some_questions_have_answers():
    facts = {"tags": Partly(has=frozenset({"a"}), lacks=frozenset({"b"}))}
    assert [holds(has([tag]), facts) for tag in "abc"] == [True, False, None]
    assert [holds(has([tag], "has_not"), facts) for tag in "abc"] == [False, True, None]
    assert holds(leaf("tags", "is_empty"), facts) is False
    assert Partly(frozenset("a")).then(Partly(frozenset("b"), frozenset("a"))) == Partly(frozenset("b"), frozenset("a"))
