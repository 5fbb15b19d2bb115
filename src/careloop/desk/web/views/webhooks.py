"""Webhooks: which systems are told of what, and what became of it."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.channels.webhook import is_address
from careloop.desk.kernel.errors import DeskError, InvalidInput
from careloop.desk.teamwork import webhooks
from careloop.desk.web.access import for_viewer
from careloop.desk.web.views.together import number_or_none


@require_http_methods(["GET", "POST"])
@for_viewer("key.edit")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The webhooks, the form for another one, the newest deliveries."""
    error: DeskError | None = None
    if request.method == "POST":
        try:
            _add(request, viewer)
            return redirect("webhooks")
        except DeskError as refused:
            error = refused
    context = {
        "errors": {error.field or "form": error.message} if error else {},
        "given": request.POST,
        "hooks": webhooks.list_webhooks(),
        "deliveries": webhooks.list_deliveries(),
        "kinds": webhooks.event_kinds(),
        "chosen": request.POST.getlist("events"),
        "teams": list_teams(viewer),
    }
    return render(request, "settings/webhooks.html", context, status=error.status if error else 200)


@require_POST
@for_viewer("key.edit")
def remove(request: HttpRequest, viewer: Viewer, webhook_id: int) -> HttpResponse:
    """Tell it nothing more."""
    webhooks.remove_webhook(webhook_id=webhook_id, viewer=viewer, now=datetime.now(UTC))
    return redirect("webhooks")


def _add(request: HttpRequest, viewer: Viewer) -> None:
    url = request.POST.get("url", "").strip()
    if not is_address(url):
        sentence = _("The address is “%(given)s”; expected one such as https://erp.example/hooks.")
        raise InvalidInput(sentence % {"given": url[:80]}, field="url")
    team_id = number_or_none(request.POST.get("team", ""), "team")
    webhooks.add_webhook(url=url, events=request.POST.getlist("events"), team_id=team_id, viewer=viewer, now=datetime.now(UTC))
