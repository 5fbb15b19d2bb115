"""The inbox: which cases, in which order, with the whole choice in the address."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import list_channels, list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.taxonomy_queries import CategoryChoice, choices_for, codes_below
from careloop.desk.analysis.topic_queries import cases_about, name_of
from careloop.desk.cases.queries import InboxFilter, access_case, choices, count_views, inbox, newest_event_id
from careloop.desk.customers.actions import record_search
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.routing.queries import weigh
from careloop.desk.routing.rules.queue import Delay
from careloop.desk.teamwork import field_filter
from careloop.desk.teamwork.saved_views import list_saved_views
from careloop.desk.teamwork.tags import cases_tagged, list_tags
from careloop.desk.web.access import for_viewer
from careloop.desk.web.case_rows import RowWriter

DEFAULTS = InboxFilter()
NAMES = {
    "view": "view",
    "kind": "kind",
    "sentiment": "sentiment",
    "channel": "channel",
    "category": "category",
    "topic": "topic",
    "tag": "tag",
    "field": "field",
    "query": "q",
    "sort": "sort",
}


@for_viewer("case.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The list of cases: a whole page, or the part of it that htmx asks for."""
    categories = choices_for(viewer)
    wanted = _complete(filter_from(request), viewer, categories)
    event_id = newest_event_id()
    found = inbox(wanted, viewer)
    if wanted.query.strip():
        record_search(query=wanted.query.strip(), viewer=viewer, now=timezone.now())
    context = {
        "rows": RowWriter(suffix=suffix(wanted), now=timezone.now(), costs=_costs(wanted, found.cases)).rows(found.cases),
        "total": found.total,
        "page": found.page,
        "pages": found.pages,
        "shown_pages": f"{found.pages}+" if found.is_more else found.pages,
        "newest_event_id": event_id,
        **_choice(wanted, viewer, categories),
        **_tabs(wanted, found.counts, f"{found.total:,}+" if found.is_more else found.total),
    }
    parts = {"list": "inbox/list.html", "inbox": "inbox/column.html"}
    if part_wanted(request) != "list":
        context |= {"saved_views": list_saved_views(viewer), "teams": list_teams(viewer), **_offered(wanted, viewer)}
    return render(request, parts.get(part_wanted(request), "inbox/page.html"), context)


@for_viewer("case.view")
def counts(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The views with their numbers, fresh."""
    return render(request, "inbox/tabs.html", _tabs(filter_from(request), count_views(viewer), None))


@for_viewer("case.view")
def row(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """One row of the list, fresh."""
    wanted, case = filter_from(request), access_case(case_id, viewer)
    writer = RowWriter(suffix=suffix(wanted), now=timezone.now(), costs=_costs(wanted, [case]))
    return render(request, "inbox/row.html", {"row": writer.row(case)})


def whole_filter(request: HttpRequest, viewer: Viewer) -> InboxFilter:
    """What the address asks for, with the categories below one and the cases of a topic."""
    return _complete(filter_from(request), viewer, choices_for(viewer))


def _complete(wanted: InboxFilter, viewer: Viewer, categories: list[CategoryChoice]) -> InboxFilter:
    among = cases_about(int(wanted.topic), viewer) if wanted.topic else None
    tagged = cases_tagged(wanted.tag) if wanted.tag else None
    filled = field_filter.cases_with(wanted.field) if wanted.field else None
    return replace(wanted, below=codes_below(categories, wanted.category), among=among, tagged=tagged, filled=filled)


def filter_from(request: HttpRequest) -> InboxFilter:
    """What the address asks for; a page number that is none means the first."""
    given = request.GET
    number = given.get("page", "")
    return InboxFilter(
        view=given.get("view", DEFAULTS.view),
        kind=given.get("kind", ""),
        sentiment=given.get("sentiment", ""),
        channel=given.get("channel", ""),
        category=given.get("category", "")[:80],
        topic=_topic(given.get("topic", "")),
        tag=given.get("tag", "").replace("\0", "")[:40],
        field=given.get("field", "").replace("\0", "")[: field_filter.LONGEST],
        query=given.get("q", "").replace("\0", "")[:200],
        sort=given.get("sort", DEFAULTS.sort),
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1,
    )


def _topic(given: str) -> str:
    if given and not (given.isascii() and given.isdigit() and len(given) < 13):
        raise InvalidInput(_("The topic is “%(given)s”; expected a topic's number.") % {"given": given[:40]}, field="topic")
    return given


def suffix(wanted: InboxFilter, **changes: str) -> str:
    """The query string of a filter ("" for the plain inbox), with changes; a changed filter begins at its first page."""
    values = {name: changes.get(field, getattr(wanted, field)) for field, name in NAMES.items()}
    kept = {name: value for field, name in NAMES.items() if (value := values[name]) != getattr(DEFAULTS, field)}
    if not changes and wanted.page > 1:
        kept["page"] = str(wanted.page)
    return f"?{urlencode(kept)}" if kept else ""


def part_wanted(request: HttpRequest) -> str:
    """The id of the element that htmx will replace; "" for a whole page."""
    return request.headers.get("HX-Target", "") if request.headers.get("HX-Request") else ""


def _choice(wanted: InboxFilter, viewer: Viewer, categories: list[CategoryChoice]) -> dict[str, Any]:
    offered, channels = choices(), list_channels(viewer)
    labels = {
        "kind": dict(offered["kind"]),
        "sentiment": dict(offered["sentiment"]),
        "channel": {channel.slug: channel.name for channel in channels},
        "category": {one.code: one.name for one in categories},
    }
    address = reverse("inbox")
    active = [
        {"label": labels[name].get(value, value), "url": address + suffix(wanted, **{name: ""})}
        for name in labels
        if (value := getattr(wanted, name))
    ]
    if wanted.topic:
        name = name_of(int(wanted.topic), viewer)
        active.append({"label": _("Topic: %(name)s") % {"name": name}, "url": address + suffix(wanted, topic="")})
    if wanted.tag:
        active.append({"label": f"#{wanted.tag}", "url": address + suffix(wanted, tag="")})
    if wanted.field:
        active.append({"label": field_filter.label_of(wanted.field), "url": address + suffix(wanted, field="")})
    if wanted.query.strip():
        active.append({"label": f"“{wanted.query}”", "url": address + suffix(wanted, query="")})
    return {
        "wanted": wanted,
        "suffix": suffix(wanted),
        "choices": offered,
        "channels": channels,
        "categories": categories,
        "sorts": _sorts(),
        "chosen": active,
        "query_now": suffix(replace(wanted, page=1)),
        "is_filtered": bool(
            wanted.kind
            or wanted.sentiment
            or wanted.channel
            or wanted.category
            or wanted.tag
            or wanted.field
            or wanted.sort != DEFAULTS.sort
        ),
        "everywhere_url": address + suffix(wanted, view="all"),
        "import_url": reverse("imports"),
    }


def _offered(wanted: InboxFilter, viewer: Viewer) -> dict[str, Any]:
    """Tags and values of fields to choose from; what is asked for stands among them."""
    fields = field_filter.list_offered()
    if wanted.field and not any(wanted.field == value for one in fields for value, _word in one.values):
        label = field_filter.label_of(wanted.field)
        fields.append(field_filter.Offered(label.partition(":")[0], [(wanted.field, label)]))
    known = list_tags(viewer)
    return {"offered_tags": known if not wanted.tag or wanted.tag in known else [wanted.tag, *known], "offered_fields": fields}


def _costs(wanted: InboxFilter, cases: list[Any]) -> dict[int, Delay]:
    """What a delay of the open cases costs, where the order is by it."""
    return weigh([case for case in cases if case.status == "OPEN"], timezone.now()) if wanted.sort == "matters" else {}


def _sorts() -> list[tuple[str, str]]:
    return [
        ("newest", _("Newest first")),
        ("oldest", _("Longest waiting first")),
        ("matters", _("What matters most")),
        ("due", _("Due first")),
        ("priority", _("Most urgent first")),
        ("unhappiest", _("Unhappiest first")),
    ]


def _tabs(wanted: InboxFilter, counted: dict[str, int], total: int | str | None) -> dict[str, Any]:
    labels = {
        "mine": _("Mine"),
        "unassigned": _("Unassigned"),
        "overdue": _("Overdue"),
        "open": _("Open"),
        "waiting": _("Waiting"),
        "resolved": _("Resolved"),
        "all": _("All"),
    }
    address = reverse("inbox")
    views = [
        {
            "label": label,
            "url": address + suffix(wanted, view=view),
            "count": counted.get(view, total if view == wanted.view else None),
            "is_current": view == wanted.view,
        }
        for view, label in labels.items()
    ]
    return {"views": views}
