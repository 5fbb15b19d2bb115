"""Labels that look wrong: each is kept or takes the suggestion with one click."""

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import queueing
from careloop.desk.analysis.doubt_queries import list_doubts
from careloop.desk.analysis.taxonomy_queries import access_taxonomy, names_by_code
from careloop.desk.web.access import for_viewer


@require_GET
@for_viewer("model.view")
def page(request: HttpRequest, viewer: Viewer, taxonomy_id: int) -> HttpResponse:
    """What waits for a word, the clearest first; what was decided lately."""
    taxonomy = access_taxonomy(taxonomy_id, viewer)
    found, names = list_doubts(taxonomy, viewer), names_by_code(viewer)

    def rows(doubts: list) -> list:  # type: ignore[type-arg]
        return [
            (one, one.correction.message, names.get(one.correction.value, one.correction.value), names.get(one.suggested, one.suggested))
            for one in doubts
        ]

    context = {"taxonomy": taxonomy, "total": found.total, "waiting": rows(found.waiting), "decided": rows(found.decided)}
    return render(request, "categories/doubts.html", context)


@require_POST
@for_viewer("taxonomy.edit")
def decide(request: HttpRequest, viewer: Viewer, doubt_id: int) -> HttpResponse:
    """Keep the label, or take the suggestion."""
    choice = request.POST.get("choice", "")
    doubt = queueing.decide_doubt(doubt_id=doubt_id, choice=choice, viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("The label is kept.") if choice == "keep" else _("The suggestion was taken."))
    return redirect("doubts", doubt.taxonomy_id)
