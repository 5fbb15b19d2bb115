"""Rules: the list with what each did lately, and the form with its dry run."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation import actions, queries
from careloop.desk.automation.dry_run import dry_run
from careloop.desk.automation.rules import fields
from careloop.desk.automation.rules.checking import InvalidRule
from careloop.desk.automation.rules.conditions import groups_of, leaves, tree_of
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.kernel.errors import DeskError, InvalidInput
from careloop.desk.kernel.wording import spoken
from careloop.desk.web.access import for_viewer
from careloop.desk.web.automation_words import error_words
from careloop.desk.web.rule_words import (
    ACTION_WORDS,
    FIELD_WORDS,
    OPERATOR_WORDS,
    Vocabulary,
    field_word,
    read_actions,
    read_conditions,
    vocabulary,
)

GROUPS = ("every", "some", "none")
LINES = {"every": 4, "some": 2, "none": 2}
ACTION_LINES = 4


@require_GET
@for_viewer("rule.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The rules in the order in which they are asked."""
    words, now = vocabulary(viewer), datetime.now(UTC)
    counted, events = queries.count_firings(now), dict(queries.event_choices())
    rows = [
        {
            "rule": rule,
            "events": [events.get(code, code) for code in rule.events],
            "conditions": [words.condition(leaf) for leaf in leaves(rule.condition)],
            "actions": [words.action(action) for action in rule.actions],
            "counted": counted.get(rule.pk, {}),
            "error": error_words(rule.last_error),
        }
        for rule in queries.list_rules()
    ]
    return render(request, "rules/page.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@for_viewer("rule.edit")
def rule(request: HttpRequest, viewer: Viewer, rule_id: int | None = None) -> HttpResponse:
    """One rule; "preview" tells what it would have done in the last 90 days and saves nothing."""
    stored = queries.get_rule(rule_id) if rule_id is not None else None
    words, now = vocabulary(viewer), datetime.now(UTC)
    given = _given(request) if request.method == "POST" else _shown(stored, words)
    errors: dict[str, str] = {}
    status, told = 200, None
    if request.method == "POST":
        try:
            if stored is not None and groups_of(stored.condition) is None:
                raise InvalidInput(_("The conditions of this rule are nested; this form would lose them. Make a new rule instead."))
            facts = _facts(given, words)
            if "preview" in request.POST:
                told = _told(dry_run(facts=facts, viewer=viewer, now=now), facts, words)
            else:
                actions.save_rule(facts=facts, viewer=viewer, now=now, rule_id=rule_id)
                messages.success(request, _("The rule was saved."))
                return redirect("rules")
        except InvalidRule as refused:
            errors, status = {field: spoken(sentence) for field, sentence in refused.faults}, InvalidInput.status
        except DeskError as refused:
            errors, status = {refused.field or "form": refused.message}, refused.status
    context = {"rule": stored, "given": given, "errors": errors, "told": told, **_offered(words)}
    return render(request, "rules/rule.html", context, status=status)


@require_POST
@for_viewer("rule.edit")
def switch(request: HttpRequest, viewer: Viewer, rule_id: int) -> HttpResponse:
    """Put a rule in force, or out of it."""
    actions.switch_rule(rule_id=rule_id, is_active=request.POST.get("on") == "1", viewer=viewer, now=datetime.now(UTC))
    return redirect("rules")


@require_POST
@for_viewer("rule.edit")
def move(request: HttpRequest, viewer: Viewer, rule_id: int) -> HttpResponse:
    """Move a rule up or down by one."""
    places = 1 if request.POST.get("down") else -1
    actions.move_rule(rule_id=rule_id, places=places, viewer=viewer, now=datetime.now(UTC))
    return redirect("rules")


@require_POST
@for_viewer("rule.edit")
def delete(request: HttpRequest, viewer: Viewer, rule_id: int) -> HttpResponse:
    """Remove a rule."""
    actions.delete_rule(rule_id=rule_id, viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("The rule was removed."))
    return redirect("rules")


def _given(request: HttpRequest) -> dict[str, Any]:
    sent = request.POST
    given: dict[str, Any] = {"name": sent.get("name", ""), "position": sent.get("position", ""), "events": sent.getlist("events")}
    given["is_active"], given["stops"] = "is_active" in sent, "stops" in sent
    for group in GROUPS:
        names = (f"{group}_field", f"{group}_op", f"{group}_value")
        given[group] = _filled(list(zip(*(sent.getlist(name) for name in names), strict=False)), LINES[group])
    rows = list(zip(sent.getlist("do"), sent.getlist("do_value"), strict=False))
    given["actions"] = [row for row in rows if row[0]] + [("", "")] * max(ACTION_LINES - len([row for row in rows if row[0]]), 1)
    return given


def _shown(stored: Any, words: Vocabulary) -> dict[str, Any]:
    if stored is None:
        blank: dict[str, Any] = {"name": "", "position": "100", "events": ["OPENED"], "is_active": True, "stops": False}
        return {**blank, **{group: _filled([], LINES[group]) for group in GROUPS}, "actions": [("", "")] * ACTION_LINES}
    groups = groups_of(stored.condition)
    shown = {"name": stored.name, "position": str(stored.position), "events": stored.events}
    lines = {
        group: _filled([(leaf["field"], leaf["op"], words.shown(leaf)) for leaf in found], LINES[group])
        for group, found in zip(GROUPS, groups or ([], [], []), strict=True)
    }
    acts = [(action["do"], words.action_value(action)) for action in stored.actions]
    acts += [("", "")] * max(ACTION_LINES - len(acts), 1)
    nested = "" if groups is not None else stored.condition
    return {**shown, **lines, "actions": acts, "is_active": stored.is_active, "stops": stored.stops, "nested": nested}


def _facts(given: dict[str, Any], words: Vocabulary) -> RuleFacts:
    conditions = [read_conditions(given[group], words) for group in GROUPS]
    return RuleFacts(
        name=given["name"],
        events=given["events"],
        condition=tree_of(*conditions),
        actions=read_actions(given["actions"], words),
        position=min(int(given["position"]), 32_000) if given["position"].isdigit() else 100,
        is_active=given["is_active"],
        stops=given["stops"],
    )


def _filled(rows: list[tuple[str, ...]], lines: int) -> list[tuple[str, ...]]:
    written = [row for row in rows if row[0]]
    return written + [("", "is", "")] * max(lines - len(written), 1)


def _offered(words: Vocabulary) -> dict[str, Any]:
    operators = {name: " ".join(fields.OPERATORS[kind]) for name, kind in fields.FIELDS.items()}
    return {
        "group_names": {"every": _("All of these hold"), "some": _("And at least one of these"), "none": _("And none of these")},
        "field_words": FIELD_WORDS,
        "operators": operators,
        "operator_words": OPERATOR_WORDS,
        "action_words": ACTION_WORDS,
        "event_choices": queries.event_choices(),
        "value_lists": {name: list(found.values()) for name, found in words.values.items()},
        "action_lists": {code: list(words.of_action(code).values()) for code in ACTION_WORDS},
    }


def _told(found: Any, facts: RuleFacts, words: Vocabulary) -> dict[str, Any]:
    events = dict(queries.event_choices())
    rows = [
        {
            "case": one.case,
            "at": one.at,
            "event": events.get(one.event, one.event),
            "because": [words.condition(leaf) for leaf in one.because],
            "was": [
                f"{field_word(name)}: {words.values.get(name, {}).get(str(value), value) or _('none')}" for name, value in one.was.items()
            ],
        }
        for one in found.touched
    ]
    return {"run": found, "rows": rows, "actions": [words.action(action) for action in facts.actions]}


def _value(name: str, value: Any, words: Vocabulary) -> str:
    return str(words.values.get(name, {}).get(str(value), value) or _("none"))
