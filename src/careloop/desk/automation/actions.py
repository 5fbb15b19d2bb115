"""Writing rules and macros, and taking a macro: check first, then one transaction with its audit entry."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Team
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.automation.circle_search import check_circles
from careloop.desk.automation.models import Macro, MacroUse, Rule, Scope
from careloop.desk.automation.performing import MACRO_EVENT
from careloop.desk.automation.queries import access_macro, event_choices, facts_of, get_rule, may_change
from careloop.desk.automation.registry import ACTIONS, check_values, perform
from careloop.desk.automation.rendering import fill_for
from careloop.desk.automation.rules.checking import InvalidRule, check_macro_actions, check_rule
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.automation.rules.texts import check_text
from careloop.desk.cases.changes import case_to_change
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case
from careloop.desk.cases.queries import access_case
from careloop.desk.experiments.actions import check_not_held_out
from careloop.desk.experiments.rules import MACRO
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.kernel.wording import spoken

POSITION_STEP = 10
LONGEST_NAME = 80


@dataclass(frozen=True)
class MacroFacts:
    """What a macro is: who may use it, its text with variables, its actions."""

    name: str
    scope: str
    body: str = ""
    actions: list[dict[str, Any]] = field(default_factory=list)
    team_id: int | None = None
    is_active: bool = True


@dataclass(frozen=True)
class Taken:
    """What a macro gives the agent: a text to send or change, and the variables that had no value."""

    text: str
    missing: list[str]


def save_rule(*, facts: RuleFacts, viewer: Viewer, now: datetime, rule_id: int | None = None, expected_version: int | None = None) -> Rule:
    """Make or change a rule; one that makes no sense is refused with every fault, and one that is not as the viewer has seen it."""
    check_may(viewer, "rule.edit")
    if rule_id is not None:
        get_rule(rule_id)
    _check_name(facts.name)
    try:
        check_rule(facts, ACTIONS)
    except InvalidRule as refused:
        raise _refusal(refused) from refused
    check_values(facts.actions, viewer)
    check_circles(facts, rule_id)
    with transaction.atomic():
        rule = Rule.objects.select_for_update().filter(pk=rule_id).first() if rule_id is not None else Rule(version=0)
        if rule is None:
            raise NotFound(_("There is no rule %(number)s.") % {"number": rule_id})
        before = _plain(rule) if rule.pk is not None else {}
        _check_version(rule, expected_version)
        rule.name, rule.events, rule.condition, rule.actions = facts.name.strip(), facts.events, facts.condition, facts.actions
        rule.position, rule.is_active, rule.stops = facts.position, facts.is_active, facts.stops
        rule.last_error, rule.last_error_at, rule.changed_at, rule.version = None, None, now, rule.version + 1
        rule.save()
        _audit("rule.save", "rule", rule.pk, viewer, now, {"name": rule.name, "before": before, "after": _plain(rule)})
    return rule


def switch_rule(*, rule_id: int, is_active: bool, viewer: Viewer, now: datetime) -> Rule:
    """Put a rule in force, or out of it; one with which others would go round for ever stays out."""
    check_may(viewer, "rule.edit")
    rule = get_rule(rule_id)
    if is_active and not rule.is_active:
        check_circles(replace(facts_of(rule), is_active=True), rule_id)
    with transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(is_active=is_active, changed_at=now, version=F("version") + 1)
        changed = {"before": {"is_active": rule.is_active}, "after": {"is_active": is_active}}
        _audit("rule.save", "rule", rule.pk, viewer, now, {"name": rule.name, **changed})
    rule.is_active = is_active
    return rule


def move_rule(*, rule_id: int, places: int, viewer: Viewer, now: datetime) -> None:
    """Move a rule up (minus) or down among the others; all get new positions, ten apart. Whoever has one of them open is told on saving."""
    check_may(viewer, "rule.edit")
    moved = get_rule(rule_id)
    with transaction.atomic():
        rules = list(Rule.objects.select_for_update().order_by("position", "pk"))
        place = next(place for place, rule in enumerate(rules) if rule.pk == moved.pk)
        rules.insert(min(max(place + places, 0), len(rules) - 1), rules.pop(place))
        for place, rule in enumerate(rules):
            position = (place + 1) * POSITION_STEP
            rule.position, rule.version = position, rule.version + (rule.position != position)
        Rule.objects.bulk_update(rules, ["position", "version"])
        _audit("rule.save", "rule", moved.pk, viewer, now, {"name": moved.name, "places": places})


def delete_rule(*, rule_id: int, viewer: Viewer, now: datetime) -> None:
    """Remove a rule; the histories of cases go on naming it."""
    check_may(viewer, "rule.edit")
    rule = get_rule(rule_id)
    with transaction.atomic():
        rule.delete()
        _audit("rule.delete", "rule", rule_id, viewer, now, {"name": rule.name})


def save_macro(
    *, facts: MacroFacts, viewer: Viewer, now: datetime, macro_id: int | None = None, expected_version: int | None = None
) -> Macro:
    """Make or change a macro: anybody who works on cases for themselves; for teams and everybody whoever writes rules."""
    check_may(viewer, "case.work")
    with transaction.atomic():
        macro = Macro(owner_id=viewer.user_id, version=0) if macro_id is None else _access_to_change(macro_id, viewer, is_locked=True)
        _check_macro(facts, viewer)
        _check_version(macro, expected_version)
        before = {"name": macro.name, "scope": macro.scope} if macro_id is not None else {}
        macro.name, macro.scope, macro.body, macro.actions = facts.name.strip(), facts.scope, facts.body.strip(), facts.actions
        macro.team_id = facts.team_id if facts.scope == Scope.TEAM else None
        macro.is_active, macro.changed_at, macro.version = facts.is_active, now, macro.version + 1
        macro.save()
        after = {"name": macro.name, "scope": macro.scope}
        _audit("macro.save", "macro", macro.pk, viewer, now, {"before": before, "after": after})
    return macro


def delete_macro(*, macro_id: int, viewer: Viewer, now: datetime) -> None:
    """Remove a macro; what was written with it stays."""
    macro = _access_to_change(macro_id, viewer)
    with transaction.atomic():
        macro.delete()
        _audit("macro.delete", "macro", macro_id, viewer, now, {"name": macro.name})


def take_macro(*, macro_id: int, case_id: int, viewer: Viewer, now: datetime) -> Taken:
    """Take a macro's actions on a case at once, and give its text to the agent, who sends it or not; the history names the macro.

    One that gives the case to a team out of the agent's sight goes on there with what follows.
    """
    check_may(viewer, "case.work")
    seen = access_case(case_id, viewer)
    check_not_held_out(subject=MACRO, subject_id=_access_usable(macro_id, seen, viewer).pk, case=seen, now=now)
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        macro = _access_usable(macro_id, case, viewer)
        text, missing = fill_for(macro.body, case, viewer, now)
        use = MacroUse.objects.create(macro=macro, case=case, user_id=viewer.person_id, at=now)
        add_event(case=case, kind=MACRO_EVENT, actor=actor_of(viewer), now=now, after={"macro": macro.name, "id": macro.pk})
        perform(actions=macro.actions, case_id=case_id, viewer=viewer, source=macro.name, key=f"macro {use.pk}", now=now)
    return Taken(text, missing)


def _access_usable(macro_id: int, case: Case, viewer: Viewer) -> Macro:
    macro = access_macro(macro_id, viewer)
    if not macro.is_active or macro.team_id not in (None, case.team_id):
        raise NotFound(_("There is no macro %(number)s for you.") % {"number": macro_id})
    return macro


def _access_to_change(macro_id: int, viewer: Viewer, *, is_locked: bool = False) -> Macro:
    check_may(viewer, "case.work")
    macro = access_macro(macro_id, viewer)
    if not may_change(macro, viewer):
        raise NotAllowed(_("This macro belongs to others; ask a supervisor, or make one of your own."))
    return Macro.objects.select_for_update().get(pk=macro_id) if is_locked else macro


def _check_version(stored: Rule | Macro, expected_version: int | None) -> None:
    if expected_version is not None and stored.version != expected_version:
        raise Conflict(_("Somebody else saved “%(name)s” in between; nothing of yours was saved yet.") % {"name": stored.name})


def _check_macro(facts: MacroFacts, viewer: Viewer) -> None:
    _check_name(facts.name)
    if facts.scope not in Scope.values:
        raise InvalidInput(_("Say who may use the macro."), field="scope")
    if facts.scope != Scope.PERSON:
        check_may(viewer, "rule.edit")
    if facts.scope == Scope.TEAM:
        is_team = facts.team_id is not None and viewer.sees_team(facts.team_id) and Team.objects.filter(pk=facts.team_id).exists()
        if not is_team:
            raise InvalidInput(_("Choose one of your teams."), field="team")
    if not facts.body.strip() and not facts.actions:
        raise InvalidInput(_("The macro has neither a text nor an action; give it one."), field="body")
    try:
        check_text(facts.body)
        check_macro_actions(facts.actions, ACTIONS)
    except InvalidRule as refused:
        raise _refusal(refused) from refused
    check_values(facts.actions, viewer)


def _check_name(name: str) -> None:
    if not name.strip():
        raise InvalidInput(_("Give it a name; the history of cases shows it."), field="name")
    if len(name.strip()) > LONGEST_NAME:
        sentence = _("The name has %(n)s characters; at most %(most)s fit.")
        raise InvalidInput(sentence % {"n": len(name.strip()), "most": LONGEST_NAME}, field="name")


def _refusal(refused: InvalidRule) -> InvalidInput:
    """All faults as one refusal."""
    return InvalidInput(" ".join(dict.fromkeys(said for _field, said in faults_in_words(refused))), field=refused.faults[0][0])


def faults_in_words(refused: InvalidRule) -> list[tuple[str, str]]:
    """Field and sentence of each fault, with actions and events as they are called."""
    words = {"code": {code: str(one.label) for code, one in ACTIONS.items()}, "event": {code: str(word) for code, word in event_choices()}}
    said = []
    for place, sentence in refused.faults:
        values = {name: words.get(name, {}).get(str(value), value) for name, value in sentence.values.items()}
        said.append((place, spoken(Sentence(sentence.template, **values))))
    return said


def _plain(rule: Rule) -> dict[str, Any]:
    plain = {name: getattr(rule, name) for name in ("name", "events", "position", "is_active", "stops")}
    return {**plain, **{name: json.dumps(getattr(rule, name), ensure_ascii=False) for name in ("condition", "actions")}}


def _audit(action: str, what: str, number: int, viewer: Viewer, now: datetime, details: dict[str, Any]) -> None:
    audit.record(actor=actor_of(viewer), action=action, object_type=what, object_id=number, now=now, details=details)
