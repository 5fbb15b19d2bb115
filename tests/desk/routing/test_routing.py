"""Cases given out: to whom, with which trace, never too many, back when somebody leaves; and what is refused changes nothing."""

from collections import Counter
from datetime import timedelta

import pytest

from careloop.desk.accounts.actions import change_user
from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import actor_of
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.notices.models import Notice
from careloop.desk.routing import actions, queries, staffing
from careloop.desk.routing.models import AvailabilityChange, CaseWeight, Profile, RoutingDecision, RoutingSetting
from careloop.desk.routing.rules.table import ProfileFacts, SettingFacts, read_skills, show_skills
from careloop.desk.sla.models import Calendar

pytestmark = pytest.mark.django_db


@pytest.fixture
def routed(cast, now):
    """The first team assigns; Chen takes up to ten cases, Sun one."""
    RoutingSetting.objects.create(team=cast.team, mode="ASSIGN")
    Profile.objects.create(user=cast.agent, capacity=10, languages={"zh": 3})
    Profile.objects.create(user=cast.supervisor, capacity=1)
    return cast


@pytest.fixture
def arrive(inbound, now):
    """A new case of a new customer."""

    def build(number=1, **facts):
        from careloop.desk.customers.rules import AddressValue

        given = {"external_id": f"m-{number}", "addresses": (AddressValue("EMAIL", f"c{number}@example.com"),), **facts}
        return Case.objects.get(pk=receive_message(inbound(**given), now=now).case_id)

    return build


def owners():
    return dict(Case.objects.values_list("pk", "assignee__display_name"))


def test_a_waiting_case_goes_to_somebody_with_event_decision_and_notice(routed, arrive, now):
    case = arrive()
    assert actions.route_waiting(now=now) == actions.Round(assigned=1)
    case.refresh_from_db()
    assert (case.assignee, case.version) == (routed.agent, 2)
    because = [{"what": "LANGUAGE", "language": "zh", "level": 3}, {"what": "LOAD", "open": 0, "capacity": 10}]
    event = CaseEvent.objects.get(kind="ROUTED")
    assert (event.actor_kind, event.before) == ("system", {"assignee_id": None})
    assert event.after == {"assignee_id": routed.agent.pk, "name": "Chen", "because": because}
    decision = RoutingDecision.objects.get()
    assert (decision.person, decision.mode, decision.because) == (routed.agent, "ASSIGN", because)
    assert [one["name"] for one in decision.alternatives] == ["Sun"]
    assert Notice.objects.values_list("user", "kind", "case_id").get() == (routed.agent.pk, "ASSIGNED", case.pk)
    assert queries.find_decision(case) == decision
    assert actions.route_waiting(now=now) == actions.Round()


@pytest.mark.parametrize(
    ("who", "facts"),
    [("away", {"status": "AWAY"}), ("busy", {"status": "BUSY"}), ("full", {"capacity": 0}), ("speechless", {"languages": {"en": 3}})],
)
def test_nobody_gets_what_they_must_not(routed, arrive, now, who, facts):
    Profile.objects.update(**facts)
    case = arrive()
    assert actions.route_waiting(now=now) == actions.Round()
    case.refresh_from_db()
    assert (case.assignee, case.version, CaseEvent.objects.filter(kind="ROUTED").count()) == (None, 1, 0)


def test_working_hours_and_the_end_of_an_absence_count(routed, arrive, now):
    night = Calendar.objects.create(name="Night", zone="UTC", weekly=[[[0, 300]]] * 7, changed_at=now)
    Profile.objects.filter(user=routed.supervisor).update(status="BUSY")
    Profile.objects.filter(user=routed.agent).update(calendar=night, status="AWAY", away_until=now + timedelta(hours=2))
    arrive()
    assert actions.route_waiting(now=now).assigned == 0
    assert actions.route_waiting(now=now + timedelta(hours=3)).assigned == 0  # back, but after 05:00
    assert actions.route_waiting(now=now + timedelta(hours=19)).assigned == 1


def test_capacity_holds_and_the_costliest_to_delay_goes_first(routed, arrive, now):
    Profile.objects.filter(user=routed.agent).update(capacity=1)
    plain, urgent, middle = (arrive(number) for number in range(3))
    Case.objects.filter(pk=urgent.pk).update(priority=40)
    Case.objects.filter(pk=middle.pk).update(priority=30)
    assert actions.route_waiting(now=now).assigned == 2
    assert {number for number, name in owners().items() if name} == {urgent.pk, middle.pk}
    assert owners()[plain.pk] is None


def test_other_teams_off_teams_files_answered_and_resolved_cases_are_left_alone(routed, arrive, now):
    wholesale, resolved, waiting = arrive(1, channel_slug="wholesale"), arrive(2), arrive(3)
    Case.objects.filter(pk=resolved.pk).update(status="RESOLVED")
    Case.objects.filter(pk=waiting.pk).update(status="WAITING")
    assert actions.route_waiting(now=now) == actions.Round()
    RoutingSetting.objects.create(team=routed.other_team, mode="ASSIGN")
    assert actions.route_waiting(now=now) == actions.Round()  # nobody of that team has a profile
    assert owners() == {wholesale.pk: None, resolved.pk: None, waiting.pk: None}


def test_who_worked_with_the_customer_gets_the_next_case_unless_that_is_switched_off(routed, arrive, now):
    Profile.objects.filter(user=routed.supervisor).update(capacity=10, languages={"zh": 1})
    first = arrive(1, channel_slug="contact")
    Case.objects.filter(pk=first.pk).update(assignee=routed.supervisor, status="RESOLVED")
    second = arrive(1, channel_slug="shop", external_id="m-2")
    actions.route_waiting(now=now)
    assert owners()[second.pk] == "Sun"
    assert RoutingDecision.objects.get().because[-1] == {"what": "KNOWS", "of": "CUSTOMER"}
    RoutingSetting.objects.update(is_sticky=False)
    Case.objects.filter(pk=second.pk).update(assignee=None)
    actions.route_waiting(now=now)
    assert owners()[second.pk] == "Chen"


def test_suggestions_move_nothing_and_are_kept_once(routed, arrive, now):
    RoutingSetting.objects.update(mode="SUGGEST")
    case = arrive()
    assert actions.route_waiting(now=now) == actions.Round(suggested=1)
    assert actions.route_waiting(now=now + timedelta(minutes=1)) == actions.Round()
    case.refresh_from_db()
    assert (case.assignee, case.version, RoutingDecision.objects.get().mode) == (None, 1, "SUGGEST")
    assert queries.find_decision(case).person == routed.agent
    cases.assign(case_id=case.pk, assignee_id=routed.supervisor.pk, expected_version=1, viewer=routed.viewer(routed.agent), now=now)
    case.refresh_from_db()
    assert queries.find_decision(case) is None


def test_whoever_goes_away_gives_back_what_customers_wait_for_and_it_is_routed_anew(routed, arrive, now):
    open_case, answered = arrive(1), arrive(2)
    Profile.objects.filter(user=routed.supervisor).update(capacity=10)
    Case.objects.update(assignee=routed.agent)
    Case.objects.filter(pk=answered.pk).update(status="WAITING")
    assert staffing.set_availability(status="AWAY", viewer=routed.viewer(routed.agent), now=now) == 1
    assert owners() == {open_case.pk: "Sun", answered.pk: "Chen"}
    back, again = CaseEvent.objects.filter(kind="ROUTED").order_by("pk")
    assert (back.before, back.after) == ({"assignee_id": routed.agent.pk}, {"assignee_id": None, "why": "AWAY", "left": "Chen"})
    assert again.after["name"] == "Sun"
    assert AvailabilityChange.objects.values_list("user", "status").get() == (routed.agent.pk, "AWAY")
    assert staffing.set_availability(status="AWAY", viewer=routed.viewer(routed.agent), now=now) == 0
    assert AvailabilityChange.objects.count() == 1


def test_a_team_that_only_suggests_leaves_cases_with_whoever_goes_away(routed, arrive, now):
    RoutingSetting.objects.update(mode="SUGGEST")
    case = arrive()
    Case.objects.update(assignee=routed.agent)
    assert staffing.set_availability(status="AWAY", viewer=routed.viewer(routed.agent), now=now) == 0
    assert owners() == {case.pk: "Chen"}


@pytest.mark.parametrize("facts", [{"is_active": False}, {"team_ids": []}, {"role": "ANALYST"}])
def test_cases_of_somebody_who_left_go_back_and_on(routed, arrive, now, facts):
    first, second = arrive(1), arrive(2)
    Case.objects.update(assignee=routed.agent)
    Case.objects.filter(pk=second.pk).update(status="WAITING")
    given = {"display_name": "Chen", "role": "AGENT", "team_ids": [routed.team.pk], "is_active": True, **facts}
    change_user(user_id=routed.agent.pk, **given, actor=actor_of(routed.viewer(routed.owner)), now=now)
    assert actions.return_after_change(user_id=routed.agent.pk, now=now) == 2
    assert owners() == {first.pk: "Sun", second.pk: None}  # nobody need take what waits for the customer
    assert CaseEvent.objects.filter(kind="ROUTED", after__why="LEFT").count() == 2


def test_a_person_switched_off_elsewhere_loses_cases_in_the_next_round_even_where_nothing_is_routed(routed, arrive, now):
    case = arrive()
    Case.objects.update(assignee=routed.agent)
    RoutingSetting.objects.all().delete()
    User.objects.filter(pk=routed.agent.pk).update(is_active=False)
    assert actions.route_waiting(now=now) == actions.Round(returned=1)
    assert owners() == {case.pk: None}


def test_the_next_case_is_the_costliest_to_delay_that_fits(routed, arrive, now):
    viewer = routed.viewer(routed.agent)
    plain, urgent = arrive(1), arrive(2)
    english = arrive(3, text="My boiler leaks and I want my money back")
    foreign = arrive(4, channel_slug="wholesale")
    Case.objects.filter(pk__in=[english.pk, foreign.pk]).update(priority=40)
    Case.objects.filter(pk=urgent.pk).update(priority=30)
    Profile.objects.update(status="AWAY")
    assert [actions.take_next(viewer=viewer, now=now).pk for _ in range(2)] == [urgent.pk, plain.pk]
    with pytest.raises(NotFound):
        actions.take_next(viewer=viewer, now=now)
    assert owners() == {plain.pk: "Chen", urgent.pk: "Chen", english.pk: None, foreign.pk: None}
    event = CaseEvent.objects.filter(kind="ROUTED").earliest("pk")
    assert (event.actor_kind, event.actor_id, event.after["name"]) == ("user", routed.agent.pk, "Chen")
    assert AuditEntry.objects.filter(action="case.routed", object_id=urgent.pk).count() == 1
    assert Notice.objects.count() == 0


def test_the_next_case_is_refused_to_the_full_and_to_whoever_may_not_work(routed, arrive, now):
    case = arrive()
    Profile.objects.filter(user=routed.agent).update(capacity=0)
    with pytest.raises(Conflict, match="0 of 0"):
        actions.take_next(viewer=routed.viewer(routed.agent), now=now)
    with pytest.raises(NotAllowed):
        actions.take_next(viewer=routed.viewer(routed.analyst), now=now)
    with pytest.raises(NotFound):
        actions.take_next(viewer=routed.viewer(routed.outsider), now=now)
    assert (owners(), RoutingDecision.objects.count()) == ({case.pk: None}, 0)


def test_the_stored_order_follows_priority_and_forgets_what_is_no_longer_open(routed, arrive, now):
    plain, urgent = arrive(1), arrive(2)
    Case.objects.filter(pk=urgent.pk).update(priority=40)
    assert actions.refresh_weights(now=now) == 2
    assert dict(CaseWeight.objects.values_list("case", "score")) == {plain.pk: 7.5, urgent.pk: 30.0}
    assert actions.refresh_weights(now=now) == 0
    Case.objects.filter(pk=plain.pk).update(priority=30)
    Case.objects.filter(pk=urgent.pk).update(status="RESOLVED")
    assert actions.refresh_weights(now=now) == 1
    assert dict(CaseWeight.objects.values_list("case", "score")) == {plain.pk: 15.0}


def test_a_round_takes_as_many_queries_for_one_case_as_for_thirty(routed, arrive, now, django_assert_max_num_queries):
    for number in range(30):
        arrive(number)
    with django_assert_max_num_queries(55):  # 11 notices among them
        assert actions.route_waiting(now=now).assigned == 11


def test_supervisors_write_table_and_setting_with_a_trace(cast, now):
    viewer = cast.viewer(cast.supervisor)
    facts = ProfileFacts(cast.agent.pk, 8, {"REFUND": 3, "category:leak": 2}, {"zh": 3, "en": 1})
    assert staffing.save_profiles(team_id=cast.team.pk, people=[facts], viewer=viewer, now=now) == 1
    profile = Profile.objects.get()
    assert (profile.capacity, profile.skills, profile.version) == (8, {"REFUND": 3, "category:leak": 2}, 1)
    setting = staffing.save_setting(team_id=cast.team.pk, facts=SettingFacts("ASSIGN", minutes={"REFUND": 15}), viewer=viewer, now=now)
    assert (setting.mode, setting.minutes, setting.version) == ("ASSIGN", {"REFUND": 15}, 1)
    assert [*AuditEntry.objects.order_by("pk").values_list("action", flat=True)] == ["routing.profile", "routing.setting"]
    again = ProfileFacts(cast.agent.pk, 8, {"REFUND": 3, "category:leak": 2}, {"zh": 3, "en": 1}, version=1)
    assert staffing.save_profiles(team_id=cast.team.pk, people=[again], viewer=viewer, now=now) == 0


@pytest.mark.parametrize(
    ("who", "facts", "refusal"),
    [
        ("agent", {}, NotAllowed),
        ("analyst", {}, NotAllowed),
        ("outsider", {}, NotAllowed),
        ("supervisor", {"capacity": 201}, InvalidInput),
        ("supervisor", {"capacity": -1}, InvalidInput),
        ("supervisor", {"skills": {"REFUND": 4}}, InvalidInput),
        ("supervisor", {"languages": {"fr": 1}}, InvalidInput),
        ("supervisor", {"calendar_id": 99}, InvalidInput),
        ("supervisor", {"version": 3}, Conflict),
        ("supervisor", {"user_id": 0}, InvalidInput),
    ],
)
def test_a_refused_table_changes_nothing(cast, now, who, facts, refusal):
    good = ProfileFacts(cast.supervisor.pk, 5)
    other = ProfileFacts(**{"user_id": cast.agent.pk, "capacity": 5, **facts})
    with pytest.raises(refusal):
        staffing.save_profiles(team_id=cast.team.pk, people=[good, other], viewer=cast.viewer(getattr(cast, who)), now=now)
    assert (Profile.objects.count(), AuditEntry.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        (SettingFacts("PUSH"), InvalidInput),
        (SettingFacts("ASSIGN", most_per_round=0), InvalidInput),
        (SettingFacts("ASSIGN", minutes={"REFUND": 0}), InvalidInput),
        (SettingFacts("ASSIGN", version=1), Conflict),
    ],
)
def test_a_refused_setting_changes_nothing(cast, now, facts, refusal):
    with pytest.raises(refusal):
        staffing.save_setting(team_id=cast.team.pk, facts=facts, viewer=cast.viewer(cast.supervisor), now=now)
    assert (RoutingSetting.objects.count(), AuditEntry.objects.count()) == (0, 0)


def test_a_supervisor_of_another_team_finds_no_team(cast, now):
    rival = User.objects.create(email="rival@desk.example", display_name="Rival", role="SUPERVISOR", date_joined=now)
    rival.teams.set([cast.other_team])
    for change in (
        lambda: staffing.save_setting(team_id=cast.team.pk, facts=SettingFacts("OFF"), viewer=cast.viewer(rival), now=now),
        lambda: staffing.save_profiles(team_id=cast.team.pk, people=[], viewer=cast.viewer(rival), now=now),
        lambda: queries.page(cast.team.pk, cast.viewer(rival), now),
    ):
        with pytest.raises(NotFound):
            change()
    assert RoutingSetting.objects.count() == 0


@pytest.mark.parametrize(("status", "hours"), [("GONE", None), ("BUSY", 2), ("AWAY", -1)])
def test_a_senseless_availability_changes_nothing(cast, now, status, hours):
    until = None if hours is None else now + timedelta(hours=hours)
    with pytest.raises(InvalidInput):
        staffing.set_availability(status=status, away_until=until, viewer=cast.viewer(cast.agent), now=now)
    assert (Profile.objects.count(), AvailabilityChange.objects.count()) == (0, 0)


def test_skills_by_category_are_written_as_text():
    assert read_skills("leak 3， delivery 0") == {"category:leak": 3, "category:delivery": 0}
    assert show_skills({"REFUND": 2, "category:leak": 3, "category:a": 1}) == "a 1, leak 3"
    for text in ("leak", "leak three", "3", "leak 33"):
        with pytest.raises(InvalidInput):
            read_skills(text)


def test_the_preview_says_who_would_get_what_and_why_nobody_may(routed, arrive, now):
    arrive(1)
    english = arrive(2, text="My boiler leaks")
    Profile.objects.filter(user=routed.supervisor).update(status="BUSY")
    shown = queries.page(routed.team.pk, routed.viewer(routed.agent), now)
    assert (shown.waiting, shown.left_over, [one.user.display_name for one in shown.members]) == (2, 1, ["Chen", "Sun"])
    [given] = [one.choice.person.name for one in shown.planned if one.choice]
    [refused] = [one.refused for one in shown.planned if one.case.pk == english.pk]
    assert (given, refused) == ("Chen", {"Chen": "LANGUAGE", "Sun": "AWAY"})


@pytest.mark.parametrize("how", ["away", "switched off", "another team"])
def test_whoever_goes_leaves_a_balanced_team_behind(routed, arrive, now, how):
    wei, li = (
        User.objects.create(email=f"{name}@desk.example", display_name=name, role="AGENT", date_joined=now) for name in ("Wei", "Li")
    )
    for person, capacity in ((wei, 6), (li, 3)):
        person.teams.set([routed.team])
        Profile.objects.create(user=person, capacity=capacity)
    Profile.objects.filter(user=routed.supervisor).update(capacity=0)
    numbers = [arrive(number).pk for number in range(12)]
    actions.route_waiting(now=now)
    had = set(Case.objects.filter(assignee=routed.agent).values_list("pk", flat=True))
    assert had
    if how == "away":
        staffing.set_availability(status="AWAY", viewer=routed.viewer(routed.agent), now=now)
    else:
        facts = {"is_active": False} if how == "switched off" else {"team_ids": [routed.other_team.pk]}
        given = {"display_name": "Chen", "role": "AGENT", "team_ids": [routed.team.pk], "is_active": True, **facts}
        change_user(user_id=routed.agent.pk, **given, actor=actor_of(routed.viewer(routed.owner)), now=now)
        actions.return_after_change(user_id=routed.agent.pk, now=now)
    load = Counter(owners().values())
    assert (load["Chen"], load["Wei"], load["Li"], load[None]) == (0, 6, 3, len(numbers) - 9)  # all room is used, nobody has too many
    told = CaseEvent.objects.filter(kind="ROUTED", after__assignee_id=None).values_list("case", flat=True)
    assert set(told) == had
