"""A survey as customers will see it, while it is edited: mail, page and thanks in both languages. Nothing is stored or sent."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import override

from careloop.desk.surveys.actions import SurveyFacts
from careloop.desk.surveys.letters import CODES, letter_to_show
from careloop.desk.surveys.queries import unsaved_version
from careloop.desk.surveys.rules.questions import in_language, problems_of
from careloop.desk.web.survey_words import NAMES, shown_questions


def previews_of(facts: SurveyFacts, request: HttpRequest) -> list[dict[str, Any]]:
    """One for each language; none while the questions do not fit."""
    if problems_of(facts.kind, facts.questions):
        return []
    version = unsaved_version(facts.questions, facts.intro, facts.thanks)
    return [_preview(version, code, request) for code in CODES]


def _preview(version: Any, language: str, request: HttpRequest) -> dict[str, Any]:
    context = {
        "language": language,
        "token": "preview",
        "intro": in_language(version.intro, language),
        "thanks": in_language(version.thanks, language),
        "questions": shown_questions(version, language),
        "is_open": True,
        "is_preview": True,
    }
    with override(CODES[language]):
        page, thanks = (render_to_string("survey_page/page.html", {**context, "done": done}, request) for done in ("", "all"))
    letter = letter_to_show(version, language)
    return {"code": language, "name": NAMES[language], "letter": letter, "page": page, "thanks": thanks}
