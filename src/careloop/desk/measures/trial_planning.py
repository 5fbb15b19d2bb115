"""How many cases a comparison needs, from what the house's cases have shown of late."""

import math
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.models import AnswerFact, CaseFact
from careloop.desk.measures.trial_figures import FORMS, MEAN, SHARE
from careloop.insight.errors import InputError
from careloop.insight.stats import Moments, plan_means, plan_shares

LOOKED_BACK_DAYS = 90
REPEAT_BASE = 0.15  # no fact tells how many come back within 30 days; the share at which most cases are needed for small differences


@dataclass(frozen=True)
class Needed:
    """Cases of all groups together, for one look at the end and for looking daily, and what was assumed to be without it."""

    once: int
    daily: int
    base: float | None


def plan_comparison(*, outcome: str, wanted: float, held_out_ratio: float, viewer: Viewer, today: date) -> Needed:
    """How many cases show a difference of `wanted`: percentage points of a share, stars of an average, per cent of a time's hazard.

    Satisfaction counts answers and times count endings: cases without one come on top.
    """
    check_may(viewer, "comparison.edit")
    if outcome not in FORMS:
        raise InvalidInput(_("Choose one of the offered ones."), field="outcome")
    if not wanted:
        raise InvalidInput(_("Say which difference is worth seeing; it cannot be 0."), field="wanted")
    facts = CaseFact.objects.filter(opened_on__gte=(today - timedelta(days=LOOKED_BACK_DAYS)).toordinal())
    facts = facts if viewer.team_ids is None else facts.filter(facets__team_id__in=viewer.team_ids)
    try:
        if FORMS[outcome] == MEAN:
            moments = _ratings(viewer, today)
            spread = math.sqrt(moments.variance) if moments.n > 1 and moments.variance else 1.2
            found, base = plan_means(spread, wanted, held_out_ratio=held_out_ratio), moments.mean if moments.n else None
            return Needed(found.once, found.daily, base)
        if FORMS[outcome] == SHARE:
            share = _share_reopened(facts) if outcome == "REOPENED" else REPEAT_BASE
            less = -abs(wanted) / 100 if share - abs(wanted) / 100 >= 0 else abs(wanted) / 100
            found = plan_shares(share, less, held_out_ratio=held_out_ratio)
            return Needed(found.once, found.daily, share)
        ratio = math.log(1 + abs(wanted) / 100)
        found = plan_means(1.0, ratio, held_out_ratio=held_out_ratio)  # the score's information is that of as many unit normals
        return Needed(found.once, found.daily, None)
    except InputError as error:
        raise InvalidInput(error.sentence, field="wanted") from error


def _ratings(viewer: Viewer, today: date) -> Moments:
    rows = AnswerFact.objects.filter(scale__in=("CSAT", "STARS"), answered_on__gte=(today - timedelta(days=LOOKED_BACK_DAYS)).toordinal())
    if viewer.team_ids is not None:
        rows = rows.filter(facets__team_id__in=viewer.team_ids)
    sums = rows.aggregate(n=Count("hundredths"), total=Sum("hundredths"), squares=Sum(F("hundredths") * F("hundredths")))
    return Moments(sums["n"], (sums["total"] or 0) / 100, (sums["squares"] or 0) / 10_000)


def _share_reopened(facts: QuerySet[CaseFact]) -> float:
    hits, over = Q(reopened__gt=0), Q(resolution_seconds__isnull=False)
    counted: dict[str, int] = facts.aggregate(n=Count("pk", filter=over | hits), hits=Count("pk", filter=hits))
    return (counted["hits"] + 1) / (counted["n"] + 2)
