"""Merging, splitting and linking from the case's page, without scripts."""

import re

import pytest
from django.urls import reverse

from careloop.desk.cases.actions import add_note
from careloop.desk.cases.models import Case
from careloop.desk.merging.actions import merge_cases
from careloop.desk.merging.models import CaseLink, NotTheSame

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(client, cast):
    client.force_login(cast.agent)
    return client


@pytest.fixture
def merge_pair(pair, versions, cast, now) -> Case:
    """The second of the two, merged into the first."""
    into, source = pair
    expected = versions(into.pk, source.pk)
    merge_cases(source_ids=[source.pk], into_id=into.pk, expected_versions=expected, viewer=cast.viewer(cast.agent), now=now)
    return source


def test_merge_is_shown_before_it_is_done_and_undone_by_a_click(pair, agent):
    into, source = pair
    url = reverse("case-merge", args=[source.pk])
    page = agent.get(url, {"other": into.pk}).content.decode()
    assert f"2 messages of #{source.pk} go to #{into.pk}" in page
    fields = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="(\d+)">', page))
    done = agent.post(url, fields, follow=True)
    assert done.redirect_chain == [(reverse("case", args=[into.pk]), 302)]
    undo = re.search(r'action="(/cases/regrouped/\d+/undo/)"', done.content.decode())
    merged = agent.get(reverse("case", args=[source.pk])).content.decode()
    assert f'This case was merged into <a class="link" href="{reverse("case", args=[into.pk])}">#{into.pk}</a>' in merged
    assert [name for name in ("reply-form", "case-assignee", "case-priority", "case-status") if f'id="{name}"' in merged] == []
    agent.post(undo.group(1))
    assert Case.objects.get(pk=source.pk).status == "OPEN"


def test_the_second_of_two_agents_is_refused(pair, agent):
    into, source = pair
    url = reverse("case-merge", args=[source.pk])
    fields = {"other": into.pk, "into": into.pk, f"version-{into.pk}": into.version, f"version-{source.pk}": source.version - 1}
    assert agent.post(url, fields).status_code == 409
    assert Case.objects.get(pk=source.pk).status == "OPEN"


def test_ticked_messages_become_a_case(pair, agent):
    case = pair[0]
    url = reverse("case-split", args=[case.pk])
    ticks = re.findall(r'name="message" value="(\d+)"', agent.get(url).content.decode())
    assert len(ticks) == 2
    agent.post(url, {"version": case.version, "message": ticks[1:], "subject": "发票"})
    assert Case.objects.order_by("-pk")[0].subject == "发票"


def test_suggestions_links_and_what_is_not_the_same(pair, agent):
    one, other = pair
    page = reverse("case-grouping", args=[one.pk])
    assert f"?other={other.pk}" in agent.get(page).content.decode()
    agent.post(reverse("case-not-the-same", args=[one.pk]), {"other": other.pk})
    assert NotTheSame.objects.count() == 1
    assert f"?other={other.pk}" not in agent.get(page).content.decode()
    agent.post(reverse("case-link", args=[one.pk]), {"other": f"#{other.pk}", "kind": "CAUSED"})
    link = CaseLink.objects.get()
    assert (link.case_id, link.other_id, link.kind) == (other.pk, one.pk, "CAUSE")
    assert "caused by" in agent.get(page).content.decode()
    agent.post(reverse("case-unlink", args=[one.pk, link.pk]))
    assert not CaseLink.objects.exists()


def test_what_cannot_be_merged_is_said_beside_the_field(pair, agent, write, now):
    case = pair[0]
    url = reverse("case-merge", args=[case.pk])
    foreign = write("别的团队", now, channel_slug="wholesale", who="zhao@example.com").case_id
    for given, status, said in (
        (str(case.pk), 422, "A case cannot be merged into itself"),
        ("12a", 422, "“12a” is not the number of a case"),
        (str(foreign), 404, f"There is no case #{foreign} in your teams."),
    ):
        page = agent.get(url, {"other": given})
        assert (page.status_code, said in page.content.decode(), f'value="{given}"' in page.content.decode()) == (status, True, True)
    assert set(Case.objects.values_list("status", flat=True)) == {"OPEN"}


def test_a_merge_that_came_too_late_is_shown_afresh_and_may_be_sent_again(pair, agent):
    into, source = pair
    url = reverse("case-merge", args=[source.pk])
    fields = {"other": into.pk, "into": into.pk, f"version-{into.pk}": into.version, f"version-{source.pk}": source.version - 1}
    refused = agent.post(url, fields).content.decode()
    assert f"Somebody else changed case #{source.pk} in between" in refused
    fresh = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="(\d+)">', refused))
    assert agent.post(url, fresh).status_code == 302
    assert Case.objects.get(pk=source.pk).status == "MERGED"


def test_a_refused_split_keeps_what_was_ticked(pair, agent, cast, now):
    case = pair[0]
    note = add_note(case_id=case.pk, body="问过仓库", viewer=cast.viewer(cast.agent), now=now)
    version = Case.objects.get(pk=case.pk).version
    refused = agent.post(reverse("case-split", args=[case.pk]), {"version": version, "message": note.pk, "subject": "发票"})
    said = refused.content.decode()
    assert (refused.status_code, "Only notes were chosen" in said) == (422, True)
    assert f'value="{note.pk}" checked' in said
    assert 'value="发票"' in said
    assert Case.objects.count() == 2


def test_beside_a_merged_case_stands_its_customer_alone(pair, agent, merge_pair):
    page = agent.get(reverse("case", args=[merge_pair.pk])).content.decode()
    assert [name for name in ("grouping-", "solutions-", "similar-", "together-", "conversation-") if f'id="{name}' in page] == []
    live = agent.get(reverse("case", args=[pair[0].pk])).content.decode()
    assert live.count(f'id="grouping-{pair[0].pk}"') == 1
