"""Making and changing customers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.audit.queries import has_lately
from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.queries import access_customer, find_by_address, index_of, map_and_lock
from careloop.desk.customers.rules import AddressValue
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.kernel.rows import insert_rows, marks
from careloop.desk.search import actions as search
from careloop.desk.search.actions import Searchable

MAX_NOTES_LENGTH = 10_000
SEARCHED_AGAIN = timedelta(minutes=10)


@dataclass
class NewCustomer:
    """Somebody who may write for the first time."""

    name: str
    language: str
    addresses: list[AddressValue] = field(default_factory=list)
    team_id: int = 0


class Found(NamedTuple):
    """A customer's number, and whether nobody knew them before."""

    customer_id: int
    is_new: bool


def create_customers(new: list[NewCustomer], *, now: datetime) -> list[int]:
    """New customers with addresses, each known to one team and found by name, in the caller's transaction; their ids in order."""
    made = insert_rows(Customer(name=one.name[:200], language=one.language[:10], created_at=now, last_seen_at=now) for one in new)
    insert_rows(
        Address(customer=customer, kind=a.kind, scope=a.scope, value=a.value, value_index=index_of(a), created_at=now)
        for customer, one in zip(made, new, strict=True)
        for a in one.addresses
    )
    link_teams((customer.pk, one.team_id) for customer, one in zip(made, new, strict=True))
    named = [Searchable("CUSTOMER", customer.pk, customer.name, customer_id=customer.pk) for customer in made if customer.name]
    search.index(named, is_new=True)
    return [customer.pk for customer in made]


def find_or_create(people: Sequence[NewCustomer], *, now: datetime) -> list[Found | None]:
    """Each person's customer: known by the first known address, or made, with all addresses that nobody has; None without address.

    Whoever has an address in common within `people` is one customer. In the caller's transaction, which holds the known ones to its end.
    """
    known = map_and_lock([address for person in people for address in person.addresses])
    new: list[NewCustomer] = []
    owner: list[int | NewCustomer | None] = []
    draft: dict[str, NewCustomer] = {}
    for given in people:
        indexes = [index_of(address) for address in given.addresses]
        person: int | NewCustomer | None = next((known[i] for i in indexes if i in known), None) or next(
            (draft[i] for i in indexes if i in draft), None
        )
        if person is None and indexes:
            person = replace(given, addresses=[])
            new.append(person)
        if isinstance(person, NewCustomer):
            fresh = {i: address for i, address in zip(indexes, given.addresses, strict=True) if i not in known and i not in draft}
            person.addresses.extend(fresh.values())
            draft |= dict.fromkeys(fresh, person)
        owner.append(person)
    made = dict(zip(map(id, new), create_customers(new, now=now), strict=True))
    return [None if one is None else Found(made[id(one)], True) if isinstance(one, NewCustomer) else Found(one, False) for one in owner]


def note_seen(seen: list[tuple[int, int]], *, now: datetime) -> None:
    """Remember for (customer, team) pairs that the team knows the customer and when they last wrote."""
    if not seen:
        return
    ids = {customer_id for customer_id, _team in seen}
    with connection.cursor() as cursor:
        moment = connection.ops.adapt_datetimefield_value(now)
        cursor.execute(f"UPDATE customers_customer SET last_seen_at = %s WHERE id IN ({marks(ids)})", [moment, *ids])  # noqa: S608
    link_teams(seen)


def change_customer(  # noqa: PLR0913  (what may be changed)
    *,
    customer_id: int,
    expected_version: int,
    name: str,
    company: str,
    language: str,
    notes: str,
    viewer: Viewer,
    now: datetime,
) -> Customer:
    """Change the profile; refused when somebody else changed it since `expected_version`."""
    check_may(viewer, "customer.edit")
    if len(name) > 200 or len(company) > 200:
        raise InvalidInput(_("Name and company have at most 200 characters each."), field="name")
    if len(language) > 10 or len(notes) > MAX_NOTES_LENGTH:
        sentence = _("The notes have %(n)s characters; at most %(most)s fit.")
        raise InvalidInput(sentence % {"n": f"{len(notes):,}", "most": f"{MAX_NOTES_LENGTH:,}"}, field="notes")
    with transaction.atomic():
        customer = access_customer(customer_id, viewer)
        after = {"name": name, "company": company, "language": language, "notes": notes}
        before = {field: getattr(customer, field) for field in after}
        changed = Customer.objects.filter(pk=customer.pk, version=expected_version).update(**after, version=expected_version + 1)
        if not changed:
            raise Conflict(_("Somebody else changed this customer in between; load the page again and repeat your change."))
        fields = sorted(field for field in after if after[field] != before[field])
        audit.record(
            actor=actor_of(viewer),
            action="customer.change",
            object_type="customer",
            object_id=customer.pk,
            now=now,
            details={"fields": fields},
        )
        search.index([Searchable("CUSTOMER", customer.pk, f"{name} {company}", customer_id=customer.pk)])
        customer.refresh_from_db()
    return customer


def record_look_up(*, customer: Customer, viewer: Viewer, now: datetime) -> None:
    """Audit that the viewer saw this customer's personal fields."""
    with transaction.atomic():
        audit.record(actor=actor_of(viewer), action="customer.view", object_type="customer", object_id=customer.pk, now=now)


def record_search(*, query: str, viewer: Viewer, now: datetime) -> None:
    """Audit that the viewer looked for somebody by an exact address, if it is one; the same again within ten minutes is one look-up.

    The entry names who was found, never the address.
    """
    for customer in find_by_address(query, viewer):
        if not has_lately(viewer.user_id, "customer.search", customer.pk, since=now - SEARCHED_AGAIN):
            with transaction.atomic():
                audit.record(actor=actor_of(viewer), action="customer.search", object_type="customer", object_id=customer.pk, now=now)


def link_teams(pairs: Iterable[tuple[int, int]]) -> None:
    """The team of each (customer, team) pair knows the customer from now on, in the caller's transaction."""
    link = Customer.teams.through
    insert_rows((link(customer_id=customer_id, team_id=team_id) for customer_id, team_id in sorted(set(pairs))), ignore_conflicts=True)
