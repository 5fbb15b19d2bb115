"""Many deliveries in the same moment: threads with connections of their own."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from careloop.desk.cases.models import Case, Message
from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.intake.models import RawPayload
from careloop.desk.search.models import SearchDocument

THREADS = 6


def in_threads(work, arguments):
    """The results of `work` for each argument, THREADS at a time; each thread closes its connection."""

    def closing(argument):
        try:
            return work(argument)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(closing, arguments))


@pytest.mark.django_db(transaction=True)
def test_the_same_deliveries_at_once_are_stored_once(cast, inbound, now):
    deliveries = [inbound(external_id=f"m-{i % 10}", text=f"text {i % 10}") for i in range(60)]
    receipts = in_threads(lambda delivery: receive_message(delivery, now=now), deliveries)
    assert (Message.objects.count(), RawPayload.objects.count()) == (10, 10)
    assert (Customer.objects.count(), Address.objects.count(), Case.objects.count()) == (1, 1, 1)
    assert sum(receipt.is_new for receipt in receipts) == 10
    assert len({(receipt.message_id, receipt.case_id) for receipt in receipts}) == 10
    assert Case.objects.get().version == 10


@pytest.mark.django_db(transaction=True)
def test_new_customers_with_two_addresses_at_once_are_not_doubled(cast, inbound, now):
    both = (AddressValue("EMAIL", "lin@example.com"), AddressValue("PHONE", "13800138000"))
    in_threads(lambda i: receive_message(inbound(external_id=str(i), addresses=both if i % 2 else both[::-1]), now=now), range(24))
    assert (Customer.objects.count(), Address.objects.count(), Message.objects.count()) == (1, 2, 24)
    assert SearchDocument.objects.filter(subject="MESSAGE").count() == 24
