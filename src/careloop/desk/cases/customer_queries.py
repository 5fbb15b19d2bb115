"""A customer's story: everything said and done in the viewer's teams, across cases and channels."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import CharField, Count, Value

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, CaseEvent, EventKind, Message
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.customers.models import Customer

PAGE_SIZE = 50
TOLD = (EventKind.OPENED, EventKind.ASSIGNED, EventKind.PRIORITY, EventKind.STATUS)


@dataclass(frozen=True)
class Story:
    """One page of what happened, newest first: messages and the events that no message tells of."""

    entries: list[Message | CaseEvent]
    total: int
    page: int
    pages: int

    @property
    def messages(self) -> list[Message]:
        """The messages among the entries."""
        return [entry for entry in self.entries if isinstance(entry, Message)]


def story(customer: Customer, viewer: Viewer, *, page: int = 1) -> Story:
    """Messages, notes and events of a customer by time, in five queries whatever their number."""
    messages = Message.objects.visible_to(viewer).filter(customer=customer)
    events = CaseEvent.objects.visible_to(viewer).filter(case__customer=customer, kind__in=TOLD)
    total = messages.count() + events.count()
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    said = messages.order_by().annotate(sort=Value("message", CharField())).values_list("sent_at", "sort", "pk")
    done = events.order_by().annotate(sort=Value("event", CharField())).values_list("at", "sort", "pk")
    keys = said.union(done, all=True).order_by("-sent_at", "-sort", "-id")[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    wanted = [(sort, pk) for _at, sort, pk in keys]
    found: dict[tuple[str, int], Message | CaseEvent] = {}
    for message in messages.filter(pk__in=_ids(wanted, "message")).select_related("author", "channel", "case", "feedback"):
        found["message", message.pk] = message
    for event in events.filter(pk__in=_ids(wanted, "event")).select_related("case"):
        found["event", event.pk] = event
    return Story([found[key] for key in wanted], total, page, pages)


def count_unresolved(customers: Iterable[Customer], viewer: Viewer) -> dict[int, int]:
    """Customer id → number of unresolved cases in the viewer's teams; customers without one are left out."""
    cases = Case.objects.visible_to(viewer).filter(customer__in=[one.pk for one in customers], status__in=UNRESOLVED)
    return dict(cases.order_by().values_list("customer_id").annotate(n=Count("pk")))


def _ids(wanted: list[tuple[str, int]], sort: str) -> list[int]:
    return [pk for found, pk in wanted if found == sort]
