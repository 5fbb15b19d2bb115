"""How well categories are learnt from public data: `python -m careloop.insight.text.categories.measure --data FOLDER`.

Nothing is chosen here: models choose by themselves, inside their training rows. Printed are figures of rows that took no part. The labels
of cic are wrong in places by design, in the rows measured on as well, so that its figures here lie far below those on clean labels.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.stats import measure_calibration_error, wilson_interval
from careloop.insight.text.categories.card import macro_f1
from careloop.insight.text.categories.learn import learn_categories
from careloop.insight.text.categories.model import CategoryModel
from careloop.insight.text.encoder import Encoder, Vectors, get_bundled_encoder
from careloop.insight.text.recipes.sources import read_rows

Pairs = list[tuple[str, str]]
_HELD_BACK = 0.2


class Remembering:
    """An encoder that keeps its vectors in a folder, so that a second measurement need not wait for them."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._encoder, self._folder = encoder, folder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, from the folder when the same list was encoded before."""
        path = self._folder / f"{hashlib.sha256(chr(0).join([self.name, *texts]).encode('utf-8', 'replace')).hexdigest()[:24]}.npy"
        if path.exists():
            return np.asarray(np.load(path), dtype=np.float32)
        vectors = self._encoder.encode(texts)
        self._folder.mkdir(parents=True, exist_ok=True)
        np.save(path, vectors)
        return vectors


class Counting:
    """An encoder that counts what it is given to encode."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.dimensions, self.n_encoded = encoder.name, encoder.dimensions, 0
        self._encoder = encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts."""
        self.n_encoded += len(texts)
        return self._encoder.encode(texts)


def measure(data: Path, encoder: Encoder, *, algorithm: str, only: str | None) -> Iterator[dict[str, Any]]:
    """Yield the figures of one data set after the other."""
    for name, train, tests in _tasks(data):
        if only is None or only in name:
            started = time.process_time()
            texts, labels = zip(*train, strict=True)
            model = learn_categories(texts, labels, algorithm=algorithm, encoder=encoder)
            figures = (
                "algorithm",
                "settings",
                "accuracy",
                "macro_f1",
                "expected_calibration_error",
                "noise_ratio",
                "readers",
                "reads_with",
                "reads_first",
                "encoded_ratio",
            )
            yield {
                "data": name,
                "rows": len(train),
                "learnt_in_cpu_seconds": round(time.process_time() - started),
                "own_report": {figure: model.card[figure] for figure in figures},
                **{part: _test(model, pairs, encoder) for part, pairs in tests.items()},
            }


def _tasks(data: Path) -> Iterator[tuple[str, Pairs, dict[str, Pairs]]]:
    train, dev = (_pairs(data / f"cic_{part}.csv.gz", "sentence", "intent") for part in ("train", "dev"))
    yield "cic", train, {"dev, even rows": dev[::2], "dev, odd rows": dev[1::2]}
    bank = _pairs(data / "banking77_train.csv.gz", "text", "category")
    order = np.random.default_rng(0).permutation(len(bank))
    held, rest = [[bank[row] for row in part] for part in np.split(order, [int(_HELD_BACK * len(bank))])]
    yield "banking77, all", rest, {"a fifth": held}
    few = _first(rest, 10)
    yield "banking77, 10 a label", few, {"a fifth": held}
    yield "banking77, 10 a label beside rows without", few + [(text, "") for text, _ in _without(rest, few)], {"a fifth": held}
    clinc = {part: [(row["text"], row["intent"]) for row in rows] for part, rows in _by_split(data / "clinc150_train.csv.gz").items()}
    tests = {"in scope (val)": clinc["val"], "out of scope (oos_val)": clinc["oos_val"]}
    yield "clinc150 with 100 rows out of scope", clinc["train"] + clinc["oos_train"], tests
    drawn = [clinc["train"][row] for row in np.random.default_rng(0).permutation(len(clinc["train"]))]  # rows alike stand together there
    yield "clinc150, 14 a label, with 100 rows out of scope", _first(drawn, 14) + clinc["oos_train"], tests


def _pairs(path: Path, text: str, label: str) -> Pairs:
    return [(row[text], row[label]) for row in read_rows(path)]


def _by_split(path: Path) -> dict[str, list[dict[str, str]]]:
    rows = read_rows(path)
    return {part: [row for row in rows if row["split"] == part] for part in sorted({row["split"] for row in rows})}


def _first(pairs: Pairs, n_rows: int) -> Pairs:
    seen: Counter[str] = Counter()
    kept = []
    for pair in pairs:
        seen[pair[1]] += 1
        if seen[pair[1]] <= n_rows:
            kept.append(pair)
    return kept


def _without(pairs: Pairs, taken: Pairs) -> Pairs:
    left = set(taken)
    return [pair for pair in pairs if pair not in left]


def _test(model: CategoryModel, pairs: Pairs, encoder: Encoder) -> dict[str, Any]:
    texts, labels = [text for text, _ in pairs], [label for _, label in pairs]
    places = {label: place for place, label in enumerate(sorted({*labels, *model.labels}))}
    given = np.array([places[label] for label in labels])
    report: dict[str, Any] = {"rows": len(pairs)}
    for name in model.card["readers"]:
        asked = replace(model, card=model.card | {"reads_with": name}) if name in {"pieces", "both"} else model
        if name == "pieces" and name not in model.scorers:
            continue  # it was tried, but the model does not begin with it
        counting = Counting(encoder)
        started = time.process_time()
        answers = asked.read(texts, encoder=counting, is_semantic=None if asked is not model else name == "semantic")
        seconds = time.process_time() - started
        found = np.array([places[one.label] for one in answers])
        report[name] = _describe(given, found, np.array([one.probability for one in answers]), len(places))
        report[name] |= {
            "abstained": round(float(np.mean([one.abstained for one in answers])), 4),
            "right_or_abstained": round(float(np.mean((found == given) | [one.abstained for one in answers])), 4),
            "encoded_ratio": round(counting.n_encoded / len(texts), 4),
            "texts_per_cpu_second_without_encoding": round(len(texts) / max(seconds, 1e-9)),
        }
    return report


def _describe(given: NDArray[np.int64], found: NDArray[np.int64], said: NDArray[np.float64], n_labels: int) -> dict[str, Any]:
    right = given == found
    return {
        "accuracy": round(float(right.mean()), 4),
        "accuracy_interval": [round(one, 4) for one in wilson_interval(int(right.sum()), len(right))],
        "macro_f1": round(macro_f1(given, found, n_labels), 4),
        "expected_calibration_error": round(measure_calibration_error(said, right), 4),
        "mean_probability": round(float(said.mean()), 4),
    }


def main() -> None:
    """Print one JSON object a data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--vectors", type=Path, help="folder to keep vectors in")
    parser.add_argument("--algorithm", default="auto")
    parser.add_argument("--only", help="part of a data set's name")
    chosen = parser.parse_args()
    encoder: Encoder = get_bundled_encoder()
    if chosen.vectors is not None:
        encoder = Remembering(encoder, chosen.vectors)
    for figures in measure(chosen.data, encoder, algorithm=chosen.algorithm, only=chosen.only):
        sys.stdout.write(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
