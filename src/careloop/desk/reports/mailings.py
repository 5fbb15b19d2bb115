"""Reports by mail: who gets which when; at most one mail for a period and a person, counted with that person's own rights."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import actor_of, check_may, viewer_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput, NotAllowed, NotFound
from careloop.desk.reports.address import address_from
from careloop.desk.reports.content import Content, dashboard_content, report_content
from careloop.desk.reports.dashboards import get_dashboard
from careloop.desk.reports.files import csv_of
from careloop.desk.reports.models import MailedReport, Mailing
from careloop.desk.reports.paper import pdf_of
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.reports.rules.rhythms import due_periods
from careloop.desk.reports.words import NAMES, say, say_interval

TO_SEND = (MailedReport.State.WAITING, MailedReport.State.FAILED)
UNKNOWN_AFTER = timedelta(minutes=10)  # a mail that is “being sent” for so long was cut off


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
    """Those that the viewer made; owners see all."""
    check_may(viewer, "report.view")
    found = Mailing.objects.select_related("dashboard", "maker").prefetch_related("recipients")
    sees_all = viewer.team_ids is None and viewer.may("dashboard.share")
    return found if sees_all else found.filter(maker_id=viewer.person_id)


def list_possible_recipients(viewer: Viewer) -> list[User]:
    """Who may be chosen: people who see reports; by those who share dashboards everybody, by others only themselves."""
    people = [one for one in User.objects.filter(is_active=True).order_by("display_name") if viewer_of(one).may("report.view")]
    return [one for one in people if viewer.may("dashboard.share") or one.pk == viewer.person_id]


def rhythm_choices() -> list[tuple[str, str]]:
    """How often something can be mailed."""
    return [(code, str(word)) for code, word in Mailing.Rhythm.choices]


def is_cut_off(mail: MailedReport, now: datetime) -> bool:
    """Whether sending it was interrupted, so that nobody knows whether it arrived."""
    return mail.state == MailedReport.State.SENDING and mail.changed_at < now - UNKNOWN_AFTER


def make_mailing(*, facts: MailingFacts, viewer: Viewer, now: datetime) -> Mailing:
    """Mail a report or dashboard from now on."""
    check_may(viewer, "report.view")
    if (facts.report in LAYOUTS) == (facts.dashboard_id is not None):
        raise InvalidInput(_("Choose the report or dashboard that shall be mailed."), field="what")
    if facts.dashboard_id is not None:
        get_dashboard(facts.dashboard_id, viewer)
    if facts.rhythm not in Mailing.Rhythm.values:
        raise InvalidInput(_("Choose how often: every day, every Monday, or on the first of the month."), field="rhythm")
    if not 0 <= facts.hour <= 23:
        raise InvalidInput(_("The hour is %(given)s; choose one from 0 to 23.") % {"given": facts.hour}, field="hour")
    query = _plain_query(facts.query)
    possible = {one.pk: one for one in list_possible_recipients(viewer)}
    chosen = [possible[number] for number in facts.recipient_ids if number in possible]
    if not chosen or len(chosen) != len(set(facts.recipient_ids)):
        raise InvalidInput(_("Choose who gets it, from the list; others cannot see reports."), field="recipients")
    for one in chosen:
        _check_sees(one, facts.dashboard_id)
    with transaction.atomic():
        columns = {"report": facts.report, "dashboard_id": facts.dashboard_id, "query": query, "rhythm": facts.rhythm, "hour": facts.hour}
        made = Mailing.objects.create(**columns, maker_id=viewer.user_id, since=now)
        made.recipients.set(chosen)
        _audit("mailing.make", made.pk, viewer, now, {**columns, "recipients": [one.pk for one in chosen]})
    return made


def switch_mailing(*, mailing_id: int, is_active: bool, expected_version: int, viewer: Viewer, now: datetime) -> None:
    """Pause or resume; what fell due during a pause is not mailed afterwards."""
    with transaction.atomic():
        held = Mailing.objects.select_for_update().get(pk=_access(mailing_id, viewer).pk)
        if held.version != expected_version:
            raise Conflict(_("Somebody else changed this in between; look at it again."))
        held.is_active, held.version = is_active, held.version + 1
        held.since = now if is_active else held.since
        held.save()
        _audit("mailing.switch", held.pk, viewer, now, {"is_active": is_active})


def remove_mailing(*, mailing_id: int, viewer: Viewer, now: datetime) -> None:
    """Mail it no longer, and forget which mails went out."""
    with transaction.atomic():
        found = _access(mailing_id, viewer)
        details = {"report": found.report, "dashboard_id": found.dashboard_id}
        found.delete()
        _audit("mailing.remove", mailing_id, viewer, now, details)


def note_due(*, now: datetime) -> list[int]:
    """Write down the mails that have become due, each once; returns those that are new."""
    new = []
    for mailing in Mailing.objects.filter(is_active=True).prefetch_related("recipients"):
        for period in due_periods(mailing.rhythm, mailing.hour, mailing.since, now, timezone.get_default_timezone()):
            for recipient in mailing.recipients.all():
                columns = {"mailing": mailing, "recipient": recipient, "first_day": period.first}
                rest = {"last_day": period.last, "changed_at": now}
                mail, is_new = MailedReport.objects.get_or_create(**columns, defaults=rest)
                new += [mail.pk] if is_new else []
    return new


def prepare_again(*, mail_id: int, viewer: Viewer, now: datetime) -> MailedReport:
    """Let a mail that failed, or of which nobody knows whether it went out, be sent again; nobody else's is touched."""
    mail = MailedReport.objects.filter(pk=mail_id, mailing__in=list_mailings(viewer)).first()
    if mail is None:
        raise NotFound(_("There is no mail %(number)s for you.") % {"number": mail_id})
    cut_off = Q(state=MailedReport.State.SENDING, changed_at__lt=now - UNKNOWN_AFTER)
    again = Q(state__in=[MailedReport.State.FAILED, MailedReport.State.REFUSED]) | cut_off
    with transaction.atomic():
        if not MailedReport.objects.filter(again, pk=mail.pk).update(state=MailedReport.State.WAITING, error="", changed_at=now):
            raise Conflict(_("This mail was sent or is being sent; load the page again."))
        _audit("mailing.again", mail.mailing_id, viewer, now, {"mail": mail.pk})
    return mail


def send(*, mail_id: int, now: datetime) -> bool:
    """Send one mail; False when it was sent before or nothing shall be sent.

    The row is taken before the mail is handed over: whoever is killed in between leaves it “being sent”, and it is not sent twice.
    """
    mail = MailedReport.objects.select_related("mailing", "mailing__maker", "recipient").filter(pk=mail_id, state__in=TO_SEND).first()
    if mail is None:
        return False
    try:
        with translation.override(mail.recipient.language or settings.LANGUAGE_CODE):
            message = _message(mail)
    except (NotAllowed, NotFound) as refused:
        _set(mail, MailedReport.State.REFUSED, now, refused.message)
        return False
    except DeskError as refused:
        _set(mail, MailedReport.State.FAILED, now, refused.message)
        raise
    if not MailedReport.objects.filter(pk=mail.pk, state=mail.state).update(state=MailedReport.State.SENDING, changed_at=now):
        return False
    try:
        message.send()
    except Exception as error:
        _set(mail, MailedReport.State.FAILED, now, f"{type(error).__name__}: {error}")
        raise
    _set(mail, MailedReport.State.SENT, now, "")
    return True


def _message(mail: MailedReport) -> EmailMessage:
    mailing, recipient = mail.mailing, mail.recipient
    viewer = viewer_of(recipient)
    if not recipient.is_active:
        raise NotAllowed(_("The account was switched off."))
    check_may(viewer, "report.view")
    values = {**dict(parse_qsl(mailing.query)), "since": mail.first_day.isoformat(), "until": mail.last_day.isoformat()}
    values.pop("period", None)
    address = address_from(values)
    if mailing.dashboard_id is not None:
        content = dashboard_content(get_dashboard(mailing.dashboard_id, viewer), address, mail.last_day, viewer)
        path = reverse("dashboard", args=[mailing.dashboard_id])
    else:
        content = report_content(LAYOUTS[mailing.report], address, mail.last_day, viewer)
        path = reverse("report", args=[mailing.report])
    name = f"{content.slug}-{mail.first_day}"
    headers = {"Message-ID": f"<report-{mail.pk}@careloop>", "Auto-Submitted": "auto-generated"}
    subject = f"{settings.HOUSE_NAME}: {content.title}, {content.days}"[:150]
    body = _body(content, settings.BASE_URL + path + address.link(), mailing.maker.display_name)
    message = EmailMessage(subject=subject, body=body, to=[recipient.email], headers=headers)
    message.attach(f"{name}.pdf", pdf_of(content), "application/pdf")
    message.attach(f"{name}.csv", csv_of(content).encode(), "text/csv")
    return message


def _body(content: Content, link: str, maker: str) -> str:
    figures = []
    for one in content.numbers:
        interval = say_interval(one.key, one.figure)
        own = f" ({one.own})" if one.own else ""
        figures.append(f"{NAMES[one.key]}{own}: {say(one.key, one.figure.value)}" + (f" · {interval}" if interval else ""))
    why = _("%(name)s has this mailed to you; they or an owner can stop it. The figures are counted with your own rights.")
    head = " · ".join([content.title, content.days, *content.chosen])
    return "\n\n".join([head, "\n".join(figures), link, why % {"name": maker}])


def _check_sees(person: User, dashboard_id: int | None) -> None:
    if dashboard_id is None:
        return
    try:
        get_dashboard(dashboard_id, viewer_of(person))
    except DeskError:
        sentence = _("%(name)s does not see this dashboard; share it with their team first.")
        raise InvalidInput(sentence % {"name": person.display_name}, field="recipients") from None


def _plain_query(given: str) -> str:
    """The choice of facets alone: the period is the mailing's own."""
    address = address_from(dict(parse_qsl(given.lstrip("?")[:2000])))
    address.question(timezone.localdate())
    return urlencode([(name, value) for name, value in address.given if name not in {"period", "since", "until", "as_of", "per"}])[:800]


def _access(mailing_id: int, viewer: Viewer) -> Mailing:
    found = list_mailings(viewer).filter(pk=mailing_id).first()
    if found is None:
        raise NotFound(_("There is no mailing %(number)s for you.") % {"number": mailing_id})
    return found


def _set(mail: MailedReport, state: str, now: datetime, error: str) -> None:
    MailedReport.objects.filter(pk=mail.pk).update(state=state, error=error.replace("\0", "")[:400], changed_at=now)


def _audit(action: str, number: int, viewer: Viewer, now: datetime, details: dict[str, Any]) -> None:
    audit.record(actor=actor_of(viewer), action=action, object_type="mailing", object_id=number, now=now, details=details)
