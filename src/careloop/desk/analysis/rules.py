"""Which messages are held back, when a model may go live, what a category's code looks like: plain Python."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

HELD_BACK_RATIO = 0.25  # of all messages, whoever corrects them and whenever
LEAST_HELD_BACK = 50  # corrected messages; with fewer, two models are not told apart
LEAST_TO_LEARN = 20
RETRAIN_AFTER = 100  # new corrections
LONGEST_CODE = 60

Said = dict[str, Any]


def is_held_back(message_id: int) -> bool:
    """Whether a message only ever tests models: decided by its number alone, so that every model is tested on the same ones."""
    drawn = int.from_bytes(hashlib.sha256(f"held back {message_id}".encode()).digest()[:4], "big")
    return drawn < HELD_BACK_RATIO * 2**32


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate goes live, and why: a template with values, said in the reader's language."""

    goes_live: bool
    reason: Said


def judge(given: Sequence[str], candidate: Sequence[str], live: Sequence[str] | None) -> Verdict:
    """Compare what people said of held-back messages with a candidate's answers and the live model's (None: nothing is live)."""
    n = len(given)
    if n < LEAST_HELD_BACK:
        return Verdict(False, say("Too few corrections to judge: {n} of {least} held-back messages.", n=n, least=LEAST_HELD_BACK))
    right = sum(one == other for one, other in zip(given, candidate, strict=True))
    if live is None:
        return Verdict(True, say("Right on {right} of {n} held-back messages; there was no live model to beat.", right=right, n=n))
    before = sum(one == other for one, other in zip(given, live, strict=True))
    values = {"right": right, "before": before, "n": n}
    if right > before:
        return Verdict(True, say("Right on {right} of the same {n} held-back messages, where the model before was on {before}.", **values))
    if right == before:
        return Verdict(
            False, say("Right on {right} of the same {n} held-back messages, as the live model is; nothing is gained.", **values)
        )
    return Verdict(False, say("Right on only {right} of the same {n} held-back messages; the live model is on {before}.", **values))


def say(template: str, **values: Any) -> Said:
    """A sentence as a template with values, as it is kept."""
    return {"template": template, "values": values}


def code_from(name: str, taken: Collection[str]) -> str:
    """A short code for a category from its English name; numbered when the name gives none or it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_CODE - 6] or "category"
    code, number = stem, 2
    while code in taken:
        code, number = f"{stem}-{number}", number + 1
    return code
