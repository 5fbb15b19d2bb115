"""`careloop manage replay`: figures as they were shown at an earlier moment, and whether the facts are what the rows tell."""

import json
from argparse import ArgumentParser
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from careloop.desk.accounts.rules import OWNER, OWNER_MAY, Viewer
from careloop.desk.experiments.queries import access_comparison
from careloop.desk.kernel.errors import DeskError
from careloop.desk.measures.checking import find_differences
from careloop.desk.measures.moments import moment_of
from careloop.desk.measures.queries import Table, ask
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.measures.rules.values import Figure
from careloop.desk.measures.trial_lines import COLUMNS, lines_of
from careloop.desk.measures.trials import judge_comparison

HOUSE = Viewer(0, "replay", OWNER, None, OWNER_MAY, kind="system")


class Command(BaseCommand):
    """Asks a question as of a moment, or counts everything anew and compares; exit code 1 when that differs."""

    help = "Give the figures that were shown at an earlier moment, to the digit; or check that the facts are what the rows tell."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which figures, and when."""
        parser.add_argument("--as-of", help="A day (its end) or a moment, as 2026-05-04 or 2026-05-04T18:00:00+08:00; without it, now.")
        parser.add_argument("--measure", default=",".join(MEASURES), help="Keys with commas; all without it.")
        parser.add_argument(
            "--by", default="", help="Split by team, channel, agent, kind, category, priority, sentiment, segment, product."
        )
        parser.add_argument("--per", default="", help="Split by day, week or month.")
        parser.add_argument("--since", help="First day of the period.")
        parser.add_argument("--until", help="Last day of the period.")
        parser.add_argument("--comparison", type=int, help="The number of a comparison: its figures instead.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON.")
        parser.add_argument("--check", action="store_true", help="Count all cases anew and compare; nothing is written.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the table, or the cases that differ."""
        if options["check"]:
            self._check(as_json=options["as_json"])
            return
        if options["comparison"] is not None:
            self._comparison(options["comparison"], options["as_of"] or "", as_json=options["as_json"])
            return
        try:
            keys = tuple(one.strip() for one in options["measure"].split(","))
            since, until = (_day(options[name]) for name in ("since", "until"))
            question = Question(keys, options["by"], options["per"], since, until, {}, moment_of(options["as_of"] or ""))
            table = ask(question, HOUSE)
        except (DeskError, ValueError) as error:
            raise CommandError(str(error)) from None
        if options["as_json"]:
            self.stdout.write(json.dumps(_plain(table)))
            return
        self.stdout.write(f"As of {table.as_of.isoformat() if table.as_of else 'never: nothing was counted yet'}")
        for row in [*table.rows, None]:
            figures = table.whole if row is None else row.figures
            where = "all" if row is None else " ".join(str(one) for one in (row.day, row.group) if one is not None)
            for key, figure in figures.items():
                self.stdout.write(f"{where}\t{key}\t{figure.value}\t{figure.low}\t{figure.high}\t{figure.n}")

    def _comparison(self, number: int, as_of: str, *, as_json: bool) -> None:
        """The lines of its file."""
        try:
            found = access_comparison(number, HOUSE)
            trial = judge_comparison(found, HOUSE, now=datetime.now(UTC), as_of=moment_of(as_of))
        except DeskError as error:
            raise CommandError(str(error)) from None
        lines, moment = lines_of(trial), trial.as_of.isoformat() if trial.as_of else None
        if as_json:
            self.stdout.write(json.dumps({"as_of": moment, "comparison": number, "lines": lines}))
            return
        self.stdout.write(f"As of {moment or 'never: nothing was counted yet'}")
        for line in [dict(zip(COLUMNS, COLUMNS, strict=True)), *lines]:
            self.stdout.write("\t".join("" if line[name] is None else str(line[name]) for name in COLUMNS))

    def _check(self, *, as_json: bool) -> None:
        report = find_differences()
        if as_json:
            self.stdout.write(json.dumps({"cases": report.cases, "facts": report.facts, "different": report.different}))
        elif not report.different:
            self.stdout.write(f"The facts of {report.cases} cases are what their rows tell ({report.facts} facts).")
        if report.different:
            if as_json:
                raise SystemExit(1)
            numbers = ", ".join(str(number) for number in report.different[:20])
            raise CommandError(
                f"The facts of {len(report.different)} cases differ from their rows: {numbers}. "
                "Run `careloop worker --once` to follow what is new, then check again."
            )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"The day is {text!r}; write it as 2026-05-04.") from None


def _plain(table: Table) -> dict[str, Any]:
    return {
        "as_of": table.as_of.isoformat() if table.as_of else None,
        "whole": {key: _figure(one) for key, one in table.whole.items()},
        "rows": [
            {
                "group": row.group,
                "day": row.day.isoformat() if row.day else None,
                "figures": {key: _figure(one) for key, one in row.figures.items()},
            }
            for row in table.rows
        ],
    }


def _figure(one: Figure) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high, "n": one.n}
