"""What cleaning did, counted while it runs: every row and every missing value is accounted for."""

from __future__ import annotations

from collections import Counter
from typing import Any

from careloop.insight.errors import Sentence
from careloop.insight.tables.plan import CleaningPlan
from careloop.insight.tables.reasons import Reason
from careloop.insight.tables.results import CleanRow, Rejected

MOST_EXAMPLES = 20
EXAMPLE_CHARS = 200


class CleaningReport:
    """Counts of one run; `rows` = `accepted` + the sum of `rejected`.

    Attributes
    ----------
    rows : int
        Rows read, blank ones aside.
    blank_rows : int
        Blank rows passed over.
    accepted : int
    rejected : Counter
        Rows by `Fault` or `Reason` code, dropped ones (`MISSING`, `DUPLICATE`) among them.
    missing : dict of str to Counter
        By column: how many missing values were "dropped" (with their row), "filled" and "kept".
    normalised : Counter
        By column: values whose spelling changed.
    examples : dict of str to list
        The first 20 rejected rows of each code: row, line, column, reason, the reason as template and values (`Sentence.to_json`)
        and cells, long cells shortened.
    """

    def __init__(self, plan: CleaningPlan) -> None:
        self._plan = plan
        self._column_by_field = {one.field: one.column for one in plan.columns}
        self.rows = 0
        self.blank_rows = 0
        self.accepted = 0
        self.rejected: Counter[str] = Counter()
        self.missing: dict[str, Counter[str]] = {one.column: Counter() for one in plan.columns}
        self.normalised: Counter[str] = Counter()
        self.examples: dict[str, list[dict[str, Any]]] = {}

    @property
    def duplicates(self) -> int:
        """Rows dropped as duplicates."""
        return self.rejected[Reason.DUPLICATE]

    def add(self, result: CleanRow | Rejected) -> None:
        """Count one result of `clean_row`."""
        self.rows += 1
        if isinstance(result, Rejected):
            self._add_rejected(result)
            return
        self.accepted += 1
        for name in result.filled:
            self.missing[self._column_by_field[name]]["filled"] += 1
        for name in result.kept:
            self.missing[self._column_by_field[name]]["kept"] += 1
        for name in result.normalised:
            self.normalised[self._column_by_field[name]] += 1

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers, with the plan's rules beside the counts."""
        return {
            "rows": self.rows,
            "blank_rows": self.blank_rows,
            "accepted": self.accepted,
            "rejected": {str(code): count for code, count in sorted(self.rejected.items())},
            "duplicates": self.duplicates,
            "duplicate_keys": list(self._plan.duplicate_keys),
            "missing_words": sorted(self._plan.missing_words),
            "columns": [
                {
                    "column": one.column,
                    "field": one.field,
                    "kind": str(one.kind),
                    "missing_policy": str(one.missing),
                    "missing": {what: self.missing[one.column][what] for what in ("dropped", "filled", "kept")},
                    "normalised": self.normalised[one.column],
                }
                for one in self._plan.columns
            ],
            "examples": self.examples,
        }

    def _add_rejected(self, result: Rejected) -> None:
        code = str(result.code)
        self.rejected[code] += 1
        if code == Reason.MISSING and result.column is not None:
            self.missing[result.column]["dropped"] += 1
        examples = self.examples.setdefault(code, [])
        if len(examples) < MOST_EXAMPLES:
            examples.append(
                {
                    "row": result.row_number,
                    "line": result.line,
                    "column": result.column,
                    "reason": str(result.reason),
                    "sentence": result.reason.to_json() if isinstance(result.reason, Sentence) else None,
                    "values": {name: cell and cell[:EXAMPLE_CHARS] for name, cell in result.values.items()},
                }
            )
