"""The chance that a deadline is missed."""

from datetime import timedelta

import pytest

from careloop.desk.analysis import breach
from careloop.desk.cases.models import Case, Clock
from careloop.desk.intake.actions import receive_message
from careloop.desk.sla.models import Calendar, ServiceLevel

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def level(now):
    breach._curve.cache_clear()
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    return ServiceLevel.objects.create(name="Standard", calendar=calendar, first_response_minutes=60, changed_at=now)


def keep_history(case_id, level, now, took_minutes):
    for number, minutes in enumerate(took_minutes):
        Clock.objects.create(
            case_id=case_id, target="FIRST_RESPONSE", round=number + 2, level=level, calendar=level.calendar, state="MET",
            target_seconds=3600, started_at=now - timedelta(days=3), due_at=now - timedelta(days=2), elapsed_seconds=minutes * 60,
        )  # fmt: skip


def test_the_chance_is_the_share_of_those_that_took_that_long_and_longer_still(cast, inbound, level, now):
    case_id = receive_message(inbound(), now=now).case_id
    keep_history(case_id, level, now, [20] * 50 + [50] * 30 + [90] * 20)
    clock = Clock.objects.get(case_id=case_id, state="RUNNING")
    at_once = breach.find_chances([clock], now + timedelta(seconds=1))
    assert at_once[clock.pk] == pytest.approx(0.2, abs=0.005)
    breach._curve.cache_clear()
    later = breach.find_chances([clock], now + HOUR / 2)
    assert later[clock.pk] == pytest.approx(20 / 50, abs=0.01)


def test_nothing_is_said_without_history_or_for_what_is_late(cast, inbound, level, now):
    case_id = receive_message(inbound(), now=now).case_id
    keep_history(case_id, level, now, [20] * 49)
    clock = Clock.objects.get(case_id=case_id, state="RUNNING")
    assert breach.find_chances([clock], now) == {}
    keep_history_more = Clock.objects.filter(state="MET").first()
    keep_history_more.pk, keep_history_more.round = None, 99
    keep_history_more.save()
    breach._curve.cache_clear()
    assert set(breach.find_chances([clock], now)) == {clock.pk}
    assert breach.find_chances([clock], now + 2 * HOUR) == {}
    assert Case.objects.count() == 1
