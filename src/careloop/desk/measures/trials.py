"""What came of a comparison: who was exposed, what was seen of them, and how surely the groups differ.

Facts are those that reports show, so that a figure here is the figure there. A case or customer counts once, with the case of the first
exposure, in the group that the hash said, whatever was then done.
"""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.experiments.models import Arm, Comparison, Design
from careloop.desk.measures.before_after import BeforeAfterResult, judge_window
from careloop.desk.measures.queries import find_moment
from careloop.desk.measures.trial_figures import FORMS, OutcomeResult, judge_outcome, put_right
from careloop.desk.measures.trial_rows import count_outcomes, read_seen
from careloop.insight.stats import compare_with_plan

MISMATCH = 0.001  # a p-value below it says that assigning or noting went wrong


@dataclass(frozen=True)
class ArmCount:
    """A group with how many were exposed and how many were expected of all."""

    arm: Arm
    exposed: int
    expected: float


@dataclass(frozen=True)
class Trial:
    """All that a comparison's page, its file and the API show. The outcome that it is judged by comes first."""

    comparison: Comparison
    as_of: datetime | None
    arms: list[ArmCount]
    control: int
    mismatch_p: float | None
    outcomes: list[OutcomeResult] = field(default_factory=list)
    window: BeforeAfterResult | None = None

    @property
    def is_mismatched(self) -> bool:
        """Whether the groups are not as large as the hash makes them."""
        return self.mismatch_p is not None and self.mismatch_p < MISMATCH

    @property
    def counted(self) -> int:
        """How many tell something of the outcome by which it is judged; what was planned is of these."""
        return self.outcomes[0].counted if self.outcomes else 0

    @property
    def n(self) -> int:
        """How many were exposed."""
        return sum(one.exposed for one in self.arms)


def judge_comparison(comparison: Comparison, viewer: Viewer, *, now: datetime, as_of: datetime | None = None) -> Trial:
    """Count everything anew from the facts as they are, or as they were; five statements."""
    check_may(viewer, "comparison.view")
    shown = find_moment(as_of)
    until = shown or as_of or now
    kept = None if as_of is None else until
    if comparison.design == Design.BEFORE_AFTER:
        window = judge_window(comparison, viewer, as_of=kept, shown=until)
        return Trial(comparison, shown, [], 0, None, window=window)
    arms = list(comparison.arms.all())
    seen = read_seen(comparison, viewer, as_of=kept, until=until)
    counts = np.bincount(seen.arms, minlength=len(arms)).tolist()
    listed = [ArmCount(arm, n, arm.ratio * len(seen.arms)) for arm, n in zip(arms, counts, strict=True)]
    ratios = [arm.ratio for arm in arms]
    mismatch = compare_with_plan(counts, ratios).p if len(seen.arms) else None
    control = next((place for place, arm in enumerate(arms) if arm.subject_id is None), 0)
    order = [comparison.outcome, *(one for one in FORMS if one != comparison.outcome)]
    rows = count_outcomes(seen, comparison, as_of=kept, shown=until)
    results = put_right([judge_outcome(one, rows[one], ratios, control, comparison.planned) for one in order])
    return Trial(comparison, shown, listed, control, mismatch, results)
