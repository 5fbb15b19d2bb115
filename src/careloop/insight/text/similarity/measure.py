"""Measure search, zero-label categories and solution ranking: `python -m careloop.insight.text.similarity.measure --data FOLDER`.

Search: queries are first sentences of pairs that mean the same, the corpus all distinct second sentences; a second sentence that is the
query itself is left out. `--sample N` takes N pairs (seeded), as the encoder reads some 75 short texts a second and core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from careloop.insight.stats import measure_calibration_error
from careloop.insight.text.descriptions import describe_categories
from careloop.insight.text.encoder import Encoder, get_bundled_encoder
from careloop.insight.text.recipes.sources import read_rows
from careloop.insight.text.similarity.index import Mode, SimilarityIndex
from careloop.insight.text.solutions import Solution, SolutionRanker

Row = TypeVar("Row")

_NAMED = (("cic_dev", "sentence", "intent"), ("banking77_train", "text", "category"), ("clinc150_train", "text", "intent"))
_SOLVED = (("banking77_train", "text", "category"), ("bitext_train", "utterance", "intent"))
_OUT_OF_SCOPE = "oos"
_TOP = 10
_SEED = 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(prog="python -m careloop.insight.text.similarity.measure", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data sets")
    parser.add_argument("--sample", type=int, default=2_000, help="pairs or texts of each set; 0 takes all")
    parser.add_argument("--words", action="store_true", help="without the encoder: seconds instead of minutes")
    given = parser.parse_args(arguments)
    encoder = None if given.words else get_bundled_encoder()
    for name, line in measure(given.data, given.sample, encoder):
        print(f"{name:15} {line}", flush=True)


def measure(data: Path, sample: int, encoder: Encoder | None) -> Iterator[tuple[str, str]]:
    """Yield the name of each data set with a line about it."""
    for name in ("lcqmc_dev", "afqmc_train"):
        for line in measure_search(_take(_load(data, name), sample), encoder):
            yield name, line
    for name, text, label in _NAMED:
        cases = [(row[text], row[label]) for row in _load(data, name) if row[label] != _OUT_OF_SCOPE]
        labels = {row[label] for row in _load(data, "cic_labels")} if name == "cic_dev" else {label for _, label in cases}
        for line in measure_descriptions(sorted(labels), _take(cases, sample), encoder):
            yield name, line
    for name, text, label in _SOLVED:
        cases = [(row[text], row[label]) for row in _load(data, name)]
        for line in measure_solutions(cases, sample or len(cases), encoder):
            yield name, line


def measure_search(rows: Sequence[dict[str, str]], encoder: Encoder | None) -> Iterator[str]:
    """Yield mean reciprocal rank at 10 and hits at 1 of each way of searching."""
    corpus = list(dict.fromkeys(row["sentence2"] for row in rows))
    places = {text: place for place, text in enumerate(corpus)}
    right: dict[str, set[int]] = {}
    for row in rows:
        if row["label"] == "1":
            right.setdefault(row["sentence1"], set()).add(places[row["sentence2"]])
    queries = list(right)
    left_out = [places.get(query) for query in queries]
    index = SimilarityIndex.build(corpus, encoder)
    modes: tuple[Mode, ...] = ("lexical",) if encoder is None else ("lexical", "semantic", "fused")
    for mode in modes:
        ranks = []
        for query, hits in zip(queries, index.search(queries, _TOP, mode, left_out=left_out), strict=True):
            ranks.append(next((rank for rank, hit in enumerate(hits) if hit.row in right[query]), _TOP))
        found = np.array(ranks)
        reciprocal = np.where(found < _TOP, 1 / (found + 1), 0).mean()
        yield f"search {mode}: MRR@10 {reciprocal:.3f}, hit@1 {(found == 0).mean():.3f} ({len(queries)} queries, {len(corpus)} rows)"


def measure_descriptions(labels: Sequence[str], cases: Sequence[tuple[str, str]], encoder: Encoder | None) -> Iterator[str]:
    """Yield accuracy and calibration of categories that are known by name alone, one text at a time and as one batch."""
    model = describe_categories(dict.fromkeys(labels, ""), encoder=encoder or get_bundled_encoder())
    texts = [text for text, _ in cases]
    is_semantic = encoder is not None
    for way, reader in (("one by one", model), ("as a batch", model.adapt(texts, encoder=encoder, is_semantic=is_semantic))):
        answers = [
            answer
            for start in range(0, len(texts), 256)
            for answer in reader.read(texts[start : start + 256], top=5, encoder=encoder, is_semantic=is_semantic)
        ]
        is_right = np.array([answer.label == label for answer, (_, label) in zip(answers, cases, strict=True)])
        in_five = np.mean([label in dict(answer.ranked) for answer, (_, label) in zip(answers, cases, strict=True)])
        rest = _say([(one.probability, one.abstained) for one in answers], is_right)
        yield f"names only, {way}: top-1 {is_right.mean():.3f}, top-5 {in_five:.3f}, {rest}"


def measure_solutions(cases: Sequence[tuple[str, str]], n_tested: int, encoder: Encoder | None) -> Iterator[str]:
    """Yield how often the right solution comes first and among three, for 0, 5 and 10 examples of each."""
    order = np.random.default_rng(_SEED).permutation(len(cases))
    shuffled = [cases[place] for place in order]
    names = sorted({name for _, name in cases})
    for n_examples in (0, 5, 10):
        examples: dict[str, list[str]] = {name: [] for name in names}
        tested: list[tuple[str, str]] = []
        for text, name in shuffled:
            if len(examples[name]) < n_examples:
                examples[name].append(text)
            elif len(tested) < n_tested // 4:
                tested.append((text, name))
        library = [Solution(name, name.replace("_", " "), examples=tuple(examples[name])) for name in names]
        rankings = SolutionRanker(library, encoder=encoder).rank([text for text, _ in tested])
        found = [[one.solution for one in ranking.suggestions] for ranking in rankings]
        is_first = np.array([names_found[:1] == [name] for names_found, (_, name) in zip(found, tested, strict=True)])
        in_three = np.mean([name in names_found for names_found, (_, name) in zip(found, tested, strict=True)])
        answers = [(ranking.suggestions[0].probability if ranking.suggestions else 0.0, ranking.abstained) for ranking in rankings]
        yield f"solutions, {n_examples} examples: first {is_first.mean():.3f}, in three {in_three:.3f}, {_say(answers, is_first)}"


def _say(answers: Sequence[tuple[float, bool]], is_right: NDArray[np.bool_]) -> str:
    """Return calibration error, and share and accuracy of what was not abstained on."""
    probabilities, abstained = np.array([one for one, _ in answers]), np.array([one for _, one in answers])
    answered = ~abstained
    accuracy = is_right[answered].mean() if answered.any() else float("nan")
    error = measure_calibration_error(probabilities, is_right)
    return f"calibration error {error:.3f}, answered {answered.mean():.2f} at accuracy {accuracy:.3f} ({len(answers)} texts)"


def _load(data: Path, name: str) -> list[dict[str, str]]:
    return read_rows(data / f"{name}.csv.gz")


def _take(rows: Sequence[Row], n_rows: int) -> list[Row]:
    """Return so many rows, drawn with a seed; all of them for 0."""
    if not 0 < n_rows < len(rows):
        return list(rows)
    return [rows[place] for place in np.random.default_rng(_SEED).permutation(len(rows))[:n_rows]]


if __name__ == "__main__":
    main()
