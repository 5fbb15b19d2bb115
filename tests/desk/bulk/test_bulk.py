import random
from datetime import timedelta

import pytest

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.audit.models import AuditEntry
from careloop.desk.bulk.actions import change_cases, undo_change
from careloop.desk.bulk.models import BulkChange, BulkChangedCase
from careloop.desk.bulk.queries import list_changed, offer_for, preview
from careloop.desk.bulk.rules import IS_DECIDED_HERE, NOT_IN_TEAM, ON_A_FLOW, OUT_OF_SIGHT, Wish
from careloop.desk.cases import actions
from careloop.desk.cases.models import Approval, Case, CaseEvent, CaseFlow, Clock, ClockTick, Message
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def columns_of(cases):
    """Every column of the cases and of their clocks, with ticks, but for versions."""
    numbers = [case.pk for case in cases]
    rows = {row["id"]: row for row in Case.objects.filter(pk__in=numbers).values()}
    for row in rows.values():
        del row["version"]
    clocks = list(Clock.objects.filter(case__in=numbers).order_by("pk").values())
    return rows, clocks, list(ClockTick.objects.filter(clock__case__in=numbers).order_by("pk").values())


def counts():
    return [model.objects.count() for model in (BulkChange, BulkChangedCase, CaseEvent, AuditEntry)], list(Case.objects.values())


def test_a_preview_says_what_would_change_what_is_so_and_what_cannot(cast, open_cases, now):
    first, second, third = open_cases(3)
    (foreign,) = open_cases(1, "wholesale")
    agent = viewer_of(cast.agent)
    actions.assign(case_id=first.pk, assignee_id=cast.agent.pk, expected_version=first.version, viewer=agent, now=now)
    before = counts()
    numbers = [first.pk, second.pk, third.pk, foreign.pk]
    shown = preview(numbers, Wish("assignee", cast.agent.pk), agent)
    assert (shown.changes, shown.already) == ({second.pk: second.version, third.pk: third.version}, [first.pk])
    assert shown.impossible == {OUT_OF_SIGHT: [foreign.pk]}
    assert preview(numbers, Wish("assignee", cast.outsider.pk), viewer_of(cast.owner)).impossible == {
        NOT_IN_TEAM: [first.pk, second.pk, third.pk]
    }
    assert counts() == before


def test_cases_are_changed_with_event_clock_and_audit_entry_and_given_back(cast, open_cases, versions, now):
    cases = open_cases(3)
    before, agent = columns_of(cases), viewer_of(cast.agent)
    made = change_cases(versions=versions(cases), wish=Wish("priority", 40), viewer=agent, now=now)
    assert list(Case.objects.values_list("priority", flat=True)) == [40, 40, 40]
    assert {clock.target_seconds for clock in Clock.objects.filter(target="FIRST_RESPONSE", state="RUNNING")} == {900}
    event = CaseEvent.objects.filter(case=cases[0], kind="PRIORITY").get()
    assert (event.before, event.after, event.actor_name) == ({"priority": 20}, {"priority": 40, "bulk": made.pk}, "Chen")
    entry = AuditEntry.objects.get(action="case.priority", object_id=cases[0].pk)
    assert entry.details == {"before": {"priority": 20}, "after": {"priority": 40}, "bulk": made.pk}
    undo_change(change_id=made.pk, viewer=agent, now=now + MINUTE)
    assert columns_of(cases) == before
    assert CaseEvent.objects.filter(case=cases[0], kind="PRIORITY").last().after == {"priority": 20, "bulk": made.pk, "is_undo": True}


def test_what_somebody_changed_after_the_preview_is_left_out_and_named(cast, open_cases, versions, now):
    cases = open_cases(3)
    seen = versions(cases)
    sun = viewer_of(cast.supervisor)
    actions.set_priority(case_id=cases[1].pk, priority=10, expected_version=seen[cases[1].pk], viewer=sun, now=now)
    made = change_cases(versions=seen, wish=Wish("priority", 30), viewer=viewer_of(cast.agent), now=now)
    assert made.left_out == [cases[1].pk]
    assert list(Case.objects.order_by("pk").values_list("priority", flat=True)) == [30, 10, 30]


def test_undo_keeps_what_others_did_since(cast, open_cases, versions, now):
    cases = open_cases(2)
    agent, sun = viewer_of(cast.agent), viewer_of(cast.supervisor)
    made = change_cases(versions=versions(cases), wish=Wish("status", "RESOLVED"), viewer=agent, now=now)
    actions.add_note(case_id=cases[0].pk, body="Ask for the batch.", viewer=sun, now=now)
    made = undo_change(change_id=made.pk, viewer=agent, now=now + MINUTE)
    assert made.kept == [cases[0].pk]
    assert list(Case.objects.order_by("pk").values_list("status", flat=True)) == ["RESOLVED", "OPEN"]


@pytest.mark.parametrize("wait", [timedelta(hours=1, seconds=1), None])
def test_undo_is_refused_when_it_is_late_or_done_already(cast, open_cases, versions, now, wait):
    cases, agent = open_cases(1), viewer_of(cast.agent)
    made = change_cases(versions=versions(cases), wish=Wish("priority", 30), viewer=agent, now=now)
    if wait is None:
        undo_change(change_id=made.pk, viewer=agent, now=now)
    before = counts()
    with pytest.raises(Conflict):
        undo_change(change_id=made.pk, viewer=agent, now=now + (wait or MINUTE))
    assert counts() == before


def test_others_neither_change_out_of_sight_nor_undo(cast, open_cases, versions, now):
    cases, agent, outsider = open_cases(1), viewer_of(cast.agent), viewer_of(cast.outsider)
    made = change_cases(versions=versions(cases), wish=Wish("priority", 30), viewer=agent, now=now)
    seen, before = versions(cases), counts()[1]
    with pytest.raises(NotFound):
        undo_change(change_id=made.pk, viewer=outsider, now=now)
    nothing = change_cases(versions=seen, wish=Wish("priority", 40), viewer=outsider, now=now)
    assert (nothing.left_out, nothing.cases.count(), counts()[1]) == ([cases[0].pk], 0, before)
    with pytest.raises(NotAllowed):
        change_cases(versions=seen, wish=Wish("priority", 40), viewer=viewer_of(cast.analyst), now=now)
    assert counts()[1] == before


@pytest.mark.parametrize("n", [0, 1_001])
def test_none_or_too_many_cases_are_refused(cast, now, n):
    with pytest.raises(InvalidInput):
        change_cases(versions=dict.fromkeys(range(n), 1), wish=Wish("priority", 40), viewer=viewer_of(cast.agent), now=now)
    assert BulkChange.objects.count() == 0


def test_the_number_of_queries_does_not_grow_with_the_cases_but_for_audit_entries(
    cast, open_cases, versions, now, django_assert_max_num_queries
):
    cases = open_cases(30)
    with django_assert_max_num_queries(30 + 4 * 30):
        change_cases(versions=versions(cases), wish=Wish("status", "RESOLVED"), viewer=viewer_of(cast.agent), now=now)


def test_an_agent_is_offered_the_people_of_the_own_teams(cast):
    assert [name for _number, name in offer_for(viewer_of(cast.agent)).people] == ["Chen", "Olga", "Sun"]
    assert [name for _number, name in offer_for(viewer_of(cast.owner)).people] == ["Chen", "Olga", "Sun", "Wang"]


def wishes(cast):
    people = [Wish("assignee", one) for one in (cast.agent.pk, cast.supervisor.pk, None)]
    return people + [Wish("priority", one) for one in (10, 30, 40)] + [Wish("status", one) for one in ("OPEN", "WAITING", "RESOLVED")]


@pytest.mark.parametrize("seed", range(12))
def test_undo_restores_every_column_when_nothing_came_in_between(cast, open_cases, versions, now, seed):
    chance = random.Random(seed)
    cases, viewer = open_cases(4), viewer_of(cast.agent)
    at = now
    for _step in range(chance.randrange(3)):
        at += MINUTE
        some = chance.sample(cases, 2)
        change_cases(versions=versions(some), wish=chance.choice(wishes(cast)), viewer=viewer, now=at)
    before = columns_of(cases)
    made = change_cases(versions=versions(cases), wish=chance.choice(wishes(cast)), viewer=viewer, now=at + MINUTE)
    made = undo_change(change_id=made.pk, viewer=viewer, now=at + 2 * MINUTE)
    assert (made.kept, columns_of(cases)) == ([], before)


@pytest.mark.parametrize("seed", range(12))
def test_with_others_at_work_nothing_of_theirs_is_overwritten(cast, open_cases, versions, now, seed):
    chance = random.Random(seed)
    cases = open_cases(4)
    agent, sun = viewer_of(cast.agent), viewer_of(cast.supervisor)
    seen, wish = versions(cases), chance.choice(wishes(cast))
    before_all, before_change = columns_of(cases)[0], chance.sample(cases, chance.randrange(3))
    edits = [
        lambda facts: actions.set_priority(priority=chance.choice([10, 30]), **facts),
        lambda facts: actions.set_status(status=chance.choice(["WAITING", "RESOLVED"]), **facts),
        lambda facts: actions.assign(assignee_id=chance.choice([cast.owner.pk, cast.supervisor.pk]), **facts),
    ]

    def edit(case):
        version = Case.objects.get(pk=case.pk).version
        chance.choice(edits)({"case_id": case.pk, "expected_version": version, "viewer": sun, "now": now})

    for case in before_change:
        edit(case)
    theirs = columns_of(before_change)[0]
    moved = {number for number, version in versions(cases).items() if version != seen[number]}
    made = change_cases(versions=seen, wish=wish, viewer=agent, now=now + MINUTE)
    assert moved <= set(made.left_out)
    assert columns_of(before_change)[0].items() >= {number: theirs[number] for number in moved}.items()
    changed = list(made.cases.values_list("case_id", flat=True))
    for case in chance.sample(cases, chance.randrange(3)):
        edit(case)
    stands, bumped = columns_of(cases)[0], versions(cases)
    after = dict(made.cases.values_list("case_id", "version_after"))
    made = undo_change(change_id=made.pk, viewer=agent, now=now + 2 * MINUTE)
    assert made.kept == sorted(number for number in changed if bumped[number] != after[number])
    for number, row in columns_of(cases)[0].items():
        is_given_back = number in changed and number not in made.kept
        assert row == (before_all[number] if is_given_back else stands[number])


def test_a_case_on_its_way_through_a_flow_is_not_resolved_with_others(cast, open_cases, versions, now):
    ensure_shipped(now=now)
    (case,) = open_cases(1)
    actions.triage(readings={case.pk: {"kind": "COMPLAINT", "kind_probability": 0.9, "sentiment": "NEGATIVE"}}, now=now)
    state = CaseFlow.objects.get(case=case).state
    made = change_cases(versions=versions([case]), wish=Wish("status", "RESOLVED"), viewer=viewer_of(cast.agent), now=now)
    case.refresh_from_db()
    assert (made.left_out, case.status, CaseFlow.objects.get(case=case).state) == ([case.pk], "OPEN", state)
    assert preview([case.pk], Wish("status", "RESOLVED"), viewer_of(cast.agent)).impossible == {ON_A_FLOW: [case.pk]}


def test_cases_given_to_a_team_out_of_sight_follow_with_their_rows_and_come_back(cast, open_cases, versions, now):
    cases, agent = open_cases(3), viewer_of(cast.agent)
    actions.assign(case_id=cases[0].pk, assignee_id=cast.agent.pk, expected_version=cases[0].version, viewer=agent, now=now)
    Approval.objects.create(case=cases[2], transition="pay", state="ASKED", asked_at=now, needs=1, roles=["SUPERVISOR"])
    wish, before = Wish("team", cast.other_team.pk), columns_of(cases)
    assert preview([case.pk for case in cases], wish, agent).impossible == {IS_DECIDED_HERE: [cases[2].pk]}
    made = change_cases(versions=versions(cases), wish=wish, viewer=agent, now=now)
    gone = Case.objects.filter(team=cast.other_team).order_by("pk")
    assert [(case.pk, case.assignee_id) for case in gone] == [(cases[0].pk, None), (cases[1].pk, None)]
    teams = dict(Message.objects.values_list("case", "team"))
    assert teams == {cases[0].pk: cast.other_team.pk, cases[1].pk: cast.other_team.pk, cases[2].pk: cast.team.pk}
    assert list_changed(made, agent) == []
    actions.add_note(case_id=cases[1].pk, body="Ours now.", viewer=viewer_of(cast.outsider), now=now)
    assert undo_change(change_id=made.pk, viewer=agent, now=now + MINUTE).kept == [cases[1].pk]
    Case.objects.filter(pk=cases[1].pk).update(team=cast.team)
    assert columns_of(cases) == before
    assert set(Message.objects.filter(case=cases[0]).values_list("team", flat=True)) == {cast.team.pk}


def test_a_team_that_there_is_not_is_refused_for_many_as_for_one(cast, open_cases, versions, now):
    cases = open_cases(1)
    before = counts()
    with pytest.raises(InvalidInput, match="There is no team 999"):
        change_cases(versions=versions(cases), wish=Wish("team", 999), viewer=viewer_of(cast.agent), now=now)
    assert counts() == before
