"""What the case page says about a reading: probabilities, words, facts, and honestly when it abstained or failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.web.highlight import marks_of
from careloop.desk.web.reading_words import AspectChip, aspect_chips, entity_label

MOST_ENTITIES = 8


@dataclass(frozen=True)
class Verdict:
    """A decision in words, its probability (0–1) and whether the engine held back."""

    label: str
    probability: float
    tone: str
    is_unsure: bool


@dataclass(frozen=True)
class ReadingPanel:
    """One reading in words; with `error` nothing else is known."""

    at: datetime
    error: str = ""
    sentiment: Verdict | None = None
    kind: Verdict | None = None
    language: str = ""
    category: str = ""
    aspects: list[AspectChip] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    entities: list[dict[str, str]] = field(default_factory=list)
    summary: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    truncated_at: int | None = None
    is_marked: bool = False


def reading_panel(reading: Any, at: datetime) -> ReadingPanel:
    """The panel of a stored reading of the message that was sent at `at`."""
    if reading.state == "FAILED":
        return ReadingPanel(at=at, error=reading.error or _("No reason was recorded."))
    details = reading.details
    return ReadingPanel(
        at=at,
        sentiment=_sentiment(reading, details),
        kind=_kind(reading, details),
        language=language_name(reading.language),
        category=reading.category,
        aspects=aspect_chips(details.get("aspects", [])),
        keywords=list(reading.keywords),
        entities=[{"label": entity_label(one["type"]), "text": one["text"]} for one in details.get("entities", [])[:MOST_ENTITIES]],
        summary=details.get("summary", ""),
        models=_models(reading.model_versions),
        truncated_at=details.get("truncated_at"),
        is_marked=bool(marks_of(details)),
    )


def _sentiment(reading: Any, details: Mapping[str, Any]) -> Verdict:
    positive = 0.5 if reading.sentiment_probability is None else reading.sentiment_probability
    if details.get("sentiment_abstained"):
        return Verdict(_("Positive rather than negative"), positive, "unsure", True)
    if reading.sentiment == "NEGATIVE":
        return Verdict(reading.get_sentiment_display(), 1 - positive, "bad", False)
    if reading.sentiment == "POSITIVE":
        return Verdict(reading.get_sentiment_display(), positive, "good", False)
    return Verdict(_("Positive rather than negative"), positive, "unsure", False)


def _kind(reading: Any, details: Mapping[str, Any]) -> Verdict:
    is_unsure = bool(details.get("kind_abstained"))
    return Verdict(reading.get_kind_display() or _("Kind"), reading.kind_probability or 0.0, "unsure" if is_unsure else "", is_unsure)


def _models(versions: Mapping[str, str]) -> dict[str, str]:
    names = {"words": _("words"), "sentiment": _("sentiment"), "kind": _("kind"), "category": _("category")}
    return {names.get(name, name): version for name, version in versions.items()}


def language_name(code: str) -> str:
    """A language in the viewer's words; an unknown code stays as it is."""
    names = {
        "zh-Hans": _("Chinese (simplified)"),
        "zh-Hant": _("Chinese (traditional)"),
        "en": _("English"),
        "mixed": _("Chinese and English"),
        "und": _("Not recognised"),
        "": _("Not recognised"),
    }
    return names.get(code, code)
