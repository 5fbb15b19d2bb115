"""Which messages are held back, when a model may go live, what a category's code looks like: plain Python."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from careloop.insight.errors import Sentence

HELD_BACK_RATIO = 0.25  # of all messages, whoever corrects them and whenever
LEAST_HELD_BACK = 50  # corrected messages; with fewer, two models are not told apart
LEAST_TO_LEARN = 20
RETRAIN_AFTER = 100  # new corrections
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
    right = sum(one == other for one, other in zip(given, candidate, strict=True))
    if live is None:
        return Verdict(True, Sentence("Right on {right} of {n} held-back messages; there was no live model to beat.", right=right, n=n))
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


def code_from(name: str, taken: Collection[str]) -> str:
    """A short code for a category from its English name; numbered when the name gives none or it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_CODE - 6] or "category"
    code, number = stem, 2
    while code in taken:
        code, number = f"{stem}-{number}", number + 1
    return code
