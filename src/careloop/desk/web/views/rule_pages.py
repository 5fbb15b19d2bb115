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
from careloop.desk.automation.circle_search import chain_words, check_circles, list_circles
from careloop.desk.automation.dry_run import dry_run
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules.checking import InvalidRule, check_rule
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput
from careloop.desk.web.access import for_viewer
from careloop.desk.web.automation_words import error_words
from careloop.desk.web.rule_form import GivenRule, given_rule, offered, read_rule, rule_sides, shown_rule, with_room
from careloop.desk.web.rule_words import Vocabulary, vocabulary

REDRAWN = ("more", "inside")  # buttons that add a line or a block and save nothing


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
            "conditions": list(words.tree(rule.condition)),
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
    words = vocabulary(viewer)
    is_redrawn = any(name in request.POST for name in REDRAWN)
    given = given_rule(request.POST) if request.method == "POST" else shown_rule(stored, words)
    context: dict[str, Any] = {"rule": stored, "errors": {}, "version": request.POST.get("version", stored.version if stored else "")}
    status = 200
    if request.method == "POST" and not is_redrawn:
        try:
            told = _preview_or_save(request, viewer, stored, given, words)
            if told is None:
                messages.success(request, _("The rule was saved."))
                return redirect("rules")
            context |= told
            status = status if "told" in told else InvalidInput.status
        except InvalidRule as refused:
            context["errors"], status = dict(actions.faults_in_words(refused)), InvalidInput.status
        except DeskError as refused:
            context["errors"], status = {refused.field or "form": refused.message}, refused.status
            if isinstance(refused, Conflict) and rule_id is not None:
                stored = queries.get_rule(rule_id)
                context |= {"sides": rule_sides(stored, given, words), "version": stored.version, "rule": stored}
    context |= {"given": with_room(given, request.POST), "event_choices": queries.event_choices(), **offered(words, list(ACTIONS))}
    return render(request, "rules/rule.html", context, status=status)


@require_POST
@for_viewer("rule.edit")
def switch(request: HttpRequest, viewer: Viewer, rule_id: int) -> HttpResponse:
    """Put a rule in force, or out of it."""
    is_active = request.POST.get("on") == "1"
    try:
        switched = actions.switch_rule(rule_id=rule_id, is_active=is_active, viewer=viewer, now=datetime.now(UTC))
    except InvalidInput as refused:
        messages.error(request, refused.message)
        return redirect("rules")
    for circle in list_circles(queries.facts_of(switched), rule_id) if is_active else ():
        messages.warning(request, _("These rules may set each other off: %(chain)s") % {"chain": chain_words(circle)})
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


def _preview_or_save(request: HttpRequest, viewer: Viewer, stored: Any, given: GivenRule, words: Vocabulary) -> dict[str, Any] | None:
    """What the page shall tell instead of saving: a dry run, or rules that may set each other off; None when the rule was saved."""
    now = datetime.now(UTC)
    if stored is not None and shown_rule(stored, words).is_too_deep:
        raise InvalidInput(_("The conditions of this rule are nested deeper than this form; it would lose them. Make a new rule instead."))
    facts = read_rule(given, words)
    check_rule(facts, ACTIONS)
    rule_id = stored.pk if stored is not None else None
    check_circles(facts, rule_id)
    circles = list_circles(facts, rule_id)
    mark = " ".join("-".join(map(str, circle.rule_ids)) for circle in circles)
    warning = {"circles": [chain_words(circle) for circle in circles], "circle_mark": mark} if circles else {}
    if "preview" in request.POST:
        return {"told": _told(dry_run(facts=facts, viewer=viewer, now=now), facts, words), **warning}
    version = _seen(request) if stored is not None else None
    if circles and request.POST.get("accepted") != mark:
        return warning
    actions.save_rule(facts=facts, viewer=viewer, now=now, rule_id=rule_id, expected_version=version)
    return None


def _seen(request: HttpRequest) -> int:
    """The version that the form was made from."""
    given = request.POST.get("version", "")
    if not given.isdecimal() or len(given) > 9:
        raise InvalidInput(_("The form is damaged; load the page again."))
    return int(given)


def _told(found: Any, facts: RuleFacts, words: Vocabulary) -> dict[str, Any]:
    events = dict(queries.event_choices())
    rows = [
        {
            "case": one.case,
            "at": one.at,
            "event": events.get(one.event, one.event),
            "because": [words.condition(leaf) for leaf in one.because],
            "was": [_was(name, value, words) for name, value in one.was.items()],
        }
        for one in found.touched
    ]
    return {"run": found, "rows": rows, "actions": [words.action(action) for action in facts.actions]}


def _was(name: str, value: Any, words: Vocabulary) -> str:
    known = words.values(name) or {}
    said = ", ".join(value) if isinstance(value, tuple) else known.get(str(value), value)
    return f"{words.word(name)}: {said or _('none')}"
