"""Reports by mail: who gets which when; their maker and owners change them, whoever gets them may leave."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db import transaction
from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import actor_of, check_may, viewer_of
from careloop.desk.accounts.rules import PERMISSIONS, Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput, NotAllowed, NotFound
from careloop.desk.reports.address import address_from
from careloop.desk.reports.dashboards import get_dashboard
from careloop.desk.reports.models import MailedReport, Mailing
from careloop.desk.reports.retention_rows import within_of
from careloop.desk.reports.times_rows import target_of
from careloop.desk.reports.words import ALL_NAMES

TO_SEND = (MailedReport.State.WAITING, MailedReport.State.FAILED)
WENT_WRONG = (MailedReport.State.FAILED, MailedReport.State.REFUSED)
MAILS_SHOWN = 8


@dataclass(frozen=True)
class MailingFacts:
    """What shall be mailed to whom: a report's name or a dashboard's number."""

    report: str
    dashboard_id: int | None
    query: str
    rhythm: str
    hour: int
    recipient_ids: list[int]


def list_mailings(viewer: Viewer) -> QuerySet[Mailing]:
    """Those that the viewer made or gets; owners see all."""
    check_may(viewer, "report.view")
    return Mailing.objects.filter(pk__in=_in_sight(viewer)).select_related("dashboard", "maker").prefetch_related("recipients")


def list_with_mails(viewer: Viewer) -> QuerySet[Mailing]:
    """The same with the newest mails in the viewer's sight as `newest`, when one was sent last, and what went wrong last."""
    mails = list_mails(viewer)
    of_one = mails.filter(mailing=OuterRef("pk")).order_by("-changed_at")
    wrong = of_one.filter(state__in=WENT_WRONG)
    newest = mails.select_related("recipient").order_by("-first_day", "recipient__display_name")[:MAILS_SHOWN]
    return (
        list_mailings(viewer)
        .prefetch_related(Prefetch("mails", newest, to_attr="newest"))
        .annotate(
            last_sent_at=Subquery(of_one.filter(state=MailedReport.State.SENT).values("changed_at")[:1]),
            last_error=Subquery(wrong.values("error")[:1]),
            last_error_at=Subquery(wrong.values("changed_at")[:1]),
        )
    )


def list_mails(viewer: Viewer) -> QuerySet[MailedReport]:
    """Mails to the viewer and of mailings that they may change."""
    check_may(viewer, "report.view")
    if _sees_all(viewer):
        return MailedReport.objects.all()
    return MailedReport.objects.filter(Q(recipient_id=viewer.person_id) | Q(mailing__maker_id=viewer.person_id))


def get_mailing(mailing_id: int, viewer: Viewer) -> Mailing:
    """One in the viewer's sight."""
    found = list_mailings(viewer).filter(pk=mailing_id).first()
    if found is None:
        raise NotFound(_("There is no mailing %(number)s for you.") % {"number": mailing_id})
    return found


def may_change(mailing: Mailing, viewer: Viewer) -> bool:
    """Its maker and owners change a mailing."""
    return mailing.maker_id == viewer.person_id or _sees_all(viewer)


def list_possible_recipients(viewer: Viewer) -> list[User]:
    """Who may be chosen: people who see reports; by those who share dashboards everybody, by others only themselves."""
    roles = [role for role, permissions in PERMISSIONS.items() if "report.view" in permissions]
    people = User.objects.filter(is_active=True, role__in=roles).order_by("display_name")
    return [one for one in people if viewer.may("dashboard.share") or one.pk == viewer.person_id]


def rhythm_choices() -> list[tuple[str, str]]:
    """How often something can be mailed."""
    return [(code, str(word)) for code, word in Mailing.Rhythm.choices]


def save_mailing(
    *, facts: MailingFacts, viewer: Viewer, now: datetime, mailing_id: int | None = None, expected_version: int | None = None
) -> Mailing:
    """Mail a report or dashboard from now on, or change the mailing that was seen in `expected_version`.

    People whom a viewer who chooses nobody else finds there stay chosen. With another rhythm only what falls due from now on is mailed.
    """
    check_may(viewer, "report.view")
    with transaction.atomic():
        held = Mailing(maker_id=viewer.user_id, since=now, version=0) if mailing_id is None else _hold(mailing_id, viewer)
        chosen = _check_facts(facts, viewer, held)
        if mailing_id is not None and held.version != expected_version:
            raise Conflict(_("Somebody else changed this in between; look at it again."))
        held.since = held.since if held.rhythm == facts.rhythm else now
        held.report, held.dashboard_id, held.query = facts.report, facts.dashboard_id, _plain_query(facts)
        held.rhythm, held.hour, held.version = facts.rhythm, facts.hour, held.version + 1
        held.save()
        held.recipients.set(chosen)
        held.mails.filter(state__in=TO_SEND).exclude(recipient__in=chosen).delete()
        told = {name: getattr(held, name) for name in ("report", "dashboard_id", "query", "rhythm", "hour")}
        action = "mailing.make" if mailing_id is None else "mailing.change"
        note(action, held.pk, viewer, now, {**told, "recipients": [one.pk for one in chosen]})
    return held


def switch_mailing(*, mailing_id: int, is_active: bool, expected_version: int, viewer: Viewer, now: datetime) -> None:
    """Pause or resume; what fell due during a pause is not mailed afterwards."""
    with transaction.atomic():
        held = _hold(mailing_id, viewer)
        if held.version != expected_version:
            raise Conflict(_("Somebody else changed this in between; look at it again."))
        held.is_active, held.version = is_active, held.version + 1
        held.since = now if is_active else held.since
        held.save()
        held.mails.filter(state__in=TO_SEND).delete()
        note("mailing.switch", held.pk, viewer, now, {"is_active": is_active})


def leave_mailing(*, mailing_id: int, viewer: Viewer, now: datetime) -> None:
    """Get it no longer, what waits included; a mailing that nobody gets any more is paused."""
    with transaction.atomic():
        held = Mailing.objects.select_for_update().get(pk=get_mailing(mailing_id, viewer).pk)
        if not held.recipients.filter(pk=viewer.person_id).exists():
            raise NotFound(_("This report is not mailed to you."))
        held.recipients.remove(viewer.user_id)
        held.mails.filter(state__in=TO_SEND, recipient_id=viewer.user_id).delete()
        held.is_active, held.version = held.is_active and held.recipients.exists(), held.version + 1
        held.save()
        note("mailing.leave", held.pk, viewer, now, {})


def remove_mailing(*, mailing_id: int, viewer: Viewer, now: datetime) -> None:
    """Mail it no longer, and forget which mails went out."""
    with transaction.atomic():
        held = _hold(mailing_id, viewer)
        details = {"report": held.report, "dashboard_id": held.dashboard_id}
        held.delete()
        note("mailing.remove", mailing_id, viewer, now, details)


def note(action: str, number: int, viewer: Viewer, now: datetime, details: dict[str, Any]) -> None:
    """Write what somebody did with a mailing into the audit trail."""
    audit.record(actor=actor_of(viewer), action=action, object_type="mailing", object_id=number, now=now, details=details)


def _sees_all(viewer: Viewer) -> bool:
    return viewer.team_ids is None and viewer.may("dashboard.share")


def _in_sight(viewer: Viewer) -> QuerySet[Any]:
    made = Mailing.objects.filter(maker_id=viewer.person_id).values("pk")
    got = Mailing.objects.filter(recipients=viewer.user_id).values("pk")
    return Mailing.objects.values("pk") if _sees_all(viewer) else Mailing.objects.filter(Q(pk__in=made) | Q(pk__in=got)).values("pk")


def _hold(mailing_id: int, viewer: Viewer) -> Mailing:
    """The mailing, locked, for somebody who may change it."""
    found = get_mailing(mailing_id, viewer)
    if not may_change(found, viewer):
        raise NotAllowed(_("Only %(name)s and owners change this; you may leave it.") % {"name": found.maker.display_name})
    return Mailing.objects.select_for_update().get(pk=found.pk)


def _check_facts(facts: MailingFacts, viewer: Viewer, held: Mailing) -> list[User]:
    """Refuse what cannot be mailed; returns who shall get it."""
    if (facts.report in ALL_NAMES) == (facts.dashboard_id is not None):
        raise InvalidInput(_("Choose the report or dashboard that shall be mailed."), field="what")
    if facts.dashboard_id is not None and facts.dashboard_id != held.dashboard_id:
        get_dashboard(facts.dashboard_id, viewer)
    if facts.rhythm not in Mailing.Rhythm.values:
        raise InvalidInput(_("Choose how often: every day, every Monday, or on the first of the month."), field="rhythm")
    if not 0 <= facts.hour <= 23:
        raise InvalidInput(_("The hour is %(given)s; choose one from 0 to 23.") % {"given": facts.hour}, field="hour")
    possible = {one.pk: one for one in list_possible_recipients(viewer)}
    chosen = [possible[number] for number in facts.recipient_ids if number in possible]
    if len(chosen) != len(set(facts.recipient_ids)):
        raise InvalidInput(_("Choose who gets it, from the list; others cannot see reports."), field="recipients")
    if held.pk and not viewer.may("dashboard.share"):
        chosen += [one for one in held.recipients.all() if one.pk not in possible]
    if not chosen:
        raise InvalidInput(_("Choose who gets it, from the list; others cannot see reports."), field="recipients")
    for one in chosen:
        _check_sees(one, facts.dashboard_id)
    return chosen


def _check_sees(person: User, dashboard_id: int | None) -> None:
    if dashboard_id is None:
        return
    try:
        get_dashboard(dashboard_id, viewer_of(person))
    except DeskError:
        sentence = _("%(name)s does not see this dashboard; share it with their team first.")
        raise InvalidInput(sentence % {"name": person.display_name}, field="recipients") from None


def _plain_query(facts: MailingFacts) -> str:
    """The choice of facets and what is the report's own: the period is the mailing's; explanations know teams alone."""
    address = address_from(dict(parse_qsl(facts.query.lstrip("?")[:2000])), facts.report)
    address.question(timezone.localdate())
    target_of(address)
    within_of(address)
    kept = [(name, value) for name, value in address.given if name not in {"period", "since", "until", "as_of", "per"}]
    return urlencode([(name, value) for name, value in kept if facts.report != "why" or name == "team"])[:800]
