"""Customers: the list, and the page on which everything about one of them stands."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from careloop.desk.accounts.queries import list_users
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.queries import moods_of, readings_of
from careloop.desk.cases.customer_queries import count_unresolved, story
from careloop.desk.cases.queries import list_customer_cases
from careloop.desk.customers import actions
from careloop.desk.customers.queries import access_customer, directory, list_addresses
from careloop.desk.customers.rules import mask_address
from careloop.desk.intake.rules import clean_text
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.kernel.slots import slot_start
from careloop.desk.purchases.queries import bought_by, price
from careloop.desk.web.access import for_viewer
from careloop.desk.web.conflicts import different
from careloop.desk.web.excerpts import excerpt, label_probability
from careloop.desk.web.reading_panel import language_name
from careloop.desk.web.timeline import describe

STORY_TEXT_LENGTH = 2_000
FIELDS = ("name", "company", "language", "notes")
MOOD_WIDTH, MOOD_HEIGHT = 300, 48


@require_GET
@for_viewer("customer.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The list; addresses are masked, so that looking through it is no look-up; looking for an exact one is."""
    query = request.GET.get("q", "").replace("\0", "")[:200]
    found = directory(query, viewer, page=page_number(request))
    actions.record_search(query=query, viewer=viewer, now=datetime.now(UTC))
    unresolved = count_unresolved(found.customers, viewer)
    rows = [
        {
            "customer": customer,
            "addresses": [mask_address(one.kind, one.value) for one in customer.addresses.all()],
            "unresolved": unresolved.get(customer.pk, 0),
        }
        for customer in found.customers
    ]
    return render(request, "customers/list.html", {"rows": rows, "found": found, "query": query})


@require_GET
@for_viewer("customer.view")
def customer(request: HttpRequest, viewer: Viewer, customer_id: int) -> HttpResponse:
    """One customer with addresses in full: the look-up is audited."""
    one = access_customer(customer_id, viewer)
    actions.record_look_up(customer=one, viewer=viewer, now=datetime.now(UTC))
    return render(request, "customers/page.html", _context(request, viewer, one))


@require_http_methods(["GET", "POST"])
@for_viewer("customer.edit")
def edit(request: HttpRequest, viewer: Viewer, customer_id: int) -> HttpResponse:
    """The profile's form; what was typed is kept when it is refused."""
    one = access_customer(customer_id, viewer)
    values: dict[str, Any] = {name: getattr(one, name) for name in FIELDS} | {"version": one.version}
    if request.method == "GET":
        actions.record_look_up(customer=one, viewer=viewer, now=datetime.now(UTC))
        context = {"customer": one, "values": values, "errors": {}, "languages": _languages(one.language)}
        return render(request, "customers/edit.html", context)
    typed = {name: clean_text(request.POST.get(name, "")) for name in FIELDS}
    version = request.POST.get("version", "")
    try:
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise InvalidInput(_("The form is damaged; load the page again."))
        actions.change_customer(customer_id=customer_id, expected_version=int(version), viewer=viewer, now=datetime.now(UTC), **typed)
    except (Conflict, InvalidInput) as error:
        errors = {error.field or "form": error.message}
        context = {"customer": one, "values": {**typed, "version": version}, "errors": errors, "languages": _languages(typed["language"])}
        if isinstance(error, Conflict):
            context |= _both(access_customer(customer_id, viewer), typed)
        return render(request, "customers/edit.html", context, status=error.status)
    return redirect("customer", customer_id)


def _both(one: Any, typed: dict[str, str]) -> dict[str, Any]:
    """The stored version beside what was typed; sent again, what was typed goes over the version that is shown."""
    labels = {"name": _("Name"), "company": _("Company"), "language": _("Language"), "notes": _("Notes")}
    sides = different((label, getattr(one, name), typed[name]) for name, label in labels.items())
    return {"sides": sides, "values": {**typed, "version": one.version}}


def page_number(request: HttpRequest) -> int:
    """The page asked for; what is no number means the first."""
    given = request.GET.get("page", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 1


def _context(request: HttpRequest, viewer: Viewer, one: Any) -> dict[str, Any]:
    told = story(one, viewer, page=page_number(request))
    readings = readings_of(told.messages, viewer)
    people = {user.pk: user.display_name for user in list_users()}
    return {
        "customer": one,
        "language": language_name(one.language) if one.language else "",
        "addresses": list_addresses(one),
        "cases": list_customer_cases(one, viewer),
        "bought": _bought(bought_by(one, viewer)),
        "story": told,
        "entries": [_entry(entry, readings, people) for entry in told.entries],
        "moods": _moods(moods_of(one, viewer)),
    }


def _bought(found: Any) -> dict[str, Any]:
    rows = [{"row": one, "price": price(one.amount_minor, one.currency), "products": " · ".join(one.products)} for one in found.purchases]
    return {"rows": rows, "total": found.total, "more": found.total - len(rows), "paid": " · ".join(found.paid)}


def _entry(entry: Any, readings: dict[int, Any], people: dict[int, str]) -> dict[str, Any]:
    if not hasattr(entry, "body"):
        opened = _("Case opened: %(subject)s") % {"subject": entry.case.subject} if entry.kind == "OPENED" else ""
        return {"at": entry.at, "event": entry, "sentence": opened or describe(entry, people)}
    reading = readings.get(entry.pk)
    html, is_cut = excerpt(entry.body, reading, STORY_TEXT_LENGTH)
    return {
        "at": entry.sent_at,
        "message": entry,
        "html": html,
        "is_cut": is_cut,
        "reading": reading,
        "probability": label_probability(reading),
        "rating": getattr(entry, "feedback", None),
    }


def _moods(readings: list[Any]) -> dict[str, Any] | None:
    """Dots for a small chart: time to the right, the probability of being positive upwards."""
    if len(readings) < 2:
        return None
    first, last = readings[0].slot, readings[-1].slot
    dots = [
        {
            "x": round(4 + (MOOD_WIDTH - 8) * ((reading.slot - first) / (last - first) if last > first else 0.5), 1),
            "y": round(4 + (MOOD_HEIGHT - 8) * (1 - (reading.sentiment_probability or 0.5)), 1),
            "sentiment": reading.sentiment,
        }
        for reading in readings
    ]
    zone = timezone.get_default_timezone()
    return {"dots": dots, "first": slot_start(first, zone), "last": slot_start(last, zone), "n": len(readings)}


def _languages(chosen: str) -> list[tuple[str, str]]:
    known = [("", _("Unknown")), ("zh-Hans", _("Chinese (simplified)")), ("zh-Hant", _("Chinese (traditional)")), ("en", _("English"))]
    return known if chosen in dict(known) else [*known, (chosen, chosen)]
