"""Reasons for not asking, in the reader's words."""

from django.utils.translation import gettext_lazy as _

from careloop.desk.surveys.rules import choosing

REASONS = {
    choosing.SAMPLE: _("not in the sample"),
    choosing.TOO_SOON: _("the customer was asked a short while ago"),
    choosing.REFUSED: _("the customer does not want to be asked"),
    choosing.NO_CONSENT: _("the customer did not agree to be asked"),
    choosing.NO_ADDRESS: _("there is no address for this channel"),
    choosing.BOUNCED: _("the last message could not be delivered"),
    choosing.ERASED: _("the customer or the case was erased"),
    choosing.MERGED: _("the case was merged into another"),
    choosing.REOPENED: _("the case was opened again"),
    choosing.SWITCHED_OFF: _("the survey is switched off"),
    choosing.ANSWERED: _("the customer had answered already"),
    choosing.NOT_DELIVERED: _("the message could not be delivered"),
    choosing.UNWRITTEN: _("the customer had written nothing, only a program did"),
    choosing.REVOKED: _("somebody took it back"),
}


def reason_words(code: str) -> str:
    """The sentence's part for a code; an unknown code as it is."""
    return str(REASONS.get(code, code))
