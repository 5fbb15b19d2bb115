"""What every request of a page passes: bodies of a sensible size, the reader's own language."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from careloop.desk.teamwork.file_rules import FILES_AT_ONCE, LARGEST_FILE_BYTES

LARGEST_BODY_BYTES = FILES_AT_ONCE * LARGEST_FILE_BYTES + 1_000_000  # as many files as one message takes, and its text
SEES_TO_ITSELF = "import-upload"  # files for import have a limit of their own (CARELOOP_UPLOAD_LIMIT_MEGABYTES)


class BodySizeMiddleware:
    """Refuses a body that no page asks for before a byte of it is read: what strangers send would lie on the disk otherwise.

    Stands before whatever looks into the body, which is the check of the form's token. A body without a length counts as empty.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """413 for a body that is too large; None lets the request go on."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        is_good = length.isascii() and length.isdigit() and len(length) < 19 and int(length) <= LARGEST_BODY_BYTES
        if is_good or (request.resolver_match and request.resolver_match.url_name == SEES_TO_ITSELF):
            return None
        return render(request, "413.html", {"most": LARGEST_BODY_BYTES // 1_000_000}, status=413)


class PreferencesMiddleware:
    """A signed-in person's own language goes before the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        language = getattr(request.user, "language", "")
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)
