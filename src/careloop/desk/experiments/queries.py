"""Reading comparisons; what came of one is counted in desk/measures/trials.py."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.experiments.models import Arm, Comparison, Exposure, OutcomeKind, State, Subject, Unit
from careloop.desk.experiments.rules import BEFORE_AFTER, BEFORE_AFTER_OUTCOMES
from careloop.desk.kernel.errors import NotFound


@dataclass(frozen=True)
class Listed:
    """A comparison with its groups and how many of its cases or customers are in the viewer's sight."""

    comparison: Comparison
    arms: list[Arm]
    exposed: int


def list_comparisons(viewer: Viewer) -> list[Listed]:
    """All, those that run first, newest first; three queries."""
    check_may(viewer, "comparison.view")
    rows = list(Comparison.objects.prefetch_related("arms").order_by("-state", "-started_at", "-pk"))
    exposures = Exposure.objects.filter(comparison__in=[row.pk for row in rows])
    if viewer.team_ids is not None:
        exposures = exposures.filter(case__team_id__in=viewer.team_ids)
    counts = dict(exposures.order_by().values_list("comparison_id").annotate(n=Count("pk")))
    return [Listed(row, list(row.arms.all()), counts.get(row.pk, 0)) for row in rows]


def access_comparison(comparison_id: int, viewer: Viewer) -> Comparison:
    """One comparison with its groups."""
    check_may(viewer, "comparison.view")
    found: Comparison | None = Comparison.objects.prefetch_related("arms").filter(pk=comparison_id).first()
    if found is None:
        raise NotFound(_("There is no comparison %(number)s.") % {"number": comparison_id})
    return found


def outcome_choices(design: str) -> list[tuple[str, str]]:
    """By what a comparison may be judged."""
    return [(code, str(label)) for code, label in OutcomeKind.choices if design != BEFORE_AFTER or code in BEFORE_AFTER_OUTCOMES]


def unit_choices() -> list[tuple[str, str]]:
    """What may be assigned."""
    return [(code, str(label)) for code, label in Unit.choices]


def subject_words() -> dict[str, str]:
    """What may be tried, by code."""
    return {code: str(label) for code, label in Subject.choices}


def list_tried(subject: str, subject_ids: Collection[int]) -> list[int]:
    """Which of these running comparisons try."""
    arms = Arm.objects.filter(comparison__state=State.RUNNING, comparison__subject=subject, subject_id__in=subject_ids)
    return sorted({number for number in arms.order_by().values_list("subject_id", flat=True) if number is not None})


def find_running(subject: str, subject_ids: list[int]) -> Arm | None:
    """The group of a running comparison that tries one of these."""
    arms = Arm.objects.filter(comparison__state=State.RUNNING, comparison__subject=subject, subject_id__in=subject_ids)
    found: Arm | None = arms.select_related("comparison").order_by("comparison_id", "position").first()
    return found
