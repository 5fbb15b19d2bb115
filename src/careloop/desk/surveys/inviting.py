"""Who is asked and when: planning after a case was resolved or by hand, and sending what is due. Nobody is asked twice for one reason."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, CaseEvent, Delivery, Direction, EventKind, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.customers.models import Customer
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.surveys.locking import lock_invitation
from careloop.desk.surveys.models import Answer, Invitation, InvitationState, Origin, SentWhen, Survey, SurveySetting
from careloop.desk.surveys.posting import audit_invitation, post
from careloop.desk.surveys.queries import access_survey, get_setting, is_resolved, newest_version, person_of
from careloop.desk.surveys.rules import choosing
from careloop.desk.surveys.rules.quiet import after_quiet, zone_of
from careloop.desk.surveys.words import reason_words
from careloop.desk.teamwork.event_reading import each_new_event

FOLLOWED = (EventKind.STATUS, EventKind.REPLIED, EventKind.DELIVERY)
LOOKED_BACK = timedelta(days=3)  # what was resolved before is asked about no more
AT_ONCE = 200
LONGEST_KEY = 80


def follow_events(*, now: datetime) -> int:
    """Plan invitations for what was resolved since the last time, and note what was not delivered; returns how many events were read."""
    return each_new_event("surveys", FOLLOWED, lambda event: _follow(event, now))


def plan(*, survey: Survey, case: Case, origin: str, key: str, now: datetime, asked_by_id: int | None = None) -> Invitation:
    """Plan to ask about a case, or note why not; the same key again is the same invitation, whatever became of it.

    No row is locked: whoever plans may hold the case already. Who may be asked is decided for good as it is sent.
    """
    customer = Customer.objects.get(pk=case.customer_id)
    setting = get_setting()
    reason = reason_against(survey, case, customer, origin, setting, now)
    wanted_at = now + timedelta(minutes=survey.delay_minutes if origin == Origin.RULE else 0)
    facts = {
        "survey": survey,
        "version": newest_version(survey),
        "case": case,
        "customer": customer,
        "team_id": case.team_id,
        "channel_id": case.channel_id,
        "origin": origin,
        "state": InvitationState.SKIPPED if reason else InvitationState.QUEUED,
        "reason": reason,
        "asked_by_id": asked_by_id,
        "created_at": now,
        "planned_at": not_quiet(wanted_at, customer, setting),
    }
    return Invitation.objects.get_or_create(key=key[:LONGEST_KEY], defaults=facts)[0]


def reason_against(survey: Survey, case: Case, customer: Customer | None, origin: str, setting: SurveySetting, now: datetime) -> str:
    """Why this customer is not asked about this case now; "" when nothing speaks against it."""
    if not survey.is_active:
        return choosing.SWITCHED_OFF
    if case.status == Status.MERGED:
        return choosing.MERGED
    if origin == Origin.RULE and not choosing.is_in_sample(survey.pk, case.pk, survey.share_ratio):
        return choosing.SAMPLE
    if origin != Origin.HAND and Answer.objects.filter(invitation__case=case, invitation__survey__kind=survey.kind).exists():
        return choosing.ANSWERED
    if origin in (Origin.RULE, Origin.AUTOMATION) and not case.messages.filter(direction=Direction.INBOUND).exists():
        return choosing.UNWRITTEN
    person = person_of(customer, case.channel.kind)
    return choosing.why_not(person, pause_days=setting.pause_days, needs_consent=setting.needs_consent, now=now)


def reason_now(invitation: Invitation, setting: SurveySetting, now: datetime) -> str:
    """Why a planned invitation is not sent after all; "" when it is."""
    if invitation.case is None or invitation.customer is None or invitation.case.customer_id != invitation.customer_id:
        return choosing.ERASED
    if invitation.origin == Origin.RULE and invitation.case.status != Status.MERGED and not is_resolved(invitation):
        return choosing.REOPENED
    return reason_against(invitation.survey, invitation.case, invitation.customer, invitation.origin, setting, now)


def send_by_hand(*, survey_id: int, case_id: int, key: str, viewer: Viewer, now: datetime) -> Invitation:
    """An agent asks the customer of a case; refused with the reason when that must not be, and nothing is stored then."""
    check_may(viewer, "case.work")
    case, survey = access_case(case_id, viewer), access_survey(survey_id)
    key = f"hand-{case_id}-{survey_id}-{key}"
    with transaction.atomic():
        made = plan(survey=survey, case=case, origin=Origin.HAND, key=key, now=now, asked_by_id=viewer.person_id)
        if made.state == InvitationState.SKIPPED:
            if made.created_at == now:
                made.delete()
            raise InvalidInput(_("The survey was not sent: %(reason)s.") % {"reason": reason_words(made.reason)}, field="survey")
        if made.created_at == now:
            audit_invitation(made, "survey.invite", actor_of(viewer), now)
    return made


def send_due(*, now: datetime) -> int:
    """Send what is due; returns how many were sent. One that fails is left for the next time and stops no other."""
    due = Invitation.objects.filter(state=InvitationState.QUEUED, planned_at__lte=now).order_by("planned_at", "pk")
    return sum(send(invitation_id, now=now) for invitation_id in list(due.values_list("pk", flat=True)[:AT_ONCE]))


def send(invitation_id: int, *, now: datetime) -> bool:
    """Send one planned invitation, once: into the outbox, or later when it is quiet now, or not at all; returns whether it went out."""
    with transaction.atomic():
        invitation = lock_invitation(invitation_id)
        if invitation is None or invitation.state != InvitationState.QUEUED:
            return False
        setting = get_setting()
        later = not_quiet(now, invitation.customer, setting)
        reason = reason_now(invitation, setting, now)
        if reason:
            invitation.state, invitation.reason = InvitationState.SKIPPED, reason
        elif later > now:
            invitation.planned_at = later
        else:
            invitation.version = newest_version(invitation.survey)
            invitation.message, invitation.state, invitation.sent_at = post(invitation, now=now), InvitationState.SENT, now
            wait_days = invitation.survey.remind_days
            invitation.remind_at = now + timedelta(days=wait_days) if wait_days else None
        invitation.save(update_fields=["state", "reason", "planned_at", "sent_at", "remind_at", "message", "version"])
        return invitation.state == InvitationState.SENT


def link_only(*, survey: Survey, case: Case, key: str, now: datetime) -> Invitation:
    """For programs that show the survey themselves: the invitation counts as sent at once, and nothing leaves the house."""
    with transaction.atomic():
        list(Customer.objects.select_for_update().filter(pk=case.customer_id))
        made = plan(survey=survey, case=case, origin=Origin.API, key=key, now=now)
        if made.state == InvitationState.QUEUED:
            made.state, made.sent_at = InvitationState.SENT, now
            made.save(update_fields=["state", "sent_at"])
    return made


def plan_for_program(*, survey: Survey, case: Case, key: str, now: datetime) -> Invitation:
    """For programs that let the desk write to the customer."""
    return plan(survey=survey, case=case, origin=Origin.API, key=key, now=now)


def revoke(*, invitation_id: int, viewer: Viewer, now: datetime) -> Invitation:
    """Close the links of an invitation; one that was not sent yet never is."""
    check_may(viewer, "case.work")
    with transaction.atomic():
        found = lock_invitation(invitation_id)
        if found is None or found.case is None:
            raise InvalidInput(_("There is no such invitation any more; load the page again."))
        access_case(found.case.pk, viewer)
        found.revision += 1
        if found.state == InvitationState.QUEUED:
            found.state, found.reason = InvitationState.SKIPPED, choosing.REVOKED
        found.save(update_fields=["revision", "state", "reason"])
        audit_invitation(found, "survey.revoke", actor_of(viewer), now)
    return found


def not_quiet(moment: datetime, customer: Customer | None, setting: SurveySetting) -> datetime:
    """The moment, or the first one after it outside the quiet hours of the customer."""
    house = timezone.get_default_timezone()
    zone = zone_of(customer.attributes.get("time_zone") if customer is not None else None, house)
    return after_quiet(moment, zone, setting.quiet_from_minutes, setting.quiet_until_minutes)


def _follow(event: CaseEvent, now: datetime) -> None:
    if event.kind == EventKind.DELIVERY:
        if event.after.get("delivery") == Delivery.FAILED and event.message_id:
            sent = Invitation.objects.filter(message_id=event.message_id, state=InvitationState.SENT)
            sent.update(state=InvitationState.FAILED, reason=choosing.NOT_DELIVERED, sent_at=None)
        return
    case = event.case
    if event.after.get("status") != Status.RESOLVED or event.at < now - LOOKED_BACK or case.status == Status.MERGED:
        return
    if case.channel.kind == ChannelKind.FILE:
        return
    for survey in Survey.objects.filter(is_active=True, sent_when=SentWhen.RESOLVED).order_by("pk"):
        wanted = (survey.case_kinds, survey.channel_ids, survey.team_ids)
        if choosing.fits(case.kind, case.channel_id, case.team_id, wanted=wanted):
            _plan_after(event, survey, now)


def _plan_after(event: CaseEvent, survey: Survey, now: datetime) -> None:
    """One invitation a case and survey is planned at a time: a case that was resolved again is asked about after the last time.

    Events are read several times: one is done with when an invitation bears its key or was planned after it.
    """
    key = f"rule-{survey.pk}-{event.case_id}-{event.pk}"
    theirs = Invitation.objects.filter(survey=survey, case_id=event.case_id, origin=Origin.RULE)
    if theirs.filter(Q(key=key) | Q(created_at__gte=event.at)).exists():
        return
    wanted_at = event.at + timedelta(minutes=survey.delay_minutes)
    if not theirs.filter(state=InvitationState.QUEUED).update(planned_at=wanted_at, key=key):
        plan(survey=survey, case=event.case, origin=Origin.RULE, key=key, now=now)
