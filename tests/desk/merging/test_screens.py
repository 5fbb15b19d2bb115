"""Merging, splitting and linking from the case's page, without scripts."""

import re

import pytest
from django.urls import reverse

from careloop.desk.cases.models import Case
from careloop.desk.merging.models import CaseLink, NotTheSame

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(client, cast):
    client.force_login(cast.agent)
    return client


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
