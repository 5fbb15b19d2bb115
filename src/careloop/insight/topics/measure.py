"""How well the methods find known classes: `python -m careloop.insight.topics.measure --data FOLDER`.

Normalised mutual information of topics and classes, mean coherence of the topics' words, and processor seconds, as medians over seeds. The
classes are used for nothing but this comparison.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import normalized_mutual_info_score

from careloop.insight.text.encoder import get_bundled_encoder
from careloop.insight.topics.model import METHODS, TopicModel

_SETS = {
    "shop_reviews": ("review", "cat", 20_000),
    "banking77_train": ("text", "category", 20_000),
    "bitext_train": ("utterance", "intent", 20_000),
}
_SEMANTIC_ROWS = 4_000


def measure(folder: Path, name: str, *, method: str, seeds: int, is_semantic: bool) -> tuple[float, float, float]:
    """Return the medians of mutual information (0–1), coherence (−1 … 1) and processor seconds."""
    text, truth, most = _SETS[name]
    rows = (
        pl.read_csv(folder / f"{name}.csv.gz", infer_schema=False)
        .with_columns(pl.col(pl.String).fill_null(""))
        .sample(fraction=1, shuffle=True, seed=0)
    )
    rows = rows.head(_SEMANTIC_ROWS if is_semantic else most)
    classes, results = rows[truth].to_list(), []
    for seed in range(seeds):
        started = time.process_time()
        encoder = get_bundled_encoder() if is_semantic else None
        model = TopicModel(len(set(classes)), method=method, encoder=encoder, seed=seed).fit(rows[text].to_list())
        seconds = time.process_time() - started
        coherence = float(np.mean([topic.coherence for topic in model.topics_]))
        results.append((normalized_mutual_info_score(classes, model.labels_), coherence, seconds))
    information, coherence, seconds = np.median(results, axis=0)
    return float(information), float(coherence), float(seconds)


def main() -> None:
    """Print a line for each set and method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--sets", nargs="+", choices=tuple(_SETS), default=tuple(_SETS))
    parser.add_argument("--semantic", action="store_true", help="also use the encoder, on 4,000 rows")
    asked = parser.parse_args()
    print(f"{'set':16} {'method':8} {'NMI':>6} {'NPMI':>6} {'CPU s':>7}")
    for name in asked.sets:
        for method in asked.methods:
            information, coherence, seconds = measure(asked.data, name, method=method, seeds=asked.seeds, is_semantic=asked.semantic)
            print(f"{name:16} {method:8} {information:6.3f} {coherence:6.3f} {seconds:7.1f}", flush=True)


if __name__ == "__main__":
    main()
