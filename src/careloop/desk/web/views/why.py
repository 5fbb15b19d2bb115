"""Why figures are as they are: slow cases, the way of cases, what moves satisfaction, and those who did not answer."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.working import PARTS, score_work
from careloop.desk.reports.why_lines import COLUMNS, lines_of
from careloop.desk.reports.why_words import Words, algorithm_words, efficiency_cells, number, percent, score_part, seconds
from careloop.desk.watch.explanations import find_explanation, list_slow_cases, scopes_of, weigh_score, weights_of
from careloop.desk.watch.queries import find_setting
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.measure_words import GROUP_NAMES, span
from careloop.desk.web.process_diagram import draw_way
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
    }
    if found is not None:
        parts = found.parts
        words = Words(viewer, parts["way"].get("names", {}))
        context |= {
            "slow": _slow(parts["slow"], "slow", words, chosen),
            "waits": _slow(parts["waits"], "waits", words, chosen),
            "way": _way(parts["way"], words),
            "drivers": _drivers(parts["drivers"], words),
            "answered": _answered(parts["silent"]["answered"]),
            "work": _work(parts.get("work"), words),
            "setting": find_setting(),
            "team": chosen,
            "model": _model(parts["silent"], words) if "share" in parts["silent"] else None,
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
    """The cases that a rule of slow cases was measured on."""
    team = request.GET.get("team", "")
    rule, found = list_slow_cases(number_or_none(team, "team"), part, place, viewer)
    explanation = find_explanation(number_or_none(team, "team"), viewer)
    names = explanation.parts["way"].get("names", {}) if explanation is not None else {}
    context = {
        "title": Words(viewer, names).rule(rule["conditions"]),
        "rule": _rule(rule, part, place, Words(viewer, names), team),
        "cases": found,
        "back": f"{reverse('why')}?team={team}",
    }
    return render(request, "why/cases.html", context)


def _scopes(request: HttpRequest, viewer: Viewer) -> tuple[list[tuple[str, str]], str]:
    """What can be explained to the viewer, and which of it is asked for."""
    scopes = scopes_of(viewer)
    return scopes, request.GET.get("team", scopes[0][0] if scopes else "")


def _slow(part: dict[str, Any], name: str, words: Words, team: str) -> dict[str, Any]:
    if "problem" in part:
        return {"has_too_little": True}
    rules, told = [_rule(rule, name, place, words, team) for place, rule in enumerate(part["rules"])], part.get("told")
    return {
        "rules": rules,
        "told": told
        and {"is_shown": told["low"] > 0, "ratio": percent(told["ratio"]), "interval": f"{percent(told['low'])}–{percent(told['high'])}"},
        "limit": span(part["slow_seconds"]),
        "n_held": part["n_held"],
        "n_found": part["n_found"],
        "n_unknown": part["n_unknown"],
        "n_dropped": part["n_dropped"],
        "share": percent(part["slow_share"]),
    }


def _rule(rule: dict[str, Any], name: str, place: int, words: Words, team: str) -> dict[str, Any]:
    return {
        "words": words.rule(rule["conditions"]),
        "share": percent(rule["share"]),
        "interval": f"{percent(rule['low'])}–{percent(rule['high'])}",
        "rest": percent(rule["rest_share"]),
        "explained": percent(rule["explained_ratio"]),
        "n": rule["n"],
        "url": reverse("why-cases", args=[name, place]) + f"?team={team}",
    }


def _work(part: dict[str, Any] | None, words: Words) -> dict[str, Any] | None:
    """Efficiencies and the score; None where nobody's time was measured, or before they were first computed."""
    if part is None or part["whole"]["communication"]["value"] is None:
        return None
    weights = weights_of(find_setting())
    score, known = score_work(part["parts"], weights), part["parts"]
    tables = [
        {
            "name": GROUP_NAMES[group],
            "rows": [{"name": words.value(group, code), "cells": efficiency_cells(one)} for code, one in found.items()],
        }
        for group, found in part["groups"].items()
        if found
    ]
    return {
        "days": part["days"],
        "n": part["n"],
        "score": "–" if score.value is None else f"{score.value:.0f}",
        "score_interval": "" if score.low is None or score.high is None else f"{score.low:.0f}–{score.high:.0f}",
        "parts": [score_part(name, known, weights[name]) for name in PARTS],
        "whole": efficiency_cells(part["whole"]),
        "tables": tables,
    }


def _way(part: dict[str, Any], words: Words) -> dict[str, Any]:
    if "problem" in part:
        return {"has_too_little": True}
    states = [{**one, "name": words.state(one["name"]), **_stay(one)} for one in part["states"]]
    steps = [
        {
            "source": words.state(one["source"]),
            "target": words.state(one["target"]),
            "n": one["n"],
            "share": percent(one["share"]),
            "interval": f"{percent(one['low'])}–{percent(one['high'])}" if "low" in one else "",
            "median": span(one["median_seconds"]),
        }
        for one in part["steps"]
    ]
    alt = _("The way of cases: states from left to right, arcs as thick as their share of the steps out of a state; numbers in the table.")
    return {
        "svg": draw_way(part["states"], part["steps"], words.state, alt=alt),
        "states": states,
        "steps": steps,
        "n_cases": part["n_cases"],
        "returned": percent(part["n_with_returns"] / part["n_cases"]) if part["n_cases"] else "–",
        "n_hidden": part["n_steps"] - len(steps),
    }


def _stay(state: dict[str, Any]) -> dict[str, str]:
    """How long cases usually stay in a state; nothing where all of them end."""
    if state["n_ends"] == state["n_visits"]:
        return {"median": "–", "interval": ""}
    low, high = ("…" if state.get(end) is None else span(state[end]) for end in ("low_seconds", "high_seconds"))
    return {"median": seconds(state["median_seconds"]), "interval": f"{low}–{high}" if state["median_seconds"] is not None else ""}


def _drivers(part: dict[str, Any], words: Words) -> dict[str, Any]:
    if "problem" in part:
        return {"has_too_little": True}
    effects = [words.effect(one) for one in part["effects"]]
    return {
        "shown": [one for one in effects if one["is_shown"]],
        "others": [one for one in effects if not one["is_shown"]],
        "untold": words.untold(part["untold"]),
        "n": part["n"],
        "explained": percent(part["explained_ratio"]),
    }


def _answered(part: dict[str, Any]) -> dict[str, Any]:
    if "problem" in part:
        return {"has_too_little": True}
    return {
        "value": percent(part["value"]),
        "interval": f"{percent(part['low'])}–{percent(part['high'])}",
        "plain": percent(part["plain"]),
        "n_invited": part["n_invited"],
        "n_answered": part["n_answered"],
        "effective_n": round(part["effective_n"]),
        "sensitivity": f"{percent(part['sensitivity'][0])}–{percent(part['sensitivity'][1])}",
        "bounds": f"{percent(part['bounds'][0])}–{percent(part['bounds'][1])}",
    }


def _model(part: dict[str, Any], words: Words) -> dict[str, Any]:
    quality, share, newest = part["quality"], part["share"], part["newest"]
    observed, by_chance, corrected, low, high = quality["calibration"]
    return {
        "auc": number(quality["auc"], 2),
        "auc_interval": f"{number(quality['auc_low'], 2)}–{number(quality['auc_high'], 2)}",
        "error": percent(observed, 1),
        "by_chance": percent(by_chance, 1),
        "corrected": percent(corrected, 1),
        "error_interval": f"{percent(low, 1)}–{percent(high, 1)}",
        "brier": number(quality["brier"], 3),
        "base_brier": number(quality["base_brier"], 3),
        "newest": newest
        and {
            "auc": number(newest["auc"], 2),
            "interval": f"{number(newest['auc_low'], 2)}–{number(newest['auc_high'], 2)}",
            "n": newest["n"],
        },
        "n": quality["n"],
        "n_bad": quality["n_dissatisfied"],
        "is_useful": quality["is_useful"] and share["value"] is not None,
        "bins": [
            {"said": percent(said), "true": percent(true), "interval": f"{percent(low)}–{percent(high)}", "n": rows}
            for said, true, rows, low, high in quality["bins"]
        ],
        "influences": [words.influence(one) for one in part["influences"]],
        "estimated": percent(share["value"]),
        "estimated_interval": f"{percent(share['low'])}–{percent(share['high'])}",
        "of_answers": percent(part["of_answers"]),
        "n_silent": share["n"],
        "n_abstained": share["n_abstained"],
        "days": part["days"],
        "algorithm": algorithm_words(part["algorithm"]),
    }
