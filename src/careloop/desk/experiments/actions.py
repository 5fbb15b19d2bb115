"""Making and ending comparisons; asking, at the moment that something would be used, whether it may be, and noting that it was asked."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.models import Case
from careloop.desk.experiments.models import Arm, Comparison, Design, Exposure, OutcomeKind, State, Subject, Unit
from careloop.desk.experiments.queries import access_comparison, find_running, list_tried
from careloop.desk.experiments.rules import (
    AUTOMATIC,
    BEFORE_AFTER,
    BEFORE_AFTER_OUTCOMES,
    CUSTOMER,
    EVERYTHING,
    MOST_DAYS,
    choose_arm,
    place_of,
    problem_of,
)
from careloop.desk.kernel.errors import InvalidInput, NotAllowed

LONGEST_NAME = 80
SMALLEST_PLAN, LARGEST_PLAN = 40, 10_000_000
SPLITS = ("team", "channel", "agent", "kind", "category")


@dataclass(frozen=True)
class ArmFacts:
    """A group: its name, its part of all, and what it gets; None goes without."""

    name: str
    ratio: float
    subject_id: int | None = None


@dataclass(frozen=True)
class WindowFacts:
    """Before and after: cases of `value` (by team, channel, agent, kind or category) changed on a day; the `others` did not.

    No others means everybody else; `days` are looked at on either side.
    """

    by: str
    value: str
    changed_on: date
    days: int
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class ComparisonFacts:
    """What is compared, by what it is judged and how far it shall go."""

    name: str
    design: str
    outcome: str
    planned: int = 1000
    subject: str = ""
    unit: str = Unit.CASE.value
    arms: tuple[ArmFacts, ...] = field(default_factory=tuple)
    window: WindowFacts | None = None


def make_comparison(*, facts: ComparisonFacts, viewer: Viewer, now: datetime) -> Comparison:
    """Start a comparison; afterwards only ending it is possible, so that nobody chooses the question by its answer."""
    check_may(viewer, "comparison.edit")
    _check(facts)
    with transaction.atomic():
        _check_free(facts)
        comparison = Comparison.objects.create(
            name=facts.name.strip(), design=facts.design, subject=facts.subject, unit=facts.unit, outcome=facts.outcome,
            planned=facts.planned, salt=secrets.token_hex(16), window=_plain(facts.window), made_by_name=viewer.name, started_at=now,
        )  # fmt: skip
        for position, one in enumerate(facts.arms):
            Arm.objects.create(
                comparison=comparison, position=position, name=one.name[:120], ratio=one.ratio, subject_id=one.subject_id
            )  # fmt: skip
        arms = ", ".join(f"{one.name} {one.ratio:.0%}" for one in facts.arms)
        details = {"name": comparison.name, "design": facts.design, "outcome": facts.outcome, "planned": facts.planned, "arms": arms}
        _audit("comparison.make", comparison, viewer, now, details)
    return comparison


def end_comparison(*, comparison_id: int, viewer: Viewer, now: datetime, used: int | None = None) -> Comparison:
    """Everybody is treated alike again; what was seen stays and is judged as it stands. Ending twice changes nothing.

    `used` is the position of the group whose way is used from now on; who switches the other ways off is automation/adopting.py.
    """
    check_may(viewer, "comparison.edit")
    arms = {arm.position: arm.name for arm in access_comparison(comparison_id, viewer).arms.all()}
    if used is not None and used not in arms:
        raise InvalidInput(_("Choose one of the offered ones."), field="used")
    with transaction.atomic():
        comparison: Comparison = Comparison.objects.select_for_update().get(pk=comparison_id)
        if comparison.state == State.RUNNING:
            comparison.state, comparison.ended_at, comparison.used = State.ENDED, now, used
            comparison.save(update_fields=["state", "ended_at", "used"])
            _audit(
                "comparison.end", comparison, viewer, now, {"name": comparison.name, "used": arms.get(used, "") if used is not None else ""}
            )
    return comparison


def arm_for(*, subject: str, subject_id: int, case: Case, now: datetime) -> Arm | None:
    """The group of a case for what would be used on it now, noted when it is asked first; None when nothing that runs tries it.

    Ask before using it, and use it only if the group's `subject_id` is what you ask for (`is_held_out` says so in one word).
    """
    tried = find_running(subject, [subject_id, EVERYTHING] if subject == AUTOMATIC else [subject_id])
    return _expose(tried.comparison, case, now) if tried is not None else None


def is_held_out(*, subject: str, subject_id: int, case: Case, now: datetime) -> bool:
    """Whether this case goes without it for the sake of a comparison; noted, so that both groups are known by the same moment."""
    arm = arm_for(subject=subject, subject_id=subject_id, case=case, now=now)
    return arm is not None and arm.subject_id not in {subject_id, EVERYTHING}


def find_held_out(*, subject: str, subject_ids: Collection[int], case: Case, now: datetime) -> set[int]:
    """Which of several that would be offered together the case goes without; one query while none is tried."""
    tried = list_tried(subject, subject_ids)
    return {number for number in tried if is_held_out(subject=subject, subject_id=number, case=case, now=now)}


def check_not_held_out(*, subject: str, subject_id: int, case: Case, now: datetime) -> None:
    """Refuse what a person asks for on a case that goes without it; call it outside of the transaction, so that the question is noted."""
    arm = arm_for(subject=subject, subject_id=subject_id, case=case, now=now)
    if arm is not None and arm.subject_id not in {subject_id, EVERYTHING}:
        sentence = _("This case is in the group “%(arm)s” of the comparison “%(name)s” and goes without it; answer in another way.")
        raise NotAllowed(sentence % {"arm": arm.name, "name": arm.comparison.name})


def ask_arm(*, comparison_id: int, case: Case, viewer: Viewer, now: datetime) -> Arm:
    """The group of a case, for another program that does what is tried; noted when it is asked first."""
    check_may(viewer, "case.work")
    comparison = Comparison.objects.filter(pk=comparison_id, state=State.RUNNING, subject=Subject.OTHER).first()
    if comparison is None:
        raise InvalidInput(_("Comparison %(number)s does not run, or the desk itself assigns its groups.") % {"number": comparison_id})
    return _expose(comparison, case, now)


def _expose(comparison: Comparison, case: Case, now: datetime) -> Arm:
    unit_id = case.customer_id if comparison.unit == CUSTOMER else case.pk
    known: Exposure | None = Exposure.objects.filter(comparison=comparison, unit_id=unit_id).select_related("arm").first()
    if known is None:
        arms = list(comparison.arms.all())
        arm = arms[choose_arm([one.ratio for one in arms], place_of(comparison.salt, unit_id))]
        facts = {"arm": arm, "case": case, "first_case_id": case.pk, "customer_id": case.customer_id, "at": now}
        known, _is_new = Exposure.objects.get_or_create(comparison=comparison, unit_id=unit_id, defaults=facts)
    known.arm.comparison = comparison
    return known.arm


def _check(facts: ComparisonFacts) -> None:
    if not 0 < len(facts.name.strip()) <= LONGEST_NAME:
        sentence = _("The name has %(n)s characters; give it one of 1 to %(most)s.")
        raise InvalidInput(sentence % {"n": len(facts.name.strip()), "most": LONGEST_NAME}, field="name")
    for name, choices in (("design", Design), ("outcome", OutcomeKind), ("unit", Unit)):
        if getattr(facts, name) not in choices.values:
            raise InvalidInput(_("Choose one of the offered ones."), field=name)
    if not SMALLEST_PLAN <= facts.planned <= LARGEST_PLAN:
        sentence = _("%(n)s cases are planned; at least %(least)s are needed to say anything.")
        raise InvalidInput(sentence % {"n": facts.planned, "least": SMALLEST_PLAN}, field="planned")
    if facts.design == BEFORE_AFTER:
        if facts.outcome not in BEFORE_AFTER_OUTCOMES:
            raise InvalidInput(_("This cannot be judged before and after; choose another outcome."), field="outcome")
        _check_window(facts.window)
    elif facts.subject not in Subject.values:
        raise InvalidInput(_("Choose what is tried."), field="subject")
    else:
        _check_arms(facts.arms)


def _check_arms(arms: tuple[ArmFacts, ...]) -> None:
    problem = problem_of([one.ratio for one in arms])
    if problem:
        words = {
            "few": _("A comparison needs two groups: hold some back, or choose a second thing to compare with."),
            "many": _("These are too many groups; at most five can be told apart with a desk's cases."),
            "small": _("A group gets less than 5 % of the cases; give every group at least that."),
            "sum": _("The groups' parts do not add up to 100 %."),
        }
        raise InvalidInput(words[problem], field="ratio")
    tried = [one.subject_id for one in arms]
    if len(set(tried)) < len(tried):
        raise InvalidInput(_("Two groups get the same; choose something else for one of them."), field="subject")


def _check_window(window: WindowFacts | None) -> None:
    if window is None or window.by not in SPLITS or not window.value:
        raise InvalidInput(_("Say whom the change concerned: a team, channel, agent, kind or category."), field="value")
    if not 7 <= window.days <= MOST_DAYS:
        raise InvalidInput(_("Look at 7 to 366 days before and after the change."), field="days")
    if window.value in window.others:
        raise InvalidInput(_("The group that changed cannot be its own comparison group."), field="others")


def _check_free(facts: ComparisonFacts) -> None:
    for one in facts.arms:
        running = find_running(facts.subject, [one.subject_id]) if one.subject_id is not None and facts.subject != Subject.OTHER else None
        if running is not None:
            sentence = _("The comparison “%(name)s” tries this already; end it first.")
            raise InvalidInput(sentence % {"name": running.comparison.name}, field="subject")


def _plain(window: WindowFacts | None) -> dict[str, Any]:
    if window is None:
        return {}
    changed_on = window.changed_on.isoformat()
    return {"by": window.by, "value": window.value, "others": list(window.others), "changed_on": changed_on, "days": window.days}


def _audit(action: str, comparison: Comparison, viewer: Viewer, now: datetime, details: dict[str, Any]) -> None:
    audit.record(actor=actor_of(viewer), action=action, object_type="comparison", object_id=comparison.pk, now=now, details=details)
