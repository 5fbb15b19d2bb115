"""How often the right solution is among the first three: on pairs of questions with the same meaning, and on the sample house's cases.

python -m benchmarks.bench_solutions                (pairs of ../shared/data; also whether automatic replies keep what they promise)
python -m benchmarks.bench_solutions --house        (on a desk that holds the sample data)
"""

import argparse
import csv
import gzip
import json
import os
import random
import statistics
import time
from pathlib import Path
from typing import Any

PAIRS = Path(__file__).resolve().parents[2] / "shared" / "data" / "afqmc_train.csv.gz"
SEED_ROWS = 2_000  # pairs of the same meaning that are looked at
LIBRARY = 400  # questions that become solutions; the other of each pair asks
SMALL_LIBRARY = 50  # solutions of each of the libraries that promises are measured on
PROMISES = (0.8, 0.85, 0.9, 0.95)
HELD_BACK = (400, 1_000)  # cases that a threshold is derived from; all the others are new
SPLITS = 100


def hits(ranked: list[list[str]], wanted: list[str], top: int) -> float:
    """The share of questions whose solution is among the first `top`."""
    return sum(right in found[:top] for found, right in zip(ranked, wanted, strict=True)) / len(wanted)


def read_pairs(path: Path, most: int | None = None) -> list[tuple[str, str]]:
    """Pairs of questions with the same meaning, each question once; of the first `most` such rows."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        same = [(row["sentence1"], row["sentence2"]) for row in csv.DictReader(file) if row["label"] == "1"][:most]
    known: set[str] = set()
    pairs = []
    for title, asked in same:
        if title not in known and asked not in known and title != asked:
            known |= {title, asked}
            pairs.append((title, asked))
    return pairs


def rank_libraries(path: Path) -> list[Any]:
    """Every pair's question, ranked by words in a library of 50 titles: how likely the best was said to be, and whether it was right."""
    from careloop.desk.solutions.rules.threshold import HeldBack
    from careloop.insight.text.solutions import Solution, rank_solutions

    pairs = read_pairs(path)
    random.Random(1).shuffle(pairs)
    rows = []
    for start in range(0, len(pairs) - SMALL_LIBRARY + 1, SMALL_LIBRARY):
        mine = pairs[start : start + SMALL_LIBRARY]
        library = [Solution(str(place), title) for place, (title, _asked) in enumerate(mine)]
        for place, found in enumerate(rank_solutions(library, [asked for _title, asked in mine], top=1)):
            best = found.suggestions[0] if found.suggestions and not found.abstained else None
            rows.append(HeldBack(best.probability if best else 0.0, best is not None and best.solution == str(place)))
    return rows


def measure_promises(path: Path, splits: int = SPLITS) -> dict[str, float]:
    """Thresholds of random held-back cases on all the others: how many points the precision is above the promise, how much is answered.

    Splits in which no threshold was found answer nothing and have no precision.
    """
    from careloop.desk.solutions.rules.threshold import MANNERS, derive

    rows = rank_libraries(path)
    told: dict[str, float] = {"new cases precision of everything sure": precision_above(rows, 1e-9)[0]}
    for manner in MANNERS:
        for n in HELD_BACK:
            for promise in PROMISES:
                generator, points, shares = random.Random(7), [], []
                for _ in range(splits):
                    mixed = generator.sample(rows, len(rows))
                    threshold = derive(mixed[:n], promise, manner).threshold
                    precision, share = precision_above(mixed[n:], threshold) if threshold is not None else (None, 0.0)
                    points += [] if precision is None else [100 * (precision - promise)]
                    shares.append(share)
                name = f"{manner.lower().replace('_', ' ')} {promise:.0%} of {n} held back"
                told[f"{name} points above"] = statistics.fmean(points) if points else float("nan")
                told[f"{name} points spread"] = statistics.pstdev(points) if points else float("nan")
                told[f"{name} answered"] = statistics.fmean(shares)
                told[f"{name} found"] = len(points) / splits
    return {name: figure for name, figure in told.items() if figure == figure}


def precision_above(rows: list[Any], threshold: float) -> tuple[float, float]:
    """The precision of the answers from a threshold on, and the share that is answered."""
    answered = [row.is_right for row in rows if row.probability >= threshold]
    return sum(answered) / max(1, len(answered)), len(answered) / len(rows)


def measure_pairs(path: Path, *, by_meaning: bool) -> dict[str, float]:
    """One question of each pair is a solution's title, the other asks for it."""
    from careloop.insight.text.encoder import get_bundled_encoder
    from careloop.insight.text.solutions import Solution, rank_solutions

    pairs = read_pairs(path, SEED_ROWS)[:LIBRARY]
    library = [Solution(str(place), title) for place, (title, _asked) in enumerate(pairs)]
    begin = time.process_time()
    found = rank_solutions(library, [asked for _title, asked in pairs], encoder=get_bundled_encoder() if by_meaning else None)
    names = [[one.solution for one in ranking.suggestions] for ranking in found]
    wanted = [str(place) for place in range(len(pairs))]
    seconds = time.process_time() - begin
    return {"n": len(pairs), "hit@1": hits(names, wanted, 1), "hit@3": hits(names, wanted, 3), "cpu_seconds": seconds}


def measure_house() -> dict[str, float]:
    """Held-back cases of the sample house in which an agent used a solution; the ranking learns from the others."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")
    import django

    django.setup()
    from careloop.desk.analysis.rules import is_held_back
    from careloop.desk.analysis.solution_ranking import rank_many
    from careloop.desk.solutions.evidence import gather_evidence
    from careloop.desk.solutions.models import SolutionUse
    from careloop.desk.solutions.queries import articles_of, examples_of
    from careloop.desk.solutions.rules.threshold import derive

    uses = SolutionUse.objects.filter(how="INSERTED", is_first_reply=True, question__isnull=False).select_related("question", "case")
    held = [use for use in uses if is_held_back(use.question_id or 0)]
    counts = {"n": 0, "hit@1": 0, "hit@3": 0}
    for team_id in sorted({use.case.team_id for use in held}):
        mine = [use for use in held if use.case.team_id == team_id]
        articles = articles_of(team_id)
        bodies = [use.question.body for use in mine if use.question is not None]
        found = rank_many(articles, examples_of({one.solution_id for one in articles}), bodies)
        for use, ranked in zip(mine, found, strict=True):
            names = [key for key, _probability in ranked.solutions]
            counts["n"] += 1
            counts["hit@1"] += use.solution_id in names[:1]
            counts["hit@3"] += use.solution_id in names[:3]
    n = max(1, counts["n"])
    derived = derive(gather_evidence().rows, 0.95)
    figures = {"n": counts["n"], "hit@1": counts["hit@1"] / n, "hit@3": counts["hit@3"] / n}
    return {**figures, "threshold": derived.threshold or 0, "answered": derived.answered_ratio, "precision": derived.precision or 0}


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=PAIRS)
    parser.add_argument("--house", action="store_true", help="measure the desk of the settings, which holds the sample data, instead")
    chosen = parser.parse_args()
    if chosen.house:
        print(json.dumps({"benchmark": "solutions", **{f"house {name}": round(value, 4) for name, value in measure_house().items()}}))
        return
    if not chosen.file.is_file():
        print(json.dumps({"benchmark": "solutions", "not_measured": f"there is no file of pairs {chosen.file.name} here; name one"}))
        return
    told: dict[str, object] = {"benchmark": "solutions", "file": chosen.file.name}
    for name, by_meaning in (("words", False), ("words and meaning", True)):
        told |= {f"{name} {figure}": round(value, 4) for figure, value in measure_pairs(chosen.file, by_meaning=by_meaning).items()}
    told |= {name: round(figure, 4) for name, figure in measure_promises(chosen.file).items()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
