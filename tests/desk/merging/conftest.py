"""Cases to merge and split, and a look at every row of the database."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection

from careloop.desk.analysis.models import Reading
from careloop.desk.cases.models import Case, Message
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.slots import slot_of
from careloop.desk.sla.models import Calendar, ServiceLevel

MINUTE = timedelta(minutes=1)
NOTED = {"merging.Regrouping", "merging.RegroupedCase", "merging.MovedRow", "audit.AuditEntry", "audit.AuditHead"}


@pytest.fixture
def level(now):
    """All around the clock: first answer in an hour, the next in two, solved in eight."""
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    minutes = {"first_response_minutes": 60, "next_response_minutes": 120, "resolution_minutes": 480}
    return ServiceLevel.objects.create(name="Standard", position=1, calendar=calendar, changed_at=now, **minutes)


@pytest.fixture
def write(cast, inbound):
    """A customer writes, and the message is read; returns the receipt."""

    def receive(text, at, **facts):
        who = facts.pop("who", "lin@example.com")
        given = {"external_id": f"x-{text}", "text": text, "sent_at": at, "addresses": (AddressValue("EMAIL", who),), **facts}
        receipt = receive_message(inbound(**given), now=at)
        message = Message.objects.get(pk=receipt.message_id)
        facts = {"team_id": message.team_id, "channel_id": message.channel_id, "case_id": message.case_id, "slot": slot_of(at)}
        Reading.objects.create(message=message, state="DONE", kind="OTHER", sentiment="NEUTRAL", read_at=at, **facts)
        return receipt

    return receive


@pytest.fixture
def pair(write, now, level) -> tuple[Case, Case]:
    """The same matter twice: over the shop and, ten minutes later, over the form; two messages each."""
    numbers = []
    for place, slug in enumerate(("shop", "contact")):
        for turn in range(2):
            receipt = write(f"热水器漏水 {slug} {turn}", now + (10 * place + turn) * MINUTE, channel_slug=slug)
        numbers.append(receipt.case_id)
    return Case.objects.get(pk=numbers[0]), Case.objects.get(pk=numbers[1])


@pytest.fixture
def versions():
    """The versions that a person sees now."""
    return lambda *numbers: dict(Case.objects.filter(pk__in=numbers).values_list("pk", "version"))


@pytest.fixture
def snapshot():
    """Every row of every table but what notes merges itself; a case's version only counts up and is left out."""

    def take():
        rows = {}
        there = set(connection.introspection.table_names())
        for model in apps.get_models():
            if model._meta.label in NOTED or model._meta.db_table not in there:
                continue
            for row in model._base_manager.order_by().values():
                row.pop("version" if model is Case else "", None)
                rows[model._meta.label, row[model._meta.pk.attname]] = row
        return rows

    return take
