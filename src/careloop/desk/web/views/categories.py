"""Categories of the house's own: the taxonomies, their categories, and the training of a model from corrections."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import queueing
from careloop.desk.analysis.corrections import scope_of
from careloop.desk.analysis.doubt_queries import count_doubts
from careloop.desk.analysis.model_queries import state_of
from careloop.desk.analysis.taxonomy_queries import access_category, access_taxonomy, list_leaves, list_taxonomies, name_of, tree_of
from careloop.desk.kernel.errors import DeskError
from careloop.desk.web.access import for_viewer

FACTS = ("name_en", "name_zh", "description")


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_http_methods(["GET", "POST"])
@for_viewer("model.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """All taxonomies; a new one."""
    given = {"name": request.POST.get("name", ""), "team": request.POST.get("team", "")}
    errors, status = {}, 200
    if request.method == "POST":
        try:
            made = queueing.create_taxonomy(name=given["name"], team_id=number(given["team"]), viewer=viewer, now=now())
            return redirect("taxonomy", made.pk)
        except DeskError as refused:
            errors, status = {refused.field or "form": refused.message}, refused.status
    rows = [{"taxonomy": one, "n": sum(not category.is_archived for category in one.categories.all())} for one in list_taxonomies(viewer)]
    context = {"rows": rows, "teams": list_teams(viewer), "given": given, "errors": errors}
    return render(request, "categories/list.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_viewer("model.view")
def taxonomy(request: HttpRequest, viewer: Viewer, taxonomy_id: int) -> HttpResponse:
    """One taxonomy with its categories, what people corrected, and its models; a new category."""
    one = access_taxonomy(taxonomy_id, viewer)
    given = {name: request.POST.get(name, "") for name in (*FACTS, "parent")}
    errors, status = {}, 200
    if request.method == "POST":
        try:
            facts = {name: given[name] for name in FACTS}
            made = queueing.add_category(taxonomy_id=taxonomy_id, facts=facts, parent_id=number(given["parent"]), viewer=viewer, now=now())
            messages.success(request, _("“%(name)s” was added; a model that knows it is made in a moment.") % {"name": name_of(made)})
            return redirect("taxonomy", taxonomy_id)
        except DeskError as refused:
            errors, status = {refused.field or "form": refused.message}, refused.status
    context = {"taxonomy": one, "branches": tree_of(one), "leaves": len(list_leaves(one)), "given": given, "errors": errors}
    context["doubts"] = count_doubts(one, viewer)
    return render(request, "categories/taxonomy.html", {**context, "state": state_of(scope_of(one.pk))}, status=status)


@require_http_methods(["GET", "POST"])
@for_viewer("taxonomy.edit")
def category(request: HttpRequest, viewer: Viewer, category_id: int) -> HttpResponse:
    """Names, description, place and use of one category."""
    found = access_category(category_id, viewer)
    stored: dict[str, Any] = {name: getattr(found, name) for name in FACTS}
    given = {**stored, "parent": str(found.parent_id or ""), "is_archived": found.is_archived}
    errors, status = {}, 200
    if request.method == "POST":
        given = {name: request.POST.get(name, "") for name in (*FACTS, "parent")} | {"is_archived": "is_archived" in request.POST}
        try:
            queueing.change_category(
                category_id=category_id,
                facts={name: given[name] for name in FACTS},
                parent_id=number(given["parent"]),
                is_archived=given["is_archived"],
                viewer=viewer,
                now=now(),
            )
            messages.success(request, _("The category was changed."))
            return redirect("taxonomy", found.taxonomy_id)
        except DeskError as refused:
            errors, status = {refused.field or "form": refused.message}, refused.status
    headings = [branch.category for branch in tree_of(found.taxonomy) if branch.category != found and not branch.category.is_archived]
    context = {"category": found, "taxonomy": found.taxonomy, "headings": headings, "given": given, "errors": errors}
    return render(request, "categories/category.html", context, status=status)


@require_POST
@for_viewer("taxonomy.edit")
def archive(request: HttpRequest, viewer: Viewer, taxonomy_id: int) -> HttpResponse:
    """Take a taxonomy out of use."""
    queueing.archive_taxonomy(taxonomy_id=taxonomy_id, viewer=viewer, now=now())
    messages.success(request, _("These categories are out of use; messages keep the category that they have."))
    return redirect("categories")


@require_POST
@for_viewer("taxonomy.edit")
def train(request: HttpRequest, viewer: Viewer, taxonomy_id: int) -> HttpResponse:
    """Learn from the corrections so far."""
    queueing.start_training(taxonomy_id=taxonomy_id, viewer=viewer, now=now())
    messages.success(request, _("The training was started; its result will be on this page."))
    return redirect("taxonomy", taxonomy_id)


def number(text: str) -> int | None:
    """A row's number out of a form; nothing else counts."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
