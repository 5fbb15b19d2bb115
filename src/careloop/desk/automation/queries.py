"""Reading rules and macros."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.models import Firing, Macro, MacroUse, Outcome, Rule, Scope
from careloop.desk.automation.rules.choosing import Ready, RuleIndex
from careloop.desk.automation.rules.conditions import folded
from careloop.desk.automation.rules.fields import EVENTS, TIME, RuleFacts
from careloop.desk.cases.models import Case, EventKind
from careloop.desk.kernel.errors import InvalidInput, NotFound

COUNTED_DAYS = 30


def list_rules() -> list[Rule]:
    """Every rule, in the order in which they are asked."""
    return list(Rule.objects.order_by("position", "pk"))


def get_rule(rule_id: int) -> Rule:
    """One rule."""
    found = Rule.objects.filter(pk=rule_id).first()
    if found is None:
        raise NotFound(_("There is no rule %(number)s.") % {"number": rule_id})
    return found


def facts_of(rule: Rule) -> RuleFacts:
    """A stored rule as data."""
    return RuleFacts(rule.name, rule.events, rule.condition, rule.actions, rule.position, rule.is_active, rule.stops)


def count_firings(now: datetime) -> dict[int, dict[str, Any]]:
    """By rule: how often it acted, failed and was stopped in the last 30 days, and when it last did."""
    recent = Firing.objects.filter(at__gte=now - timedelta(days=COUNTED_DAYS)).order_by().values("rule_id")
    counted = recent.annotate(
        done=Count("pk", filter=Q(outcome=Outcome.DONE)),
        failed=Count("pk", filter=Q(outcome=Outcome.FAILED)),
        stopped=Count("pk", filter=Q(outcome=Outcome.STOPPED)),
        last=Max("at"),
    )
    return {row["rule_id"]: dict(row) for row in counted}


def active_rules(*, by_time: bool) -> RuleIndex:
    """The rules in force, ready to be asked: those by time, or those by events."""
    rows = Rule.objects.filter(is_active=True).order_by().values_list("pk", "name", "events", "condition", "actions", "position", "stops")
    rules = (
        Ready(pk, name, tuple(events), folded(condition), tuple(actions), position, stops)
        for pk, name, events, condition, actions, position, stops in rows
        if (TIME in events) == by_time
    )
    return RuleIndex(list(rules))


def event_choices() -> list[tuple[str, str]]:
    """What rules may wait for: codes and words."""
    labels = {str(code): str(word) for code, word in EventKind.choices}
    return [*((code, labels[code]) for code in EVENTS), (TIME, _("Time passes"))]


def scope_choices(viewer: Viewer) -> list[tuple[str, str]]:
    """For whom a viewer may make macros."""
    return [(code, str(word)) for code, word in Scope.choices if code == Scope.PERSON or viewer.may("rule.edit")]


def may_use(viewer: Viewer) -> Q:
    """Which macros a viewer may use: their own, their teams', everybody's."""
    teams = Q(scope=Scope.TEAM) if viewer.team_ids is None else Q(scope=Scope.TEAM, team_id__in=viewer.team_ids)
    return Q(scope=Scope.ALL) | Q(scope=Scope.PERSON, owner_id=viewer.user_id) | teams


def list_macros(viewer: Viewer) -> QuerySet[Macro]:
    """The macros in the viewer's sight, by name."""
    return Macro.objects.filter(may_use(viewer)).select_related("team", "owner").order_by("name", "pk")


def find_macros(viewer: Viewer, case: Case, words: str) -> list[Macro]:
    """The macros that fit a case and whose name or text has every word, those of the case's team and the viewer's own first."""
    found = list_macros(viewer).filter(is_active=True).filter(~Q(scope=Scope.TEAM) | Q(team_id=case.team_id))
    for word in words.split()[:6]:
        found = found.filter(Q(name__icontains=word) | Q(body__icontains=word))
    order = {Scope.PERSON: 0, Scope.TEAM: 1, Scope.ALL: 2}
    return sorted(found[:50], key=lambda macro: (order[Scope(macro.scope)], macro.name))


def access_macro(macro_id: int, viewer: Viewer) -> Macro:
    """One macro in the viewer's sight."""
    found = list_macros(viewer).filter(pk=macro_id).first()
    if found is None:
        raise NotFound(_("There is no macro %(number)s for you.") % {"number": macro_id})
    return found


def may_change(macro: Macro, viewer: Viewer) -> bool:
    """Whoever owns a personal macro; for those of teams and of everybody, whoever writes rules."""
    return macro.owner_id == viewer.user_id if macro.scope == Scope.PERSON else viewer.may("rule.edit")


def get_canned(macro_id: int, team_id: int) -> Macro:
    """The text that a rule sends for a team: everybody's or that team's."""
    shared = Q(scope=Scope.ALL) | Q(scope=Scope.TEAM, team_id=team_id)
    found = Macro.objects.filter(shared, pk=macro_id, is_active=True).first()
    if found is None or not found.body.strip():
        raise InvalidInput(_("The text that the rule sends is gone or switched off for this team; choose another."), field="actions")
    return found


def list_canned(viewer: Viewer) -> list[Macro]:
    """The texts in the viewer's sight that rules may send."""
    return list(list_macros(viewer).filter(is_active=True).exclude(scope=Scope.PERSON).exclude(body=""))


def count_uses(macro_ids: Iterable[int], now: datetime) -> dict[int, int]:
    """By macro: how often it was taken in the last 30 days."""
    recent = MacroUse.objects.filter(macro_id__in=list(macro_ids), at__gte=now - timedelta(days=COUNTED_DAYS)).order_by()
    return dict(recent.values_list("macro_id").annotate(n=Count("pk")))
