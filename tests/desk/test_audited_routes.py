"""Each route of the URL table that shows an address in full, exports, or removes something leaves an audit entry with its actor."""

import re

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.queries import index_of
from careloop.desk.customers.rules import AddressValue
from careloop.desk.merging.locking import to_json
from careloop.desk.merging.models import RegroupedCase
from careloop.desk.merging.queries import outline_of
from tests.desk.test_routes import ALL, PRIVATE, Route, address, ask, house, named  # noqa: F401  (the house is a fixture)

pytestmark = pytest.mark.django_db
MAIL, PHONE, NOTES = "lin@example.com", "+8613812342231", "Rings at night, the child is ill"
# What this house cannot remove as it stands; that the entry is written is tested where it can.
REFUSED = {
    "bulk-undo": "only who made the change takes it back",
    "job-discard": "no jobs are named",
    "calendar-delete": "a service level counts on it",
}
PAGES = [route for route in PRIVATE if not route.is_api]
REMOVES = re.compile(r"/(remove|delete|revoke|archive|discard|undo|leave-out|cancel)/$")

# What shows personal data beyond the work on a case: addresses in full, notes about a person, or rows that leave the house.
PERSONAL = {
    "customer": "customer.view",
    "customer-edit": "customer.view",
    "feedback-export": "feedback.export",
    "import-rejects": "import.rejects",
}
# Nothing of the house goes with these: they end what a person alone sees.
OWN = {
    "case-undo-reply": "a reply that was not sent yet is its writer's draft again",
    "case-file-out": "a file that was chosen and not sent yet",
    "view-remove": "a saved search; no row of a customer goes with it",
}


def entries(actor) -> list[tuple[str, int | None]]:
    return list(AuditEntry.objects.filter(actor_kind="user", actor_id=actor.pk).order_by("pk").values_list("action", "object_id"))


@pytest.fixture
def known(house, now):  # noqa: F811
    """The house with a customer of whom mail, telephone and notes are known."""
    phone = AddressValue("PHONE", "13812342231")
    facts = {"kind": phone.kind, "value": phone.value, "value_index": index_of(phone), "created_at": now}
    Address.objects.create(customer_id=house.case.customer_id, **facts)
    RegroupedCase.objects.create(regrouping=house.regrouping, case=house.case, before=to_json(outline_of(house.case)))
    Customer.objects.filter(pk=house.case.customer_id).update(notes=NOTES)
    return house


@named(PAGES)
def test_whoever_sees_an_address_in_full_is_in_the_trail(client, known, route: Route):
    client.force_login(known.cast.owner)
    before = entries(known.cast.owner)
    answer = ask(client, route, known, "GET")
    said = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(errors="replace")
    new = entries(known.cast.owner)[len(before) :]
    if MAIL in said or PHONE in said or "13812342231" in said or (NOTES in said and not route.name.startswith("case")):
        assert route.name in PERSONAL, f"{route.pattern} shows personal data: record the look-up, then name it in PERSONAL."
    if route.name in PERSONAL and answer.status_code == 200:
        assert PERSONAL[route.name] in [action for action, _number in new]
    if route.name.startswith("customer"):
        assert all(number == known.case.customer_id for _action, number in new)


@named([route for route in PAGES if REMOVES.search("/" + route.pattern.rstrip("$"))])
def test_whoever_removes_something_is_in_the_trail(client, known, route: Route):
    person = known.cast.owner
    client.force_login(person)
    before = len(entries(person))
    answer = ask(client, route, known, "POST")
    if route.name in OWN:
        return
    if route.name in REFUSED:
        assert (answer.status_code >= 400, len(entries(person))) == (True, before)
        return
    assert answer.status_code < 400
    assert len(entries(person)) > before, f"{route.pattern} removes something: audit it, or say in OWN what goes."


@pytest.mark.parametrize("page", ["/customers/?q={}", "/?view=all&q={}"])
@pytest.mark.parametrize("given", [MAIL, "138 1234 2231"])
def test_looking_for_somebody_by_address_is_a_look_up_once_in_ten_minutes(client, known, page, given):
    client.force_login(known.cast.agent)
    for _turn in range(2):
        assert "林晓彤" in client.get(page.format(given)).content.decode()
    assert entries(known.cast.agent) == [("customer.search", known.case.customer_id)]
    assert MAIL not in repr(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("page", ["/customers/?q=林晓彤", "/?view=all&q=退款", "/customers/?q=nobody@example.com", "/customers/"])
def test_looking_by_name_or_words_shows_masked_addresses_and_is_none(client, known, page):
    client.force_login(known.cast.agent)
    said = client.get(page).content.decode()
    assert (MAIL in said, entries(known.cast.agent)) == (False, [])


def test_another_team_finds_nobody_by_address_and_leaves_no_trace(client, known):
    client.force_login(known.cast.outsider)
    assert "林晓彤" not in client.get(f"/customers/?q={MAIL}").content.decode()
    assert AuditEntry.objects.filter(action="customer.search").count() == 0


def test_a_change_of_all_that_a_search_found_is_a_look_up_too(client, known):
    client.force_login(known.cast.agent)
    answer = client.post(f"/inbox/bulk/preview/?view=all&q={MAIL}", {"all": "1", "change": "priority:40"})
    assert (answer.status_code, entries(known.cast.agent)) == (200, [("customer.search", known.case.customer_id)])


def test_every_name_is_a_route():
    assert set(PERSONAL) | set(OWN) | set(REFUSED) <= {route.name for route in ALL}
