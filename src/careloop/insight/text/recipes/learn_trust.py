"""Learn the curves of `text.trust`: `python -m careloop.insight.text.recipes.learn_trust --data FOLDER`; prints them, writes nothing.

Lists of 3 categories up to all of them, half at random and half of names near each other, are drawn from sets whose rows may be shipped.
The categories are known by name alone; labels only say whether the best answer was right. Every list counts the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from careloop.insight.text.descriptions import FEWEST_PER_LABEL, FEWEST_TO_ADAPT, DescribedCategories, describe_categories
from careloop.insight.text.encoder import get_bundled_encoder, normalise_rows
from careloop.insight.text.profiles import Texts
from careloop.insight.text.recipes.sources import Folder
from careloop.insight.text.trust import FEWEST, MOST, TRUST, soften

_SETS = (("banking77", "text", "category"), ("clinc150", "text", "intent"), ("bitext", "utterance", "intent"))
_OUT_OF_SCOPE = "oos"
_MOST_TEXTS = 3_000
_FEWEST_LABELS = 3

Cases = tuple[DescribedCategories, Texts, NDArray[np.int64]]
Seen = dict[tuple[bool, bool], list[NDArray[np.float64]]]


def main() -> None:
    """Print the constants of each curve: temperature, base, per size, slope, slope per size."""
    parser = argparse.ArgumentParser(prog="python -m careloop.insight.text.recipes.learn_trust", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--lists", type=int, default=120, help="lists of categories drawn from each set")
    given = parser.parse_args()
    generator = np.random.default_rng(1)
    seen: Seen = {key: [] for key in TRUST}
    for name, text, label in _SETS:
        rows = [(row[text], row[label]) for row in Folder(given.data).read(name) if row[label] != _OUT_OF_SCOPE]
        for one in _draw(_read(rows, generator), given.lists, generator):
            _look(one, seen)
    for key, tables in seen.items():
        features, right, weights = _join(tables, with_product=TRUST[key].slope_per_size != 0)
        found = LogisticRegression(C=1e6, max_iter=3_000, tol=1e-8).fit(features, right, sample_weight=weights)
        slope, per_size, *per_both = np.round(found.coef_[0], 3).tolist()
        print(key, TRUST[key].temperature, round(float(found.intercept_[0]), 3), per_size, slope, *per_both, flush=True)


def _read(rows: list[tuple[str, str]], generator: np.random.Generator) -> Cases:
    names = sorted({label for _, label in rows})
    chosen = [rows[place] for place in generator.permutation(len(rows))[:_MOST_TEXTS]]
    encoder = get_bundled_encoder()
    texts = [text for text, _ in chosen]
    model = describe_categories(dict.fromkeys(names, ""), encoder=encoder)
    return model, Texts.find(texts, encoder.encode(texts)), np.array([names.index(label) for _, label in chosen])


def _draw(cases: Cases, n_lists: int, generator: np.random.Generator) -> Iterator[Cases]:
    model, texts, truth = cases
    n_labels = len(model.labels)
    names = normalise_rows(model.vectors[0] - model.vectors[0].mean(axis=0))
    for place in range(n_lists):
        n_drawn = n_labels if place == 0 else round(float(np.exp(generator.uniform(np.log(_FEWEST_LABELS), np.log(n_labels)))))
        likeness = names @ names[generator.integers(n_labels)] if place % 2 else 0
        drawn = np.argsort(-(likeness + generator.normal(0, 0.1, n_labels)))[:n_drawn]
        most = max(FEWEST_TO_ADAPT, FEWEST_PER_LABEL * n_drawn)
        rows = generator.permutation(np.flatnonzero(np.isin(truth, drawn)))[:most]
        labels = tuple(model.labels[one] for one in drawn)
        narrow = replace(model, labels=labels, names=model.names[drawn], vectors=model.vectors[:, drawn])
        yield narrow, Texts(texts.terms[rows], texts.vectors[rows]), np.array([drawn.tolist().index(one) for one in truth[rows]])


def _look(cases: Cases, seen: Seen) -> None:
    """Add a table of log-odds, logarithm of the number of labels and whether the best answer was right, for each way of reading."""
    model, texts, truth = cases
    for has_meanings in (True, False):
        found = texts if has_meanings else Texts(texts.terms, np.zeros_like(texts.vectors))
        for is_taught in (False, True):
            scores = (model.learn(found) if is_taught else model).score(found)
            best = soften(scores / TRUST[has_meanings, is_taught].temperature).max(axis=1)
            odds = np.log(best / np.maximum(1 - best, 1e-6))
            size = np.full(len(truth), np.log(np.clip(len(model.labels), FEWEST, MOST)))
            seen[has_meanings, is_taught].append(np.column_stack([odds, size, scores.argmax(axis=1) == truth]))


def _join(tables: list[NDArray[np.float64]], *, with_product: bool) -> tuple[NDArray[np.float64], ...]:
    table, weights = np.vstack(tables), np.concatenate([np.full(len(one), 300 / len(one)) for one in tables])
    features = [table[:, 0], table[:, 1], *([table[:, 0] * table[:, 1]] if with_product else [])]
    return np.column_stack(features), table[:, 2], weights


if __name__ == "__main__":
    main()
