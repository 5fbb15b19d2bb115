"""The survey editor's form: what was typed becomes facts, facts become what is typed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from careloop.desk.intake.rules import clean_text
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.surveys.actions import SurveyFacts
from careloop.desk.surveys.rules.questions import BEGINNINGS, CHOICE, LANGUAGES, MOST_QUESTIONS, SCALE, Question, Words, questions_of

PERCENT = 100
SPARE = 1  # empty places for further questions


def facts_of(survey: Any, version: Any) -> SurveyFacts:
    """A stored survey as the editor begins with it."""
    return SurveyFacts(
        name=survey.name,
        kind=survey.kind,
        questions=tuple(questions_of(version.questions)),
        intro=version.intro,
        thanks=version.thanks,
        is_active=survey.is_active,
        sent_when=survey.sent_when,
        delay_minutes=survey.delay_minutes,
        remind_days=survey.remind_days,
        share_ratio=survey.share_ratio,
        case_kinds=tuple(survey.case_kinds),
        channel_ids=tuple(survey.channel_ids),
        team_ids=tuple(survey.team_ids),
        bad_at_most=survey.bad_at_most,
        bad_does=survey.bad_does,
        bad_tells=tuple(survey.bad_tells),
        embed_channel_id=survey.embed_channel_id,
    )


def facts_to_begin(kind: str) -> SurveyFacts:
    """A new survey of a kind, not in force yet."""
    known = kind if kind in BEGINNINGS else "CSAT"
    return SurveyFacts("", known, BEGINNINGS[known], sent_when="RESOLVED", bad_at_most=2 if known == "CSAT" else None)


def read_facts(given: QueryDict) -> SurveyFacts:
    """What was typed; InvalidInput names the field that cannot be read."""
    facts = SurveyFacts(
        name=" ".join(clean_text(given.get("name", "")).split()),
        kind=given.get("kind", ""),
        questions=tuple(_questions(given)),
        intro=_texts(given, "intro"),
        thanks=_texts(given, "thanks"),
        is_active="is_active" in given,
        sent_when=given.get("sent_when", ""),
        case_kinds=tuple(given.getlist("case_kinds")),
        bad_does=given.get("bad_does", ""),
        bad_tells=tuple(given.getlist("bad_tells")),
    )
    share = _number(given.get("share", ""), "share")
    return replace(
        facts,
        delay_minutes=_number(given.get("delay", ""), "delay"),
        remind_days=_number(given.get("remind") or "0", "remind"),
        share_ratio=share / PERCENT,
        channel_ids=tuple(_number(str(one), "channels") for one in given.getlist("channels")),
        team_ids=tuple(_number(str(one), "teams") for one in given.getlist("teams")),
        bad_at_most=_number(str(given["bad_at_most"]), "bad_at_most") if given.get("bad_at_most") else None,
        embed_channel_id=_number(str(given["embed_channel"]), "embed_channel") if given.get("embed_channel") else None,
    )


def shown_facts(facts: SurveyFacts) -> dict[str, Any]:
    """Facts as the fields of the form hold them."""
    shown = [_shown(place, one) for place, one in enumerate(facts.questions)]
    empty = [_shown(place, Question(f"q{place + 1}", "TEXT", {})) for place in range(len(shown), min(len(shown) + SPARE, MOST_QUESTIONS))]
    return {
        **vars(facts),
        "share": round(facts.share_ratio * PERCENT),
        "questions": shown + empty,
        "n": len(shown) + len(empty),
        "case_kinds": list(facts.case_kinds),
        "channel_ids": list(facts.channel_ids),
        "team_ids": list(facts.team_ids),
    }


def _shown(place: int, one: Question) -> dict[str, Any]:
    lines = [f"{choice.get('en', '')} | {choice.get('zh', '')}" for choice in one.choices]
    return {**one.to_json(), "place": place, "number": place + 1, "choices": "\n".join(lines)}


def _questions(given: QueryDict) -> Iterable[Question]:
    """In the order of the numbers typed beside them; a question without any text is taken out."""
    found: list[tuple[int, int, Question]] = []
    count = min(_number(given.get("n", "0"), "questions"), MOST_QUESTIONS + SPARE)
    for place in range(count):
        part = {name: given.get(f"q{place}_{name}", "") for name in PARTS}
        text = {"en": clean_text(part["text_en"]), "zh": clean_text(part["text_zh"])}
        if any(text.values()):
            found.append((_number(part["number"] or "0", f"q{place}"), place, _question(part, text, place)))
    codes: set[str] = set()
    for _number_of, _place, one in sorted(found, key=lambda entry: entry[:2]):
        code = one.code
        while code in codes:
            code = f"{code}_"[:20]
        codes.add(code)
        yield replace(one, code=code)


PARTS = ("number", "code", "kind", "text_en", "text_zh", "is_required", "low", "high", "low_en", "low_zh", "high_en", "high_zh", "choices")


def _question(part: Mapping[str, str], text: Words, place: int) -> Question:
    kind = part["kind"]
    is_scale = kind == SCALE
    return Question(
        code=part["code"] or f"q{place + 1}",
        kind=kind,
        text=text,
        is_required=bool(part["is_required"]),
        low=_number(part["low"], f"q{place}") if is_scale else 1,
        high=_number(part["high"], f"q{place}") if is_scale else 5,
        low_words=_words(part["low_en"], part["low_zh"]) if is_scale else {},
        high_words=_words(part["high_en"], part["high_zh"]) if is_scale else {},
        choices=tuple(_choices(part["choices"])) if kind == CHOICE else (),
    )


def _choices(text: str) -> Iterable[Words]:
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1):
        english, _bar, chinese = line.replace("｜", "|").partition("|")
        yield {"code": f"c{number}", "en": english.strip(), "zh": chinese.strip() or english.strip()}


def _words(english: str, chinese: str) -> Words:
    return {language: word for language, word in (("en", clean_text(english)), ("zh", clean_text(chinese))) if word}


def _texts(given: QueryDict, name: str) -> Words:
    return {language: text for language in LANGUAGES if (text := clean_text(given.get(f"{name}_{language}", "")))}


def _number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(_("“%(given)s” is not a whole number.") % {"given": text[:20]}, field=field)
    return int(text)
