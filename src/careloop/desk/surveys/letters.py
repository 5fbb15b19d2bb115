"""What an invitation says to the customer: by mail one link for each score, as text and as HTML; elsewhere one plain link.

A link in a mail never answers by itself: it opens the page with the score chosen (see web.views.survey_page).
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from careloop.desk.surveys.links import link_for
from careloop.desk.surveys.models import Invitation, SurveyVersion
from careloop.desk.surveys.queries import BY_MAIL, get_setting
from careloop.desk.surveys.rules.questions import SCALE, Question, in_language, questions_of

CHINESE = ("\u4e00", "\u9fff")
CODES = {"en": "en", "zh": "zh-hans"}  # languages of surveys as Django calls them


@dataclass(frozen=True)
class Letter:
    """The same words as text and, for mail, as HTML; `refuse_url` is where the customer says not to be asked."""

    subject: str
    text: str
    html: str
    refuse_url: str


@dataclass(frozen=True)
class Parts:
    """What both forms of a letter are made of; `hint` and `link` depend on whether the first question can be answered in the mail."""

    subject: str
    intro: str
    question: str
    hint: str
    why: str
    link: str
    scale: Question | None


def language_of(invitation: Invitation) -> str:
    """ "zh" or "en": the customer's language; where it is not known, the one that the case is written in."""
    known = invitation.customer.language if invitation.customer is not None else ""
    if known:
        return "zh" if known.startswith("zh") else "en"
    written = invitation.case.subject if invitation.case is not None else ""
    return "zh" if any(CHINESE[0] <= letter <= CHINESE[1] for letter in written) else "en"


def letter_of(invitation: Invitation, *, now: datetime, is_reminder: bool = False) -> Letter:
    """The message that asks, or reminds once."""
    subject = invitation.case.subject if invitation.case is not None else ""
    link = link_for(invitation, now=now)
    language = language_of(invitation)
    is_mail = invitation.channel.kind in BY_MAIL
    with override(CODES[language]):
        parts = parts_of(invitation.version, language, subject, link=link, is_reminder=is_reminder)
        text = _text(parts, language, is_mail=is_mail)
        return Letter(parts.subject, text, html_of(parts, language) if is_mail else "", _refuse(link))


def letter_to_show(version: SurveyVersion, language: str) -> Letter:
    """The mail as an editor shows it: about a case that is none, by links that lead nowhere."""
    with override(CODES[language]):
        parts = parts_of(version, language, _("Where is my order?"), link="#")
        return Letter(parts.subject, _text(parts, language, is_mail=True), html_of(parts, language), "#")


def parts_of(version: SurveyVersion, language: str, subject: str, *, link: str, is_reminder: bool = False) -> Parts:
    """The words in the language that is switched on; a question without a scale is not answered in the mail."""
    first = questions_of(version.questions)[0]
    scale = first if first.kind == SCALE else None
    intro = in_language(version.intro, language) or _("We have handled your case “%(subject)s”. How was it?") % {"subject": subject}
    if is_reminder:
        intro = _("We asked you a few days ago and would still like to know.") + "\n\n" + intro
    days = get_setting().pause_days
    why = _("You are asked because you wrote to us.")
    if days:
        why += "\n" + ngettext("We ask at most once a day.", "We ask at most once in %(days)d days.", days) % {"days": days}
    return Parts(
        subject=(_("Reminder: how was it? “%(subject)s”") if is_reminder else _("How was it? “%(subject)s”")) % {"subject": subject},
        intro=intro,
        question=in_language(first.text, language),
        hint=_("Click what fits; one click is enough.") if scale else _("The answer opens in your browser; it needs no account."),
        why=why,
        link=link,
        scale=scale,
    )


def html_of(parts: Parts, language: str) -> str:
    """The HTML of a mail, in the language that is switched on."""
    scale = parts.scale
    marks = [(score, f"{parts.link}?score={score}", _spoken(scale, score, language)) for score in scale.scores] if scale else []
    context = {
        "parts": parts,
        "marks": marks,
        "ends": [_mark(scale, end, language) for end in (scale.low, scale.high)] if scale else [],
        "refuse_url": _refuse(parts.link),
        "house_name": settings.HOUSE_NAME,
        "html_language": "zh-Hans" if language == "zh" else "en",
    }
    return render_to_string("survey_mail/mail.html", context)


def _text(parts: Parts, language: str, *, is_mail: bool) -> str:
    asked = [parts.link]
    if parts.scale is not None and is_mail:
        scores = parts.scale.scores[::-1]
        asked = [parts.hint, "\n".join(f"{_mark(parts.scale, score, language)}\n{parts.link}?score={score}" for score in scores)]
    refusal = _("You would rather not be asked? %(link)s") % {"link": _refuse(parts.link)}
    return "\n\n".join([parts.intro, parts.question, *asked, f"{parts.why}\n{refusal}"])


def _refuse(link: str) -> str:
    return f"{link}no-more/"


def _mark(scale: Question, score: int, language: str) -> str:
    ends = {scale.low: scale.low_words, scale.high: scale.high_words}
    word = in_language(ends.get(score, {}), language)
    return f"{score} · {word}" if word else str(score)


def _spoken(scale: Question, score: int, language: str) -> str:
    """A score as a screen reader says it."""
    word = _mark(scale, score, language).partition(" · ")[2]
    told = _("%(score)d of %(high)d") % {"score": score, "high": scale.high}
    return f"{told}: {word}" if word else told
