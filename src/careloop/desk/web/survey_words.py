"""Surveys as pages show them: questions in one language with what was given, and the words of codes."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from careloop.desk.surveys.rules.questions import in_language, questions_of

KINDS = {"SCALE": _("Scale"), "CHOICE": _("Choice"), "TEXT": _("Text"), "YES_NO": _("Yes or no")}
NAMES = {"en": "English", "zh": "简体中文"}


def shown_questions(
    version: Any, language: str, values: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """The questions of a version in one language, with what was chosen or typed and what is wrong with it."""
    values, errors = values or {}, errors or {}
    return [
        {
            "code": one.code,
            "kind": one.kind,
            "text": in_language(one.text, language),
            "is_required": one.is_required,
            "scores": one.scores if one.kind == "SCALE" else [],
            "low": in_language(one.low_words, language),
            "high": in_language(one.high_words, language),
            "choices": [(choice["code"], in_language(choice, language)) for choice in one.choices],
            "value": _typed(values.get(one.code)),
            "error": errors.get(one.code, ""),
        }
        for one in questions_of(version.questions)
    ]


def rate_words(rate: Any) -> dict[str, str]:
    """A rate and its interval in percent, rounded, for tiles and tables; empty where nobody was asked."""
    if not rate.n:
        return {"share": "–", "interval": ""}
    return {"share": f"{rate.share:.1%}", "interval": f"{rate.low * 100:.1f}–{rate.high * 100:.1f}%"}


def answers_in_words(version: Any, answers: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    """(question, answer) in the order of the questions; what was not answered is left out."""
    found = []
    for one in questions_of(version.questions):
        said = answers.get(one.code)
        if said is None:
            continue
        words = {choice["code"]: in_language(choice, language) for choice in one.choices}
        told = str(_("Yes") if said else _("No")) if isinstance(said, bool) else words.get(str(said), str(said))
        found.append((in_language(one.text, language), f"{told} / {one.high}" if one.kind == "SCALE" else told))
    return found


def _typed(value: Any) -> str:
    """As a form's field holds it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "" if value is None else str(value)
