"""Merging takes everything along, and undo brings every row back."""

from datetime import timedelta

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, CaseEvent, Clock, Message
from careloop.desk.cases.teams import give_to_team
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.merging.actions import merge_cases, undo
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.search.queries import matching

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def merge(cast, versions, now):
    def do(*source_ids, into, viewer=None, at=now + HOUR):
        expected = versions(*source_ids, into)
        who = viewer or cast.viewer(cast.agent)
        return merge_cases(source_ids=source_ids, into_id=into, expected_versions=expected, viewer=who, now=at)

    return do


def test_everything_goes_to_the_target_which_keeps_its_own_facts(pair, merge, now):
    into, source = pair
    made = merge(source.pk, into=into.pk)
    assert Message.objects.filter(case=into).count() == 4
    assert {one.case_id for one in matching("热水器")} == {into.pk}
    assert set(CaseEvent.objects.filter(case=source).values_list("kind", flat=True)) == {"MERGED"}
    assert list(CaseEvent.objects.filter(case=into, kind="MERGED").values_list("after", flat=True)) == [
        {"from": [source.pk], "regrouping": made.pk}
    ]
    into.refresh_from_db()
    source.refresh_from_db()
    assert (into.status, into.subject, into.last_message_at) == ("OPEN", "热水器漏水 shop 0", now + 11 * MINUTE)
    assert (into.snippet, source.status, source.due_at) == ("热水器漏水 contact 1", "MERGED", None)
    assert set(Clock.objects.filter(case=source).values_list("state", flat=True)) == {"CANCELLED"}
    assert set(Clock.objects.filter(case=into).values_list("state", flat=True)) == {"RUNNING"}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id, entry.details["from"]) == ("case.merge", into.pk, [source.pk])


def test_undo_brings_every_row_back(pair, merge, snapshot, cast, now):
    into, source = pair
    before = snapshot()
    made = merge(source.pk, into=into.pk)
    undo(regrouping_id=made.pk, viewer=cast.viewer(cast.agent), now=now + 2 * HOUR)
    after = snapshot()
    assert {key: after[key] for key in before} == before
    assert {row["kind"] for key, row in after.items() if key not in before} == {"MERGED", "UNDONE"}
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["case.merge", "case.undo"]


def test_a_resolved_case_opens_when_a_waiting_one_comes_and_is_resolved_again_by_undo(pair, merge, snapshot, cast, now):
    into, source = pair
    viewer = cast.viewer(cast.agent)
    cases.reply(case_id=into.pk, body="已退款。", viewer=viewer, now=now + 30 * MINUTE, status="RESOLVED")
    before = snapshot()
    made = merge(source.pk, into=into.pk)
    into.refresh_from_db()
    assert (into.status, into.resolved_at, into.due_at) == ("OPEN", None, now + 8.5 * HOUR)
    undo(regrouping_id=made.pk, viewer=viewer, now=now + 2 * HOUR)
    after = snapshot()
    assert {key: after[key] for key in before} == before


def test_what_came_to_the_target_stays_and_what_was_meant_for_the_source_goes_to_it(pair, merge, write, cast, now):
    into, source = pair
    viewer = cast.viewer(cast.agent)
    made = merge(source.pk, into=into.pk)
    at = now + 2 * HOUR
    to_target = write("发给目标", at).message_id
    by_number = write("按编号", at + MINUTE, case_id=source.pk).message_id
    in_thread = write("接着说", at + 2 * MINUTE, channel_slug="contact").message_id
    reply = reply_to_case(case_id=into.pk, body="收到。", viewer=viewer, now=at + 3 * MINUTE)
    assert set(Message.objects.values_list("case", flat=True)) == {into.pk}
    undo(regrouping_id=made.pk, viewer=viewer, now=at + HOUR)
    where = dict(Message.objects.values_list("pk", "case"))
    assert [where[one] for one in (to_target, reply.pk)] == [into.pk, into.pk]
    assert [where[one] for one in (by_number, in_thread)] == [source.pk, source.pk]
    assert all(row.case_id == where[row.message_id] for row in CaseEvent.objects.exclude(message=None))
    source.refresh_from_db()
    into.refresh_from_db()
    assert (source.status, source.snippet, source.last_message_at) == ("OPEN", "接着说", at + 2 * MINUTE)
    assert (into.status, into.snippet, into.last_message_at) == ("WAITING", "收到。", at + 3 * MINUTE)


def test_a_merged_case_takes_no_change_and_says_where_to_go_on(pair, merge, snapshot, cast, now):
    into, source = pair
    merge(source.pk, into=into.pk)
    before = snapshot()
    viewer = cast.viewer(cast.agent)
    with pytest.raises(InvalidInput, match=f"merged into #{into.pk}"):
        cases.add_note(case_id=source.pk, body="x", viewer=viewer, now=now)
    with pytest.raises(InvalidInput, match="merged already"):
        merge(source.pk, into=into.pk)
    assert snapshot() == before
    assert cases.triage(readings={source.pk: {"kind": "PRAISE"}}, now=now) == []


def test_a_chain_is_followed_to_its_end_and_undone_from_its_end(pair, merge, write, snapshot, cast, now):
    into, source = pair
    third = write("别的事", now + 20 * MINUTE, who="zhao@example.com").case_id
    before = snapshot()
    first = merge(source.pk, into=into.pk)
    second = merge(into.pk, into=third)
    viewer = cast.viewer(cast.agent)
    middle = snapshot()
    with pytest.raises(InvalidInput, match=f"later merge, into #{third}; undo that first"):
        undo(regrouping_id=first.pk, viewer=viewer, now=now + 2 * HOUR)
    assert snapshot() == middle
    named = write("追问", now + 2 * HOUR, case_id=source.pk)
    assert named.case_id == third
    for made in (second, first):
        undo(regrouping_id=made.pk, viewer=viewer, now=now + 3 * HOUR)
    assert Message.objects.get(pk=named.message_id).case_id == source.pk
    after = snapshot()
    changed = {key for key in before if after[key] != before[key]}
    assert {key[0] for key in changed} == {"cases.Case", "customers.Customer"}  # the customer was seen, the case went on
    assert {key[1] for key in changed if key[0] == "cases.Case"} == {source.pk}


def test_who_comes_second_is_told_and_changes_nothing(pair, merge, versions, snapshot, cast, now):
    into, source = pair
    seen = versions(into.pk, source.pk)
    merge(source.pk, into=into.pk)
    before = snapshot()
    with pytest.raises(Conflict):
        merge_cases(source_ids=[into.pk], into_id=source.pk, expected_versions=seen, viewer=cast.viewer(cast.supervisor), now=now + HOUR)
    assert snapshot() == before


def test_undo_happens_once(pair, merge, snapshot, cast, now):
    into, source = pair
    made = merge(source.pk, into=into.pk)
    undo(regrouping_id=made.pk, viewer=cast.viewer(cast.agent), now=now + 2 * HOUR)
    before = snapshot()
    with pytest.raises(Conflict, match="undone already"):
        undo(regrouping_id=made.pk, viewer=cast.viewer(cast.agent), now=now + 2 * HOUR)
    assert snapshot() == before


def test_both_cases_must_be_in_sight(pair, merge, write, snapshot, cast, now):
    into, source = pair
    theirs = write("他们的", now, channel_slug="wholesale").case_id
    before = snapshot()
    for viewer, refusal in ((cast.agent, NotFound), (cast.outsider, NotFound), (cast.analyst, NotAllowed)):
        for one, other in ((theirs, into.pk), (into.pk, theirs)):
            with pytest.raises(refusal):
                merge(one, into=other, viewer=cast.viewer(viewer))
    assert snapshot() == before
    made = merge(source.pk, into=into.pk)
    with pytest.raises(NotFound):
        undo(regrouping_id=made.pk, viewer=cast.viewer(cast.outsider), now=now)
    made.refresh_from_db()
    assert made.undone_at is None


def test_a_case_is_not_merged_into_itself_nor_none_into_it(pair, merge, snapshot):
    before = snapshot()
    with pytest.raises(InvalidInput, match="itself"):
        merge(pair[0].pk, into=pair[0].pk)
    with pytest.raises(InvalidInput, match="0 cases were given"):
        merge(into=pair[0].pk)
    assert snapshot() == before


def test_customers_may_differ_and_messages_keep_theirs(pair, merge, write, now):
    into, _source = pair
    other = Case.objects.get(pk=write("同一个小区漏水", now, who="zhao@example.com").case_id)
    merge(other.pk, into=into.pk)
    into.refresh_from_db()
    assert set(Message.objects.filter(case=into).values_list("customer", flat=True)) == {into.customer_id, other.customer_id}


def test_a_case_given_to_another_team_after_a_merge_comes_apart_with_each_row_in_the_team_of_its_case(pair, merge, snapshot, cast, now):
    into, source = pair
    before = {key: row for key, row in snapshot().items() if row.get("case_id") == source.pk}
    made = merge(source.pk, into=into.pk)
    into.refresh_from_db()
    owner = cast.viewer(cast.owner)
    give_to_team(case_id=into.pk, team_id=cast.other_team.pk, expected_version=into.version, viewer=owner, now=now + HOUR)
    assert set(Message.objects.values_list("team", flat=True)) == {cast.other_team.pk}
    undo(regrouping_id=made.pk, viewer=owner, now=now + 2 * HOUR)
    after = snapshot()
    assert {key: after[key] for key in before} == before
    assert set(Message.objects.filter(case=into).values_list("team", flat=True)) == {cast.other_team.pk}


def test_cases_of_two_teams_become_one_of_the_targets_team_and_come_apart_again(write, merge, snapshot, cast, now):
    numbers = [write("热水器漏水", now, channel_slug=slug).case_id for slug in ("shop", "wholesale")]
    before = snapshot()
    made = merge(numbers[1], into=numbers[0], viewer=cast.viewer(cast.owner))
    assert set(Message.objects.values_list("team", flat=True)) == {cast.team.pk}
    undo(regrouping_id=made.pk, viewer=cast.viewer(cast.owner), now=now + 2 * HOUR)
    after = snapshot()
    assert {key: after[key] for key in before} == before
