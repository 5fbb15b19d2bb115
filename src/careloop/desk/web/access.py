"""How views learn who is looking, and refuse."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from careloop.desk.accounts.queries import check_may, viewer_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import DeskError
from careloop.desk.kernel.wording import spoken

View = Callable[..., HttpResponseBase]


def for_viewer(permission: str) -> Callable[[View], View]:
    """A view that takes (request, viewer, …), open only to signed-in people whose role grants `permission`; refusals become pages."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return ask_to_sign_in(request)
            try:
                viewer = viewer_of(request.user)
                check_may(viewer, permission)
                response = view(request, viewer, *args, **kwargs)
            except DeskError as error:
                response = refusal(request, error)
            # Pages tell of people: no cache keeps them, and a fragment never stands in for its page.
            add_never_cache_headers(response)
            patch_vary_headers(response, ["HX-Request", "HX-Target"])
            return response

        wrapped.permission = permission  # type: ignore[attr-defined]
        return wrapped

    return decorate


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page, which leads back; a fragment cannot show it, so htmx is told to go there."""
    if not request.headers.get("HX-Request"):
        return redirect_to_login(request.get_full_path())
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = f"{here.path}?{here.query}" if here.query else here.path or "/"
    response = HttpResponse(status=401)
    response["HX-Redirect"] = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}"
    return response


def refusal(request: HttpRequest, error: DeskError) -> HttpResponse:
    """The error in the reader's words: a fragment beside what was being done for htmx, else a page that gives typed text back."""
    error.message = spoken(error.message)
    if request.headers.get("HX-Request"):
        response = render(request, "refusal_fragment.html", {"error": error}, status=error.status)
        response["HX-Retarget"], response["HX-Reswap"] = "#refusals", "innerHTML"
        return response
    is_choice = error.status == 422 and request.method == "GET" and bool(request.GET)
    context = {"error": error, "typed": request.POST.get("body", ""), "plain_url": request.path if is_choice else ""}
    return render(request, "refusal.html", context, status=error.status)


__all__ = ["Viewer", "for_viewer", "refusal"]
