"""Before and after beside a comparison group: by how much more those changed whom a change concerned."""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Q

from careloop.desk.accounts.rules import Viewer
from careloop.desk.experiments.models import Comparison
from careloop.desk.measures.models import AnswerFact, CaseFact
from careloop.desk.measures.trial_figures import CALLED, LESS, MORE, NOT_SHOWN, TOO_FEW
from careloop.insight.errors import InputError, Sentence
from careloop.insight.stats import Adjusted, BeforeAfter, compare_trends, correct_by_holm, difference_in_differences

FIELDS = {
    "team": "facets__team_id",
    "channel": "facets__channel_id",
    "agent": "facets__agent_id",
    "kind": "facets__kind",
    "category": "facets__category",
}
NUMBERS = {"team", "channel", "agent"}
RESOLVED_WITHIN, RESPONDED_WITHIN = 24 * 3600, 3600
OUTCOMES = ("SATISFACTION", "REOPENED", "RESOLVED_IN_24_HOURS", "RESPONDED_IN_1_HOUR")
SATISFACTION, REOPENED, RESOLVED, RESPONDED = OUTCOMES
JUDGED_BY = {"SATISFACTION": SATISFACTION, "REOPENED": REOPENED, "RESOLUTION": RESOLVED, "RESPONSE": RESPONDED, "REPEAT": REOPENED}


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
class _Row:
    value: float
    is_treated: bool
    day: int


def judge_window(comparison: Comparison, viewer: Viewer, *, as_of: datetime | None) -> BeforeAfterResult:
    """Count from the facts as they are; errors go by week and group, as weeks go up and down together. Two queries."""
    window = comparison.window
    changed_on = date.fromisoformat(window["changed_on"])
    since, until = changed_on - timedelta(days=window["days"]), changed_on + timedelta(days=window["days"] - 1)
    rows = _rows(comparison, viewer, since.toordinal(), until.toordinal(), int(as_of.timestamp()) if as_of else 0)
    first = JUDGED_BY[comparison.outcome]
    judged = [_judge(one, rows[one], changed_on.toordinal()) for one in (first, *(one for one in OUTCOMES if one != first))]
    right = iter(correct_by_holm([one.found.p for one in judged if one.found is not None]).tolist())
    outcomes = [
        WindowOutcome(one.outcome, one.found, next(right) if one.found is not None else None, one.drift, one.why_not) for one in judged
    ]
    return BeforeAfterResult(since, changed_on, until, outcomes)


def _rows(comparison: Comparison, viewer: Viewer, since: int, until: int, shown: int) -> dict[str, list[_Row]]:
    window = comparison.window
    column, is_number = FIELDS[window["by"]], window["by"] in NUMBERS
    value = int(window["value"]) if is_number else window["value"]
    others = [int(one) if is_number else one for one in window["others"]]
    chosen = Q(**{f"{column}__in": [value, *others]}) if others else Q()
    if viewer.team_ids is not None:
        chosen &= Q(facets__team_id__in=viewer.team_ids)
    found: dict[str, list[_Row]] = {one: [] for one in OUTCOMES}
    cases = CaseFact.objects.filter(chosen, opened_on__gte=since, opened_on__lte=until)
    names = ("opened_on", "opened_second", "resolution_seconds", "response_seconds", "reopened", column)
    for day, opened, resolution, response, reopened, group in cases.values_list(*names):
        is_treated = group == value
        if resolution is not None or reopened:
            found[REOPENED].append(_Row(float(reopened > 0), is_treated, day))
        for name, seconds, within in ((RESOLVED, resolution, RESOLVED_WITHIN), (RESPONDED, response, RESPONDED_WITHIN)):
            if opened + within <= shown:
                found[name].append(_Row(float(seconds is not None and seconds <= within), is_treated, day))
    answers = AnswerFact.objects.filter(chosen, answered_on__gte=since, answered_on__lte=until, scale__in=("CSAT", "STARS"))
    for day, hundredths, group in answers.exclude(hundredths=None).values_list("answered_on", "hundredths", column):
        found[SATISFACTION].append(_Row(hundredths / 100, group == value, day))
    return found


def _judge(outcome: str, rows: list[_Row], changed: int) -> WindowOutcome:
    values, days = np.array([one.value for one in rows]), np.array([one.day for one in rows], dtype=np.int64)
    treated, after = np.array([one.is_treated for one in rows], dtype=bool), days >= changed
    weeks = (days - changed) // 7 * 2 + treated
    try:
        found = difference_in_differences(values, treated, after, clusters=weeks)
    except InputError as error:
        return WindowOutcome(outcome, None, None, None, error.sentence)
    try:
        drift = compare_trends(values[~after], treated[~after], (days[~after] - changed) / 7)
    except InputError:
        drift = None
    return WindowOutcome(outcome, found, None, drift)
