"""Figures of a desk with 1,000,000 messages (333,334 cases), on SQLite and on a throw-away PostgreSQL.

    python -m benchmarks.bench_figures_million [--rounds 3] [--database sqlite]

The desk of benchmarks/large_house.py in that size; SQLite's is kept in the temporary directory, PostgreSQL's is made each time. Making and
measuring are processes of their own, so that the memory is that of measuring. Prints JSON.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from typing import Any

CASES = 333_334
SQLITE, POSTGRES = "sqlite", "postgresql"


def main() -> None:
    """Measure on both, or on the named one; print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", choices=(SQLITE, POSTGRES))
    options = parser.parse_args()
    found: dict[str, Any] = {"benchmark": "figures_million"}
    if options.database != POSTGRES:
        found[SQLITE] = measure("", options.rounds)
    if options.database != SQLITE:
        from tools.postgres import server

        with server() as address:
            found[POSTGRES] = measure(address.replace("/careloop?", "/postgres?"), options.rounds)
    json.dump(found, sys.stdout)


def measure(address: str, rounds: int) -> list[dict[str, Any]]:
    """The figures of benchmarks/bench_figures.py on this database; a folder that belongs to a throw-away server is thrown away."""
    environment = {**os.environ, "CARELOOP_DATABASE_URL": address}
    made = json.loads(_run("large_house", environment))
    try:
        figures: list[dict[str, Any]] = json.loads(_run("bench_figures", environment, "--rounds", str(rounds)))["figures"]
    finally:
        if address:
            shutil.rmtree(made["folder"])
    return figures


def _run(module: str, environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{module}", "--cases", str(CASES), *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
