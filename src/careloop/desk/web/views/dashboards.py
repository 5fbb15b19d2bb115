"""Dashboards: the list, one with its tiles, the form, and the whole as a file."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput
from careloop.desk.measures.queries import find_moment
from careloop.desk.reports import actions
from careloop.desk.reports.address import ReportAddress, address_from, spell
from careloop.desk.reports.content import own_words
from careloop.desk.reports.dashboards import Counted, count_tiles, get_dashboard, list_dashboards, may_change, tiles_of
from careloop.desk.reports.rules.tiles import BY_GROUP, OVER_TIME
from careloop.desk.web.access import for_viewer
from careloop.desk.web.conflicts import Side
from careloop.desk.web.dashboard_form import (
    Given,
    copied_given,
    first_given,
    form_context,
    sent_given,
    sides,
    stored_given,
)
from careloop.desk.web.measure_words import DEFINITIONS, GROUP_NAMES, NAMES, group_names, say, say_interval
from careloop.desk.web.report_choice import choice_of, mail_url
from careloop.desk.web.report_panels import cases_url, cell, time_panel
from careloop.desk.web.views.together import number_or_none


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The dashboards in the viewer's sight."""
    rows = [{"dashboard": one, "n": len(tiles_of(one)), "may_change": may_change(one, viewer)} for one in list_dashboards(viewer)]
    return render(request, "dashboards/page.html", {"rows": rows})


@require_GET
@for_viewer("report.view")
def dashboard(request: HttpRequest, viewer: Viewer, dashboard_id: int) -> HttpResponse:
    """One dashboard: the page's period and filters hold for each tile that has none of its own."""
    found, address = get_dashboard(dashboard_id, viewer), address_from(request.GET)
    counted = count_tiles(tiles_of(found), address, timezone.localdate(), viewer)
    context = {
        "dashboard": found,
        "panels": [_panel(one, address, viewer) for one in counted],
        "as_of": find_moment(address.question(timezone.localdate()).as_of),
        "title": found.name,
        "export_url": reverse("dashboard-csv", args=[found.pk]) + address.link(),
        "pdf_url": reverse("dashboard-pdf", args=[found.pk]) + address.link(),
        "mail_url": mail_url(f"dashboard:{found.pk}", address),
        **_change_of(found, viewer),
        **choice_of(address, viewer),
    }
    return render(request, "dashboards/dashboard.html", context)


@require_http_methods(["GET", "POST"])
@for_viewer("report.view")
def edit(request: HttpRequest, viewer: Viewer, dashboard_id: int | None = None) -> HttpResponse:
    """Put a dashboard together; a second editor sees both versions."""
    stored = get_dashboard(dashboard_id, viewer) if dashboard_id is not None else None
    given = sent_given(request) if request.method == "POST" else stored_given(stored) if stored is not None else _new_given(request, viewer)
    version = request.POST.get("version", str(stored.version) if stored is not None else "")
    error: DeskError | None = None
    both: list[Side] = []
    if request.method == "POST" and not request.POST.get("do"):
        try:
            saved = _save(given, version, viewer, dashboard_id)
            messages.success(request, _("The dashboard was saved."))
            return redirect("dashboard", saved.pk)
        except DeskError as refused:
            error = refused
            if isinstance(refused, Conflict) and dashboard_id is not None:
                stored = get_dashboard(dashboard_id, viewer)
                both, version = sides(stored_given(stored), given, viewer), str(stored.version)
    context = {
        "dashboard": stored,
        "errors": {error.field or "form": error.message} if error else {},
        "sides": both,
        "version": version,
        "may_remove": stored is not None and may_change(stored, viewer),
        **form_context(given, viewer),
    }
    return render(request, "dashboards/edit.html", context, status=error.status if error else 200)


@require_POST
@for_viewer("report.view")
def delete(request: HttpRequest, viewer: Viewer, dashboard_id: int) -> HttpResponse:
    """Remove a dashboard."""
    actions.delete_dashboard(dashboard_id=dashboard_id, viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("The dashboard was removed."))
    return redirect("dashboards")


def _change_of(dashboard: Any, viewer: Viewer) -> dict[str, Any]:
    """Where the viewer changes a dashboard: it, or a copy of their own."""
    if may_change(dashboard, viewer):
        return {"may_change": True, "change_url": reverse("dashboard-edit", args=[dashboard.pk]), "change_words": _("Change")}
    return {"change_url": f"{reverse('dashboard-new')}?from={dashboard.pk}", "change_words": _("Make your own from it")}


def _new_given(request: HttpRequest, viewer: Viewer) -> Given:
    """A new one, or one's own from another."""
    source = number_or_none(request.GET.get("from", ""), "from")
    return first_given() if source is None else copied_given(get_dashboard(source, viewer))


def _save(given: Given, version: str, viewer: Viewer, dashboard_id: int | None) -> Any:
    if dashboard_id is not None and not (version.isdecimal() and len(version) < 10):
        raise InvalidInput(_("The form is damaged; load the page again."))
    seen = int(version) if dashboard_id is not None else None
    facts, now = given.facts(), datetime.now(UTC)
    return actions.save_dashboard(facts=facts, viewer=viewer, now=now, dashboard_id=dashboard_id, expected_version=seen)


def _panel(counted: Counted, page_address: ReportAddress, viewer: Viewer) -> dict[str, Any]:
    """A tile ready to be shown."""
    tile, key = counted.tile, counted.tile.measure
    panel: dict[str, Any] = {
        "name": NAMES[key],
        "definition": DEFINITIONS[key],
        "own": own_words(tile, viewer),
        "value": say(key, counted.figure.value),
        "interval": say_interval(key, counted.figure),
        "url": cases_url(key, counted.address),
        "form": tile.form,
        "width": tile.width,
    }
    if tile.form == OVER_TIME:
        panel["drawn"] = time_panel(key, counted.question.per, counted.table.rows, is_wide=tile.width == "4")
    if tile.form == BY_GROUP:
        names = group_names(tile.by, viewer)
        rows = sorted(counted.table.rows, key=lambda row: (-row.figures[key].n, str(row.group)))
        panel["by_name"] = GROUP_NAMES[tile.by]
        panel["rows"] = [
            {
                "name": names.get(row.group, row.group),
                "cell": cell(key, row.figures[key], cases_url(key, counted.address, {tile.by: spell(row.group)})),
            }
            for row in rows
        ]
    return panel
