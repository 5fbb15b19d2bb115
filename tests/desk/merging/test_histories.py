"""Whatever happens between a merge and its undo: afterwards the desk stands as if nobody had ever merged."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, Message
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.merging.actions import merge_cases, undo
from careloop.desk.merging.models import Regrouping
from careloop.desk.merging.splitting import split_case

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
WHILE_MERGED = st.lists(st.sampled_from(["target", "named", "thread", "reply", "resolve", "note", "priority"]), max_size=6)
RANDOM = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
REGROUPINGS = st.lists(st.tuples(st.sampled_from(["merge", "split", "undo"]), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=7)


class World:
    """A desk on which steps are taken; all of it is taken back at the end."""

    def __init__(self, pair, write, cast, now):
        self.into, self.source = pair[0].pk, pair[1].pk
        self.write, self.viewer, self.now, self.count = write, cast.viewer(cast.agent), now + timedelta(hours=1), 0

    def step(self, what: str) -> None:
        """One thing that happens, a minute after the one before."""
        self.count += 1
        self.now += MINUTE
        text = f"{what} {self.count}"
        if what == "target":
            self.write(text, self.now, case_id=self.into)
        elif what == "named":
            self.write(text, self.now, case_id=self.source)
        elif what == "thread":
            self.write(text, self.now, channel_slug="contact")
        elif what == "note":
            cases.add_note(case_id=self.into, body=text, viewer=self.viewer, now=self.now)
        elif what == "priority":
            case = Case.objects.get(pk=self.into)
            facts = {"case_id": case.pk, "expected_version": case.version, "viewer": self.viewer, "now": self.now}
            cases.set_priority(priority=10 + 10 * (self.count % 4), **facts)
        else:
            status = "RESOLVED" if what == "resolve" else "WAITING"
            cases.reply(case_id=self.into, body=text, viewer=self.viewer, now=self.now, status=status)

    def stands(self):
        """Where each message is, and the columns of the cases."""
        where = {body: self.name(case_id) for body, case_id in Message.objects.values_list("body", "case_id")}
        names = ("status", "snippet", "last_message_at", "resolved_at", "priority", "kind", "assignee_id", "first_response_at", "opened_at")
        columns = {self.name(one["pk"]): [one[name] for name in names] for one in Case.objects.values("pk", *names)}
        return where, columns

    def name(self, case_id: int) -> str:
        return {self.into: "target", self.source: "source"}.get(case_id, "another")


@RANDOM
@given(steps=WHILE_MERGED)
def test_after_undo_the_desk_stands_as_if_nobody_had_merged(steps, pair, write, versions, cast, now):
    stands = []
    for is_merged in (True, False):
        with transaction.atomic():
            world = World(pair, write, cast, now)
            if is_merged:
                expected = versions(world.into, world.source)
                facts = {"viewer": world.viewer, "expected_versions": expected, "now": world.now}
                made = merge_cases(source_ids=[world.source], into_id=world.into, **facts)
            for step in steps:
                world.step(step)
            if is_merged:
                undo(regrouping_id=made.pk, viewer=world.viewer, now=world.now + MINUTE)
            stands.append(world.stands())
            transaction.set_rollback(True)
    merged, never_merged = stands
    assert merged == never_merged


@RANDOM
@given(steps=REGROUPINGS)
def test_merges_and_splits_undone_from_the_last_bring_every_row_back(steps, pair, write, versions, snapshot, cast, now):
    with transaction.atomic():
        viewer = cast.viewer(cast.agent)
        third = write("第三件事", now + 20 * MINUTE, who="zhao@example.com").case_id
        write("第三件事的补充", now + 21 * MINUTE, who="zhao@example.com", case_id=third)
        before, at = snapshot(), now + timedelta(hours=1)
        for what, first, second in steps:
            at += MINUTE
            take_step(what, first, second, viewer, versions, at)
        for made in Regrouping.objects.filter(undone_at=None).order_by("-pk"):
            undo(regrouping_id=made.pk, viewer=viewer, now=at + MINUTE)
        after = snapshot()
        assert {key: after[key] for key in before} == before
        assert not Message.objects.filter(case__status="MERGED").exists()
        transaction.set_rollback(True)


def take_step(what, first, second, viewer, versions, at):
    """One merge, split or undo of cases that are there; one that makes no sense is refused and changes nothing."""
    there = list(Case.objects.order_by("pk"))
    one, other = there[first % len(there)], there[second % len(there)]
    try:
        if what == "merge":
            facts = {"expected_versions": versions(one.pk, other.pk), "viewer": viewer, "now": at}
            merge_cases(source_ids=[one.pk], into_id=other.pk, **facts)
        elif what == "split":
            chosen = list(one.messages.order_by("pk").values_list("pk", flat=True))[: 1 + second % 2]
            split_case(case_id=one.pk, message_ids=chosen, expected_version=one.version, viewer=viewer, now=at)
        else:
            live = list(Regrouping.objects.filter(undone_at=None).order_by("pk"))
            if live:
                undo(regrouping_id=live[first % len(live)].pk, viewer=viewer, now=at)
    except InvalidInput as refusal:
        assert refusal.message
