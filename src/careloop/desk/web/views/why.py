"""Why figures are as they are: slow cases, the way of cases, what moves satisfaction, and those who did not answer."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.working import PARTS
from careloop.desk.reports.address import address_from
from careloop.desk.reports.why_lines import COLUMNS, lines_of
from careloop.desk.reports.why_rows import answered_rows, driver_rows, model_rows, rule_row, slow_rows, way_legend, way_rows, work_rows
from careloop.desk.reports.why_words import Words
from careloop.desk.watch.explanations import (
    ON_THE_WAY,
    find_explanation,
    list_cases_on_the_way,
    list_slow_cases,
    scopes_of,
    weigh_score,
    weights_of,
)
from careloop.desk.watch.queries import find_setting
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.process_diagram import draw_way
from careloop.desk.web.report_choice import mail_url
from careloop.desk.web.views.together import number_or_none


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The four explanations of the house or a team."""
    scopes, chosen = _scopes(request, viewer)
    found = find_explanation(number_or_none(chosen, "team"), viewer)
    context: dict[str, Any] = {
        "scopes": [{"name": name, "url": f"{reverse('why')}?team={code}", "is_current": code == chosen} for code, name in scopes],
        "explanation": found,
        "export_url": f"{reverse('why-csv')}?team={chosen}",
        "pdf_url": f"{reverse('report-pdf', args=['why'])}?team={chosen}",
        "mail_url": mail_url("report:why", address_from({"team": chosen})),
    }
    if found is not None:
        parts = found.parts
        words = Words(viewer, parts["way"].get("names", {}))
        context |= {
            "slow": _slow(parts["slow"], "slow", words, chosen),
            "waits": _slow(parts["waits"], "waits", words, chosen),
            "way": _way(parts["way"], words, chosen),
            "drivers": driver_rows(parts["drivers"], words),
            "answered": answered_rows(parts["silent"]["answered"]),
            "work": work_rows(parts.get("work"), weights_of(find_setting()), words),
            "setting": find_setting(),
            "team": chosen,
            "model": model_rows(parts["silent"], words) if "share" in parts["silent"] else None,
            "too_few": parts["silent"] if "least_answers" in parts["silent"] else None,
            "is_house": found.team_id is None,
        }
    return render(request, "why/page.html", context)


@require_GET
@for_viewer("report.view")
def export(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The same figures as CSV, unrounded; nothing below the head before anything was explained."""
    found = find_explanation(number_or_none(_scopes(request, viewer)[1], "team"), viewer)
    lines = lines_of(found.parts, weights_of(find_setting()), Words(viewer, found.parts["way"].get("names", {}))) if found else []
    return csv_answer("why", COLUMNS, lines)


@require_POST
@for_viewer("rule.edit")
def weigh(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Change what the parts of the communication score weigh."""
    given = request.POST
    weights = {name: number_or_none(given.get(name, ""), name) or 0 for name in PARTS}
    version = number_or_none(given.get("expected_version", ""), "expected_version") or 0
    weigh_score(weights=weights, expected_version=version, viewer=viewer, now=datetime.now(UTC))
    return redirect(f"{reverse('why')}?team={given.get('team', '')[:12]}#efficiency")


@require_GET
@for_viewer("report.view")
def cases(request: HttpRequest, viewer: Viewer, part: str, place: int) -> HttpResponse:
    """The cases that a rule of slow cases was measured on, or those behind a state or a step of the way."""
    team = request.GET.get("team", "")
    number = number_or_none(team, "team")
    explanation = find_explanation(number, viewer)
    words = Words(viewer, explanation.parts["way"].get("names", {}) if explanation is not None else {})
    if part in ON_THE_WAY:
        one, found = list_cases_on_the_way(number, part, place, viewer)
        context = _on_the_way(part, one, words)
    else:
        rule, found = list_slow_cases(number, part, place, viewer)
        context = {"title": words.rule(rule["conditions"]), "rule": rule_row(rule, words), "n": rule["n"]}
    return render(request, "why/cases.html", {**context, "cases": found, "back": f"{reverse('why')}?team={team}"})


def _scopes(request: HttpRequest, viewer: Viewer) -> tuple[list[tuple[str, str]], str]:
    """What can be explained to the viewer, and which of it is asked for."""
    scopes = scopes_of(viewer)
    return scopes, request.GET.get("team", scopes[0][0] if scopes else "")


def _slow(part: dict[str, Any], name: str, words: Words, team: str) -> dict[str, Any]:
    """The rules with the cases that each was measured on."""
    shown = slow_rows(part, words)
    for place, rule in enumerate(shown.get("rules", ())):
        rule["url"] = _cases_url(name, place, team)
    return shown


def _way(part: dict[str, Any], words: Words, team: str) -> dict[str, Any]:
    """The map and the table behind it, each number with its cases; none before they were kept."""
    shown = way_rows(part, words)
    if "states" not in shown:
        return shown
    for place, one in enumerate(shown["states"]):
        if "cases" in part["states"][place]:
            one.update(url=_cases_url("states", place, team), open_url=_cases_url("open", place, team))
    for place, one in enumerate(shown["steps"]):
        one["url"] = _cases_url("steps", place, team) if one["n_cases"] is not None else ""
    alt = _("The way of cases: states from top to bottom, arcs as thick as their share of the steps out of a state; numbers in the table.")
    svg = draw_way(part["states"], part["steps"], words.state, lambda name, place: _cases_url(name, place, team), alt=alt)
    return shown | {"svg": svg, "legend": way_legend()}


def _cases_url(part: str, place: int, team: str) -> str:
    return reverse("why-cases", args=[part, place]) + f"?team={team}"


def _on_the_way(part: str, found: dict[str, Any], words: Words) -> dict[str, Any]:
    """What the list of a state's or a step's cases is called, and how many there are."""
    if part == "steps":
        title = _("From %(source)s to %(target)s") % {name: words.state(found[name]) for name in ("source", "target")}
        return {"title": title, "n": found.get("n_cases", 0), "subtitle": _("Cases that took this step")}
    name = words.state(found["name"])
    if part == "open":
        return {"title": name, "n": found["n_open"], "subtitle": _("Cases that are in this state now")}
    return {"title": name, "n": found["n_cases"], "subtitle": _("Cases that were in this state")}
