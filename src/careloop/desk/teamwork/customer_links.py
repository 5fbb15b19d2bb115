"""Signed links by which a customer follows one case without an account: made, opened, revoked, limited."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import audit_case, case_to_change
from careloop.desk.cases.merged import find_targets
from careloop.desk.cases.models import Case
from careloop.desk.kernel.errors import DeskError
from careloop.desk.kernel.signed_numbers import read_numbers, sign_numbers
from careloop.desk.kernel.variables import LINK, put, variables_of
from careloop.desk.teamwork.models import CustomerLink

SALT = "careloop.customer.link"
WRITES_PER_HOUR = 20
DAY_SECONDS = 86_400


class TooOften(DeskError):
    """The same link was written through too often; later it works again."""

    status = 429
    code = "too-often"


@dataclass(frozen=True)
class Visit:
    """A customer who came by a good link: the case to show, and the case that the link was made for (another one after a merge)."""

    case: Case
    link_case_id: int


def make_token(case: Case, *, now: datetime) -> str:
    """A token for the case and its customer that expires after CARELOOP_CUSTOMER_LINK_DAYS; the same all day long."""
    day = int((now + timedelta(days=settings.CUSTOMER_LINK_DAYS)).timestamp()) // DAY_SECONDS
    return sign_numbers(SALT, case.pk, case.customer_id, _revision(case.pk), day)


def link_for(case: Case, *, now: datetime) -> str:
    """The whole address of the customer's page."""
    return settings.BASE_URL + reverse("customer-case", args=[make_token(case, now=now)])


def fill_link(text: str, case_id: int, *, now: datetime) -> str:
    """A text to the customer with the link where {{ link }} stands, spaces or not."""
    if LINK not in variables_of(text):
        return text
    link = link_for(Case.objects.get(pk=case_id), now=now)
    return put(text, lambda name: link if name == LINK else None)


def with_link(body: str, case: Case, *, now: datetime) -> str:
    """A mail's text with a line that leads to the customer's page, if CARELOOP_CUSTOMER_LINK_IN_MAIL asks for it and none is there."""
    link = link_for(case, now=now)
    if not settings.CUSTOMER_LINK_IN_MAIL or link.rsplit("/", 2)[0] in body:
        return body
    with override("zh-hans" if case.customer.language.startswith("zh") else "en"):
        return f"{body}\n\n" + _("Follow your case here: %(link)s") % {"link": link}


def find_visit(token: str, *, now: datetime) -> Visit | None:
    """Where a token leads; None when it is wrong, expired or revoked, or when the case is no longer this customer's."""
    numbers = read_numbers(SALT, token)
    if numbers is None:
        return None
    case_id, customer_id, revision, day = numbers
    if now.timestamp() >= (day + 1) * DAY_SECONDS or revision != _revision(case_id):
        return None
    target = find_targets([case_id]).get(case_id, case_id)
    case = Case.objects.select_related("customer", "channel").filter(pk=target, customer_id=customer_id).first()
    return None if case is None else Visit(case, case_id)


def count_write(visit: Visit, *, now: datetime) -> None:
    """Count one thing done through the link; TooOften beyond twenty an hour."""
    hour = int(now.timestamp()) // 3600
    with transaction.atomic():
        link, _is_new = CustomerLink.objects.select_for_update().get_or_create(case_id=visit.link_case_id)
        link.hour, link.written = (hour, link.written + 1) if link.hour == hour else (hour, 1)
        if link.written > WRITES_PER_HOUR:
            raise TooOften(_("That was a lot for one hour. What you sent before has arrived; please try again later."))
        link.save(update_fields=["hour", "written"])


def revoke_links(*, case_id: int, viewer: Viewer, now: datetime) -> int:
    """Make every link of the case that was given out so far useless; returns the revision of those to come."""
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        link, _is_new = CustomerLink.objects.select_for_update().get_or_create(case=case)
        link.revision += 1
        link.save(update_fields=["revision"])
        audit_case(case, "case.link_revoked", viewer, now, {"revision": link.revision})
    return link.revision


def _revision(case_id: int) -> int:
    return CustomerLink.objects.filter(case_id=case_id).values_list("revision", flat=True).first() or 1
