"""Learnt aspects: figures from texts held back, CPU seconds to learn, microseconds to read.

python benchmarks/bench_aspects.py [FILE.csv.gz] [--text COL] [--label COL] [--polarity COL]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import f1_score

from careloop.insight.text.aspects import learn_aspects

CARS = Path(__file__).resolve().parents[2] / "shared" / "data" / "car_reviews.csv.gz"
FOLDS = 4


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=CARS)
    parser.add_argument("--text", default="content")
    parser.add_argument("--label", default="subject")
    parser.add_argument("--polarity", default="sentiment_value")
    chosen = parser.parse_args()
    if not chosen.file.is_file():
        print(json.dumps({"benchmark": "aspects", "not_measured": f"there is no labelled file {chosen.file.name} here; name one"}))
        return
    rows = pl.read_csv(chosen.file, infer_schema=False).select(chosen.text, chosen.label, chosen.polarity).fill_null("").rows()
    texts, labels, polarities = zip(*rows, strict=True)
    began = time.process_time()
    model, report = learn_aspects(texts, labels, polarities)
    learnt = time.process_time()
    model.read(texts[:2000])
    read = time.process_time() - learnt
    print(
        json.dumps(
            {
                "benchmark": "aspects",
                "file": chosen.file.name,
                "rows": len(rows),
                "learning_cpu_seconds": round(learnt - began, 1),
                "microseconds_per_text": round(read / len(texts[:2000]) * 1e6),
                "macro_f1": report.macro_f1,
                "accuracy": report.accuracy,
                "expected_calibration_error": report.expected_calibration_error,
                "sentiment_accuracy": report.sentiment_accuracy,
                "single_macro_f1": measure_single(texts, labels),
            },
            ensure_ascii=False,
        )
    )


def measure_single(texts: tuple[str, ...], labels: tuple[str, ...]) -> float:
    """Return the macro F1 of the likeliest aspect of texts with one aspect, each by a model of three quarters of the other such texts."""
    counts = Counter(texts)
    alone = [(text, label) for text, label in zip(texts, labels, strict=True) if counts[text] == 1]
    folds = np.random.default_rng(0).permutation(len(alone)) % FOLDS
    wanted, found = [], []
    for fold in range(FOLDS):
        learnt = [one for one, own in zip(alone, folds, strict=True) if own != fold]
        held_back = [one for one, own in zip(alone, folds, strict=True) if own == fold]
        model, _ = learn_aspects(*zip(*learnt, strict=True))
        found += [model.aspects[best] for best in model.score([text for text, _ in held_back]).argmax(axis=1)]
        wanted += [label for _, label in held_back]
    return round(float(f1_score(wanted, found, average="macro")), 4)


if __name__ == "__main__":
    main()
