"""Which words set one group of texts apart from another."""

from collections.abc import Iterable
from dataclasses import dataclass

from careloop.insight.text.distinction import distinguish


@dataclass(frozen=True)
class Word:
    """A keyword, in how many texts of each group it was one, and how surely it belongs to its group (z score)."""

    word: str
    here: int
    there: int
    z: float


def distinctive_words(here: Iterable[Iterable[str]], there: Iterable[Iterable[str]], *, most: int) -> list[Word]:
    """The words that are keywords more often here than there, surest first; words that may differ by chance are left out."""
    found = distinguish({"here": here, "there": there}, most=most)["here"]
    return [Word(one.word, one.here, one.elsewhere, one.z) for one in found]
