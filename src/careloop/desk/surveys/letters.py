"""What an invitation says to the customer: by mail one link for each score, elsewhere one plain link."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import override

from careloop.desk.surveys.links import link_for
from careloop.desk.surveys.models import Invitation
from careloop.desk.surveys.queries import BY_MAIL
from careloop.desk.surveys.rules.questions import Question, in_language, questions_of, score_question

CHINESE = ("\u4e00", "\u9fff")


def language_of(invitation: Invitation) -> str:
    """ "zh" or "en": the customer's language; where it is not known, the one that the case is written in."""
    known = invitation.customer.language if invitation.customer is not None else ""
    if known:
        return "zh" if known.startswith("zh") else "en"
    written = invitation.case.subject if invitation.case is not None else ""
    return "zh" if any(CHINESE[0] <= letter <= CHINESE[1] for letter in written) else "en"


def letter_of(invitation: Invitation, *, now: datetime) -> str:
    """The text of the message."""
    language = language_of(invitation)
    link = link_for(invitation, now=now)
    scale = score_question(questions_of(invitation.version.questions))
    intro = in_language(invitation.version.intro, language)
    with override("zh-hans" if language == "zh" else "en"):
        intro = intro or _("We have handled your case “%(subject)s”. How was it?") % {"subject": _subject(invitation)}
        if scale is None or invitation.channel.kind not in BY_MAIL:
            parts = [intro, in_language(scale.text, language) if scale else "", link]
        else:
            click = _("Click the line that fits; one click is enough.")
            lines = "\n".join(f"{_mark(scale, score, language)}\n{link}?score={score}" for score in scale.scores[::-1])
            parts = [intro, in_language(scale.text, language), click, lines]
        ending = _("You would rather not be asked? %(link)s") % {"link": f"{link}no-more/"}
    return "\n\n".join(filter(None, [*parts, ending]))


def _mark(scale: Question, score: int, language: str) -> str:
    ends = {scale.low: scale.low_words, scale.high: scale.high_words}
    word = in_language(ends.get(score, {}), language)
    return f"{score} · {word}" if word else str(score)


def _subject(invitation: Invitation) -> str:
    return invitation.case.subject if invitation.case is not None else ""
