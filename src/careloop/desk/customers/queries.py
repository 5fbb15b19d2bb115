"""Looking customers up."""

from careloop.desk.accounts.rules import Viewer
from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.rules import ADDRESS_KINDS, AddressValue, normalise_address
from careloop.desk.kernel.crypto import blind_index
from careloop.desk.kernel.errors import NotFound


def index_of(address: AddressValue) -> str:
    """The blind index of an address."""
    return blind_index(f"address.{address.kind}.{address.scope}", address.normalised)


def access_customer(customer_id: int, viewer: Viewer) -> Customer:
    """The customer, if known to one of the viewer's teams."""
    customer = Customer.objects.visible_to(viewer).filter(pk=customer_id).first()
    if customer is None:
        raise NotFound(f"There is no customer {customer_id} in your teams.")
    return customer


def list_addresses(customer: Customer) -> list[Address]:
    """The customer's addresses, opened; callers record the look-up."""
    return list(customer.addresses.order_by("kind", "pk"))


def find_by_address(text: str, viewer: Viewer) -> list[Customer]:
    """The customers to whom the text is an exact address of any kind (in any channel for handles)."""
    indexes = []
    for kind in ADDRESS_KINDS:
        try:
            normalise_address(kind, text)
        except ValueError:
            continue
        indexes.append(index_of(AddressValue(kind, text)))
    return list(Customer.objects.visible_to(viewer).filter(addresses__value_index__in=indexes).distinct())


def map_addresses(addresses: list[AddressValue]) -> dict[str, int]:
    """Blind index → customer id, for those addresses that are known (one query)."""
    rows = Address.objects.filter(value_index__in={index_of(address) for address in addresses})
    return dict(rows.values_list("value_index", "customer_id"))


def lock_customers(customer_ids: set[int]) -> None:
    """Let nobody else receive for these customers until the transaction ends (SQLite has one writer anyway)."""
    list(Customer.objects.select_for_update().filter(pk__in=customer_ids).order_by("pk").values_list("pk", flat=True))
