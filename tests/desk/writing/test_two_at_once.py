"""Two colleagues on one case, in every order in which looking, acting and sending can fall: nothing is lost, nothing goes out twice."""

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement

import pytest
from django.db import transaction

from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict
from careloop.desk.notices.models import Notice
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.writing import actions as writing
from careloop.desk.writing import holding
from careloop.desk.writing.models import Draft, HeldReply

pytestmark = pytest.mark.django_db
DOING = ("assign", "priority", "status", "note", "reply")
VALUES = {"priority": (30, 40), "status": ("WAITING", "RESOLVED")}
EVENTS = {"assign": "ASSIGNED", "priority": "PRIORITY", "status": "STATUS", "note": "NOTED", "reply": "REPLIED"}


def orders(first: int, second: int) -> Iterator[list[int]]:
    """Every way in which the steps of two people can fall: 0 and 1 say whose turn it is."""
    for places in combinations(range(first + second), first):
        yield [0 if place in places else 1 for place in range(first + second)]


class Colleague:
    """Looks at the case, does one thing as of that look, and sends (twice, as workers may) where it is a reply."""

    def __init__(self, number: int, doing: str, viewer, case_id: int, now) -> None:
        self.number, self.doing, self.viewer, self.case_id, self.now = number, doing, viewer, case_id, now
        self.steps = ["look", "act", "send"] if doing == "reply" else ["look", "act"]
        self.text = f"text {number}"
        self.outcome, self.held, self.events = "", None, 0
        self.facts = {"case_id": case_id, "viewer": viewer, "now": now}

    def turn(self) -> str:
        """Take the next step; returns what became of it."""
        return getattr(self, self.steps.pop(0))()

    def look(self) -> str:
        self.version = Case.objects.get(pk=self.case_id).version
        self.seen = Message.objects.filter(case_id=self.case_id).exclude(direction="NOTE").order_by("-pk").first().pk
        return "looked"

    def act(self) -> str:
        try:
            with transaction.atomic():
                getattr(self, f"do_{self.doing}")()
        except Conflict:
            self.outcome, self.steps = "told", []
        else:
            self.outcome = "held" if self.held else "done"
        return self.outcome

    def send(self) -> str:
        for _worker in range(2):
            writing.send_held_reply(held_id=self.held.pk, now=self.now)
        self.held.refresh_from_db()
        self.outcome = "done" if self.held.state == "SENT" else "told"
        return self.outcome

    def do_assign(self):
        cases.assign(assignee_id=self.viewer.user_id, expected_version=self.version, **self.facts)

    def do_priority(self):
        cases.set_priority(priority=VALUES["priority"][self.number], expected_version=self.version, **self.facts)

    def do_status(self):
        cases.set_status(status=VALUES["status"][self.number], expected_version=self.version, **self.facts)

    def do_note(self):
        cases.add_note(body=self.text, **self.facts)

    def do_reply(self):
        self.held = holding.hold_reply(body=self.text, status="WAITING", seen_message_id=self.seen, **self.facts)


def expected(colleague: Colleague, step: str, since_look: list[str]) -> str:
    """What has to become of a step after the colleague's look, by what the other finished in between."""
    if step == "look":
        return "looked"
    if colleague.doing == "note":
        return "done"
    if colleague.doing == "reply":
        fine = "held" if step == "act" else "done"
        return "told" if "reply" in since_look else fine
    return "told" if since_look else "done"


def after(case: dict, colleague: Colleague) -> dict:
    """The case's fields after something was done."""
    doing, number, person = colleague.doing, colleague.number, colleague.viewer.user_id
    changes = {
        "assign": {"assignee_id": person},
        "note": {},
        "reply": {"status": "WAITING", "assignee_id": case["assignee_id"] or person},
    }
    return {**case, **(changes[doing] if doing in changes else {doing: VALUES[doing][number]})}


@pytest.mark.parametrize("doings", list(combinations_with_replacement(DOING, 2)), ids="-".join)
def test_whatever_the_order_nothing_is_lost_and_nothing_is_sent_twice(doings, cast, inbound, now, settings):
    settings.UNDO_SEND_SECONDS = 10
    case_id = receive_message(inbound(), now=now).case_id
    people = [cast.viewer(cast.agent), cast.viewer(cast.supervisor)]
    counts = [3 if doing == "reply" else 2 for doing in doings]
    for order in orders(*counts):
        with transaction.atomic():
            play([Colleague(number, doing, people[number], case_id, now) for number, doing in enumerate(doings)], order)
            transaction.set_rollback(True)


def play(two: list[Colleague], order: list[int]) -> None:
    """Let the two work in this order and compare with what has to be."""
    case_id = two[0].case_id
    fields = Case.objects.filter(pk=case_id).values("assignee_id", "priority", "status")
    model = dict(fields.get())
    finished: list[list[str]] = [[], []]  # what the other finished since this one's look
    for whose in order:
        one = two[whose]
        if not one.steps:
            continue
        step = one.steps[0]
        if step == "look":
            finished[whose] = []
        wanted = expected(one, step, finished[whose])
        assert one.turn() == wanted, (order, [each.doing for each in two], step)
        if one.outcome == "done" and step != "look":
            before, model = model, after(model, one)
            one.events = 1 if model != before or one.doing in ("note", "reply") else 0  # WAITING already: nothing to write
            finished[1 - whose] += [one.doing] * one.events
        assert fields.get() == model
    for one in two:
        check_told(one)
    sent = sorted(one.text for one in two if one.doing == "reply" and one.outcome == "done")
    assert sorted(Message.objects.filter(case_id=case_id, direction="OUTBOUND").values_list("body", flat=True)) == sent
    assert OutboxItem.objects.count() == len(sent)


def check_told(one: Colleague) -> None:
    """What was done is in the history once; a refused reply is its writer's draft again, with a notice when it was held before."""
    of_one = CaseEvent.objects.filter(case_id=one.case_id, actor_id=one.viewer.user_id, kind=EVENTS[one.doing])
    assert of_one.count() == one.events
    if one.held is not None and one.outcome == "told":
        assert Draft.objects.get(user_id=one.viewer.user_id).body == one.text
        assert Notice.objects.filter(user_id=one.viewer.user_id).count() == 1
    assert not HeldReply.objects.filter(state="WAITING").exists()
