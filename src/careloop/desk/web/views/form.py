"""The public web form of a channel: no sign-in, no script, both languages as the browser says."""

import secrets
from datetime import UTC, datetime
from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from careloop.desk.accounts.queries import get_channel
from careloop.desk.channels import form as channel
from careloop.desk.intake.actions import receive_message
from careloop.desk.intake.rules import clean_text
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.kernel.wording import spoken
from careloop.desk.web.pace import may_write, too_often

SALT = "careloop.form.token"
RECEIPT_SALT = "careloop.form.receipt"
FASTEST_SECONDS = 2
LONGEST_SECONDS = 24 * 3600
TRAP = "website"  # people do not see it; programs fill it in


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; a POST stores the message and leads to the thank-you page."""
    one, now = _form_channel(slug), datetime.now(UTC)
    if request.method == "GET":
        return _render(request, one, values={}, errors={}, token=new_token(slug, now))
    values = {name: clean_text(request.POST.get(name, "")) for name in channel.FIELDS}
    given = request.POST.get("token", "")
    if not may_write(request):
        return _render(request, one, values=values, errors={"form": too_often()}, token=given, status=429)
    external_id, refusal = check_token(given, slug, now)
    if request.POST.get(TRAP) or refusal:
        errors = {"form": refusal or _("This looks like a message from a program. What you wrote is still here: send it again.")}
        return _render(request, one, values=values, errors=errors, token=new_token(slug, now), status=422)
    errors = {name: _sentence(name, code) for name, code in channel.problems_of(values).items()}
    if errors:
        return _render(request, one, values=values, errors=errors, token=given, status=422)
    inbound = channel.parse(values, channel_slug=slug, external_id=external_id, language=_language(), now=now)
    try:
        receipt = receive_message(inbound, now=now)
    except InvalidInput as error:
        errors = {error.field.removeprefix("addresses.") or "form": spoken(error.message)}
        return _render(request, one, values=values, errors=errors, token=given, status=error.status)
    return redirect("form-thanks", slug, signing.dumps(receipt.case_id, salt=RECEIPT_SALT))


@never_cache
@require_GET
def thanks(request: HttpRequest, slug: str, receipt: str) -> HttpResponse:
    """The case's number, shown to nobody but who holds the signed address."""
    one = _form_channel(slug)
    try:
        case_id = signing.loads(receipt, salt=RECEIPT_SALT)
    except signing.BadSignature:
        raise Http404 from None
    return render(request, "form/thanks.html", {"channel": one, "case_id": case_id})


def new_token(slug: str, now: datetime) -> str:
    """A signed, dated token: the message's id, so that a form sent twice is one message."""
    return signing.dumps([slug, secrets.token_hex(16), int(now.timestamp())], salt=SALT)


def check_token(given: str, slug: str, now: datetime) -> tuple[str, str]:
    """The message's id, and the sentence of a refusal ("" when the token is good)."""
    try:
        told, external_id, began = signing.loads(given, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        told, external_id, began = "", "", 0
    age_seconds = now.timestamp() - began
    if told != slug or age_seconds > LONGEST_SECONDS:
        return "", _("The form was open for too long or is damaged. What you wrote is still here: send it again.")
    if age_seconds < FASTEST_SECONDS:
        return "", _("That was faster than people write. What you wrote is still here: send it again.")
    return external_id, ""


def _form_channel(slug: str) -> Any:
    try:
        one = get_channel(slug)
    except NotFound:
        raise Http404 from None
    if one.kind != "FORM":
        raise Http404
    return one


def _render(request: HttpRequest, one: Any, **context: Any) -> HttpResponse:
    status = context.pop("status", 200)
    return render(request, "form/page.html", {"channel": one, "longest": channel.LONGEST, "trap": TRAP, **context}, status=status)


def _sentence(name: str, code: str) -> str:
    if code == "too-long":
        return _("This is too long: at most %(n)d characters fit.") % {"n": channel.LONGEST[name]}
    sentences = {
        ("name", "missing"): _("Please tell us your name."),
        ("text", "missing"): _("Please write what happened or what you would like."),
        ("email", "missing"): _("Please give an e-mail address or a phone number, so that we can answer."),
        ("email", "malformed"): _("This is not an e-mail address; expected something like name@example.com."),
        ("phone", "malformed"): _("This is not a phone number; expected 5 to 15 digits, with the country's number if it is abroad."),
    }
    return sentences[name, code]


def _language() -> str:
    return "zh-Hans" if (get_language() or "").startswith("zh") else "en"
