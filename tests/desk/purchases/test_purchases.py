"""Purchases as programs tell them: stored once, corrected without forgetting, refused as a whole."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.rules import EMAIL, PHONE, AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.purchases.actions import record_purchases
from careloop.desk.purchases.models import Purchase
from careloop.desk.purchases.queries import bought_by
from careloop.desk.purchases.rules import NewPurchase

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LIN = AddressValue(EMAIL, "lin@example.com")
BODY = {
    "order_number": "20418837",
    "bought_at": "2026-05-01T10:00:00+08:00",
    "amount": "1,299.50",
    "currency": "CNY",
    "customer": {"name": "林晓彤", "email": "Lin@example.com"},
    "products": ["热水器"],
}


@pytest.fixture
def order(now):
    """Builds an acceptable purchase; keyword arguments replace its facts."""

    def build(**facts):
        return NewPurchase(
            **{"order_number": "A-1", "bought_at": now - DAY, "amount_minor": 129_950, "currency": "CNY", "addresses": (LIN,), **facts}
        )

    return build


@pytest.fixture
def program(client, cast, now):
    """Requests with a key of a channel."""

    def request(body, *, channel=None):
        facts = {"name": "Shop", "channel_id": (channel or cast.channel).pk, "actor": actor_of(cast.viewer(cast.owner)), "now": now}
        headers = {"Authorization": f"Bearer {create_api_key(**facts)[1]}"}
        return client.post("/api/v1/purchases", body, content_type="application/json", headers=headers)

    return request


def told(recorded):
    return recorded.new, recorded.changed, recorded.known


def test_an_order_is_stored_once_and_corrected_by_telling_it_again(cast, order, now):
    facts = {"team_id": cast.team.pk, "now": now}
    assert told(record_purchases([order()], **facts)) == (1, 0, 0)
    assert told(record_purchases([order()], **facts)) == (0, 0, 1)
    assert told(record_purchases([order(amount_minor=99_900)], **{**facts, "now": now + DAY})) == (0, 1, 0)
    old, new = Purchase.objects.order_by("pk")
    assert (old.amount_minor, old.received_at, old.replaced_at) == (129_950, now, now + DAY)
    assert (new.amount_minor, new.received_at, new.replaced_at) == (99_900, now + DAY, None)


def test_a_buyer_is_found_by_any_address_or_becomes_a_customer_whom_the_team_knows(cast, order, inbound, now):
    known = receive_message(inbound(), now=now).customer_id
    phone, other = AddressValue(PHONE, "138 0013 8000"), AddressValue(EMAIL, "zhao@example.com")
    new = [
        order(addresses=(phone, LIN)),
        order(order_number="A-2", addresses=(other, phone), customer_name="赵"),
        order(order_number="A-3", addresses=(other,)),
    ]
    record_purchases(new, team_id=cast.team.pk, now=now)
    first, second, third = Purchase.objects.order_by("pk").values_list("customer_id", flat=True)
    assert first == known and second == third != known
    stranger = Customer.objects.get(pk=second)
    assert (stranger.name, stranger.addresses.count(), [one.pk for one in stranger.teams.all()]) == ("赵", 2, [cast.team.pk])
    assert not Customer.objects.visible_to(cast.viewer(cast.outsider)).filter(pk=second).exists()


def test_the_same_number_of_two_teams_is_two_orders(cast, order, now):
    for team in (cast.team, cast.other_team):
        record_purchases([order()], team_id=team.pk, now=now)
    assert Purchase.objects.filter(replaced_at=None).count() == 2
    customer = Customer.objects.get()
    assert bought_by(customer, cast.viewer(cast.outsider)).total == 1
    assert bought_by(customer, cast.viewer(cast.owner)).total == 2


@pytest.mark.parametrize(
    ("facts", "field", "sentence"),
    [
        ({"order_number": ""}, "1.order_number", "1 to 80 printable characters; 0 were given"),
        ({"bought_at": None}, "1.bought_at", "expected a time since 1970 that has come"),
        ({"amount_minor": -1}, "1.amount", "The amount is -1"),
        ({"currency": "XYZ"}, "1.currency", "“XYZ” is no currency"),
        ({"addresses": ()}, "1.customer", "give one, so that the buyer is known"),
        ({"addresses": (AddressValue(EMAIL, "nobody"),)}, "1.customer.email", "“nobody” is not an e-mail address"),
        ({"products": ("",)}, "1.products", "1 to 200 characters"),
        ({"order_number": "A-0"}, "1.order_number", "Order A-0 is given twice"),
    ],
)
def test_one_purchase_that_cannot_be_stored_refuses_all(cast, order, now, facts, field, sentence):
    if "bought_at" in facts:
        facts = {"bought_at": now + 2 * DAY}
    with pytest.raises(InvalidInput, match=sentence) as refused:
        record_purchases([order(order_number="A-0"), order(**facts)], team_id=cast.team.pk, now=now)
    assert refused.value.field == field
    assert (Purchase.objects.count(), Customer.objects.count(), Address.objects.count()) == (0, 0, 0)


def test_what_was_paid_leaves_cancelled_orders_out_and_never_adds_currencies(cast, order, now):
    new = [
        order(),
        order(order_number="A-2", amount_minor=50),
        order(order_number="A-3", is_cancelled=True),
        order(order_number="A-4", amount_minor=1_200, currency="JPY"),
    ]
    record_purchases(new, team_id=cast.team.pk, now=now)
    bought = bought_by(Customer.objects.get(), cast.viewer(cast.agent))
    assert (bought.total, bought.paid) == (4, ["1,300.00 CNY", "1,200 JPY"])


def test_a_program_records_purchases_for_its_channels_team(program, cast):
    assert program({"purchases": [BODY]}).json() == {"new": 1, "changed": 0, "known": 0}
    assert program({"purchases": [BODY | {"is_cancelled": True}]}).json() == {"new": 0, "changed": 1, "known": 0}
    row = Purchase.objects.get(replaced_at=None)
    assert (row.amount_minor, row.currency, row.products, row.is_cancelled, row.team_id) == (129_950, "CNY", ["热水器"], True, cast.team.pk)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "12.345"}, "purchases.0.amount"),
        ({"amount": "$5"}, "purchases.0.amount"),
        ({"amount": 5}, "purchases.0.amount"),
        ({"currency": "ZZZ"}, "purchases.0.currency"),
        ({"customer": {"email": "x"}}, "purchases.0.customer.email"),
        ({"customer": {}}, "purchases.0.customer"),
        ({"bought_at": "2026-05-01"}, "purchases.0.bought_at"),
        ({"price": "1"}, "purchases.0.price"),
    ],
)
def test_a_program_hears_what_is_wrong_and_nothing_is_stored(program, change, field):
    response = program({"purchases": [BODY | change]})
    assert (response.status_code, response.json()["error"]["field"]) == (422, field)
    assert (Purchase.objects.count(), Customer.objects.count()) == (0, 0)


class AnyDeliveries(TestCase):
    """However purchases are cut into deliveries and repeated, each order stands once as it was told last."""

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=5, unique_by=lambda one: one[0]), max_size=6))
    def test_orders_stand_as_they_were_told_last(self, deliveries):
        from careloop.desk.accounts.models import Team
        from tests.conftest import NOW

        team = Team.objects.create(name="After-sales", created_at=NOW)
        last = {}
        for delivery in deliveries:
            new = [NewPurchase(f"A-{number}", NOW, 100 * paid, "CNY", (LIN,)) for number, paid in delivery]
            recorded = record_purchases(new, team_id=team.pk, now=NOW)
            assert recorded.new == len({number for number, _paid in delivery} - last.keys())
            last |= dict(delivery)
        rows = Purchase.objects.filter(replaced_at=None)
        assert {row.order_number: row.amount_minor for row in rows} == {f"A-{number}": 100 * paid for number, paid in last.items()}
        assert Customer.objects.count() == bool(last)
