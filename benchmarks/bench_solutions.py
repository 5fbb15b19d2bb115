"""How often the right solution is among the first three: on pairs of questions with the same meaning, and on the sample house's cases.

python -m benchmarks.bench_solutions                (pairs of ../shared/data)
python -m benchmarks.bench_solutions --house        (on a desk that holds the sample data)
"""

import argparse
import csv
import gzip
import json
import os
import time
from pathlib import Path

PAIRS = Path(__file__).resolve().parents[2] / "shared" / "data" / "afqmc_train.csv.gz"
SEED_ROWS = 2_000  # pairs of the same meaning that are looked at
LIBRARY = 400  # questions that become solutions; the other of each pair asks


def hits(ranked: list[list[str]], wanted: list[str], top: int) -> float:
    """The share of questions whose solution is among the first `top`."""
    return sum(right in found[:top] for found, right in zip(ranked, wanted, strict=True)) / len(wanted)


def measure_pairs(path: Path, *, by_meaning: bool) -> dict[str, float]:
    """One question of each pair is a solution's title, the other asks for it."""
    from careloop.insight.text.encoder import get_bundled_encoder
    from careloop.insight.text.solutions import Solution, rank_solutions

    with gzip.open(path, "rt", encoding="utf-8") as file:
        same = [(row["sentence1"], row["sentence2"]) for row in csv.DictReader(file) if row["label"] == "1"][:SEED_ROWS]
    known: set[str] = set()
    pairs = []
    for title, asked in same:
        if title not in known and asked not in known and title != asked:
            known |= {title, asked}
            pairs.append((title, asked))
    pairs = pairs[:LIBRARY]
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
    from careloop.desk.solutions.automatic import list_held_back
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
    derived = derive(list_held_back(), 0.95)
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
    print(json.dumps(told))


if __name__ == "__main__":
    main()
