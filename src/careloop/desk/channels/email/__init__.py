"""E-mail: out by SMTP, or into files of the data folder while no mail server is set."""

from email.encoders import encode_base64
from email.mime.nonmultipart import MIMENonMultipart

from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext_noop

from careloop.desk.channels.outgoing import CannotDeliver, Outgoing, SentFile


def send(outgoing: Outgoing) -> None:
    """Hand the message to the mail server; the key becomes the Message-ID, so that a repeated delivery is recognised."""
    if not outgoing.to:
        raise CannotDeliver(gettext_noop("The customer has no e-mail address; add one on the customer's page or call them."))
    mail = EmailMultiAlternatives(
        subject=f"{outgoing.subject} [#{outgoing.case_id}]", body=outgoing.body, to=[outgoing.to], headers=_headers(outgoing)
    )
    if outgoing.html:
        mail.attach_alternative(outgoing.html, "text/html")
    for one in outgoing.files:
        mail.attach(_part_of(one))
    mail.send()


def _headers(outgoing: Outgoing) -> dict[str, str]:
    """Who must not answer it (RFC 3834), and how a mail program ends such mails by one click, which RFC 8058 allows over HTTPS only."""
    headers = {"Message-ID": f"<{outgoing.idempotency_key}@careloop>", "Auto-Submitted": "no"}
    if outgoing.is_automatic:
        headers |= {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "OOF, AutoReply"}
    if outgoing.refuse_url:
        headers |= {"Auto-Submitted": "auto-generated", "List-Unsubscribe": f"<{outgoing.refuse_url}>"}
        if outgoing.refuse_url.startswith("https://"):
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _part_of(one: SentFile) -> MIMENonMultipart:
    """A part in base64 whatever its kind: the bytes arrive as they are, and a text's character set is nobody's guess."""
    part = MIMENonMultipart(*one.content_type.split("/", 1))
    part.set_payload(one.content)
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=one.name if one.name.isascii() else ("utf-8", "", one.name))
    return part
