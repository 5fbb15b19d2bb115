"""The inbox."""

from django.http import HttpRequest, HttpResponse

from careloop.desk.accounts.rules import Viewer
from careloop.desk.web.access import for_viewer


@for_viewer("case.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The list of cases."""
    return HttpResponse(viewer.name)
