"""Texts per second of the bundled encoder, our forward pass and the package's engine, on one and two threads; how far their vectors agree.

python benchmarks/bench_encoder.py [--texts 256]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from careloop.insight.text import encoder as encoders
from careloop.insight.text.recipes.phrases import make_opinions

ROUNDS = 3
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--engine", choices=["ours", "package"], help="measure this one alone, in this process")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--vectors", type=Path)
    chosen = parser.parse_args()
    if chosen.engine:
        print(json.dumps(measure(chosen.engine, chosen.threads, make_texts(chosen.texts), chosen.vectors)))
        return
    figures: dict[str, Any] = {"benchmark": "encoder", "texts": chosen.texts}
    with tempfile.TemporaryDirectory() as folder:
        for engine in ("ours", "package"):
            for threads in (1, 2):
                figures[f"{engine}, {threads} threads"] = run_apart(engine, threads, chosen.texts, Path(folder) / f"{engine}.npy")
        ours, theirs = (np.load(Path(folder) / f"{engine}.npy") for engine in ("ours", "package"))
    cosines = (ours * theirs).sum(axis=1)
    figures |= {"mean_cosine": round(float(cosines.mean()), 5), "worst_cosine": round(float(cosines.min()), 5)}
    print(json.dumps(figures))


def make_texts(n_texts: int) -> list[str]:
    """Made reviews, half of them Chinese, half English."""
    half = n_texts // 2
    return [phrase.text for language, n in (("zh", half), ("en", n_texts - half)) for phrase in make_opinions(language, n, seed=1)]


def run_apart(engine: str, threads: int, n_texts: int, vectors: Path) -> dict[str, Any]:
    """Measure in a process of its own: libraries read their number of threads once."""
    command = [sys.executable, "-m", "benchmarks.bench_encoder", "--engine", engine, "--threads", str(threads), "--texts", str(n_texts)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = subprocess.run([*command, "--vectors", str(vectors)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def measure(engine: str, threads: int, texts: list[str], vectors: Path | None) -> dict[str, Any]:
    """Return medians of some rounds, and the memory that the process came to hold."""
    bundled = encoders.BundledEncoder(threads=threads)
    if engine == "package":
        bundled._encode = encoders._load_package_engine(threads)
    found = bundled.encode(texts[:8])
    seconds, processor_seconds = [], []
    for _ in range(ROUNDS):
        began, processor_began = time.perf_counter(), time.process_time()
        found = bundled.encode(texts)
        seconds.append(time.perf_counter() - began)
        processor_seconds.append(time.process_time() - processor_began)
    if vectors is not None:
        np.save(vectors, found)
    return {
        "texts_per_second": round(len(set(texts)) / statistics.median(seconds), 1),
        "texts_per_processor_second": round(len(set(texts)) / statistics.median(processor_seconds), 1),
        "most_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
