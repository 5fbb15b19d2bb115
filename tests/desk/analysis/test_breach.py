"""How long promises took before, and so the chance that a deadline is missed: on the case and in the order of the queue."""

from datetime import timedelta

import pytest

from careloop.desk.analysis import breach
from careloop.desk.cases.models import Case, Clock
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.routing.actions import refresh_weights
from careloop.desk.routing.lateness import find_chances
from careloop.desk.routing.models import TimesTaken
from careloop.desk.routing.queries import weigh
from careloop.desk.routing.rules.queue import Late
from careloop.desk.sla.models import Calendar, ServiceLevel

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def calendar(now):
    return Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)


@pytest.fixture
def level(now, calendar):
    return ServiceLevel.objects.create(name="Standard", calendar=calendar, first_response_minutes=60, changed_at=now)


def keep_history(case_id, level, now, took_minutes):
    for number, minutes in enumerate(took_minutes):
        Clock.objects.create(
            case_id=case_id, target="FIRST_RESPONSE", round=number + 2, level=level, calendar=level.calendar, state="MET",
            target_seconds=3600, started_at=now - timedelta(days=3), due_at=now - timedelta(days=2), elapsed_seconds=minutes * 60,
        )  # fmt: skip
    breach.fit_times(now=now)


def test_the_chance_is_the_share_of_those_that_took_that_long_and_longer_still(cast, inbound, level, now):
    case_id = receive_message(inbound(), now=now).case_id
    keep_history(case_id, level, now, [20] * 50 + [50] * 30 + [90] * 20)
    clock = Clock.objects.get(case_id=case_id, state="RUNNING")
    at_once = find_chances([clock], now + timedelta(seconds=1))
    assert at_once[clock.pk] == Late(pytest.approx(0.2, abs=0.005), past=100)
    later = find_chances([clock], now + HOUR / 2)
    assert later[clock.pk] == Late(pytest.approx(20 / 50, abs=0.01), past=100)


def test_nothing_is_said_without_history_or_for_what_is_late(cast, inbound, level, now):
    case_id = receive_message(inbound(), now=now).case_id
    keep_history(case_id, level, now, [20] * 49)
    clock = Clock.objects.get(case_id=case_id, state="RUNNING")
    assert find_chances([clock], now) == {}
    Clock.objects.filter(state="MET", round=2).update(round=1000)
    keep_history(case_id, level, now, [20])
    assert set(find_chances([clock], now)) == {clock.pk}
    assert find_chances([clock], now + 2 * HOUR) == {}


def test_what_was_kept_is_replaced_and_a_long_history_keeps_few_steps(cast, inbound, level, now):
    case_id = receive_message(inbound(), now=now).case_id
    for _turn in range(2):
        Clock.objects.filter(state="MET").delete()
        keep_history(case_id, level, now, range(1, 501))
    kept = TimesTaken.objects.get()
    assert (len(kept.seconds), kept.seconds[0], kept.seconds[-1], kept.ended) == (200, 60, 30_000, 500)
    clock = Clock.objects.get(case_id=case_id, state="RUNNING")
    assert find_chances([clock], now)[clock.pk].chance == pytest.approx(440 / 500, abs=0.006)


def test_of_two_cases_with_the_same_deadline_the_one_that_is_likelier_missed_is_the_costlier(cast, inbound, calendar, now, client):
    quick, slow = (
        ServiceLevel.objects.create(
            name=kind, calendar=calendar, first_response_minutes=60, conditions={"kind": [kind]}, position=place, changed_at=now
        )
        for place, kind in enumerate(("CONSULTATION", "SUGGESTION"))
    )
    numbers = []
    for number in range(2):
        who = (AddressValue("EMAIL", f"c{number}@example.com"),)
        numbers.append(receive_message(inbound(external_id=f"m-{number}", addresses=who), now=now).case_id)
    for number, level in zip(numbers, (quick, slow), strict=True):
        Clock.objects.create(
            case_id=number, target="FIRST_RESPONSE", level=level, calendar=calendar, state="RUNNING", target_seconds=3600, started_at=now,
            due_at=now + HOUR,
        )  # fmt: skip
    Case.objects.update(due_at=now + HOUR)
    keep_history(numbers[0], quick, now, [10] * 90 + [90] * 10)
    keep_history(numbers[1], slow, now, [10] * 40 + [90] * 60)
    first, second = (weigh(Case.objects.all(), now)[number] for number in numbers)
    due = {"what": "DUE", "seconds": 3600, "past": 100}
    assert (first.parts, second.parts) == ([{**due, "chance": 0.1, "factor": 1.8}], [{**due, "chance": 0.6, "factor": 5.8}])
    assert (first.cost_per_hour, second.cost_per_hour) == (1.8, 5.8)
    refresh_weights(now=now)
    client.force_login(cast.agent)
    page = client.get("/?sort=matters").content.decode()
    assert page.index(f'id="row-{numbers[1]}"') < page.index(f'id="row-{numbers[0]}"')


def test_the_order_costs_as_many_queries_for_one_case_as_for_thirty(cast, inbound, level, now, django_assert_num_queries):
    case_id = receive_message(inbound(), now=now).case_id
    keep_history(case_id, level, now, [20] * 50)
    for number in range(29):
        who = (AddressValue("EMAIL", f"c{number}@example.com"),)
        receive_message(inbound(external_id=f"n-{number}", addresses=who), now=now)
    weigh(Case.objects.all(), now)  # the calendar is kept by the process
    for cases in (list(Case.objects.all()), list(Case.objects.all()[:1])):
        with django_assert_num_queries(6):
            weigh(cases, now)
