"""Rules that set each other off come to an end, whatever they are."""

import random
from itertools import pairwise

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.automation.judging import judge_new_events
from careloop.desk.automation.models import Firing, Macro, Rule
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules.checking import find_faults
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.automation.rules.loops import TOO_DEEP, TOO_MANY_REPLIES, TOO_OFTEN, TWICE, why_stopped
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.notices.models import Notice
from tests.desk.automation.rule_words import do, every, leaf

pytestmark = pytest.mark.django_db


def test_the_guard_in_its_five_answers():
    assert why_stopped(depth=0, rule_id=1, fired=()) == ""
    assert why_stopped(depth=0, rule_id=1, fired=(1,)) == TWICE
    assert why_stopped(depth=3, rule_id=1, fired=()) == TOO_DEEP
    assert why_stopped(depth=2, rule_id=1, fired=(2,), replies_today=3) == TOO_MANY_REPLIES
    assert why_stopped(depth=0, rule_id=1, fired=(), today=100) == TOO_OFTEN


def test_two_rules_that_undo_each_other_are_stopped_and_the_supervisor_is_told(cast, put_rule, case, now):
    up = put_rule(["PRIORITY"], every(leaf("priority", "at_most", 20)), do("SET_PRIORITY", 40), name="Up")
    down = put_rule(["PRIORITY"], every(leaf("priority", "at_least", 30)), do("SET_PRIORITY", 10), name="Down")
    cases.set_priority(case_id=case.pk, priority=30, expected_version=case.version, viewer=cast.viewer(cast.agent), now=now)
    assert judge_new_events(now=now) > 1
    assert list(Firing.objects.order_by("pk").values_list("rule_id", "depth", "outcome")) == [
        (down.pk, 0, "DONE"),
        (up.pk, 1, "DONE"),
        (down.pk, 1, "STOPPED"),  # as the next rule asked about the same event
        (down.pk, 2, "STOPPED"),  # and again about what came of it
    ]
    stopped = CaseEvent.objects.filter(kind="RULE").values_list("actor_name", "after")
    assert list(stopped) == [("Down", {"did": "STOPPED", "why": "TWICE"})] * 2
    assert Notice.objects.get().user_id == cast.supervisor.pk
    assert judge_new_events(now=now) == 0


def test_a_chain_of_many_rules_ends_at_its_fourth_link(cast, put_rule, case, now):
    steps = [10, 40, 30, 20, 10, 40]
    for number, (before, after) in enumerate(pairwise(steps)):
        condition = every(leaf("priority", value=before)) if number == 0 else every(leaf("category", value=f"c{number}"))
        done = do("SET_CATEGORY", f"c{number + 1}"), do("SET_PRIORITY", after)
        put_rule(["PRIORITY"], condition, *done, name=f"R{number}", position=10 - number)
    cases.set_priority(case_id=case.pk, priority=10, expected_version=case.version, viewer=cast.viewer(cast.agent), now=now)
    judge_new_events(now=now)
    assert list(Firing.objects.order_by("pk").values_list("rule__name", "depth", "outcome")) == [
        ("R0", 0, "DONE"),
        ("R1", 1, "DONE"),
        ("R2", 2, "DONE"),
        ("R3", 3, "STOPPED"),
    ]


def random_rules(draw: random.Random, people: list[int], text: int, now) -> list[Rule]:
    """Rules that pass the checks, from few words, so that they often meet."""
    actions = [
        lambda: do("SET_PRIORITY", draw.choice([10, 20, 30, 40])),
        lambda: do("SET_STATUS", draw.choice(["OPEN", "WAITING", "RESOLVED"])),
        lambda: do("SET_CATEGORY", draw.choice("abc")),
        lambda: do("ASSIGN", draw.choice([None, *people])),
        lambda: do("ADD_NOTE", "x"),
        lambda: do("REPLY", text),
    ]
    conditions = [
        lambda: leaf("priority", draw.choice(["at_least", "at_most"]), draw.choice([10, 20, 30])),
        lambda: leaf("status", draw.choice(["is", "is_not"]), draw.choice(["OPEN", "WAITING", "RESOLVED"])),
        lambda: leaf("category", draw.choice(["is", "is_not"]), draw.choice("abc")),
    ]
    events = ["PRIORITY", "STATUS", "CORRECTED", "ASSIGNED", "NOTED", "REPLIED", "DELIVERY"]
    made = []
    while len(made) < 8:
        given = RuleFacts(
            f"R{len(made)}",
            draw.sample(events, draw.randint(1, 4)),
            every(*[draw.choice(conditions)() for _ in range(draw.randint(0, 2))]),
            [one() for one in draw.sample(actions, draw.randint(1, 3))],
        )
        if not list(find_faults(given, ACTIONS)):
            facts = {name: getattr(given, name) for name in ("name", "events", "condition", "actions")}
            made.append(Rule(position=draw.randint(0, 3), changed_at=now, **facts))
    return made


def something_happens(draw: random.Random, case: Case, viewer, now) -> None:
    """A person does one thing."""
    fresh = Case.objects.get(pk=case.pk)
    facts = {"case_id": case.pk, "viewer": viewer, "now": now}
    what = draw.randrange(4)
    if what == 0:
        cases.set_priority(priority=draw.choice([10, 40]), expected_version=fresh.version, **facts)
    elif what == 1:
        cases.set_status(status=draw.choice(["OPEN", "WAITING"]), expected_version=fresh.version, **facts)
    elif what == 2:
        cases.add_note(body="?", **facts)
    else:
        cases.reply(body="!", **facts)


@pytest.mark.parametrize("seed", range(6))
def test_random_rules_on_random_histories_come_to_an_end(cast, case, now, seed):
    draw = random.Random(seed)
    text = Macro.objects.create(name="T", scope="ALL", body="收到", changed_at=now)
    people = list(User.objects.filter(pk__in=[cast.agent.pk, cast.supervisor.pk]).values_list("pk", flat=True))
    Rule.objects.bulk_create(random_rules(draw, people, text.pk, now))
    viewer = cast.viewer(cast.agent)
    for _ in range(4):
        something_happens(draw, case, viewer, now)
        roots = CaseEvent.objects.exclude(actor_kind="rule").count()
        judge_new_events(now=now, at_most=5_000)
        assert judge_new_events(now=now) == 0
    by_root = Firing.objects.filter(outcome="DONE").values_list("root", "rule_id")
    assert len(set(by_root)) == len(by_root)
    assert len(by_root) <= 8 * roots
    assert all(depth < 3 for depth in Firing.objects.filter(outcome="DONE").values_list("depth", flat=True))
