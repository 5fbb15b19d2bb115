"""Run every benchmarks/bench_*.py, keep what they print: `python -m tools.bench [NAME …]`.

A benchmark is a module that prints one JSON document and takes no required argument. Results go to benchmarks/results/latest.json and, as a
table, to latest.md; benchmarks that were not named keep their last results.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "benchmarks"
RESULTS = FOLDER / "results"
NOT_SHOWN = {"benchmark"}
COLUMNS = ("name", "value", "unit", "target", "met")
WORDS = {"measured", "name", "unit", "met"}


def main(arguments: list[str]) -> int:
    """Run the named ones, or all; exit code 1 when one failed."""
    names = [path.stem.removeprefix("bench_") for path in sorted(FOLDER.glob("bench_*.py"))]
    if unknown := sorted(set(arguments) - set(names)):
        print(f"There is no benchmark {unknown[0]!r}; expected one of {', '.join(names)}.", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "latest.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    failed = []
    for name in [one for one in names if not arguments or one in arguments]:
        print(f"== {name}", flush=True)
        figures = run(name)
        if figures is None:
            failed.append(name)
            continue
        kept[name] = {"measured_at": datetime.now(UTC).isoformat(timespec="minutes"), "machine": machine(), "figures": figures}
        file.write_text(json.dumps(kept, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
        (RESULTS / "latest.md").write_text(page(kept), encoding="utf-8")
    print(page(kept))
    if failed:
        print(f"Failed: {', '.join(failed)}; the lines above say why.", file=sys.stderr)
    return 1 if failed else 0


def run(name: str) -> Any:
    """What a benchmark printed, or None when it failed."""
    begun = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.bench_{name}"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        return None
    figures = json.loads(done.stdout)
    print(f"   {time.monotonic() - begun:.0f} s", flush=True)
    return figures


def machine() -> str:
    """What it ran on, without the machine's name."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"


def flat(figures: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Nested figures as rows: what was measured, and the number. Lists of named figures are left out, as they have tables of their own."""
    if isinstance(figures, dict):
        for key, value in figures.items():
            if key not in NOT_SHOWN:
                yield from flat(value, f"{path} · {key}" if path else key)
    elif isinstance(figures, list):
        for number, value in enumerate([] if _is_table(figures) else figures, start=1):
            yield from flat(value, f"{path} {number}".strip())
    else:
        yield path.replace("_", " "), figures


def tables(figures: Any) -> Iterator[list[dict[str, Any]]]:
    """Lists of named figures, wherever they stand."""
    if _is_table(figures):
        yield figures
    elif isinstance(figures, dict | list):
        for one in figures.values() if isinstance(figures, dict) else figures:
            yield from tables(one)


def page(kept: dict[str, Any]) -> str:
    """All results as Markdown tables."""
    parts = ["# Benchmarks\n\nWritten by `make bench`.\n"]
    for name, result in sorted(kept.items()):
        parts.append(f"## {name}\n\n{result['measured_at']}, {result['machine']}\n")
        if rows := list(flat(result["figures"])):
            parts.append(_lines(["measured", "value"], rows))
        parts += [_listed(table) for table in tables(result["figures"])]
    return "\n".join(parts)


def _is_table(figures: Any) -> bool:
    return isinstance(figures, list) and bool(figures) and all(isinstance(one, dict) and {"name", "value"} <= one.keys() for one in figures)


def _listed(figures: list[dict[str, Any]]) -> str:
    """Name, value, unit, target, whether it is met, and whatever else some of the figures tell."""
    columns = list(dict.fromkeys([*COLUMNS, *(key for one in figures for key in one)]))
    shown = [column for column in columns if any(one.get(column) is not None for one in figures)]
    return _lines(shown, [[one.get(column) for column in shown] for one in figures])


def _lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    ends = [":---" if column in WORDS else "---:" for column in columns]
    lines = [columns, ends, *([_cell(one) for one in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
