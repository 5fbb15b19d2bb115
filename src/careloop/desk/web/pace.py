"""How often people without an account may send something through the pages that are open to everybody."""

from allauth.core import ratelimit
from django.http import HttpRequest
from django.utils.translation import gettext as _


def may_write(request: HttpRequest) -> bool:
    """Count one thing that a stranger sends; False when more came from this network address than the settings allow."""
    return bool(ratelimit.consume(request, action="strangers_write"))


def too_often() -> str:
    """What a form says then, beside what was typed."""
    return _("Too much came from your network within a few minutes. What you wrote is still here: send it again in ten minutes.")
