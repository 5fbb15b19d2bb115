"""Many cases at once on screen."""

import re

import pytest
from django.urls import reverse

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.bulk.models import BulkChange
from careloop.desk.cases import actions
from careloop.desk.cases.models import Case
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(cast, inbound, now):
    """Three cases of three customers."""
    for place in range(3):
        addresses = (AddressValue("EMAIL", f"lin{place}@example.com"),)
        receive_message(inbound(external_id=f"m-{place}", addresses=addresses), now=now)
    return list(Case.objects.order_by("pk"))


@pytest.fixture
def agent(client, cast):
    """The agent's browser."""
    client.force_login(cast.agent)
    return client


def hidden(page) -> dict[str, str]:
    """The hidden fields of the preview's form."""
    return dict(re.findall(r'name="(change|cases)" value="([^"]*)"', page.content.decode()))


def test_the_bar_offers_people_priorities_and_all_of_the_view(agent, cases):
    shown = agent.get(reverse("bulk-bar") + "?view=unassigned").content.decode()
    assert "All 3 of this view" in shown
    assert f'action="{reverse("bulk-preview")}?view=unassigned"' in shown
    assert '<option value="priority:40">Urgent</option>' in shown
    assert ">Chen</option>" in shown
    assert "Wang" not in shown


def test_chosen_cases_are_previewed_changed_and_given_back(agent, cases):
    page = agent.post(reverse("bulk-preview"), {"case": [cases[0].pk, cases[1].pk], "change": "priority:40"})
    assert "Priority: Urgent" in page.content.decode()
    assert "2 cases would change" in page.content.decode()
    assert set(Case.objects.values_list("priority", flat=True)) == {20}
    done = agent.post(reverse("bulk-apply"), hidden(page), follow=True)
    assert "2 cases were changed" in done.content.decode()
    assert list(Case.objects.order_by("pk").values_list("priority", flat=True)) == [40, 40, 20]
    history = agent.get(reverse("case", args=[cases[0].pk])).content.decode()
    assert "Chen set the priority to Urgent · as part of a bulk change" in history


def test_all_of_a_view_are_meant_whatever_is_ticked(agent, cases):
    page = agent.post(reverse("bulk-preview") + "?view=unassigned", {"all": "1", "change": "status:WAITING", "case": [cases[0].pk]})
    assert "3 cases would change" in page.content.decode()
    assert agent.post(reverse("bulk-apply") + "?view=unassigned", hidden(page))["Location"].endswith("/?view=unassigned")
    assert set(Case.objects.values_list("status", flat=True)) == {"WAITING"}


def test_what_came_in_between_is_named_and_undo_names_it_too(agent, cast, cases, now):
    page = agent.post(reverse("bulk-preview"), {"all": "1", "change": "priority:30"})
    facts = {"viewer": viewer_of(cast.supervisor), "now": now}
    actions.set_priority(case_id=cases[0].pk, priority=10, expected_version=cases[0].version, **facts)
    done = agent.post(reverse("bulk-apply"), hidden(page), follow=True).content.decode()
    assert "Changed by somebody after the preview" in done
    made = BulkChange.objects.get()
    assert made.left_out == [cases[0].pk]
    actions.add_note(case_id=cases[1].pk, body="Batch B17", **facts)
    back = agent.post(reverse("bulk-undo", args=[made.pk]), follow=True).content.decode()
    assert "1 case is as it was before." in back
    assert "Changed by somebody since" in back
    assert list(Case.objects.order_by("pk").values_list("priority", flat=True)) == [10, 30, 20]
    assert "taking a bulk change back" in agent.get(reverse("case", args=[cases[2].pk])).content.decode()


@pytest.mark.parametrize("given", [{"case": [], "change": "priority:40"}, {"case": ["1"], "change": "priority:7"}, {"case": ["1"]}])
def test_a_wish_without_cases_or_sense_is_refused(agent, cases, given):
    assert agent.post(reverse("bulk-preview"), given).status_code == 422


@pytest.mark.parametrize("given", ["1", "1:x", "a:1"])
def test_a_damaged_list_is_refused_and_changes_nothing(agent, cases, given):
    assert agent.post(reverse("bulk-apply"), {"cases": given, "change": "priority:40"}).status_code == 422
    assert set(Case.objects.values_list("priority", flat=True)) == {20}
    assert BulkChange.objects.count() == 0


def test_an_outsider_is_told_nothing_of_the_cases_and_an_analyst_has_no_bar(client, cast, cases):
    client.force_login(cast.outsider)
    page = client.post(reverse("bulk-preview"), {"case": [case.pk for case in cases], "change": "priority:40"}).content.decode()
    assert "0 cases would change" in page
    assert "not in your teams" in page
    assert "林晓彤" not in page
    client.force_login(cast.analyst)
    assert client.get(reverse("bulk-bar")).status_code == 403
    assert "data-select-cases" not in client.get(reverse("inbox")).content.decode()
