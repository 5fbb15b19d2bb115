"""What would help: the solutions of a library ranked for a text, by what they say, by their examples and by what they solved before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError
from careloop.insight.stats import Temperature
from careloop.insight.text.encoder import Encoder
from careloop.insight.text.similarity.index import SimilarityIndex

Doubles = NDArray[np.float64]

_BODY_CHARACTERS = 400
_SHARPNESS = 10.0  # how much the nearest of a solution's texts counts before the others
_USUAL_TEMPERATURE = 0.045  # measured on banking77 with five examples each; taken until there are cases enough
_FEWEST_CASES = 30  # examples and earlier cases from which the temperature is learnt
_FEWEST_OF_ONE = 3  # cases of a solution: with fewer, leaving one out leaves too little to be typical
_MOST_CASES = 1_000  # of them that take part in learning it
_LEAST_LIKENESS = 0.15  # to the nearest text; a need that is like nothing in the library is not met by it
_LEAST_PROBABILITY = 0.5
_TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Solution:
    """An entry of the library: what it is called, what it says, and texts that it is for."""

    id: str
    title: str
    body: str = ""
    examples: tuple[str, ...] = ()


class Suggestion(NamedTuple):
    """A solution's id and the calibrated probability that it is the one that fits, 0–1, given that one of the library does."""

    solution: str
    probability: float


class Ranking(NamedTuple):
    """The likeliest solutions, best first, and whether none is likely enough to be used unseen."""

    suggestions: tuple[Suggestion, ...]
    abstained: bool


class SolutionRanker:
    """Ranks the solutions of a library.

    Parameters
    ----------
    library : sequence of Solution
        Ids are different; a solution has a title, a body or an example.
    used : sequence of (str, str)
        Earlier texts with the id of the solution that was used; each counts as a further example.
    encoder : Encoder or None
        Compares meanings; without one only words are compared.

    Attributes
    ----------
    temperature_ : Temperature
        From scores to probabilities: learnt by leaving each example and earlier text out in turn, where there are at least 30 (of
        solutions that have three or more).
    is_calibrated_ : bool
        Whether that many were there.

    Raises
    ------
    InputError
        When the library is empty, an id stands twice, a solution says nothing, or `used` names an unknown one.
    """

    def __init__(self, library: Sequence[Solution], used: Sequence[tuple[str, str]] = (), *, encoder: Encoder | None = None) -> None:
        _check(library, used)
        self._ids = [solution.id for solution in library]
        earlier: dict[str, list[str]] = {name: [] for name in self._ids}
        for text, name in used:
            earlier[name].append(text)
        told = [[f"{one.title} {one.body[:_BODY_CHARACTERS]}".strip()] for one in library]
        cases = [[text for text in (*one.examples, *earlier[one.id]) if text.strip()] for one in library]
        groups = [[*(text for text in said if text), *known] for said, known in zip(told, cases, strict=True)]
        texts = [text for group in groups for text in group]
        self._starts = np.concatenate([[0], np.cumsum([len(group) for group in groups])[:-1]]).astype(np.int64)
        self._index = SimilarityIndex.build(texts, encoder)
        self._learn_temperature(texts, groups, [len(known) for known in cases])

    def rank(self, texts: Sequence[str], top: int = 3) -> list[Ranking]:
        """Return the best solutions of each text; a text without letters and digits gets none.

        Parameters
        ----------
        texts : sequence of str
        top : int
            Most suggestions for a text, at least 1.
        """
        if top < 1:
            raise InputError(f"At least 1 solution must be asked for; {top} were.", field="top")
        answers: list[Ranking] = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            likeness = self._index.score(texts[start : start + _TEXTS_AT_ONCE]).astype(np.float64)
            probabilities = self.temperature_.apply(self._pool(likeness))
            answers += [self._answer(row, float(nearest.max()), top) for row, nearest in zip(probabilities, likeness, strict=True)]
        return answers

    def _answer(self, probabilities: Doubles, likeness: float, top: int) -> Ranking:
        if likeness <= 0:
            return Ranking((), True)
        order = np.argsort(-probabilities, kind="stable")[:top].tolist()
        suggestions = tuple(Suggestion(self._ids[place], round(float(probabilities[place]), 4)) for place in order)
        return Ranking(suggestions, likeness < _LEAST_LIKENESS or suggestions[0].probability < _LEAST_PROBABILITY)

    def _pool(self, likeness: Doubles) -> Doubles:
        """Return each solution's score, shape (n_texts, n_solutions): a soft maximum over its texts, which many help but little.

        Texts with a likeness of −∞ do not take part.
        """
        lifted = np.where(np.isfinite(likeness), np.exp(_SHARPNESS * np.maximum(likeness, 0)), 0)
        sums = np.add.reduceat(lifted, self._starts, axis=1)
        counts = np.add.reduceat(np.isfinite(likeness), self._starts, axis=1, dtype=np.float64)
        return np.asarray(np.log(np.maximum(sums, 1) / np.sqrt(np.maximum(counts, 1))) / _SHARPNESS)

    def _learn_temperature(self, texts: list[str], groups: list[list[str]], n_cases: list[int]) -> None:
        owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        ends = np.cumsum([len(group) for group in groups])
        parts = [np.arange(end - count, end) for end, count in zip(ends, n_cases, strict=True) if count >= _FEWEST_OF_ONE]
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *parts]).astype(np.int64)
        self.is_calibrated_ = len(rows) >= _FEWEST_CASES and len(groups) > 1
        self.temperature_ = Temperature(_USUAL_TEMPERATURE)
        if not self.is_calibrated_:
            return
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, _MOST_CASES).astype(np.int64))]
        scores = []
        for start in range(0, len(rows), _TEXTS_AT_ONCE):
            block = rows[start : start + _TEXTS_AT_ONCE]
            likeness = self._index.score([texts[row] for row in block]).astype(np.float64)
            likeness[np.arange(len(block)), block] = -np.inf
            scores.append(self._pool(likeness))
        self.temperature_ = Temperature.fit(np.concatenate(scores), owner[rows].astype(np.int64))


def rank_solutions(
    library: Sequence[Solution],
    texts: Sequence[str],
    *,
    used: Sequence[tuple[str, str]] = (),
    encoder: Encoder | None = None,
    top: int = 3,
) -> list[Ranking]:
    """Return the best solutions of each text; see `SolutionRanker`, which is kept when more texts will come.

    Examples
    --------
    >>> library = [Solution("invoice", "补开发票"), Solution("parcel", "查询物流进度")]
    >>> rank_solutions(library, ["物流三天没有进度了"])[0].suggestions[0].solution
    'parcel'
    """
    return SolutionRanker(library, used, encoder=encoder).rank(texts, top)


def _check(library: Sequence[Solution], used: Sequence[tuple[str, str]]) -> None:
    if not library:
        raise InputError("The library of solutions is empty; write one first.", field="library")
    repeated = [name for name, times in Counter(solution.id for solution in library).items() if times > 1]
    if repeated:
        raise InputError(f"The solution “{repeated[0]}” stands twice in the library; give each its own id.", field="library")
    for solution in library:
        if not any(part.strip() for part in (solution.title, solution.body, *solution.examples)):
            raise InputError(f"The solution “{solution.id}” has neither title nor body nor example; write one of them.", field="library")
    unknown = {name for _, name in used} - {solution.id for solution in library}
    if unknown:
        raise InputError(f"There is no solution “{min(unknown)}” in the library, which an earlier case used; leave it out.", field="used")
