"""What the analytics core hands out: immutable records without behaviour, except their way to storage and back.

Offsets are counted in characters (Python `str` indices) of the text as it was given; `end` is exclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from careloop.insight.errors import StoredReadingError

Sentiment = Literal["positive", "neutral", "negative"]
Kind = Literal["consultation", "complaint", "refund", "suggestion", "praise", "other"]

SENTIMENTS: tuple[Sentiment, ...] = get_args(Sentiment)
KINDS: tuple[Kind, ...] = get_args(Kind)

FORMAT = 2  # of the dictionaries made by `Reading.to_json`; format 1 had no aspects
_READABLE_FORMATS = (1, 2)


class Token(NamedTuple):
    """A word and its part of speech (jieba's tag set: n, v, a, d, m, x …)."""

    text: str
    start: int
    end: int
    pos: str


class Span(NamedTuple):
    """A stretch of the text and how much it weighed in a decision (log-odds; above 0 speaks for, below 0 against)."""

    start: int
    end: int
    weight: float


class Entity(NamedTuple):
    """Something named in the text: its type, the words as written, and the normalised value."""

    type: str
    text: str
    start: int
    end: int
    value: str


class Aspect(NamedTuple):
    """What part of the offer an opinion is about.

    Attributes
    ----------
    aspect : str
        Such as “delivery” or “service”.
    sentiment : {"positive", "neutral", "negative"}
    probability : float
        Probability that the opinion is positive rather than negative, 0–1.
    start, end : int
        The words that hold the opinion.
    """

    aspect: str
    sentiment: Sentiment
    probability: float
    start: int
    end: int


class Category(NamedTuple):
    """What a model of categories says of one text.

    Attributes
    ----------
    label : str
        The likeliest category.
    probability : float
        Calibrated probability that it is right, 0–1.
    abstained : bool
        True when that is not likely enough to act on, or the text is about something else.
    ranked : tuple of (str, float)
        The likeliest labels with their probabilities, best first; as many as were asked for.
    """

    label: str
    probability: float
    abstained: bool
    ranked: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the engine understood of one text.

    Attributes
    ----------
    language : str
        "zh-Hans", "zh-Hant", "en", "mixed" (Chinese and English), another ISO 639-1 code, or "und" when undetermined.
    language_probability : float
        Probability that `language` is right, 0–1; low for "und".
    tokens : tuple of Token
        The words in order; white space and unreadable characters are left out.
    sentiment : {"positive", "neutral", "negative"}
    sentiment_probability : float
        Calibrated probability that the text is positive rather than negative, 0–1.
    sentiment_evidence : tuple of Span
        The words that decided, strongest first; weight above 0 speaks for positive.
    sentiment_abstained : bool
        True when the probability is too close to call, or the language is not one the models know.
    aspects : tuple of Aspect
        What is spoken of and how, one entry per aspect, in order of place.
    kind : {"consultation", "complaint", "refund", "suggestion", "praise", "other"}
    kind_probability : float
        Calibrated probability that `kind` is right, 0–1.
    kind_evidence : tuple of Span
        The words that spoke for `kind`, strongest first.
    kind_abstained : bool
        True when the best kind is not likely enough to act on.
    keywords : tuple of str
        The words that set this text apart, most telling first.
    entities : tuple of Entity
        In order of their place in the text; they do not overlap.
    summary : str
        The most telling sentence, at most 120 characters.
    models : mapping of str to str
        Name and version of every model that took part.
    truncated_at : int or None
        Number of characters read when the text was longer than that.
    error : str or None
        Why the text could not be read; every other field then keeps its default.
    """

    language: str = "und"
    language_probability: float = 0.0
    tokens: tuple[Token, ...] = ()
    sentiment: Sentiment = "neutral"
    sentiment_probability: float = 0.5
    sentiment_evidence: tuple[Span, ...] = ()
    sentiment_abstained: bool = True
    aspects: tuple[Aspect, ...] = ()
    kind: Kind = "other"
    kind_probability: float = 0.0
    kind_evidence: tuple[Span, ...] = ()
    kind_abstained: bool = True
    keywords: tuple[str, ...] = ()
    entities: tuple[Entity, ...] = ()
    summary: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    truncated_at: int | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers, ready for `json.dumps`; `from_json` turns them back."""
        return {
            "format": FORMAT,
            "language": self.language,
            "language_probability": self.language_probability,
            "tokens": [list(token) for token in self.tokens],
            "sentiment": self.sentiment,
            "sentiment_probability": self.sentiment_probability,
            "sentiment_evidence": [list(span) for span in self.sentiment_evidence],
            "sentiment_abstained": self.sentiment_abstained,
            "aspects": [list(aspect) for aspect in self.aspects],
            "kind": self.kind,
            "kind_probability": self.kind_probability,
            "kind_evidence": [list(span) for span in self.kind_evidence],
            "kind_abstained": self.kind_abstained,
            "keywords": list(self.keywords),
            "entities": [entity._asdict() for entity in self.entities],
            "summary": self.summary,
            "models": dict(self.models),
            "truncated_at": self.truncated_at,
            "error": self.error,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Reading:
        """Return the reading that `to_json` made.

        Raises
        ------
        StoredReadingError
            When a field is missing, unknown, or of another format.
        """
        values = dict(stored)
        found = values.pop("format", None)
        if found not in _READABLE_FORMATS:
            raise StoredReadingError(f"A stored reading has format {found!r}; this version reads formats 1 and {FORMAT}.")
        if found == 1:
            values["aspects"] = []
        try:
            for name in ("sentiment_evidence", "kind_evidence"):
                values[name] = tuple(Span(*span) for span in values[name])
            values["aspects"] = tuple(Aspect(*aspect) for aspect in values["aspects"])
            values["tokens"] = tuple(Token(*token) for token in values["tokens"])
            values["entities"] = tuple(Entity(**entity) for entity in values["entities"])
            values["keywords"] = tuple(values["keywords"])
            return cls(**values)
        except (KeyError, TypeError) as error:
            raise StoredReadingError(f"A stored reading lacks a field or has one too many: {error}.") from error
