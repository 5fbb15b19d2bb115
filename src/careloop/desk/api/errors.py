"""How refusals become answers: one shape for all of them."""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from careloop.desk.api.answers import ErrorAnswer
from careloop.desk.kernel.errors import DeskError, InvalidInput

RETRY_SECONDS = 2
NO_ADDRESS = "There is no such address in the API."
log = logging.getLogger(__name__)


class TooLarge(DeskError):
    """The body is larger than the desk reads."""

    status = 413
    code = "too-large"


class LengthMissing(DeskError):
    """The body came without its length."""

    status = 411
    code = "length-missing"


class NotJson(DeskError):
    """The body is announced as something else than JSON."""

    status = 415
    code = "not-json"


def refusals(*statuses: int) -> dict[int, type[ErrorAnswer]]:
    """The documented refusals of an operation."""
    return dict.fromkeys(statuses, ErrorAnswer)


def check_parameters(request: HttpRequest, *known: str) -> None:
    """Refuse a misspelt or repeated parameter, which would otherwise be ignored in silence."""
    for name, values in request.GET.lists():
        if name not in known:
            raise InvalidInput(f"There is no parameter {name[:80]!r} here; expected {', '.join(known) or 'none'}.", field=name[:80])
        if len(values) > 1:
            raise InvalidInput(f"The parameter {name} is given {len(values)} times; give it once.", field=name)


def refusal(status: int, code: str, message: str, field: str = "") -> HttpResponse:
    """The documented shape of every refusal."""
    body = {"error": {"code": code, "message": message, "field": field}}
    return HttpResponse(json.dumps(body), status=status, content_type="application/json")


def install_error_answers(api: NinjaAPI) -> None:
    """Let every exception that can be explained answer in the documented shape; what is left is a fault of ours."""

    def refused(_request: HttpRequest, error: Any) -> HttpResponse:
        return refusal(error.status, error.code, error.message, error.field)

    def unknown_key(_request: HttpRequest, _error: Any) -> HttpResponse:
        response = refusal(401, "unknown-key", "The request has no valid key; send Authorization: Bearer prefix.secret.")
        response["WWW-Authenticate"] = "Bearer"
        return response

    def invalid_parameter(_request: HttpRequest, error: Any) -> HttpResponse:
        first = error.errors[0]
        field = str(first["loc"][-1])
        return refusal(422, "invalid", f"{field}: {first['msg']}.", field)

    def busy(_request: HttpRequest, error: Any) -> HttpResponse:
        log.error("The database refused a request of the API", exc_info=error)
        message = "The database is busy and nothing was stored; send the same request again in a moment."
        response = refusal(503, "busy", message)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response

    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        DeskError: refused,
        AuthenticationError: unknown_key,
        ValidationError: invalid_parameter,
        Http404: lambda _request, _error: refusal(404, "not-found", NO_ADDRESS),
        RequestDataTooBig: lambda _request, _error: refusal(413, "too-large", "The body is larger than the desk reads."),
        OperationalError: busy,
        IntegrityError: busy,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)
