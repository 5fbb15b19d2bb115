"""Before and after beside a comparison group: by how much more those changed whom a change concerned."""

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.desk.accounts.rules import Viewer
from careloop.desk.experiments.models import Comparison
from careloop.desk.kernel.rows import marks, table_of
from careloop.desk.measures.columns import Integers
from careloop.desk.measures.models import AnswerFact, AnswerFactPast, CaseFact, CaseFactPast, Facets
from careloop.desk.measures.rules.definitions import GROUPS
from careloop.desk.measures.trial_looks import CALLED, LESS, MORE, NOT_SHOWN, TOO_FEW
from careloop.desk.measures.trial_rows import NONE, Floats, Tables, read_facts
from careloop.insight.errors import InputError, Sentence
from careloop.insight.stats import Adjusted, BeforeAfter, compare_trends, correct_by_holm, difference_in_differences

NUMBERS = {"team", "channel", "agent"}
RESOLVED_WITHIN, RESPONDED_WITHIN = 24 * 3600, 3600
OUTCOMES = ("SATISFACTION", "REOPENED", "RESOLVED_IN_24_HOURS", "RESPONDED_IN_1_HOUR")
SATISFACTION, REOPENED, RESOLVED, RESPONDED = OUTCOMES
JUDGED_BY = {"SATISFACTION": SATISFACTION, "REOPENED": REOPENED, "RESOLUTION": RESOLVED, "RESPONSE": RESPONDED}


@dataclass(frozen=True)
class WindowOutcome:
    """One outcome: the difference of differences with `corrected_p`, and the drift per week before; None with the reason when unknown."""

    outcome: str
    found: BeforeAfter | None
    corrected_p: float | None
    drift: Adjusted | None
    why_not: Sentence | None = None

    @property
    def low(self) -> float | None:
        """The lower end, None where nothing scatters."""
        return self.found.low if self.found is not None and math.isfinite(self.found.low) else None

    @property
    def high(self) -> float | None:
        """The upper end."""
        return self.found.high if self.found is not None and math.isfinite(self.found.high) else None

    @property
    def verdict(self) -> str:
        """What is shown, by the p-value put right for all outcomes."""
        if self.found is None or self.corrected_p is None or self.low is None:
            return TOO_FEW
        if self.corrected_p >= CALLED:
            return NOT_SHOWN
        return MORE if self.found.effect > 0 else LESS


@dataclass(frozen=True)
class BeforeAfterResult:
    """All outcomes of a before-and-after comparison, and from when to when was looked."""

    since: date
    changed_on: date
    until: date
    outcomes: list[WindowOutcome]


@dataclass(frozen=True)
class _Rows:
    values: Floats
    days: Integers
    is_treated: NDArray[np.bool_]

    @classmethod
    def of(cls, values: NDArray[Any], found: Integers, is_counted: NDArray[np.bool_]) -> "_Rows":
        return cls(values[is_counted].astype(np.float64), found[0][is_counted], found[1][is_counted] > 0)


def judge_window(comparison: Comparison, viewer: Viewer, *, as_of: datetime | None, shown: datetime) -> BeforeAfterResult:
    """Count from the facts as they are, or as they were; errors go by week and group, as weeks go up and down together. Two statements."""
    window = comparison.window
    changed_on = date.fromisoformat(window["changed_on"])
    since, until = changed_on - timedelta(days=window["days"]), changed_on + timedelta(days=window["days"] - 1)
    rows = _rows(_Facts(comparison, viewer, since.toordinal(), until.toordinal(), as_of), int(shown.timestamp()))
    first = JUDGED_BY[comparison.outcome]
    judged = [_judge(one, rows[one], changed_on.toordinal()) for one in (first, *(one for one in OUTCOMES if one != first))]
    right = iter(correct_by_holm([one.found.p for one in judged if one.found is not None]).tolist())
    outcomes = [replace(one, corrected_p=next(right)) if one.found is not None else one for one in judged]
    return BeforeAfterResult(since, changed_on, until, outcomes)


@dataclass(frozen=True)
class _Facts:
    """The facts of a comparison's groups on its days, as they are or as they were."""

    comparison: Comparison
    viewer: Viewer
    since: int
    until: int
    as_of: datetime | None

    def fetch(self, tables: Tables, day: str, columns: tuple[str, ...], condition: str = "1 = 1") -> Integers:
        """Day, whether it is of the group that changed, and the columns of each."""
        window = self.comparison.window
        group, is_number = GROUPS[window["by"]], window["by"] in NUMBERS
        chosen = [int(one) if is_number else one for one in (window["value"], *window["others"])]
        tail = f"f JOIN {table_of(Facets).name} g ON g.id = f.facets_id WHERE f.{day} BETWEEN %s AND %s AND {condition}"
        values: list[Any] = [self.since, self.until]
        if window["others"]:
            tail, values = f"{tail} AND {group} IN ({marks(chosen)})", [*values, *chosen]
        if self.viewer.team_ids is not None:
            teams = sorted(self.viewer.team_ids)
            tail, values = f"{tail} AND g.team_id IN ({marks(teams) or 'NULL'})", [*values, *teams]
        is_treated = f"CASE WHEN {group} = %s THEN 1 ELSE 0 END"
        return read_facts(tables, (f"f.{day}", is_treated, *columns), tail, [chosen[0], *values], self.as_of)


def _rows(facts: _Facts, shown: int) -> dict[str, _Rows]:
    spans = tuple(f"COALESCE(f.{one}, {NONE})" for one in ("resolution_seconds", "response_seconds"))
    found = facts.fetch((CaseFact, CaseFactPast), "opened_on", ("f.opened_second", *spans, "f.reopened"))
    _days, _treated, opened, resolution, response, reopened = found

    def within(seconds: Integers, most: int) -> _Rows:
        return _Rows.of((seconds != NONE) & (seconds <= most), found, opened + most <= shown)

    rated = "f.hundredths IS NOT NULL AND f.scale IN ('CSAT', 'STARS')"
    answers = facts.fetch((AnswerFact, AnswerFactPast), "answered_on", ("f.hundredths",), rated)
    return {
        SATISFACTION: _Rows.of(answers[2] / 100, answers, np.ones(len(answers[2]), dtype=bool)),
        REOPENED: _Rows.of(reopened > 0, found, (resolution != NONE) | (reopened > 0)),
        RESOLVED: within(resolution, RESOLVED_WITHIN),
        RESPONDED: within(response, RESPONDED_WITHIN),
    }


def _judge(outcome: str, rows: _Rows, changed: int) -> WindowOutcome:
    values, days, treated, after = rows.values, rows.days, rows.is_treated, rows.days >= changed
    weeks = (days - changed) // 7 * 2 + treated
    try:
        found = difference_in_differences(values, treated, after, clusters=weeks)
    except InputError as error:
        return WindowOutcome(outcome, None, None, None, error.sentence)
    try:
        drift = _drift(rows, changed)
    except InputError:
        drift = None
    return WindowOutcome(outcome, found, None, drift)


def _drift(rows: _Rows, changed: int) -> Adjusted:
    """By how much a week both went apart before: from the weeks' averages, as cases of a week go up and down together."""
    weeks = (rows.days - changed) // 7
    before = weeks < 0
    keys, place = np.unique(weeks[before] * 2 + rows.is_treated[before], return_inverse=True)
    averages = np.bincount(place, weights=rows.values[before]) / np.bincount(place)
    return compare_trends(averages, keys % 2 == 1, keys // 2)
