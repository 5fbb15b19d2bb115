"""Looking customers up."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Channel
from careloop.desk.accounts.rules import Viewer
from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.rules import ADDRESS_KINDS, HANDLE, AddressValue, normalise_address
from careloop.desk.kernel.crypto import blind_index
from careloop.desk.kernel.errors import NotFound
from careloop.desk.kernel.rows import marks
from careloop.desk.search.queries import matching

PAGE_SIZE = 50


@dataclass(frozen=True)
class DirectoryPage:
    """One page of customers with their addresses, and how many there are in all."""

    customers: list[Customer]
    total: int
    page: int
    pages: int


def index_of(address: AddressValue) -> str:
    """The blind index of an address."""
    return blind_index(f"address.{address.kind}.{address.scope}", address.normalised)


def access_customer(customer_id: int, viewer: Viewer) -> Customer:
    """The customer, if known to one of the viewer's teams."""
    customer = Customer.objects.visible_to(viewer).filter(pk=customer_id).first()
    if customer is None:
        raise NotFound(_("There is no customer %(number)s in your teams.") % {"number": customer_id})
    return customer


def list_addresses(customer: Customer) -> list[Address]:
    """The customer's addresses, opened; callers record the look-up."""
    return list(customer.addresses.order_by("kind", "pk"))


def find_by_address(text: str, viewer: Viewer) -> list[Customer]:
    """The customers to whom the text is an exact address of any kind (in any channel for handles)."""
    if not text.strip():
        return []
    indexes: list[str] = []
    for kind in ADDRESS_KINDS:
        try:
            normalise_address(kind, text)
        except ValueError:
            continue
        scopes = ["", *Channel.objects.values_list("slug", flat=True)] if kind == HANDLE else [""]
        indexes.extend(index_of(AddressValue(kind, text, scope)) for scope in scopes)
    return list(Customer.objects.visible_to(viewer).filter(addresses__value_index__in=indexes).distinct())


def directory(query: str, viewer: Viewer, *, page: int = 1) -> DirectoryPage:
    """Customers whose name, company or exact address the query finds ("" finds all), lately seen ones first; a fixed number of queries."""
    customers = Customer.objects.visible_to(viewer)
    if query.strip():
        named = matching(query).filter(subject="CUSTOMER").values("customer_id")
        reached = [person.pk for person in find_by_address(query, viewer)]
        customers = customers.filter(Q(pk__in=named) | Q(pk__in=reached))
    total = customers.count()
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    rows = customers.prefetch_related("addresses").order_by("-last_seen_at", "-pk")
    return DirectoryPage(list(rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]), total, page, pages)


def map_and_lock(addresses: list[AddressValue]) -> dict[str, int]:
    """Blind index → customer id, for those addresses that are known; nobody else receives for them until the transaction ends."""
    wanted = {index_of(address) for address in addresses}
    if not wanted:
        return {}
    lock = "ORDER BY person.id FOR UPDATE OF person" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT address.value_index, person.id FROM customers_address address JOIN customers_customer person
                ON person.id = address.customer_id WHERE address.value_index IN ({marks(wanted)}) {lock}""",  # noqa: S608
            [*wanted],
        )
        return dict(cursor.fetchall())
