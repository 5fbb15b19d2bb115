"""Sending reports by mail: at most one mail for a period and a person, counted with that person's own rights."""

from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may, viewer_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import Conflict, DeskError, NotAllowed, NotFound
from careloop.desk.reports.address import address_from
from careloop.desk.reports.content import Content, dashboard_content
from careloop.desk.reports.dashboards import get_dashboard
from careloop.desk.reports.documents import document_of, mailed_address
from careloop.desk.reports.files import csv_of
from careloop.desk.reports.mailings import TO_SEND, get_mailing, list_mails, note
from careloop.desk.reports.models import MailedReport, Mailing
from careloop.desk.reports.paper import pdf_of
from careloop.desk.reports.parts import Document
from careloop.desk.reports.rules.rhythms import due_periods, newest_period
from careloop.desk.reports.words import OTHER_NAMES

UNKNOWN_AFTER = timedelta(minutes=10)  # a mail that is “being sent” for so long was cut off


def is_cut_off(mail: MailedReport, now: datetime) -> bool:
    """Whether sending it was interrupted, so that nobody knows whether it arrived."""
    return mail.state == MailedReport.State.SENDING and mail.changed_at < now - UNKNOWN_AFTER


def may_again(mail: MailedReport, now: datetime) -> bool:
    """Whether it may be sent again: it failed, was refused or cut off."""
    return mail.state in {MailedReport.State.FAILED, MailedReport.State.REFUSED} or is_cut_off(mail, now)


def note_due(*, now: datetime) -> list[int]:
    """Write down the mails that have become due, each once, for people who are still there; returns those that are new."""
    new = []
    for mailing in Mailing.objects.filter(is_active=True).prefetch_related("recipients"):
        for period in due_periods(mailing.rhythm, mailing.hour, mailing.since, now, timezone.get_default_timezone()):
            for recipient in mailing.recipients.all():
                if not recipient.is_active:
                    continue
                columns = {"mailing": mailing, "recipient": recipient, "first_day": period.first}
                rest = {"last_day": period.last, "changed_at": now}
                mail, is_new = MailedReport.objects.get_or_create(**columns, defaults=rest)
                new += [mail.pk] if is_new else []
    return new


def prepare_now(*, mailing_id: int, viewer: Viewer, now: datetime) -> MailedReport:
    """Let the newest period that is over be mailed to the viewer alone, paused or not, sent before or not."""
    mailing = get_mailing(mailing_id, viewer)
    first, last = newest_period(mailing.rhythm, timezone.localdate(now))
    with transaction.atomic():
        held = MailedReport.objects.select_for_update().filter(mailing=mailing, recipient_id=viewer.user_id, first_day=first).first()
        if held is not None and held.state == MailedReport.State.SENDING and not is_cut_off(held, now):
            raise Conflict(_("This mail was sent or is being sent; load the page again."))
        mail = held or MailedReport(mailing=mailing, recipient_id=viewer.user_id, first_day=first)
        mail.last_day, mail.state, mail.error, mail.changed_at = last, MailedReport.State.WAITING, "", now
        mail.save()
        note("mailing.now", mailing.pk, viewer, now, {"mail": mail.pk})
    return mail


def prepare_again(*, mail_id: int, viewer: Viewer, now: datetime) -> MailedReport:
    """Let a mail that failed, or of which nobody knows whether it went out, be sent again; nobody else's is touched."""
    mail = list_mails(viewer).filter(pk=mail_id).first()
    if mail is None:
        raise NotFound(_("There is no mail %(number)s for you.") % {"number": mail_id})
    cut_off = Q(state=MailedReport.State.SENDING, changed_at__lt=now - UNKNOWN_AFTER)
    again = Q(state__in=[MailedReport.State.FAILED, MailedReport.State.REFUSED]) | cut_off
    with transaction.atomic():
        if not MailedReport.objects.filter(again, pk=mail.pk).update(state=MailedReport.State.WAITING, error="", changed_at=now):
            raise Conflict(_("This mail was sent or is being sent; load the page again."))
        note("mailing.again", mail.mailing_id, viewer, now, {"mail": mail.pk})
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
    address = address_from(values, mailing.report)
    content: Content | Document
    if mailing.dashboard_id is not None:
        content = dashboard_content(get_dashboard(mailing.dashboard_id, viewer), address, mail.last_day, viewer)
        path = reverse("dashboard", args=[mailing.dashboard_id]) + address.link()
    else:
        content = document_of(mailing.report, mailed_address(mailing.report, address), mail.last_day, viewer)
        query = content.query if isinstance(content, Document) else address.link()
        path = (reverse(mailing.report) if mailing.report in OTHER_NAMES else reverse("report", args=[mailing.report])) + query
    name = f"{content.slug}-{mail.first_day}"
    headers = {"Message-ID": f"<report-{mail.pk}@careloop>", "Auto-Submitted": "auto-generated"}
    subject = f"{settings.HOUSE_NAME}: {content.title}, {content.days}"[:150]
    body = _body(content, settings.BASE_URL + path, mailing.maker.display_name)
    message = EmailMessage(subject=subject, body=body, to=[recipient.email], headers=headers)
    message.attach(f"{name}.pdf", pdf_of(content), "application/pdf")
    message.attach(f"{name}.csv", csv_of(content).encode(), "text/csv")
    return message


def _body(content: Content | Document, link: str, maker: str) -> str:
    why = _("%(name)s has this mailed to you; they or an owner can stop it. The figures are counted with your own rights.")
    head = " · ".join([content.title, content.days, *content.chosen])
    return "\n\n".join([head, "\n".join(content.figures), link, why % {"name": maker}])


def _set(mail: MailedReport, state: str, now: datetime, error: str) -> None:
    MailedReport.objects.filter(pk=mail.pk).update(state=state, error=error.replace("\0", "")[:400], changed_at=now)
