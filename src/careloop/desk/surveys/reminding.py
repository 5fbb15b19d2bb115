"""One reminder for whoever did not answer, where the survey wants it and everything that holds for asking still holds."""

from datetime import datetime, timedelta

from django.db import transaction

from careloop.desk.surveys.inviting import AT_ONCE, not_quiet, reason_now
from careloop.desk.surveys.locking import lock_invitation
from careloop.desk.surveys.models import Invitation, InvitationState, SurveySetting
from careloop.desk.surveys.posting import post
from careloop.desk.surveys.queries import ASKED, get_setting

LOOKED_BACK = timedelta(days=3)  # a worker that was down for longer reminds nobody of what is long ago


def remind_due(*, now: datetime) -> int:
    """Remind of what is due; returns how many were reminded."""
    due = Invitation.objects.filter(remind_at__lte=now).order_by("remind_at", "pk").values_list("pk", flat=True)
    return sum(remind(invitation_id, now=now) for invitation_id in list(due[:AT_ONCE]))


def remind(invitation_id: int, *, now: datetime) -> bool:
    """Remind of one invitation, once: now, after quiet hours, or not at all; returns whether a letter went out."""
    with transaction.atomic():
        invitation = lock_invitation(invitation_id)
        if invitation is None or invitation.remind_at is None or invitation.remind_at > now:
            return False
        setting = get_setting()
        later = not_quiet(now, invitation.customer, setting)
        is_wanted = _is_wanted(invitation, invitation.remind_at, setting, now)
        is_sent = is_wanted and later <= now
        if is_sent:
            post(invitation, now=now, is_reminder=True)
            invitation.reminded_at = now
        invitation.remind_at = later if is_wanted and not is_sent else None
        invitation.save(update_fields=["remind_at", "reminded_at"])
        return is_sent


def _is_wanted(invitation: Invitation, remind_at: datetime, setting: SurveySetting, now: datetime) -> bool:
    """Not answered, not taken back, asked nothing else since, and nothing speaks against asking but that it was a short while ago."""
    is_silent = invitation.state in (InvitationState.SENT, InvitationState.OPENED) and invitation.revision == 1
    if not is_silent or remind_at < now - LOOKED_BACK:
        return False
    others = Invitation.objects.filter(customer=invitation.customer_id, state__in=ASKED).exclude(pk=invitation.pk)
    if others.filter(sent_at__gte=invitation.sent_at).exists():
        return False
    setting.pause_days = 0
    return not reason_now(invitation, setting, now)
