"""A house in which things happen at random, through the same actions as in real life."""

import random
from datetime import timedelta

import pytest

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, Message
from careloop.desk.customers.rules import AddressValue
from careloop.desk.feedback.models import Feedback
from careloop.desk.intake.actions import receive_message
from careloop.desk.measures.actions import refresh
from careloop.desk.sla.models import Calendar, ServiceLevel

PEOPLE = [f"p{number}@example.com" for number in range(6)]
KINDS = ["CONSULTATION", "COMPLAINT", "REFUND", ""]


@pytest.fixture
def promise(db, now):
    """All around the clock: first answer in an hour, the next in two, solved in eight."""
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    minutes = {"first_response_minutes": 60, "next_response_minutes": 120, "resolution_minutes": 480}
    return ServiceLevel.objects.create(name="Standard", position=1, calendar=calendar, changed_at=now, **minutes)


class Life:
    """Plays random steps; `now` moves on with each."""

    def __init__(self, cast, inbound, now, seed):
        self.cast, self.inbound, self.now, self.dice, self.written = cast, inbound, now, random.Random(seed), 0

    def play(self, steps):
        for _step in range(steps):
            self.now += timedelta(minutes=self.dice.choice([1, 7, 40, 300, 1500]))
            numbers = list(Case.objects.order_by("pk").values_list("pk", flat=True))
            self.dice.choice([self.arrive, self.arrive, self.reply, self.reply, self.set_status, self.assign, self.sort, self.rate])(
                numbers
            )

    def arrive(self, _numbers):
        self.written += 1
        slug, who = self.dice.choice(["shop", "contact", "wholesale"]), self.dice.choice(PEOPLE)
        facts = {"external_id": f"m-{self.written}", "text": f"text {self.written}", "addresses": (AddressValue("EMAIL", who),)}
        receive_message(self.inbound(channel_slug=slug, sent_at=self.now, **facts), now=self.now)

    def reply(self, numbers):
        if numbers:
            status = self.dice.choice(["WAITING", "OPEN", "RESOLVED"])
            self.written += 1
            one = self.dice.choice(numbers)
            cases.reply(case_id=one, body=f"answer {self.written}", viewer=self.who(one), now=self.now, status=status)

    def set_status(self, numbers):
        if numbers:
            case = Case.objects.get(pk=self.dice.choice(numbers))
            status = self.dice.choice(["WAITING", "OPEN", "RESOLVED"])
            cases.set_status(case_id=case.pk, status=status, expected_version=case.version, viewer=self.who(case.pk), now=self.now)

    def assign(self, numbers):
        if numbers:
            case = Case.objects.get(pk=self.dice.choice(numbers))
            person = self.dice.choice([self.cast.agent, None]) if case.team_id == self.cast.team.pk else None
            number = person.pk if person else None
            cases.assign(case_id=case.pk, assignee_id=number, expected_version=case.version, viewer=self.who(case.pk), now=self.now)

    def sort(self, numbers):
        if numbers:
            one = self.dice.choice(numbers)
            Case.objects.filter(pk=one).update(kind=self.dice.choice(KINDS), sentiment=self.dice.choice(["NEGATIVE", "POSITIVE", ""]))
            cases.add_note(case_id=one, body="sorted", viewer=self.who(one), now=self.now)  # leaves the event that readings leave

    def rate(self, _numbers):
        message = Message.objects.filter(direction="INBOUND", feedback=None).order_by("?").first()
        if message is not None:
            Feedback.objects.create(message=message, team_id=message.team_id, rating=self.dice.randint(1, 5))
            if message.case_id:
                cases.add_note(case_id=message.case_id, body="rated", viewer=self.who(message.case_id), now=self.now)

    def who(self, case_id):
        return self.cast.viewer(self.cast.owner)


@pytest.fixture
def life(cast, inbound, now, promise):
    """Makes a life of a seed."""
    return lambda seed: Life(cast, inbound, now, seed)


@pytest.fixture
def counted(life, monkeypatch):
    """A house of 80 random steps, its facts counted; today is its last day."""
    played = life(21)
    played.play(80)
    refresh(now=played.now)
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_args: played.now.date())
    return played


@pytest.fixture
def ask_api(client, cast, now):
    """Asks as a key that works for the owner, with the cases of one team."""
    owner = cast.viewer(cast.owner)
    _key, token = create_api_key(name="k", channel_id=cast.channel.pk, actor=actor_of(owner), now=now, person_id=cast.owner.pk)
    return lambda path: client.get(f"/api/v1/{path}", HTTP_AUTHORIZATION=f"Bearer {token}")
