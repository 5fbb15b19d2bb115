"""The customer's page: one case behind a signed link, without account and without script, in both languages."""

import json
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.customers.queries import list_addresses
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.intake.rules import Inbound, clean_text
from careloop.desk.kernel.errors import DeskError, InvalidInput
from careloop.desk.kernel.wording import spoken
from careloop.desk.surveys.answering import rate_on_page
from careloop.desk.surveys.queries import find_page_answer
from careloop.desk.teamwork import attachments, customer_actions, looking
from careloop.desk.teamwork.customer_links import Visit, count_write, find_visit
from careloop.desk.teamwork.file_rules import file_name
from careloop.desk.web.views.files import file_response, given_files

LONGEST_TEXT = 20_000
LONGEST_COMMENT = 2_000
ONCE = re.compile(r"[0-9a-f]{32}")
POLICY = {
    "default-src": [NONE], "script-src": [NONE], "style-src": [SELF], "img-src": [SELF], "connect-src": [NONE], "form-action": [SELF],
}  # fmt: skip
STANDS = {
    "NEW": gettext_lazy("We have your message and will answer."),
    "OPEN": gettext_lazy("We are working on it."),
    "WAITING": gettext_lazy("We have answered and wait for you."),
    "RESOLVED": gettext_lazy("Solved."),
}
RATINGS = (
    ("5", gettext_lazy("Very satisfied")), ("4", gettext_lazy("Satisfied")), ("3", gettext_lazy("So-so")),
    ("2", gettext_lazy("Dissatisfied")), ("1", gettext_lazy("Very dissatisfied")),
)  # fmt: skip

View = Callable[..., HttpResponseBase]


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


def for_customer(view: View) -> View:
    """A view that takes (request, visit, token, …); a link that leads nowhere shows a page that tells nothing."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        token = kwargs.pop("token")
        visit = find_visit(token, now=now())
        if visit is None:
            response: HttpResponseBase = render(request, "customer_page/gone.html", status=404)
        else:
            try:
                response = view(request, visit, token, **kwargs)
            except DeskError as error:
                response = _page(request, visit, token, error=spoken(error.message), status=error.status)
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response

    return never_cache(csp_replace(POLICY)(wrapped))


@require_GET
@for_customer
def page(request: HttpRequest, visit: Visit, token: str) -> HttpResponse:
    """How the case stands, what was said, and what the customer can do."""
    looking.note_visit(visit.case.pk, customer_actions.actor_of(visit.case), action="customer_page.view", now=now())
    return _page(request, visit, token)


@require_POST
@for_customer
def write(request: HttpRequest, visit: Visit, token: str) -> HttpResponse:
    """A message, files, or both; sent twice it is one message."""
    text = clean_text(request.POST.get("text", ""))
    files = given_files(request)
    if not text and not files:
        raise InvalidInput(_("Please write something or choose a file."), field="text")
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(_("This is too long: at most %(n)d characters fit.") % {"n": LONGEST_TEXT}, field="text")
    attachments.check_files(visit.case, files)
    count_write(visit, now=now())
    said = text or "\n".join(f"[{file_name(one.name)}]" for one in files)
    receive_message(_inbound(visit, _once(request), said, files=tuple(files)), now=now())
    return _back(token, "written")


@require_POST
@for_customer
def status(request: HttpRequest, visit: Visit, token: str) -> HttpResponse:
    """Solved, or not."""
    count_write(visit, now=now())
    customer_actions.set_status(visit=visit, is_solved=request.POST.get("solved") == "yes", now=now())
    return _back(token, "told")


@require_POST
@for_customer
def rate(request: HttpRequest, visit: Visit, token: str) -> HttpResponse:
    """One to five and a comment: the answer to the survey about this case, which a mail may have asked for, too."""
    rating = customer_actions.check_rating(request.POST.get("rating", ""))
    comment = clean_text(request.POST.get("comment", ""))[:LONGEST_COMMENT]
    count_write(visit, now=now())
    rate_on_page(case=visit.case, rating=rating, comment=comment, now=now())
    return _back(token, "rated")


@require_GET
@for_customer
def file(request: HttpRequest, visit: Visit, token: str, file_id: int) -> HttpResponse:
    """A file that stands on the page."""
    return file_response(attachments.open_customers_file(visit.case, file_id, customer_actions.actor_of(visit.case), now=now()))


def _inbound(visit: Visit, external_id: str, text: str, **facts: Any) -> Inbound:
    case = visit.case
    raw = json.dumps({"text": text, "case": case.pk}, ensure_ascii=False).encode("utf-8", "replace")
    addresses = tuple(AddressValue(one.kind, one.value, one.scope) for one in list_addresses(case.customer))
    return Inbound(
        channel_slug=case.channel.slug,
        external_id=f"customer-page-{external_id}",
        text=text,
        raw=raw,
        sent_at=now(),
        addresses=addresses,
        case_id=case.pk,
        **facts,
    )


def _once(request: HttpRequest) -> str:
    """The form's own number: the same form sent twice is the same message."""
    given = request.POST.get("once", "")
    return given if ONCE.fullmatch(given) else secrets.token_hex(16)


def _back(token: str, done: str) -> HttpResponse:
    response = redirect("customer-case", token)
    response["Location"] += f"?done={done}"
    return response


def _page(request: HttpRequest, visit: Visit, token: str, error: str = "", status: int = 200) -> HttpResponse:
    case = visit.case
    case.refresh_from_db()
    rated = find_page_answer(case.pk)
    stands = "NEW" if case.status == "OPEN" and case.first_response_at is None else case.status
    said = customer_actions.list_said(case)
    attachments.show_with(said)
    context = {
        "case": case,
        "token": token,
        "stands": STANDS.get(stands, STANDS["OPEN"]),
        "messages_said": said,
        "rating": rated.score if rated is not None else None,
        "ratings": RATINGS,
        "longest": LONGEST_TEXT,
        "longest_comment": LONGEST_COMMENT,
        "once": secrets.token_hex(16),
        "typed": request.POST.get("text", "") if error else "",
        "error": error,
        "done": request.GET.get("done", ""),
        "accepted": ".jpg,.jpeg,.png,.gif,.webp,.heic,.pdf,.txt,.csv,.docx,.xlsx,.pptx,.odt,.ods",
    }
    return render(request, "customer_page/page.html", context, status=status)
