"""Learnt entities: F1 on rows held back, CPU seconds to learn, texts per second to read.

python benchmarks/bench_entities.py [FILE.jsonl] [--rows N] [--seed S]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from careloop.insight.text.entities import read_annotations
from careloop.insight.text.entities.learning import learn_entities

NEWS = Path(__file__).resolve().parents[2] / "shared" / "data" / "cluener_train.jsonl"


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=NEWS)
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    if not chosen.file.is_file():
        print(json.dumps({"benchmark": "entities", "not_measured": f"there is no annotated file {chosen.file.name} here; name one"}))
        return
    with chosen.file.open(encoding="utf-8") as lines:
        rows = read_annotations(lines)[: chosen.rows]
    began = time.process_time()
    model = learn_entities([row.text for row in rows], [row.spans for row in rows], seed=chosen.seed, is_final=False)
    learnt = time.process_time()
    sample = [row.text for row in rows[:500]]
    model.read(sample)
    read = time.process_time() - learnt
    print(
        json.dumps(
            {
                "benchmark": "entities",
                "file": chosen.file.name,
                "rows": len(rows),
                "learning_cpu_seconds": round(learnt - began, 1),
                "texts_per_cpu_second": round(len(sample) / read),
                "held_back_rows": model.card["held_back_rows"],
                "report": model.card["report"],
            },
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
