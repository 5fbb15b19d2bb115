"""Why a value or a row is refused, or dropped on the plan's orders."""

from __future__ import annotations

from enum import StrEnum

from careloop.insight.errors import Sentence


class Reason(StrEnum):
    """Codes of rejection beside those of reading (`Fault`); the sentence names the value."""

    MISSING = "MISSING"
    DUPLICATE = "DUPLICATE"
    NOT_A_NUMBER = "NOT_A_NUMBER"
    NOT_AN_INTEGER = "NOT_AN_INTEGER"
    NUMBER_TOO_LARGE = "NUMBER_TOO_LARGE"
    NOT_A_RATING = "NOT_A_RATING"
    RATING_OUT_OF_RANGE = "RATING_OUT_OF_RANGE"
    NOT_AN_AMOUNT = "NOT_AN_AMOUNT"
    NOT_A_DATE = "NOT_A_DATE"
    AMBIGUOUS_DATE = "AMBIGUOUS_DATE"
    NOT_AN_EMAIL = "NOT_AN_EMAIL"
    NOT_A_PHONE = "NOT_A_PHONE"


class ValueProblem(ValueError):
    """Internal: a cell cannot be read as its kind; becomes a `Rejected`."""

    def __init__(self, reason: Reason, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.reason, self.sentence = reason, sentence


def shortened(text: str) -> str:
    """Return at most 40 characters, for a sentence."""
    return text if len(text) <= 40 else text[:39] + "…"
