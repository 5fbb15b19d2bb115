"""Links are shown on both cases and follow merges; what is not the same is remembered."""

from datetime import timedelta

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import CaseEvent
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound
from careloop.desk.merging.actions import merge_cases
from careloop.desk.merging.linking import link_cases, say_not_the_same, unlink_cases
from careloop.desk.merging.models import CaseLink, NotTheSame
from careloop.desk.merging.queries import grouping_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(cast, now):
    def do(case, other, kind="RELATED", viewer=None):
        return link_cases(case_id=case, other_id=other, kind=kind, viewer=viewer or cast.viewer(cast.agent), now=now)

    return do


def test_both_cases_show_the_link_each_from_its_side(pair, link, cast):
    one, other = pair
    made = link(one.pk, other.pk, "CAUSE")
    viewer = cast.viewer(cast.agent)
    assert [(found.case.pk, found.is_cause) for found in grouping_of(one, viewer).links] == [(other.pk, True)]
    assert [(found.case.pk, found.is_cause) for found in grouping_of(other, viewer).links] == [(one.pk, False)]
    assert list(CaseEvent.objects.filter(kind="LINKED").order_by("case").values_list("case", "after")) == [
        (one.pk, {"kind": "CAUSE", "other": other.pk, "is_cause": True}),
        (other.pk, {"kind": "CAUSE", "other": one.pk, "is_cause": False}),
    ]
    link(other.pk, one.pk, "DUPLICATE")
    assert CaseLink.objects.count() == 1
    unlink_cases(link_id=CaseLink.objects.get().pk, viewer=viewer, now=made.made_at)
    assert grouping_of(one, viewer).links == []
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["case.link", "case.link", "case.unlink"]


def test_links_follow_cases_that_were_merged(pair, link, write, versions, cast, now):
    one, other = pair
    third = write("第三件", now, who="zhao@example.com").case_id
    link(other.pk, third)
    viewer = cast.viewer(cast.agent)
    expected = versions(one.pk, other.pk)
    merge_cases(source_ids=[other.pk], into_id=one.pk, expected_versions=expected, viewer=viewer, now=now + timedelta(hours=1))
    assert [found.case.pk for found in grouping_of(one, viewer).links] == [third]
    other.refresh_from_db()
    assert grouping_of(other, viewer).merged.into == one
    assert [found.case.pk for found in grouping_of(CaseLink.objects.get().other, viewer).links] == [one.pk]


def test_refusals_change_nothing(pair, link, write, snapshot, cast, now):
    one, other = pair
    theirs = write("他们的", now, channel_slug="wholesale").case_id
    made = link(one.pk, other.pk)
    before = snapshot()
    for case, second, kind, who, refusal in (
        (one.pk, one.pk, "RELATED", cast.agent, InvalidInput),
        (one.pk, other.pk, "FRIENDS", cast.agent, InvalidInput),
        (one.pk, theirs, "RELATED", cast.agent, NotFound),
        (one.pk, other.pk, "RELATED", cast.outsider, NotFound),
        (one.pk, other.pk, "RELATED", cast.analyst, NotAllowed),
    ):
        with pytest.raises(refusal):
            link(case, second, kind, cast.viewer(who))
    for refused in (cast.outsider, cast.analyst):
        with pytest.raises((NotFound, NotAllowed)):
            unlink_cases(link_id=made.pk, viewer=cast.viewer(refused), now=now)
        with pytest.raises((NotFound, NotAllowed)):
            say_not_the_same(case_id=one.pk, other_id=other.pk, viewer=cast.viewer(refused), now=now)
    assert snapshot() == before


def test_what_is_not_the_same_is_remembered_once(pair, cast, now):
    one, other = pair
    for case, second in ((one, other), (other, one)):
        say_not_the_same(case_id=case.pk, other_id=second.pk, viewer=cast.viewer(cast.agent), now=now)
    assert list(NotTheSame.objects.values_list("case", "other")) == [(one.pk, other.pk)]
    assert [entry.action for entry in AuditEntry.objects.all()] == ["case.not_the_same"]
