"""Two colleagues reply, approve, merge, undo and change many cases at once, in every order: nothing is lost, sent or approved twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import combinations
from threading import Barrier

import pytest
from django.db import connection, transaction

from careloop.desk.bulk.actions import change_cases
from careloop.desk.bulk.models import BulkChangedCase
from careloop.desk.bulk.rules import Wish
from careloop.desk.cases import actions as cases
from careloop.desk.cases import moves
from careloop.desk.cases.models import Approval, Case, CaseEvent, Decision, Message
from careloop.desk.customers.rules import AddressValue
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import DeskError
from careloop.desk.merging.actions import merge_cases, undo
from careloop.desk.merging.models import Regrouping
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.writing import actions as writing
from careloop.desk.writing.holding import hold_reply
from careloop.desk.writing.models import Draft, HeldReply

MINUTE = timedelta(minutes=1)
SEES = {"priority": "case", "bulk": "case", "merge": "both", "merge away": "both"}  # whose versions must be as they were seen
PAIRS = [
    ("approve", "approve"), ("approve", "merge"), ("approve", "merge away"), ("approve", "reply"), ("approve", "bulk"),
    ("bulk", "bulk"), ("bulk", "reply"), ("bulk", "priority"), ("bulk", "merge"), ("bulk", "merge away"), ("bulk", "arrive"),
    ("merge", "merge"), ("merge", "merge away"), ("merge", "reply"), ("merge away", "reply"), ("merge", "priority"), ("merge", "arrive"),
    ("undo", "undo"), ("undo", "arrive"), ("undo", "reply"), ("undo", "bulk"), ("undo", "priority"),
]  # fmt: skip


@pytest.fixture
def desk(cast, inbound, now, settings):
    """A refund whose approval Chen asked for, another customer's case of the same matter, and a supervisor and an owner at work."""
    settings.UNDO_SEND_SECONDS = 10
    ensure_shipped(now=now)
    case = receive_message(inbound(), now=now).case_id
    who = (AddressValue("EMAIL", "zhao@example.com"),)
    other = receive_message(inbound(external_id="m-2", text="同一件事", addresses=who), now=now).case_id
    cases.triage(readings={case: {"kind": "REFUND", "kind_probability": 0.9}}, now=now)
    for step, entered in (("CHECK", {"ORDER": "1"}), ("", {"AMOUNT": "600"})):
        facts = {"case_id": case, "viewer": cast.viewer(cast.agent), "now": now, "entered": entered}
        facts["expected_version"] = Case.objects.get(pk=case).version
        moves.move(transition=step, **facts) if step else moves.ask_approval(transition="AGREE", **facts)
    return Desk(case, other, [cast.viewer(cast.supervisor), cast.viewer(cast.owner)], inbound, now)


class Desk:
    """The two cases and what colleagues do with them."""

    def __init__(self, case: int, other: int, viewers, inbound, now) -> None:
        self.case, self.other, self.viewers, self.inbound, self.now = case, other, viewers, inbound, now

    def standing(self):
        """All that a refused act leaves as it is."""
        rows = [list(model.objects.order_by("pk").values()) for model in (Case, Approval, Decision, Regrouping)]
        return rows, [model.objects.count() for model in (CaseEvent, Message, OutboxItem, HeldReply)]

    def merge_before(self) -> None:
        """The other case stands merged into the first."""
        merge_cases(source_ids=[self.other], into_id=self.case, expected_versions=self.versions(), viewer=self.viewers[0], now=self.now)

    def versions(self) -> dict[int, int]:
        return dict(Case.objects.values_list("pk", "version"))


class Colleague:
    """Looks, acts as of that look, and sends (twice, as workers may) where it is a reply."""

    def __init__(self, number: int, doing: str, desk: Desk) -> None:
        self.number, self.doing, self.desk, self.viewer = number, doing, desk, desk.viewers[number]
        self.steps = ["look", "act", "send"] if doing == "reply" else ["look", "act"]
        self.facts = {"viewer": self.viewer, "now": desk.now + MINUTE}
        self.outcome, self.held = "", None

    def turn(self) -> str:
        """Take the next step; a refused one has changed nothing."""
        step = self.steps.pop(0)
        if step != "act":
            return getattr(self, step)()
        before = self.desk.standing()
        try:
            with transaction.atomic():
                is_done = getattr(self, f"do_{self.doing.replace(' ', '_')}")()
        except DeskError:
            self.outcome, self.steps = "told", []
            assert self.desk.standing() == before
        else:
            self.outcome = "held" if self.held else "done" if is_done is not False else "told"
        return self.outcome

    def look(self) -> str:
        self.versions = self.desk.versions()
        self.seen = (
            Message.objects.filter(case_id=self.desk.case).exclude(direction="NOTE").order_by("-pk").values_list("pk", flat=True).first()
        )
        return "looked"

    def send(self) -> str:
        for _worker in range(2):
            writing.send_held_reply(held_id=self.held.pk, now=self.desk.now + MINUTE)
        self.held.refresh_from_db()
        self.outcome = "done" if self.held.state == "SENT" else "told"
        return self.outcome

    def do_reply(self):
        facts = {"case_id": self.desk.case, "body": f"text {self.number}", "status": "WAITING", "seen_message_id": self.seen}
        self.held = hold_reply(**facts, **self.facts)

    def do_approve(self):
        moves.decide(approval_id=Approval.objects.get().pk, is_yes=self.number == 0, **self.facts)

    def do_priority(self):
        version = self.versions[self.desk.case]
        cases.set_priority(case_id=self.desk.case, priority=30 - 20 * self.number, expected_version=version, **self.facts)

    def do_bulk(self):
        versions = {number: self.versions[number] for number in (self.desk.case, self.desk.other)}
        made = change_cases(versions=versions, wish=Wish("priority", 10 if self.number else 40), **self.facts)
        return self.desk.case not in made.left_out

    def do_merge(self):
        merge_cases(source_ids=[self.desk.other], into_id=self.desk.case, expected_versions=self.versions, **self.facts)

    def do_merge_away(self):
        merge_cases(source_ids=[self.desk.case], into_id=self.desk.other, expected_versions=self.versions, **self.facts)

    def do_undo(self):
        undo(regrouping_id=Regrouping.objects.order_by("pk").first().pk, **self.facts)

    def do_arrive(self):
        for _delivery in range(2):
            who = (AddressValue("EMAIL", "zhao@example.com"),)
            inbound = self.desk.inbound(external_id=f"late-{self.number}", text="还在漏", case_id=self.desk.other, addresses=who)
            receive_message(inbound, now=self.desk.now + MINUTE)


def orders(first: int, second: int):
    """Every way in which the steps of two people can fall."""
    for places in combinations(range(first + second), first):
        yield [0 if place in places else 1 for place in range(first + second)]


@pytest.mark.django_db
@pytest.mark.parametrize("doings", PAIRS, ids="-".join)
def test_in_every_order_what_is_done_stays_and_what_is_stale_is_told(doings, desk):
    for order in orders(*(3 if doing == "reply" else 2 for doing in doings)):
        with transaction.atomic():
            if "undo" in doings:
                desk.merge_before()
            play([Colleague(number, doing, desk) for number, doing in enumerate(doings)], order)
            transaction.set_rollback(True)


def play(two: list[Colleague], order: list[int]) -> None:
    """Let the two work in this order and compare with what has to be."""
    desk = two[0].desk
    changed: list[set[int]] = [set(), set()]  # cases that got another version since this one's look
    priority = Case.objects.get(pk=desk.case).priority
    for whose in order:
        one = two[whose]
        if not one.steps:
            continue
        step, before = one.steps[0], desk.versions()
        needed = {desk.case, desk.other} if SEES.get(one.doing) == "both" else {desk.case}
        is_possible = not (changed[whose] & needed or Case.objects.filter(pk__in=needed, status="MERGED").exists())
        outcome = one.turn()
        if step == "look":
            changed[whose] = set()
        elif step == "act" and one.doing in SEES:
            assert (outcome == "done") == is_possible, (order, one.doing, outcome)
        changed[1 - whose] |= {number for number, version in desk.versions().items() if before[number] != version}
        if outcome == "done" and one.doing in ("bulk", "priority"):
            priority = Case.objects.get(pk=desk.case).priority
        assert Case.objects.get(pk=desk.case).priority == priority  # nobody's word on it is written over unseen
    check(two)


def check(two: list[Colleague]) -> None:
    """Each done thing is there once, no text is lost or sent twice, and one word decides an approval."""
    desk = two[0].desk
    for one in two:
        assert found(one) == (one.outcome == "done")
        if one.held is not None and one.outcome == "told":
            assert Draft.objects.get(user_id=one.viewer.user_id).body == f"text {one.number}"
    sent = sorted(f"text {one.number}" for one in two if one.doing == "reply" and one.outcome == "done")
    assert sorted(Message.objects.filter(direction="OUTBOUND").values_list("body", flat=True)) == sent
    assert OutboxItem.objects.count() == len(sent)
    assert not HeldReply.objects.filter(state="WAITING").exists()
    if decided := Decision.objects.first():
        assert Approval.objects.get().state == ("GIVEN" if decided.is_yes else "REFUSED")
    assert Decision.objects.count() <= 1
    merged = Case.objects.filter(status="MERGED")
    assert merged.count() == Regrouping.objects.filter(undone_at=None).count() <= 1
    assert not Message.objects.filter(case__in=merged).exists()
    arrived = Message.objects.filter(body="还在漏").values_list("case_id", flat=True)
    if not merged:
        assert set(arrived) <= {desk.other}  # as if nobody had merged


def found(one: Colleague) -> int:
    """How often what the colleague did is there."""
    me, here = {"actor_id": one.viewer.user_id}, {"case_id": one.desk.case}
    return {
        "approve": Decision.objects.filter(who_id=one.viewer.user_id),
        "bulk": BulkChangedCase.objects.filter(change__made_by_id=one.viewer.user_id, **here),
        "priority": CaseEvent.objects.filter(kind="PRIORITY", **me),
        "reply": CaseEvent.objects.filter(kind="REPLIED", **me),
        "merge": Regrouping.objects.filter(made_by_id=one.viewer.user_id, into_id=one.desk.case),
        "merge away": Regrouping.objects.filter(made_by_id=one.viewer.user_id, into_id=one.desk.other),
        "undo": Regrouping.objects.filter(undone_by_id=one.viewer.user_id),
        "arrive": Message.objects.filter(body="还在漏"),
    }[one.doing].count()


AT_ONCE = [
    ("approve", "approve"),
    ("bulk", "bulk"),
    ("bulk", "merge away"),
    ("undo", "undo"),
    ("approve", "merge away"),
    ("reply", "reply"),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("doings", AT_ONCE, ids="-".join)
def test_of_two_at_the_same_moment_one_wins_and_the_other_is_told(doings, desk):
    if "undo" in doings:
        desk.merge_before()
    start = Barrier(2)
    two = [Colleague(number, doing, desk) for number, doing in enumerate(doings)]
    for one in two:
        one.turn()
        if one.doing == "reply":
            one.turn()

    def work(one):
        start.wait()
        try:
            one.steps.clear()
            return one.send() if one.held else attempt(one)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(work, two))
    assert sorted(outcomes)[-1] == "told"
    assert "done" in outcomes
    check(two)


def attempt(one: Colleague) -> str:
    """Act without comparing rows, which the other one changes meanwhile."""
    try:
        is_done = getattr(one, f"do_{one.doing.replace(' ', '_')}")()
    except DeskError:
        one.outcome = "told"
    else:
        one.outcome = "told" if is_done is False else "done"
    return one.outcome
