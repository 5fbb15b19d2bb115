"""Read-only pages with chosen messages of a case, for people without an account."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import case_to_change
from careloop.desk.cases.models import Case, EventKind, Message
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.kernel.signed_numbers import read_numbers, sign_numbers
from careloop.desk.teamwork.models import SharedPage
from careloop.desk.teamwork.telling import tell_case

SALT = "careloop.shared.page"
LONGEST_DAYS = 90
MOST_MESSAGES = 200


@dataclass(frozen=True)
class Shared:
    """What a shared page shows."""

    page: SharedPage
    messages: list[Message]


def share(*, case_id: int, message_ids: list[int], days: int, purpose: str, viewer: Viewer, now: datetime) -> SharedPage:
    """Show these messages of the case to whoever has the page's address, for so many days."""
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(_("Choose 1 to %(n)s days.") % {"n": LONGEST_DAYS}, field="days")
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        chosen = sorted(Message.objects.filter(case=case, pk__in=message_ids[:MOST_MESSAGES]).values_list("pk", flat=True))
        if not chosen:
            raise InvalidInput(_("Choose at least one message."), field="messages")
        page = SharedPage.objects.create(
            case=case, message_ids=chosen, purpose=purpose.strip()[:120], made_by_id=viewer.user_id, made_by_name=viewer.name, made_at=now,
            expires_at=now + timedelta(days=days),
        )  # fmt: skip
        tell_case(case, EventKind.SHARED, actor_of(viewer), now, after={"page": page.pk, "messages": len(chosen), "days": days})
    return page


def take_back(*, page_id: int, viewer: Viewer, now: datetime) -> SharedPage:
    """Close a shared page for good; closed twice is closed once."""
    found = SharedPage.objects.filter(pk=page_id).first()
    if found is None or not Case.objects.visible_to(viewer).filter(pk=found.case_id).exists():
        raise NotFound(_("There is no shared page %(number)s in your teams.") % {"number": page_id})
    with transaction.atomic():
        case = case_to_change(found.case_id, viewer)
        if SharedPage.objects.filter(pk=page_id, revoked_at=None).update(revoked_at=now):
            tell_case(case, EventKind.SHARED, actor_of(viewer), now, after={"page": page_id, "is_revoked": True})
    return found


def list_shared(case: Case) -> list[SharedPage]:
    """The case's shared pages, newest first."""
    return list(SharedPage.objects.filter(case=case).order_by("-pk")[:50])


def address_of(page: SharedPage) -> str:
    """The whole address of a shared page."""
    return settings.BASE_URL + reverse("shared-page", args=[sign_numbers(SALT, page.pk)])


def open_shared(token: str, *, now: datetime) -> Shared | None:
    """What a token shows, counted as opened; None when it is wrong, expired or taken back."""
    numbers = read_numbers(SALT, token)
    if numbers is None:
        return None
    page = SharedPage.objects.select_related("case").filter(pk=numbers[0], revoked_at=None, expires_at__gt=now).first()
    if page is None:
        return None
    SharedPage.objects.filter(pk=page.pk).update(opened=F("opened") + 1, opened_at=now)
    return Shared(page, list(Message.objects.filter(pk__in=page.message_ids).order_by("sent_at", "pk")))
