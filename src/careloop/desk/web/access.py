"""How views learn who is looking, and refuse."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from careloop.desk.accounts.queries import check_may, viewer_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import DeskError

View = Callable[..., HttpResponse]


def for_viewer(permission: str) -> Callable[[View], View]:
    """A view that takes (request, viewer, …), open only to signed-in people whose role grants `permission`; refusals become pages."""

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                viewer = viewer_of(request.user)  # type: ignore[arg-type]
                check_may(viewer, permission)
                return view(request, viewer, *args, **kwargs)
            except DeskError as error:
                return refusal(request, error)

        wrapped.permission = permission  # type: ignore[attr-defined]
        return wrapped

    return decorate


def refusal(request: HttpRequest, error: DeskError) -> HttpResponse:
    """The error in plain words: a fragment for htmx, else a page."""
    template = "refusal_fragment.html" if request.headers.get("HX-Request") else "refusal.html"
    return render(request, template, {"error": error}, status=error.status)


__all__ = ["Viewer", "for_viewer", "refusal"]
