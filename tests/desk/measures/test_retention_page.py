"""Retention page: who comes back within some days after a complaint and without, each customer from entering on."""

import csv
import io
import json
from datetime import timedelta
from importlib.resources import files

import pytest

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases.models import Case
from careloop.desk.customers.models import Customer
from careloop.desk.kernel.errors import NotAllowed
from careloop.desk.measures.actions import refresh
from careloop.desk.measures.reading import Question
from careloop.desk.measures.retention import measure_retention


@pytest.fixture
def house(cast, now):
    """Stores customers by their cases, (days ago, kind), and counts them."""

    def store(*customers, channel=None):
        channel = channel or cast.channel
        for cases in customers:
            customer = Customer.objects.create(name="K", created_at=now, last_seen_at=now)
            for days, kind in cases:
                at = now - timedelta(days=days)
                times = {"opened_at": at, "last_message_at": at}
                Case.objects.create(team=channel.team, customer=customer, channel=channel, subject="s", status="OPEN", kind=kind, **times)
        refresh(now=now)
        return viewer_of(cast.owner)

    return store


def values(side, key):
    rate = side.rates[key]
    return (None if rate.value is None else round(rate.value, 6), rate.n)


def test_each_side_by_what_the_first_case_was(house):
    viewer = house(
        [(200, "COMPLAINT"), (190, "CONSULTATION"), (180, "COMPLAINT")],
        [(200, "COMPLAINT")],
        [(200, "CONSULTATION"), (195, "COMPLAINT")],
        [(200, "PRAISE")],
        [(200, "REFUND"), (50, "REFUND")],
        [(200, "")],
    )
    found = measure_retention(Question(()), 30, viewer)
    assert (found.complained.n, found.others.n, found.n_unknown) == (2, 3, 1)
    assert values(found.complained, "retention") == (0.5, 2)
    assert values(found.complained, "repeat") == (0.5, 2)
    assert values(found.complained, "complained_again") == (0.5, 2)
    assert values(found.others, "retention") == (round(1 / 3, 6), 3)
    assert values(found.others, "repeat") == (0.0, 3)
    assert values(found.others, "churn") == (round(2 / 3, 6), 3)
    difference = found.complained.differences["retention"]
    assert difference.value == pytest.approx(1 / 6)
    assert difference.low < 0 < difference.high
    assert not difference.is_shown


def test_customers_whose_days_are_not_over_count_as_far_as_seen(house):
    viewer = house(*[[(200, "COMPLAINT")]] * 3, [(200, "COMPLAINT"), (180, "COMPLAINT")], *[[(10, "COMPLAINT")]] * 4, [(200, "PRAISE")])
    found = measure_retention(Question(()), 30, viewer)
    assert values(found.complained, "retention") == (0.25, 8)
    assert found.complained.rates["retention"].n_until == 4
    young = measure_retention(Question((), since=(found.as_of - timedelta(days=15)).date()), 30, viewer)
    assert values(young.complained, "retention") == (None, 4)


def test_contacts_before_and_after_of_those_seen_throughout(house, now):
    viewer = house(
        [(400, "PRAISE")],
        [(130, "CONSULTATION"), (120, "COMPLAINT"), (110, "CONSULTATION"), (105, "CONSULTATION")],
        [(118, "COMPLAINT")],
        [(119, "PRAISE"), (118, "PRAISE")],
    )
    found = measure_retention(Question((), since=now.date() - timedelta(days=125)), 30, viewer)
    complained, others = found.contacts
    assert (complained.n, complained.before, complained.after, complained.change) == (2, 0.5, 1.0, 0.5)
    assert (others.n, others.before, others.after) == (1, 0.0, 1.0)
    assert others.low is None
    of_all_time = measure_retention(Question(()), 30, viewer)
    assert [one.n for one in of_all_time.contacts] == [0, 0]
    assert of_all_time.contacts_difference is None


def test_remedies_and_outcomes_of_the_flow(cast, house, now):
    from careloop.desk.cases.models import CaseFlow
    from careloop.desk.flows.models import Flow, FlowVersion

    definition = json.loads(files("careloop.desk.flows").joinpath("shipped/complaint.json").read_text(encoding="utf-8"))["definition"]
    flow = Flow.objects.create(name={"en": "Complaint"}, kind="COMPLAINT")
    version = FlowVersion.objects.create(flow=flow, number=1, definition=definition, at=now)
    viewer = house([(200, "COMPLAINT"), (190, "PRAISE")], [(200, "COMPLAINT")], [(200, "COMPLAINT")], [(200, "PRAISE")])
    numbers = list(Case.objects.filter(kind="COMPLAINT").order_by("pk").values_list("pk", flat=True))
    for number, remedy in zip(numbers, ("VOUCHER", "VOUCHER", "OWN"), strict=True):
        CaseFlow.objects.create(case_id=number, flow_version=version, state="CLOSED", entered_at=now, values={"REMEDY": remedy})
    found = measure_retention(Question(()), 30, viewer)
    assert [(one.name, values(one, "retention")) for one in found.remedies] == [("Voucher", (0.5, 2)), ("OWN", (0.0, 1))]
    assert [(one.name, one.n) for one in found.outcomes] == [("Closed", 3)]


def test_page_and_file_have_the_same_numbers(client, cast, house):
    viewer = house(*[[(200, "COMPLAINT"), (190, "PRAISE")]] * 3, *[[(200, "COMPLAINT")]] * 7, *[[(170, "PRAISE")]] * 10)
    client.force_login(cast.owner)
    page = client.get("/reports/retention/?period=all&within=30")
    text = page.content.decode()
    assert "No purchases are known." in text
    assert "30.0%" in text
    lines = list(csv.DictReader(io.StringIO(client.get(page.context["export_url"]).content.decode("utf-8-sig"))))
    found = measure_retention(Question(()), 30, viewer)
    line = next(one for one in lines if (one["figure"], one["group"]) == ("retention", "complaint"))
    rate = found.complained.rates["retention"]
    assert [line[name] for name in ("value", "low", "high", "n")] == [repr(rate.value), repr(rate.low), repr(rate.high), "10"]
    assert [one["group"] for one in lines if one["group"].endswith(("complaint", "without"))][8:] == [
        "2025-10 complaint", "2025-10 without", "2025-11 complaint", "2025-11 without", *["complaint"] * 3, *["without"] * 3,
    ]  # fmt: skip


def test_choices_of_days_are_checked_and_teams_kept_apart(client, cast, house):
    house([(200, "COMPLAINT")], [(150, "PRAISE")])
    house([(100, "COMPLAINT")], channel=cast.other_channel)
    assert measure_retention(Question(()), 30, viewer_of(cast.supervisor)).complained.n == 1
    with pytest.raises(NotAllowed):
        measure_retention(Question(()), 30, viewer_of(cast.outsider))
    client.force_login(cast.owner)
    answer = client.get("/reports/retention/?within=31")
    assert (answer.status_code, "“31” days is none of the choices" in answer.content.decode()) == (422, True)
