"""Which messages are held back, when a model may go live, what a category's code looks like: plain Python."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import comb

from careloop.insight.errors import Sentence

HELD_BACK_RATIO = 0.25  # of all messages, whoever corrects them and whenever
LEAST_HELD_BACK = 50  # corrected messages; with fewer, two models are not told apart
LEAST_TO_LEARN = 20
RETRAIN_AFTER = 100  # new corrections
LEAST_OF_HOUSE = 30  # corrected messages for a first house model of kind or sentiment, and for each after it
LEAST_HELD_BACK_OF_HOUSE = 8  # below LEAST_HELD_BACK the gain must be more than chance
SURE_GAIN = 0.05  # how likely chance alone may bring such a gain
MOST_CHANGED_RATIO = 0.5  # of messages that nobody corrected
LONGEST_CODE = 60


def is_held_back(message_id: int) -> bool:
    """Whether a message only ever tests models: decided by its number alone, so that every model is tested on the same ones."""
    drawn = int.from_bytes(hashlib.sha256(f"held back {message_id}".encode()).digest()[:4], "big")
    return drawn < HELD_BACK_RATIO * 2**32


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate goes live, and why, to be said in the reader's language."""

    goes_live: bool
    reason: Sentence


def judge(given: Sequence[str], candidate: Sequence[str], live: Sequence[str] | None) -> Verdict:
    """Compare what people said of held-back messages with a candidate's answers and the live model's (None: nothing is live)."""
    n = len(given)
    if n < LEAST_HELD_BACK:
        return Verdict(False, Sentence("Too few corrections to judge: {n} of {least} held-back messages.", n=n, least=LEAST_HELD_BACK))
    if live is None:
        right = sum(one == other for one, other in zip(given, candidate, strict=True))
        return Verdict(True, Sentence("Right on {right} of {n} held-back messages; there was no live model to beat.", right=right, n=n))
    return _compare(given, candidate, live)


def _compare(given: Sequence[str], candidate: Sequence[str], live: Sequence[str]) -> Verdict:
    n = len(given)
    right = sum(one == other for one, other in zip(given, candidate, strict=True))
    before = sum(one == other for one, other in zip(given, live, strict=True))
    if right > before:
        reason = Sentence(
            "Right on {right} of the same {n} held-back messages, where the model before was on {before}.", right=right, n=n, before=before
        )
    elif right == before:
        reason = Sentence("Right on {right} of the same {n} held-back messages, as the live model is; nothing is gained.", right=right, n=n)
    else:
        reason = Sentence(
            "Right on only {right} of the same {n} held-back messages; the live model is on {before}.", right=right, n=n, before=before
        )
    return Verdict(right > before, reason)


def judge_house(given: Sequence[str], candidate: Sequence[str], before: Sequence[str], others: tuple[int, int]) -> Verdict:
    """Compare a house model of kind or sentiment with what reads now; `others` are (changed, of) messages that nobody corrected.

    With fewer than 50 held-back messages the gain must be more than chance by the exact sign test on those where the two differ.
    """
    n = len(given)
    if n < LEAST_HELD_BACK_OF_HOUSE:
        least = LEAST_HELD_BACK_OF_HOUSE
        return Verdict(False, Sentence("Too few corrections to judge: {n} of {least} held-back messages.", n=n, least=least))
    gained = sum(new == said != old for said, new, old in zip(given, candidate, before, strict=True))
    lost = sum(old == said != new for said, new, old in zip(given, candidate, before, strict=True))
    verdict = _compare(given, candidate, before)
    if not verdict.goes_live:
        return verdict
    if n < LEAST_HELD_BACK and chance_of(gained, lost) > SURE_GAIN:
        reason = Sentence(
            "{before} Of so few this may be chance: {gained} became right and {lost} wrong.",
            before=verdict.reason,
            gained=gained,
            lost=lost,
        )
        return Verdict(False, reason)
    changed, of = others
    if changed > MOST_CHANGED_RATIO * of:
        reason = Sentence(
            "{before} But it would read {changed} of {n} messages differently that nobody corrected; at most half may be.",
            before=verdict.reason,
            changed=changed,
            n=of,
        )
        return Verdict(False, reason)
    return verdict


def chance_of(gained: int, lost: int) -> float:
    """How likely at least so many of the differing answers are gains if each is as likely a loss (exact one-sided sign test), 0–1."""
    n = gained + lost
    return float(sum(comb(n, k) for k in range(gained, n + 1)) / 2**n)


def code_from(name: str, taken: Collection[str]) -> str:
    """A short code for a category from its English name; numbered when the name gives none or it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_CODE - 6] or "category"
    code, number = stem, 2
    while code in taken:
        code, number = f"{stem}-{number}", number + 1
    return code
