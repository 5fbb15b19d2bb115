"""What follows from a comparison: the group that did best is used from now on, what the others got is switched off."""

from datetime import datetime

from django.db import transaction

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.actions import MacroFacts, save_macro, switch_rule
from careloop.desk.automation.models import Macro, Rule
from careloop.desk.experiments.actions import end_comparison
from careloop.desk.experiments.models import Comparison
from careloop.desk.experiments.queries import access_comparison
from careloop.desk.experiments.rules import AUTOMATIC, MACRO, RULE
from careloop.desk.solutions import automatic

NEEDED = {RULE: "rule.edit", MACRO: "rule.edit", AUTOMATIC: "solution.edit"}  # to switch off what is not used any more


def may_use(comparison: Comparison, viewer: Viewer) -> bool:
    """Whether the viewer may end a comparison and let one of its groups' ways hold for all."""
    needed = NEEDED.get(comparison.subject)
    return viewer.may("comparison.edit") and (needed is None or viewer.may(needed))


def use_group(*, comparison_id: int, position: int, viewer: Viewer, now: datetime) -> Comparison:
    """End it; rules and macros of the other groups are put out of force, automatic replies are switched off if doing without won.

    Suggested solutions and what other programs do stay as they are: only that the group is used is noted.
    """
    comparison = access_comparison(comparison_id, viewer)
    if comparison.subject in NEEDED:
        check_may(viewer, NEEDED[comparison.subject])
    lost = [arm.subject_id for arm in comparison.arms.all() if arm.position != position and arm.subject_id is not None]
    with transaction.atomic():
        ended = end_comparison(comparison_id=comparison_id, viewer=viewer, now=now, used=position)
        if comparison.state == ended.state:
            return ended  # it had ended before
        if comparison.subject == RULE:
            for rule in Rule.objects.filter(pk__in=lost, is_active=True):
                switch_rule(rule_id=rule.pk, is_active=False, viewer=viewer, now=now)
        elif comparison.subject == MACRO:
            for macro in Macro.objects.filter(pk__in=lost, is_active=True):
                facts = MacroFacts(macro.name, macro.scope, macro.body, macro.actions, macro.team_id, is_active=False)
                save_macro(facts=facts, viewer=viewer, now=now, macro_id=macro.pk, expected_version=macro.version)
        elif comparison.subject == AUTOMATIC and lost:
            automatic.switch_off(viewer=viewer, now=now)
    return ended
