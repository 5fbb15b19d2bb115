"""Cases to change at once."""

from datetime import timedelta

import pytest

from careloop.desk.cases.models import Case
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.sla.models import Calendar, ServiceLevel


@pytest.fixture
def levels(now):
    """All around the clock; what is urgent is answered within a quarter of an hour, the rest in an hour."""
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    ServiceLevel.objects.create(
        name="Urgent", position=1, calendar=calendar, conditions={"priority": [40]}, first_response_minutes=15, changed_at=now
    )
    return ServiceLevel.objects.create(
        name="Standard", position=2, calendar=calendar, first_response_minutes=60, resolution_minutes=480, changed_at=now
    )


@pytest.fixture
def open_cases(cast, inbound, now, levels):
    """Makes cases of the first team, each of a customer of its own; returns them by number."""

    def make(n: int, slug: str = "shop") -> list[Case]:
        numbers = []
        for place in range(n):
            addresses = (AddressValue("EMAIL", f"{slug}{place}@example.com"),)
            at = now - timedelta(minutes=n - place)
            facts = {"external_id": f"{slug}-{place}", "channel_slug": slug, "addresses": addresses, "sent_at": at}
            numbers.append(receive_message(inbound(**facts), now=at).case_id)
        return list(Case.objects.filter(pk__in=numbers).order_by("pk"))

    return make


@pytest.fixture
def versions():
    """The versions that a person sees now."""
    return lambda cases: dict(Case.objects.filter(pk__in=[case.pk for case in cases]).values_list("pk", "version"))
