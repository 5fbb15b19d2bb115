"""Reading events once each, in a job of its own, so that whoever writes them need not know who reads them."""

from collections.abc import Callable, Collection

from django.db import transaction

from careloop.desk.cases.models import CaseEvent
from careloop.desk.cases.queries import newest_event_id
from careloop.desk.teamwork.models import EventMark

READ_AGAIN = 200  # a transaction with a lower event number may commit later: readers do nothing twice
AT_ONCE = 2_000


def each_new_event(name: str, kinds: Collection[str], act: Callable[[CaseEvent], None]) -> int:
    """Call `act` for the events since the last time, each in its own transaction; returns how many.

    Events are passed again for a while, so `act` must do nothing the second time. The first time only the place is marked.
    """
    newest = newest_event_id()
    mark, is_new = EventMark.objects.get_or_create(name=name, defaults={"first_id": newest, "event_id": newest})
    if is_new:
        return 0
    start = max(mark.first_id, mark.event_id - READ_AGAIN)
    events = list(CaseEvent.objects.filter(pk__gt=start, kind__in=kinds).select_related("case", "message").order_by("pk")[:AT_ONCE])
    for event in events:
        with transaction.atomic():
            act(event)
    reached = events[-1].pk if len(events) == AT_ONCE else newest
    EventMark.objects.filter(pk=mark.pk, event_id__lt=reached).update(event_id=reached)
    return len(events)
