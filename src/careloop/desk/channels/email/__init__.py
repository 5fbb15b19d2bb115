"""E-mail: out by SMTP, or into files of the data folder while no mail server is set."""

from django.core.mail import EmailMessage
from django.utils.translation import gettext_noop

from careloop.desk.channels.outgoing import CannotDeliver, Outgoing


def send(outgoing: Outgoing) -> None:
    """Hand the message to the mail server; the key becomes the Message-ID, so that a repeated delivery is recognised."""
    if not outgoing.to:
        raise CannotDeliver(gettext_noop("The customer has no e-mail address; add one on the customer's page or call them."))
    EmailMessage(
        subject=f"{outgoing.subject} [#{outgoing.case_id}]",
        body=outgoing.body,
        to=[outgoing.to],
        headers={
            "Message-ID": f"<{outgoing.idempotency_key}@careloop>",
            "Auto-Submitted": "auto-replied" if outgoing.is_automatic else "no",
        },
    ).send()
