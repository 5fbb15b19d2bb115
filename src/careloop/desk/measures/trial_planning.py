"""How many cases a comparison needs, from what the house's cases have shown of late."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.models import AnswerFact, CaseFact
from careloop.desk.measures.trial_figures import FORMS
from careloop.desk.measures.trial_looks import CALLED, MEAN, SHARE
from careloop.insight.errors import InputError
from careloop.insight.stats import Moments, Plan, plan_means, plan_shares

LOOKED_BACK_DAYS, VOLUME_DAYS = 90, 28
RATED = {"scale__in": ("CSAT", "STARS"), "hundredths__isnull": False}
REPEAT_BASE = 0.15  # no fact tells how many come back within 30 days; the share at which most cases are needed for small differences


@dataclass(frozen=True)
class Needed:
    """Cases that tell something, of all groups together, for one look at the end and for looking daily.

    `telling` is the part of new cases that does (answers, for satisfaction), `a_day` how many begin a day, `days` how long it takes if all
    of them are concerned; None before there is a volume. `base` is what was assumed to be without it.
    """

    once: int
    daily: int
    base: float | None
    telling: float
    a_day: float
    days: int | None

    @property
    def share_telling(self) -> int:
        """The part that tells something, in per cent."""
        return round(100 * self.telling)


def plan_comparison(
    *, outcome: str, wanted: float, ratios: Sequence[float], viewer: Viewer, today: date, concerned: float | None = None
) -> Needed:
    """How many cases show a difference of `wanted` (points of a share, stars, per cent of a time's hazard), and how long it takes.

    Each group is seen beside the last, which goes without; the thinnest pair decides. `concerned` is how many cases a day it concerns.
    """
    check_may(viewer, "comparison.edit")
    if outcome not in FORMS:
        raise InvalidInput(_("Choose one of the offered ones."), field="outcome")
    if not wanted:
        raise InvalidInput(_("Say which difference is worth seeing; it cannot be 0."), field="wanted")
    since = (today - timedelta(days=LOOKED_BACK_DAYS)).toordinal()
    facts, answers = CaseFact.objects.filter(opened_on__gte=since), AnswerFact.objects.filter(case_id__gt=0)
    if viewer.team_ids is not None:
        facts, answers = facts.filter(facets__team_id__in=viewer.team_ids), answers.filter(facets__team_id__in=viewer.team_ids)
    answers = answers.filter(Q(answered_on__gte=since) | Q(sent_on__gte=since))
    base, one_pair = _basis(outcome, wanted, facts, answers)
    alpha = CALLED / math.comb(len(ratios), 2)
    try:
        plans = [(one_pair(ratios[-1] / (ratio + ratios[-1]), alpha), ratio + ratios[-1]) for ratio in ratios[:-1]]
    except InputError as error:
        raise InvalidInput(error.sentence, field="wanted") from error
    once, daily = (max(math.ceil(plan[place] / part) for plan, part in plans) for place in (0, 1))
    telling, a_day = _volume(outcome, facts, answers, today)
    a_day = a_day if concerned is None else concerned
    return Needed(once, daily, base, telling, a_day, math.ceil(daily / (a_day * telling)) if a_day * telling > 0 else None)


def _basis(
    outcome: str, wanted: float, facts: QuerySet[CaseFact], answers: QuerySet[AnswerFact]
) -> tuple[float | None, Callable[[float, float], Plan]]:
    """What there is without it, and the plan of a pair of groups by the held-out part and the error allowed."""
    form = FORMS[outcome]
    if form == MEAN:
        moments = _ratings(answers)
        spread = math.sqrt(moments.variance) if moments.n > 1 and moments.variance else 1.2
        base = moments.mean if moments.n else None
        return base, lambda part, alpha: plan_means(spread, wanted, held_out_ratio=part, alpha=alpha)
    if form == SHARE:
        share = {"REOPENED": _share_reopened, "ANSWERED": _share_answered}.get(outcome, _share_repeated)(facts, answers)
        points = abs(wanted) / 100
        change = -points if share - points >= 0 else points
        return share, lambda part, alpha: plan_shares(share, change, held_out_ratio=part, alpha=alpha)
    ratio = math.log(1 + abs(wanted) / 100)  # the score's information is that of as many unit normals
    return None, lambda part, alpha: plan_means(1.0, ratio, held_out_ratio=part, alpha=alpha)


def _volume(outcome: str, facts: QuerySet[CaseFact], answers: QuerySet[AnswerFact], today: date) -> tuple[float, float]:
    """The part of the new cases that tells something of an outcome, and how many cases begin a day (of the last four weeks)."""
    recent = facts.filter(opened_on__gt=(today - timedelta(days=VOLUME_DAYS)).toordinal(), opened_on__lte=today.toordinal()).count()
    n = facts.count()
    telling = n
    if outcome == "SATISFACTION":
        telling = answers.filter(**RATED).values("case_id").distinct().count()
    elif outcome == "ANSWERED":
        telling = answers.filter(sent_on__isnull=False).values("case_id").distinct().count()
    elif outcome in {"REOPENED", "RESOLUTION"}:
        telling = facts.filter(resolution_seconds__isnull=False).count()
    elif outcome == "RESPONSE":
        telling = facts.filter(response_seconds__isnull=False).count()
    return min(1.0, telling / n) if n else 0.0, recent / VOLUME_DAYS


def _ratings(answers: QuerySet[AnswerFact]) -> Moments:
    sums = answers.filter(**RATED).aggregate(n=Count("hundredths"), total=Sum("hundredths"), squares=Sum(F("hundredths") * F("hundredths")))
    return Moments(sums["n"], (sums["total"] or 0) / 100, (sums["squares"] or 0) / 10_000)


def _share_reopened(facts: QuerySet[CaseFact], _answers: QuerySet[AnswerFact]) -> float:
    hits, over = Q(reopened__gt=0), Q(resolution_seconds__isnull=False)
    counted: dict[str, int] = facts.aggregate(n=Count("pk", filter=over | hits), hits=Count("pk", filter=hits))
    return (counted["hits"] + 1) / (counted["n"] + 2)


def _share_answered(_facts: QuerySet[CaseFact], answers: QuerySet[AnswerFact]) -> float:
    asked = Q(sent_on__isnull=False)
    counted: dict[str, int] = answers.aggregate(n=Count("pk", filter=asked), hits=Count("pk", filter=asked & Q(answered_on__isnull=False)))
    return (counted["hits"] + 1) / (counted["n"] + 2)


def _share_repeated(_facts: QuerySet[CaseFact], _answers: QuerySet[AnswerFact]) -> float:
    return REPEAT_BASE
