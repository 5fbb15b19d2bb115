"""The second writer sees both versions, may take either, and loses nothing that was typed."""

import re

import pytest
from django.urls import reverse

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.analysis import queueing
from careloop.desk.analysis.models import Reading
from careloop.desk.cases import actions
from careloop.desk.cases.models import Case, CaseEvent, CaseFlow
from careloop.desk.customers.models import Customer
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.slots import slot_of
from careloop.desk.sla.models import Calendar, ServiceLevel

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
WEEK = {f"day{number}": "09:00-18:00" for number in range(5)}


@pytest.fixture
def case(cast, inbound, now) -> Case:
    """A case as it came."""
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


def sides(response) -> list[tuple[str, str, str]]:
    """(label, theirs, mine) of the answer."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>', response.content.decode())
    return [tuple(re.sub(r"\s*<br>\s*", " / ", cell) for cell in row) for row in rows]


def again(response) -> dict[str, str]:
    """What “Use mine” sends."""
    form = re.search(r"<form method=\"post\" action=\"([^\"]*)\"[^>]*>(?:(?!</form>).)*?Use mine", response.content.decode(), re.S)
    return dict(re.findall(r'name="([^"]*)" value="([^"]*)"', form.group(0))) | {"to": form.group(1)}


def send_again(client, response):
    facts = again(response)
    return client.post(facts.pop("to"), facts, headers=HTMX)


@pytest.mark.parametrize(
    ("name", "mine", "shown"),
    [("priority", "10", ("Priority", "Urgent", "Low")), ("status", "RESOLVED", ("Status", "Waiting for the customer", "Resolved"))],
)
def test_a_field_of_the_case_is_shown_twice_and_mine_may_be_used(client, cast, case, now, name, mine, shown):
    client.force_login(cast.agent)
    seen, facts = case.version, {"case_id": case.pk, "viewer": viewer_of(cast.supervisor), "now": now}
    if name == "priority":
        actions.set_priority(priority=40, expected_version=seen, **facts)
    else:
        actions.set_status(status="WAITING", expected_version=seen, **facts)
    stored = Case.objects.filter(pk=case.pk).values().get()
    refused = client.post(reverse(f"case-{name}", args=[case.pk]), {name: mine, "version": seen}, headers=HTMX)
    assert (refused.status_code, sides(refused)) == (409, [shown])
    assert Case.objects.filter(pk=case.pk).values().get() == stored
    assert send_again(client, refused).status_code == 200
    assert str(getattr(Case.objects.get(pk=case.pk), name)) == mine


def test_an_assignee_is_shown_by_name(client, cast, case, now):
    client.force_login(cast.agent)
    facts = {"expected_version": case.version, "viewer": viewer_of(cast.supervisor), "now": now}
    actions.assign(case_id=case.pk, assignee_id=cast.supervisor.pk, **facts)
    refused = client.post(reverse("case-assign", args=[case.pk]), {"assignee": cast.agent.pk, "version": case.version}, headers=HTMX)
    assert sides(refused) == [("Assignee", "Sun", "Chen")]
    assert Case.objects.get(pk=case.pk).assignee == cast.supervisor


def test_two_who_want_the_same_are_not_bothered(client, cast, case, now):
    client.force_login(cast.agent)
    facts = {"expected_version": case.version, "viewer": viewer_of(cast.supervisor), "now": now}
    actions.set_priority(case_id=case.pk, priority=40, **facts)
    answer = client.post(reverse("case-priority", args=[case.pk]), {"priority": "40", "version": case.version}, headers=HTMX)
    assert (answer.status_code, CaseEvent.objects.filter(kind="PRIORITY").count()) == (200, 1)


def test_two_corrections_stand_beside_each_other(client, cast, case, now):
    message = case.messages.get()
    facts = {"team_id": message.team_id, "channel_id": message.channel_id, "case_id": case.pk, "slot": slot_of(now)}
    Reading.objects.create(
        message=message, state="DONE", kind="REFUND", kind_probability=0.9, sentiment="NEGATIVE", sentiment_probability=0.1,
        details={"kind_evidence": [], "sentiment_evidence": []}, model_versions={}, read_at=now, **facts,
    )  # fmt: skip
    word = {"case_id": case.pk, "message_id": message.pk, "task": "KIND", "seen_correction_id": 0, "now": now}
    queueing.correct(value="COMPLAINT", viewer=viewer_of(cast.supervisor), **word)
    client.force_login(cast.agent)
    address = reverse("case-correct", args=[case.pk, message.pk])
    refused = client.post(address, {"task": "KIND", "value": "SUGGESTION", "seen": "0"}, headers=HTMX)
    assert (refused.status_code, sides(refused)) == (409, [("Kind of contact", "Complaint", "Suggestion")])
    assert Case.objects.get(pk=case.pk).kind == "COMPLAINT"
    assert send_again(client, refused).status_code == 200
    assert Case.objects.get(pk=case.pk).kind == "SUGGESTION"


def test_what_was_entered_for_a_step_is_shown_and_can_be_sent_again(client, cast, case, now):
    ensure_shipped(now=now)
    actions.triage(readings={case.pk: {"kind": "REFUND", "kind_probability": 0.9, "sentiment": "NEGATIVE"}}, now=now)
    case.refresh_from_db()
    actions.add_note(case_id=case.pk, body="Batch B17", viewer=viewer_of(cast.supervisor), now=now)
    client.force_login(cast.agent)
    given = {"step": "CHECK", "field-ORDER": "20418837", "version": case.version}
    refused = client.post(reverse("case-step", args=[case.pk]), given, headers=HTMX)
    assert refused.status_code == 409
    assert [(theirs, mine) for _label, theirs, mine in sides(refused)][1:] == [("–", "20418837")]
    assert CaseFlow.objects.get(case=case).values == {}
    assert send_again(client, refused).status_code == 200
    assert CaseFlow.objects.get(case=case).values == {"ORDER": "20418837"}


def test_a_customers_profile_keeps_what_was_typed_and_may_go_over_theirs(client, cast, case):
    client.force_login(cast.supervisor)
    Customer.objects.filter(pk=case.customer_id).update(company="Lin & Co", notes="Calls in the morning", version=2)
    address = reverse("customer-edit", args=[case.customer_id])
    mine = {"name": "林晓彤", "company": "Lin GmbH", "language": "", "notes": "Calls in the morning", "version": "1"}
    language = Customer.objects.get(pk=case.customer_id).language
    refused = client.post(address, {**mine, "language": language})
    assert (refused.status_code, sides(refused)) == (409, [("Company", "Lin &amp; Co", "Lin GmbH")])
    assert 'value="Lin GmbH"' in refused.content.decode()
    assert Customer.objects.get(pk=case.customer_id).company == "Lin & Co"
    version = re.search(r'name="version" value="(\d+)"', refused.content.decode()).group(1)
    assert client.post(address, {**mine, "language": language, "version": version}).status_code == 302
    assert Customer.objects.get(pk=case.customer_id).company == "Lin GmbH"


@pytest.fixture
def calendar(now):
    """Mondays from nine to six."""
    return Calendar.objects.create(name="Office", zone="UTC", weekly=[[[540, 1080]], *[[]] * 6], changed_at=now)


def test_a_calendar_that_somebody_saved_is_not_overwritten(client, cast, calendar):
    client.force_login(cast.supervisor)
    address = reverse("calendar", args=[calendar.pk])
    given = {"name": "Office", "zone": "UTC", "day0": "09:00-18:00", "days": "", "version": "1"}
    assert client.post(address, {**given, "day0": "08:00-18:00"}).status_code == 302
    stored = Calendar.objects.values().get()
    refused = client.post(address, {**given, "day1": "09:00-12:00"})
    assert (refused.status_code, sides(refused)) == (
        409,
        [("Monday", "08:00-18:00", "09:00-18:00"), ("Tuesday", "–", "09:00-12:00")],
    )
    assert Calendar.objects.values().get() == stored
    assert 'name="version" value="2"' in refused.content.decode()
    assert client.post(address, {**given, "day1": "09:00-12:00", "version": "2"}).status_code == 302
    assert Calendar.objects.get().weekly[1] == [[540, 720]]
    assert client.post(address, {**given, "version": ""}).status_code == 422


def test_a_service_level_that_somebody_saved_is_not_overwritten(client, cast, calendar, now):
    client.force_login(cast.supervisor)
    level = ServiceLevel.objects.create(name="Standard", calendar=calendar, first_response_minutes=60, changed_at=now)
    address = reverse("level", args=[level.pk])
    given = {"name": "Standard", "calendar": calendar.pk, "position": "0", "first_response": "1h", "pauses": "on", "is_active": "on"}
    given["version"] = now.isoformat()
    assert client.post(address, {**given, "first_response": "2h"}).status_code == 302
    stored = ServiceLevel.objects.values().get()
    refused = client.post(address, {**given, "next_response": "4h"})
    assert (refused.status_code, sides(refused)) == (409, [("First response", "2h", "1h"), ("Next response", "–", "4h")])
    assert ServiceLevel.objects.values().get() == stored
    version = re.search(r'name="version" value="([^"]+)"', refused.content.decode()).group(1)
    assert client.post(address, {**given, "next_response": "4h", "version": version}).status_code == 302
    assert (ServiceLevel.objects.get().first_response_minutes, ServiceLevel.objects.get().next_response_minutes) == (60, 240)
