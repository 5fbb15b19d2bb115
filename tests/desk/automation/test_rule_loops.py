"""Rules that set each other off come to an end, whatever they are."""

import random
from itertools import pairwise

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.automation.circle_search import list_circles
from careloop.desk.automation.judging import judge_new_events
from careloop.desk.automation.models import Firing, Macro, Rule
from careloop.desk.automation.queries import facts_of
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules.loops import TOO_DEEP, TOO_MANY_REPLIES, TOO_OFTEN, TWICE, why_stopped
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.notices.models import Notice
from careloop.desk.routing.models import RoutingSetting
from careloop.desk.teamwork.models import Webhook
from careloop.desk.teamwork.tags import set_tag
from tests.desk.automation.rule_words import do, every, leaf, new_survey

pytestmark = pytest.mark.django_db
RULES = 8
MOST_EVENTS_OF_A_RULE = 3 * 4  # three actions, each with what may follow from it


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


def random_rules(draw: random.Random, cast, people: list[int], text: int, hook: int, now) -> list[Rule]:
    """Rules of every action, on every event that actions make, with no check for circles: as bad as it can get."""
    values = {
        "SET_PRIORITY": (10, 20, 30, 40), "SET_STATUS": ("OPEN", "WAITING", "RESOLVED"), "SET_CATEGORY": "abc", "ASSIGN": (None, *people),
        "ROUTE": (None,), "TAG": "xy", "UNTAG": "xy", "TAKE_STEP": ("1.NONE",), "ADD_TASK": ("t | d | 1",), "SNOOZE": (1, 24),
        "ADD_NOTE": "n", "REPLY": (text,), "NOTIFY": (people,), "NOTIFY_SUPERVISORS": (None,), "WEBHOOK": (hook,),
        "SURVEY": (new_survey(now).pk,), "GIVE_TO_TEAM": (cast.team.pk, cast.other_team.pk),
    }  # fmt: skip
    assert set(values) == set(ACTIONS)
    conditions = [
        lambda: leaf("priority", draw.choice(["at_least", "at_most"]), draw.choice([10, 20, 30])),
        lambda: leaf("status", draw.choice(["is", "is_not"]), draw.choice(["OPEN", "WAITING", "RESOLVED"])),
        lambda: leaf("category", draw.choice(["is", "is_not"]), draw.choice("abc")),
        lambda: {"field": "tags", "op": draw.choice(["has", "has_not"]), "value": [draw.choice("xy")]},
        lambda: {"any": [leaf("assignee", "is_empty"), leaf("priority", "at_most", 20)]},
    ]
    events = sorted({event for kind in ACTIONS.values() for event in (*kind.makes, *kind.may_make)})
    made = []
    for number in range(RULES):
        codes = draw.sample(sorted(values), draw.randint(1, 3))
        facts = {
            "events": draw.sample(events, draw.randint(1, len(events))),
            "condition": every(*[draw.choice(conditions)() for _ in range(draw.randint(0, 2))]),
            "actions": [do(code, draw.choice(values[code])) for code in codes],
            "stops": draw.random() < 0.1,
        }
        made.append(Rule(name=f"R{number}", position=draw.randint(0, 3), changed_at=now, **facts))
    return made


def something_happens(draw: random.Random, case: Case, viewer, now) -> None:
    """A person does one thing."""
    fresh = Case.objects.get(pk=case.pk)
    facts = {"case_id": case.pk, "viewer": viewer, "now": now}
    what = draw.randrange(5)
    if what == 0:
        cases.set_priority(priority=draw.choice([10, 40]), expected_version=fresh.version, **facts)
    elif what == 1:
        cases.set_status(status=draw.choice(["OPEN", "WAITING"]), expected_version=fresh.version, **facts)
    elif what == 2:
        cases.add_note(body="?", **facts)
    elif what == 3:
        set_tag(name=draw.choice("xy"), is_on=draw.random() < 0.5, **facts)
    else:
        cases.reply(body="!", **facts)


@pytest.mark.parametrize("seed", range(20, 32))
def test_random_rules_on_random_histories_come_to_an_end(cast, case, now, seed):
    """However rules are made, what a person does sets each off at most once and at most three deep: the number of actions is bounded."""
    draw = random.Random(seed)
    text = Macro.objects.create(name="T", scope="ALL", body="收到", changed_at=now)
    hook = Webhook.objects.create(url="https://example.com/hook", secret="s", events=["OPENED"], made_by_name="Olga", made_at=now)
    RoutingSetting.objects.create(team=cast.team, mode="ASSIGN")
    people = list(User.objects.filter(pk__in=[cast.agent.pk, cast.supervisor.pk]).values_list("pk", flat=True))
    Rule.objects.bulk_create(random_rules(draw, cast, people, text.pk, hook.pk, now))
    viewer = cast.viewer(cast.owner)  # who sees the case wherever rules bring it
    for _ in range(3):
        something_happens(draw, case, viewer, now)
        roots = CaseEvent.objects.exclude(actor_kind="rule").count()
        judge_new_events(now=now, at_most=5_000)
        assert judge_new_events(now=now) == 0
        done = Firing.objects.filter(outcome="DONE")
        by_root = list(done.values_list("root", "rule_id"))
        assert len(set(by_root)) == len(by_root), "a rule acted twice on what follows from one thing"
        assert len(by_root) <= RULES * roots
        assert set(done.values_list("depth", flat=True)) <= {0, 1, 2}
        most = RULES * roots * MOST_EVENTS_OF_A_RULE
        assert CaseEvent.objects.filter(actor_kind="rule").exclude(after__did__in=["STOPPED", "FAILED"]).count() <= most
    assert Firing.objects.filter(outcome="DONE").exists(), "no rule acted: the test shows nothing"


@pytest.mark.parametrize("seed", range(40))
def test_rules_that_went_round_were_told_when_they_were_saved(cast, case, now, seed):
    """Sound: where the guard stops a rule that would act twice, the search has found a circle, certain or possible."""
    draw = random.Random(seed)
    values = {"SET_PRIORITY": (10, 40), "SET_CATEGORY": "ab", "TAG": "x", "UNTAG": "x", "ADD_NOTE": "n", "ASSIGN": (None, cast.agent.pk)}
    events = ["PRIORITY", "CORRECTED", "TAGGED", "NOTED", "ASSIGNED"]
    rules = []
    for number in range(4):
        code = draw.choice(sorted(values))
        condition = every(leaf("priority", "at_least", draw.choice([10, 30])), leaf("category", "is_not", draw.choice("abc")))
        facts = {"events": draw.sample(events, 1), "condition": condition, "actions": [do(code, draw.choice(values[code]))]}
        rules.append(Rule.objects.create(name=f"R{number}", position=number, changed_at=now, **facts))
    told = {number for rule in rules for one in list_circles(facts_of(rule), rule.pk) for number in one.rule_ids}
    viewer = cast.viewer(cast.agent)
    for _ in range(3):
        something_happens(draw, case, viewer, now)
        judge_new_events(now=now)
    went_round = set()
    for firing in Firing.objects.filter(outcome="STOPPED", depth__gt=0):
        earlier = Firing.objects.filter(rule=firing.rule, root=firing.root, outcome="DONE").order_by("pk").first()
        if earlier is not None and earlier.depth < firing.depth and is_chained(earlier, firing):
            went_round.add(firing.rule_id)
    assert went_round <= told


def is_chained(earlier: Firing, later: Firing) -> bool:
    """Whether the second time follows from the first, link by link."""
    event = CaseEvent.objects.get(pk=int(later.key[1:]))
    while event.actor_kind == "rule":
        cause = Firing.objects.filter(rule_id=event.actor_id, root=later.root, outcome="DONE").first()
        if cause is None:
            return False
        if cause.pk == earlier.pk:
            return True
        event = CaseEvent.objects.get(pk=int(cause.key[1:]))
    return False
