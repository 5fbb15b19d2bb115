"""Signed links by which one customer answers one invitation: made, opened, revoked. Whoever erases a customer closes them all."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from careloop.desk.kernel.signed_numbers import read_numbers, sign_numbers
from careloop.desk.surveys.models import Invitation, InvitationState, Origin
from careloop.desk.surveys.queries import get_setting

SALT = "careloop.survey.link"
DAY_SECONDS = 86_400
CLOSED = (InvitationState.QUEUED, InvitationState.SKIPPED, InvitationState.FAILED)


def make_token(invitation: Invitation, *, now: datetime) -> str:
    """A token for the invitation and its customer that expires after the house's number of days; the same all day long."""
    day = int((now + timedelta(days=get_setting().link_days)).timestamp()) // DAY_SECONDS
    return sign_numbers(SALT, invitation.pk, invitation.customer_id or 0, invitation.revision, day)


def link_for(invitation: Invitation, *, now: datetime) -> str:
    """The whole address of the page with the questions; `?score=4` behind it chooses a score."""
    return settings.BASE_URL + reverse("survey-answer", args=[make_token(invitation, now=now)])


def find_invitation(token: str, *, now: datetime, is_refusal: bool = False) -> Invitation | None:
    """Where a token leads; None when it is wrong, expired or revoked, or when the customer or the case was erased.

    Whoever would rather not be asked may say so by a link that has expired or was taken back, too.
    """
    numbers = read_numbers(SALT, token)
    if numbers is None:
        return None
    invitation_id, customer_id, revision, day = numbers
    related = ("survey", "version", "case", "customer", "channel")
    found: Invitation | None = Invitation.objects.select_related(*related).filter(pk=invitation_id).first()
    if found is None or (found.customer_id or 0) != customer_id:
        return None
    if is_refusal and found.customer is not None:
        return found
    is_valid = now.timestamp() < (day + 1) * DAY_SECONDS and found.revision == revision
    return found if is_valid and is_open(found) else None


def is_open(invitation: Invitation) -> bool:
    """Whether the invitation went out and what it asks about is still there, and still this customer's."""
    if invitation.state in CLOSED:
        return False
    if invitation.origin == Origin.EMBED:
        return True
    return invitation.case is not None and invitation.case.customer_id == invitation.customer_id
