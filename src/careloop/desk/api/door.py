"""Requests of programs take a short way: no session, cookie, form token, message, theme or static file belongs to them.

Stands early in MIDDLEWARE; what comes after it is for pages only. It costs a tenth of the pages' way (docs/decisions/0009-intake-speed.md).
"""

import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import translation

from careloop.desk.api.errors import NO_ADDRESS, refusal

ADDRESSES = "/api/"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}


class ApiDoor:
    """Answers everything under /api/ itself and passes the rest on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.pages = get_response
        self.answer: Any = convert_exception_to_response(answer_program)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request, whose log lines carry its id."""
        if not request.path_info.startswith(ADDRESSES):
            return self.pages(request)
        structlog.contextvars.bind_contextvars(request_id=str(uuid.uuid4()), ip=request.META.get("REMOTE_ADDR", ""))
        try:
            response: HttpResponse = self.answer(request)
        finally:
            structlog.contextvars.clear_contextvars()
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["Content-Length"] = str(len(response.content))
        return response


def answer_program(request: HttpRequest) -> HttpResponse:
    """The operation of the request's address; its sentences in the language asked for."""
    request.get_host()  # refuses a host that is not ours
    translation.activate(translation.get_language_from_request(request))
    try:
        match = request.resolver_match = resolve(request.path_info)
    except Resolver404:
        return refusal(404, "not-found", NO_ADDRESS)
    return match.func(request, *match.args, **match.kwargs)  # type: ignore[no-any-return]
