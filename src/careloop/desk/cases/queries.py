"""Reading cases: every query is scoped to the viewer's teams."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.lookups import In
from django.utils import timezone
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import list_assignable
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import (
    Case,
    CaseEvent,
    Clock,
    Direction,
    EventKind,
    Kind,
    Message,
    Priority,
    ScopedQuerySet,
    Sentiment,
    Status,
)
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.customers.models import Customer
from careloop.desk.customers.queries import find_by_address
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.search.queries import Ids, find, one_of
from careloop.desk.sla.rules.clocks import CANCELLED, TARGETS

PAGE_SIZE = 50
COUNTED = 1_000  # cases are counted up to here, or to the page after the one that is asked for
NEAR_PAGE = 100  # up to here the numbers of all cases before a page are fetched with its own; from here on they are skipped in the database
FREQUENT = 2_000  # a word with more hits: cases are looked through in their order and asked whether they are hits, not the other way round
MAX_PAGE = 2_000
PAGE_OF_MESSAGES = 200
VIEWS = ("mine", "unassigned", "overdue", "open", "waiting", "resolved", "all")
SORTS: dict[str, tuple[Any, ...]] = {
    "newest": ("-last_message_at", "-pk"),
    "oldest": ("last_message_at", "pk"),
    "priority": ("-priority", "last_message_at", "pk"),
    "unhappiest": ("sentiment_probability", "pk"),
    "due": (F("due_at").asc(nulls_last=True), "pk"),
    "matters": (F("weight__score").desc(nulls_last=True), "pk"),  # cost of delay, as routing last counted it
}


Choices = list[tuple[Any, Any]]


def choices() -> dict[str, Choices]:
    """Codes and words of what a form may offer: kinds, sentiments, statuses, priorities."""
    settable = [one for one in Status.choices if one[0] != Status.MERGED]
    return {"kind": Kind.choices, "sentiment": Sentiment.choices, "status": settable, "priority": Priority.choices}


@dataclass(frozen=True)
class InboxFilter:
    """What an inbox shows; "" means no restriction."""

    view: str = "open"
    kind: str = ""
    sentiment: str = ""
    channel: str = ""
    category: str = ""
    query: str = ""
    sort: str = "newest"
    topic: str = ""
    tag: str = ""
    field: str = ""
    page: int = 1
    below: tuple[str, ...] = ()  # categories below the one asked for
    among: QuerySet[Message] | None = None  # numbers of the cases in which the topic is spoken of
    tagged: QuerySet[Any] | None = None  # numbers of the cases with the tag
    filled: QuerySet[Any] | None = None  # numbers of the cases with the value in the field


@dataclass(frozen=True)
class InboxPage:
    """One page of cases, how many there are in all (`is_more`: or more), and the number in each view."""

    cases: list[Case]
    total: int
    is_more: bool
    page: int
    pages: int
    counts: dict[str, int]


@dataclass(frozen=True)
class CasePage:
    """All that the case page needs; `earlier` messages are not loaded."""

    case: Case
    messages: list[Message]
    events: list[CaseEvent]
    earlier: int
    assignable: list[User]
    other_cases: list[Case] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)


def inbox(wanted: InboxFilter, viewer: Viewer) -> InboxPage:
    """One page of the cases that a filter wants, in a fixed number of queries."""
    if wanted.view not in VIEWS or wanted.sort not in SORTS:
        raise InvalidInput(
            f"The view is {wanted.view!r} and the order {wanted.sort!r}; expected {', '.join(VIEWS)} and {', '.join(SORTS)}."
        )
    cases = _restrict(Case.objects.visible_to(viewer), wanted, viewer)
    extent = max(COUNTED, (min(wanted.page, MAX_PAGE) + 1) * PAGE_SIZE)
    find_numbers = _near_numbers if wanted.page <= NEAR_PAGE else _far_numbers
    shown, counted, page = find_numbers(cases, SORTS[wanted.sort], max(wanted.page, 1), extent)
    total = min(counted, extent)
    by_number = Case.objects.select_related("customer", "assignee").in_bulk(shown)
    rows = [by_number[number] for number in shown if number in by_number]
    return InboxPage(rows, total, counted > extent, page, _pages(total), count_views(viewer))


def list_chosen(wanted: InboxFilter, viewer: Viewer, most: int) -> list[int]:
    """The numbers of the cases that a filter wants, in its order; merged ones, which take no changes, are left out."""
    if wanted.view not in VIEWS or wanted.sort not in SORTS:
        raise InvalidInput(
            f"The view is {wanted.view!r} and the order {wanted.sort!r}; expected {', '.join(VIEWS)} and {', '.join(SORTS)}."
        )
    cases = _restrict(Case.objects.visible_to(viewer).exclude(status=Status.MERGED), wanted, viewer)
    return list(cases.order_by(*SORTS[wanted.sort]).values_list("pk", flat=True)[:most])


def _near_numbers(cases: ScopedQuerySet, order: tuple[Any, ...], page: int, extent: int) -> tuple[list[int], int, int]:
    """The numbers on a page, how many cases there are (counted up to `extent` + 1), and the page: the last one if there are fewer."""
    numbers = list(cases.order_by(*order).values_list("pk", flat=True)[: extent + 1])
    page = min(page, _pages(min(len(numbers), extent)))
    return numbers[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], len(numbers), page


def _far_numbers(cases: ScopedQuerySet, order: tuple[Any, ...], page: int, extent: int) -> tuple[list[int], int, int]:
    """The same for a page far back: the database counts and skips, from the end that is nearer if that is known."""
    counted = cases.order_by()[: extent + 1].count()
    total = min(counted, extent)
    page = min(page, _pages(total))
    first, last = (page - 1) * PAGE_SIZE, min(page * PAGE_SIZE, total)
    numbers = cases.order_by(*order).values_list("pk", flat=True)
    if counted > extent or first <= total // 2:
        return list(numbers[first:last]), counted, page
    return list(numbers.reverse()[total - last : total - first])[::-1], counted, page


def _pages(total: int) -> int:
    return max(1, -(-total // PAGE_SIZE))


def count_views(viewer: Viewer) -> dict[str, int]:
    """How many unresolved cases each view holds (one query)."""
    return (
        Case.objects.visible_to(viewer)
        .filter(status__in=UNRESOLVED)
        .aggregate(
            mine=Count("pk", filter=Q(assignee_id=viewer.user_id)),
            unassigned=Count("pk", filter=Q(assignee_id=None)),
            overdue=Count("pk", filter=Q(due_at__lt=timezone.now())),
            open=Count("pk", filter=Q(status="OPEN")),
            waiting=Count("pk", filter=Q(status="WAITING")),
        )
    )


def _restrict(cases: ScopedQuerySet, wanted: InboxFilter, viewer: Viewer) -> ScopedQuerySet:
    views = {
        "mine": Q(assignee_id=viewer.user_id, status__in=UNRESOLVED),
        "unassigned": Q(assignee_id=None, status__in=UNRESOLVED),
        "overdue": Q(due_at__lt=timezone.now(), status__in=UNRESOLVED),
        "open": Q(status="OPEN"),
        "waiting": Q(status="WAITING"),
        "resolved": Q(status="RESOLVED"),
        "all": Q(),
    }
    cases = cases.filter(views[wanted.view])
    if wanted.kind:
        cases = cases.filter(kind=wanted.kind)
    if wanted.sentiment:
        cases = cases.filter(sentiment=wanted.sentiment)
    if wanted.channel:
        cases = cases.filter(channel__slug=wanted.channel)
    if wanted.category:
        cases = cases.filter(category__in=(wanted.category, *wanted.below))
    if wanted.among is not None:
        cases = cases.filter(pk__in=wanted.among)
    if wanted.tagged is not None:
        cases = cases.filter(pk__in=wanted.tagged)
    if wanted.filled is not None:
        cases = cases.filter(pk__in=wanted.filled)
    if wanted.query.strip():
        cases = cases.filter(found_by(wanted.query.strip(), viewer))
    return cases


def found_by(query: str, viewer: Viewer) -> Q:
    """Cases whose number, messages, customer's name or customer's exact address the query finds."""
    hits = find(query)
    is_frequent = hits.case_ids.count > FREQUENT
    found = _is_hit("pk", hits.case_ids, is_frequent)
    if hits.customer_ids.count:
        found |= _is_hit("customer_id", hits.customer_ids, is_frequent)
    number = query.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) <= 12:
        found |= Q(pk=int(number))
    if people := find_by_address(query, viewer):
        found |= Q(customer_id__in=[person.pk for person in people])
    return found


def _is_hit(column: str, ids: Ids, is_frequent: bool) -> Q:
    """Whether a column is among the hits; `+ 0` keeps databases from fetching all of many hits before they sort and cut them."""
    left: Combinable = F(column) + 0 if is_frequent else F(column)
    return Q(In(left, one_of(ids)))


def access_case(case_id: int, viewer: Viewer) -> Case:
    """The case, if it belongs to one of the viewer's teams."""
    case: Case | None = Case.objects.visible_to(viewer).select_related("customer", "assignee", "channel", "team").filter(pk=case_id).first()
    if case is None:
        if (team := _given_to(case_id, viewer)) is not None:
            sentence = _("Case #%(number)s was given to the team %(team)s, whose cases you do not see.")
            raise NotFound(sentence % {"number": case_id, "team": team})
        raise NotFound(_("There is no case #%(number)s in your teams.") % {"number": case_id})
    return case


def _given_to(case_id: int, viewer: Viewer) -> str | None:
    """The team that has the case now, told to those whose team had it; None for others."""
    given = CaseEvent.objects.filter(case_id=case_id, kind=EventKind.TEAM, before__team_id__in=sorted(viewer.team_ids or ()))
    return Case.objects.filter(pk=case_id, events__in=given).values_list("team__name", flat=True).first()


def page(case_id: int, viewer: Viewer) -> CasePage:
    """The case page: the newest messages in the order in which they were said, in a fixed number of queries."""
    case = access_case(case_id, viewer)
    newest = list(_as_shown(case.messages).order_by("-sent_at", "-pk")[: PAGE_OF_MESSAGES + 1])
    earlier = case.messages.count() - PAGE_OF_MESSAGES if len(newest) > PAGE_OF_MESSAGES else 0
    others = Case.objects.visible_to(viewer).filter(customer_id=case.customer_id).exclude(pk=case.pk).order_by("-last_message_at")[:5]
    return CasePage(
        case=case,
        messages=newest[:PAGE_OF_MESSAGES][::-1],
        events=list(case.events.order_by("-id")[:500])[::-1],
        earlier=max(0, earlier),
        assignable=list_assignable(case.team_id),
        other_cases=list(others),
        clocks=_newest_clocks(case),
    )


def _newest_clocks(case: Case) -> list[Clock]:
    """The newest round of each target that was not given up, in the order first response, next response, resolution."""
    kept = Clock.objects.filter(case=case).exclude(state=CANCELLED)
    newer = kept.filter(target=OuterRef("target"), round__gt=OuterRef("round"))
    newest = {clock.target: clock for clock in kept.exclude(Exists(newer)).select_related("level")}
    return [newest[target] for target in TARGETS if target in newest]


def list_earlier(case_id: int, before_message_id: int, viewer: Viewer) -> tuple[Case, list[Message], int]:
    """The case, the page of messages before one of its messages, in the order in which they were said, and how many come before those."""
    case = access_case(case_id, viewer)
    first = get_message(case, before_message_id)
    before = case.messages.filter(Q(sent_at__lt=first.sent_at) | Q(sent_at=first.sent_at, pk__lt=first.pk))
    newest = list(_as_shown(before).order_by("-sent_at", "-pk")[:PAGE_OF_MESSAGES])
    return case, newest[::-1], before.count() - len(newest)


def _as_shown(messages: Any) -> Any:
    """With who wrote them by which channel, and whether that was a machine in the customer's place."""
    told = CaseEvent.objects.filter(message=OuterRef("pk"), after__has_key="machine_made")
    return messages.select_related("author", "channel").annotate(is_machine_made=Exists(told))


def get_message(case: Case, message_id: int) -> Message:
    """One message of a case that the viewer was let into."""
    message: Message | None = case.messages.select_related("author", "channel").filter(pk=message_id).first()
    if message is None:
        raise NotFound(_("Case #%(number)s has no message %(message)s.") % {"number": case.pk, "message": message_id})
    return message


def list_newer_messages(case_id: int, seen_message_id: int, viewer: Viewer) -> list[Message]:
    """What customer and colleagues wrote to each other after a message that the viewer has seen; notes are left out."""
    case = access_case(case_id, viewer)
    newer = case.messages.filter(pk__gt=seen_message_id).exclude(direction=Direction.NOTE)
    return list(newer.select_related("author").order_by("pk")[:20])


def list_customer_messages(customer: Customer, viewer: Viewer, limit: int = 200) -> list[Message]:
    """Everything said by and to a customer in the viewer's teams, newest first."""
    messages = Message.objects.visible_to(viewer).filter(customer=customer)
    return list(_as_shown(messages).select_related("author", "channel", "case").order_by("-sent_at", "-pk")[:limit])


def list_customer_cases(customer: Customer, viewer: Viewer, limit: int = 100) -> list[Case]:
    """The customer's cases in the viewer's teams, newest first."""
    return list(
        Case.objects.visible_to(viewer).filter(customer=customer).select_related("assignee", "channel").order_by("-last_message_at")[:limit]
    )


def newest_event_id() -> int:
    """Where a reader of the event table starts."""
    return CaseEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def list_events_after(event_id: int, limit: int = 500) -> list[CaseEvent]:
    """Events that were written after `event_id`, oldest first; for the live stream."""
    return list(CaseEvent.objects.filter(pk__gt=event_id).order_by("pk")[:limit])


def list_events(event_ids: list[int]) -> list[CaseEvent]:
    """Events by id, oldest first; for the live stream."""
    return list(CaseEvent.objects.filter(pk__in=event_ids).order_by("pk"))


def get_messages(message_ids: list[int]) -> list[Message]:
    """Messages by id, for the house's own jobs (not scoped)."""
    return list(Message.objects.filter(pk__in=message_ids).select_related("case").order_by("pk"))
