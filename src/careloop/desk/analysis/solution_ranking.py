"""Solutions ranked for a text: by words, and by meaning where vectors are kept. Screens only look vectors up; jobs make them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from careloop.desk.analysis.case_vectors import StoredVectors, VectorsMissing, encoded_part
from careloop.desk.analysis.vectors import KeptEncoder
from careloop.insight.text.encoder import Encoder, Vectors
from careloop.insight.text.similarity.semantic import guess_centre
from careloop.insight.text.solutions import Ranking, Solution, SolutionRanker

KEPT_RANKERS = 8  # libraries of teams, with and without meaning
SURE = 0.5  # below, nothing is suggested with confidence
ALL_ALIKE: Mapping[int, float] = MappingProxyType({})
_PART = "\0"  # between a solution's number and the language of its text


class Article(NamedTuple):
    """A solution's text in one language."""

    solution_id: int
    language: str
    title: str
    body: str


class Example(NamedTuple):
    """What a customer had written, in which language, and the solution that was used."""

    text: str
    language: str
    solution_id: int


@dataclass(frozen=True)
class Ranked:
    """The likeliest solutions of a text with their probabilities, best first.

    `is_sure` is never said before the probabilities are learnt from the house's own cases (`is_calibrated`).
    """

    solutions: tuple[tuple[int, float], ...]
    is_sure: bool
    by_meaning: bool
    is_calibrated: bool


NOTHING = Ranked((), False, False, False)


def rank_stored(
    articles: Sequence[Article], examples: Sequence[Example], text: str, top: int = 3, worth: Mapping[int, float] = ALL_ALIKE
) -> Ranked:
    """Rank for a screen: nothing is encoded; words alone decide while a vector is missing. `worth` lifts what helps more than others."""
    if not articles or not text.strip():
        return NOTHING
    stored = StoredVectors()
    known = _with_vectors(stored, articles, examples, text)
    if known is not None:
        try:
            ranker = _ranker(tuple(articles), known, (stored.name, stored.dimensions))
            return _merge(ranker.rank([encoded_part(text)], _most(articles))[0], ranker, True, top, worth)
        except VectorsMissing:  # those of the sentences that all texts are compared with
            pass
    ranker = _ranker(tuple(articles), tuple(_short(examples)), None)
    return _merge(ranker.rank([encoded_part(text)], _most(articles))[0], ranker, False, top, worth)


def rank_many(
    articles: Sequence[Article], examples: Sequence[Example], texts: Sequence[str], top: int = 3, worth: Mapping[int, float] = ALL_ALIKE
) -> list[Ranked]:
    """Rank for a job: vectors that are missing are made and kept."""
    if not articles:
        return [NOTHING for _ in texts]
    ranker = _build(tuple(articles), tuple(_short(examples)), KeptEncoder())
    return [_merge(one, ranker, True, top, worth) for one in ranker.rank([encoded_part(text) for text in texts], _most(articles))]


def keep_vectors(articles: Sequence[Article]) -> int:
    """Make the vectors of the library's texts, so that screens can compare meanings; returns how many texts there are."""
    texts = list_encoded(articles)
    if texts:
        encoder = KeptEncoder()
        guess_centre(encoder)
        encoder.encode(texts)
    return len(texts)


def list_encoded(articles: Iterable[Article]) -> list[str]:
    """The texts of a library whose vectors are kept."""
    told = tuple(articles)
    if not told:
        return []
    recorder = _Recorder()
    _build(told, (), recorder)
    return list(dict.fromkeys(recorder.texts))


@lru_cache(maxsize=KEPT_RANKERS)
def _ranker(articles: tuple[Article, ...], examples: tuple[Example, ...], kept: tuple[str, int] | None) -> SolutionRanker:
    return _build(articles, examples, _OnlyKept(*kept) if kept is not None else None)


def _build(articles: tuple[Article, ...], examples: tuple[Example, ...], encoder: Encoder | None) -> SolutionRanker:
    """One entry a language, so that a text is compared with its own; examples go to the entry of their language, if there is one."""
    library = [Solution(_name(one.solution_id, one.language), one.title, one.body) for one in articles]
    names = {entry.id for entry in library}
    first = {one.solution_id: _name(one.solution_id, one.language) for one in reversed(articles)}
    used = []
    for one in examples:
        name = _name(one.solution_id, one.language)
        name = name if name in names else first.get(one.solution_id, "")
        if name:
            used.append((one.text, name))
    return SolutionRanker(library, used, encoder=encoder)


def _merge(ranking: Ranking, ranker: SolutionRanker, by_meaning: bool, top: int, worth: Mapping[int, float]) -> Ranked:
    """The probabilities of a solution's languages are added: which of them fits does not matter. What helps more weighs more."""
    shares: dict[int, float] = defaultdict(float)
    for one in ranking.suggestions:
        shares[int(one.solution.partition(_PART)[0])] += one.probability
    weighed = {key: share * worth.get(key, 1.0) for key, share in shares.items()}
    scale = sum(shares.values()) / (sum(weighed.values()) or 1.0)
    ranked = sorted(((key, share * scale) for key, share in weighed.items()), key=lambda one: -one[1])[:top]
    is_alike = bool(ranking.suggestions) and not (ranking.abstained and ranking.suggestions[0].probability >= SURE)
    is_sure = ranker.is_calibrated_ and is_alike and ranked[0][1] >= SURE
    return Ranked(tuple((key, min(1.0, round(share, 4))) for key, share in ranked), is_sure, by_meaning, ranker.is_calibrated_)


def _with_vectors(stored: StoredVectors, articles: Sequence[Article], examples: Sequence[Example], text: str) -> tuple[Example, ...] | None:
    """The examples whose vectors are kept; None when one of the library's texts or the question has none yet."""
    needed = [*_encoded_of(tuple(articles)), encoded_part(text)]
    short = _short(examples)
    stored.load([*needed, *(one.text for one in short)])
    if not all(stored.has(one) for one in needed):
        return None
    return tuple(one for one in short if stored.has(one.text))


@lru_cache(maxsize=KEPT_RANKERS)
def _encoded_of(articles: tuple[Article, ...]) -> tuple[str, ...]:
    return tuple(list_encoded(articles))


def _short(examples: Iterable[Example]) -> list[Example]:
    return [one._replace(text=encoded_part(one.text)) for one in examples if one.text.strip()]


def _most(articles: Sequence[Article]) -> int:
    return max(1, len(articles))


def _name(solution_id: int, language: str) -> str:
    return f"{solution_id}{_PART}{language}"


class _OnlyKept(Encoder):
    """Looks vectors up, each time anew, so that a ranker that is kept for long keeps none of the questions."""

    def __init__(self, name: str, dimensions: int) -> None:
        self.name, self.dimensions = name, dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (n_texts, dimensions); VectorsMissing when one is not kept."""
        return StoredVectors().encode(texts)


class _Recorder(Encoder):
    """Notes what it is asked to encode."""

    name, dimensions = "recorder of solutions", 2

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Ones."""
        self.texts += texts
        return np.ones((len(texts), self.dimensions), dtype=np.float32)
