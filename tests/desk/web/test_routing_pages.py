"""Routing on screens: the team's table and plan, one's own switch, the next case, and the reason on the case."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from careloop.desk.accounts.models import User
from careloop.desk.cases.models import Case
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.routing import actions
from careloop.desk.routing.models import Profile, RoutingSetting
from careloop.desk.routing.rules.queue import cost_of_delay
from careloop.desk.web.routing_words import because_words, delay_words

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, inbound, now):
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


def table(cast, **facts):
    chen, sun = cast.agent.pk, cast.supervisor.pk
    given = {"person": [str(chen), str(sun)], f"capacity-{chen}": "8", f"version-{chen}": "0", f"version-{sun}": "0", f"capacity-{sun}": ""}
    return {**given, f"skill-{chen}-REFUND": "3", f"language-{chen}-zh": "2", f"categories-{chen}": "leak 2", **facts}


def test_a_supervisor_enters_people_and_sees_who_would_get_what_and_why(client, cast, case):
    client.force_login(cast.supervisor)
    assert client.post(f"/routing/teams/{cast.team.pk}/people/", table(cast)).status_code == 302
    profile = Profile.objects.get()
    assert (profile.user, profile.capacity, profile.skills, profile.languages) == (
        cast.agent, 8, {"REFUND": 3, "category:leak": 2}, {"zh": 2},
    )  # fmt: skip
    page = client.get("/routing/").content.decode()
    assert f"#{case.pk}" in page
    assert "writes Chinese · 0 of 8 cases" in page
    assert "not routed" in page  # Sun has no capacity


def test_a_wrong_row_is_told_what_was_typed_stays_and_nothing_is_saved(client, cast):
    client.force_login(cast.supervisor)
    answer = client.post(f"/routing/teams/{cast.team.pk}/people/", table(cast, **{f"categories-{cast.agent.pk}": "leak three"}))
    page = answer.content.decode()
    assert (answer.status_code, Profile.objects.count()) == (422, 0)
    assert "“leak three” is no skill" in page
    assert 'value="leak three"' in page
    assert f'name="capacity-{cast.agent.pk}" type="number" min="0" max="200" value="8"' in page
    assert client.post(f"/routing/teams/{cast.team.pk}/people/", table(cast, **{f"version-{cast.agent.pk}": "4"})).status_code == 409
    assert Profile.objects.count() == 0


def test_the_setting_is_saved_and_a_round_can_be_asked_for(client, cast, case):
    client.force_login(cast.supervisor)
    Profile.objects.create(user=cast.agent)
    path = f"/routing/teams/{cast.team.pk}"
    assert (
        client.post(f"{path}/setting/", {"mode": "ASSIGN", "most_per_round": "50", "version": "0", "minutes-REFUND": "15"}).status_code
        == 302
    )
    setting = RoutingSetting.objects.get()
    assert (setting.mode, setting.is_sticky, setting.most_per_round, setting.minutes) == ("ASSIGN", False, 50, {"REFUND": 15})
    assert client.post(f"{path}/setting/", {"mode": "ASSIGN", "most_per_round": "many", "version": "1"}).status_code == 422
    assert client.post(f"{path}/now/").status_code == 302
    case.refresh_from_db()
    assert case.assignee == cast.agent


def test_agents_look_but_change_nothing_and_outsiders_see_only_their_team(client, cast, case):
    client.force_login(cast.agent)
    assert "disabled" in client.get("/routing/").content.decode()
    assert client.post(f"/routing/teams/{cast.team.pk}/people/", table(cast)).status_code == 403
    assert client.post(f"/routing/teams/{cast.team.pk}/setting/", {"mode": "ASSIGN", "version": "0"}).status_code == 403
    client.force_login(cast.outsider)
    assert client.get(f"/routing/?team={cast.team.pk}").status_code == 404
    assert case.subject not in client.get("/routing/").content.decode()
    rival = User.objects.create(email="rival@desk.example", display_name="Rival", role="SUPERVISOR", date_joined=case.opened_at)
    rival.teams.set([cast.other_team])
    client.force_login(rival)
    assert client.post(f"/routing/teams/{cast.team.pk}/now/").status_code == 404
    assert (Profile.objects.count(), RoutingSetting.objects.count()) == (0, 0)


def test_everybody_switches_their_own_availability_and_nobody_elses(client, cast):
    for user in (cast.agent, cast.outsider):
        client.force_login(user)
        answer = client.post("/routing/availability/", {"status": "AWAY", "length": "4h"}, headers={"HX-Request": "true"})
        assert '<option value="AWAY" selected>' in answer.content.decode()
        profile = Profile.objects.get(user=user)
        left = profile.away_until - datetime.now(UTC)
        assert profile.status == "AWAY"
        assert timedelta(hours=3, minutes=59) < left <= timedelta(hours=4)
    assert client.post("/routing/availability/", {"status": "GONE"}, headers={"HX-Request": "true"}).status_code == 422
    assert Profile.objects.filter(status="AWAY").count() == 2


def test_the_next_case_opens_and_says_why(client, cast, case):
    client.force_login(cast.agent)
    answer = client.post("/routing/next/")
    assert answer["Location"] == f"/cases/{case.pk}/"
    page = client.get(answer["Location"]).content.decode()
    assert "Routed to Chen" in page
    assert "Chen took the next case: 0 of 200 cases" in page
    again = client.post("/routing/next/", follow=True).content.decode()
    assert "No case is waiting that fits your skills and languages." in again


def test_a_suggestion_is_shown_with_alternatives_and_followed_by_a_click(client, cast, case, now):
    RoutingSetting.objects.create(team=cast.team, mode="SUGGEST")
    Profile.objects.create(user=cast.agent, languages={"zh": 3})
    Profile.objects.create(user=cast.supervisor, languages={"zh": 1})
    actions.route_waiting(now=now)
    client.force_login(cast.supervisor)
    page = client.get(f"/cases/{case.pk}/").content.decode()
    assert "Suggested: Chen" in page
    assert "writes Chinese · 0 of 10 cases" in page
    assert "<b>Sun</b>" in page
    client.post(f"/cases/{case.pk}/assign/", {"assignee": cast.agent.pk, "version": case.version})
    case.refresh_from_db()
    assert case.assignee == cast.agent
    assert "Suggested: Chen" not in client.get(f"/cases/{case.pk}/").content.decode()


def test_whoever_is_switched_off_loses_their_cases_at_once(client, cast, case):
    Case.objects.update(assignee=cast.agent)
    client.force_login(cast.owner)
    client.post(f"/settings/users/{cast.agent.pk}/", {"display_name": "Chen", "role": "AGENT", "teams": [cast.team.pk]})
    case.refresh_from_db()
    assert case.assignee is None
    assert "Chen no longer works here; the case went back to the queue" in client.get(f"/cases/{case.pk}/").content.decode()


def test_the_inbox_sorts_by_what_matters_most_and_says_what_a_delay_costs(client, cast, inbound, now):
    numbers = []
    for number in range(3):
        address = (AddressValue("EMAIL", f"c{number}@example.com"),)
        numbers.append(receive_message(inbound(external_id=str(number), addresses=address), now=now).case_id)
    Case.objects.filter(pk=numbers[1]).update(priority=40)
    Case.objects.filter(pk=numbers[0]).update(priority=30)
    actions.refresh_weights(now=now)
    client.force_login(cast.agent)
    page = client.get("/?sort=matters").content.decode()
    places = [page.index(f'id="row-{number}"') for number in (numbers[1], numbers[0], numbers[2])]
    assert places == sorted(places)
    assert "One more hour costs 4.0 · Urgent ×4.0 · about 8 min of work" in page
    fresh = client.get(f"/cases/{numbers[1]}/row/?sort=matters").content.decode()
    assert "One more hour costs 4.0 · Urgent ×4.0 · about 8 min of work" in fresh


def test_reasons_in_both_languages(now):
    parts = [
        {"what": "LANGUAGE", "language": "zh", "level": 3}, {"what": "SKILL", "kind": "REFUND", "level": 3},
        {"what": "SKILL", "category": "leak", "level": 2}, {"what": "LOAD", "open": 4, "capacity": 10}, {"what": "KNOWS", "of": "CUSTOMER"},
    ]  # fmt: skip
    delay = cost_of_delay(priority=40, kind="REFUND", due_at=now + timedelta(hours=2), value=2.0, now=now)
    assert because_words(parts, {"leak": "Leaks"}) == "writes Chinese · Refund: 3 of 3 · Leaks: 2 of 3 · 4 of 10 cases · knows the customer"
    assert delay_words(delay) == (
        "One more hour costs 65.5 · Urgent ×4.0 · Refund ×1.4 · valuable customer ×2.0"
        " · due in 2 h (late: 0.60) ×5.9 · about 12 min of work"
    )
    with translation.override("zh-hans"):
        assert because_words(parts, {"leak": "漏水"}) == "会中文 · 退款：3/3 · 漏水：2/3 · 手头 4 件，上限 10 件 · 接待过这位客户"
        assert delay_words(delay).startswith("再等一小时的代价为 65.5 · 紧急 ×4.0 · 退款 ×1.4 · 高价值客户 ×2.0 · 还有 2 小时到期")
