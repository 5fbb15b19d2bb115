"""Texts per second of `careloop read`, every column, on a CSV of Chinese reviews or on made sentences when there is none.

python benchmarks/bench_read.py [FILE.csv.gz] [--text COLUMN] [--workers 2]
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path

from careloop.batch.read import read_file
from careloop.insight.text.recipes.phrases import make_opinions

REVIEWS = Path(__file__).resolve().parents[2] / "shared" / "data" / "shop_reviews.csv.gz"
MADE = 20_000


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=REVIEWS)
    parser.add_argument("--text", default="review")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = chosen.file if chosen.file.exists() else make_file(Path(folder) / "made.csv")
        began = time.perf_counter()
        rows = read_file(source, text_column=chosen.text, out=Path(folder) / "out.csv", workers=chosen.workers)
        seconds = time.perf_counter() - began
    print(
        json.dumps(
            {
                "benchmark": "read",
                "file": source.name,
                "rows": rows,
                "workers": chosen.workers,
                "seconds": round(seconds, 2),
                "texts_per_second": round(rows / seconds),
            }
        )
    )


def make_file(path: Path) -> Path:
    """Write made reviews."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review"])
        writer.writerows([phrase.text] for phrase in make_opinions("zh", MADE, seed=1))
    return path


if __name__ == "__main__":
    main()
