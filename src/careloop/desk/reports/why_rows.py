"""The parts of an explanation, ready to be shown: the page and the paper print these rows, the file and the API the figures themselves."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careloop.desk.measures.working import PARTS, score_work
from careloop.desk.reports.why_words import Words, algorithm_words, efficiency_cells, number, percent, score_part, seconds
from careloop.desk.reports.words import GROUP_NAMES, span

LETTERS = 26  # of a state's name in its box
Part = Mapping[str, Any]


def slow_rows(part: Part, words: Words) -> dict[str, Any]:
    """Rules of slow cases, and how they were found."""
    if "problem" in part:
        return {"has_too_little": True}
    return {
        "rules": [rule_row(rule, words) | {"told": _rule_words(rule, part)} for rule in part["rules"]],
        "note": _slow_note(part),
    }


def _rule_words(rule: Part, part: Part) -> str:
    return _(
        "%(share)s (%(interval)s, n = %(n)s) take longer than %(limit)s; of the others %(rest)s. These are %(explained)s of all slow cases."
    ) % {
        "share": percent(rule["share"]),
        "interval": f"{percent(rule['low'])}–{percent(rule['high'])}",
        "n": f"{rule['n']:,}",
        "limit": span(part["slow_seconds"]),
        "rest": percent(rule["rest_share"]),
        "explained": percent(rule["explained_ratio"]),
    }


def _slow_note(part: Part) -> str:
    """What is slow, on how many cases rules were found and measured, and how much they tell."""
    held, told = {"held": f"{part['n_held']:,}"}, part.get("told")
    said = [
        _("Slow is longer than %(limit)s (%(share)s of cases). Rules were found on %(found)s cases and measured on %(held)s others.")
        % {"limit": span(part["slow_seconds"]), "share": percent(part["slow_share"]), "found": f"{part['n_found']:,}", **held}
    ]
    if part["n_dropped"]:
        dropped = ngettext(
            "%(n)s rule did not hold there and was dropped.", "%(n)s rules did not hold there and were dropped.", part["n_dropped"]
        )
        said.append(dropped % {"n": part["n_dropped"]})
    if told and told["low"] > 0:
        facts = {"ratio": percent(told["ratio"]), "interval": f"{percent(told['low'])}–{percent(told['high'])}", **held}
        said.append(
            _("On those %(held)s cases the rules tell %(ratio)s (%(interval)s) of what saying the same share for every case leaves open.")
            % facts
        )
    elif told:
        said.append(
            _("On those %(held)s cases it cannot be shown that rules foretell more than saying the same share for every case.") % held
        )
    if part["n_unknown"]:
        said.append(_("%(n)s cases are too young to tell.") % {"n": f"{part['n_unknown']:,}"})
    return " ".join(said)


def rule_row(rule: Part, words: Words) -> dict[str, Any]:
    """One rule."""
    return {
        "words": words.rule(rule["conditions"]),
        "share": percent(rule["share"]),
        "interval": f"{percent(rule['low'])}–{percent(rule['high'])}",
        "rest": percent(rule["rest_share"]),
        "explained": percent(rule["explained_ratio"]),
        "n": rule["n"],
    }


def way_rows(part: Part, words: Words) -> dict[str, Any]:
    """States and steps; `n_cases` of a step is None where it was computed before cases were kept."""
    if "problem" in part:
        return {"has_too_little": True}
    states = [
        {**{name: one[name] for name in ("n_visits", "n_cases", "n_open")}, "name": words.state(one["name"]), **_stay(one)}
        for one in part["states"]
    ]
    steps = [
        {
            "source": words.state(one["source"]),
            "target": words.state(one["target"]),
            "n": one["n"],
            "n_cases": one.get("n_cases"),
            "share": percent(one["share"]),
            "interval": f"{percent(one['low'])}–{percent(one['high'])}" if "low" in one else "",
            "median": span(one["median_seconds"]),
        }
        for one in part["steps"]
    ]
    return {
        "states": states,
        "steps": steps,
        "whole": _("%(n)s cases; %(returned)s came back to a state in which they had been before.")
        % {
            "n": f"{part['n_cases']:,}",
            "returned": percent(part["n_with_returns"] / part["n_cases"]) if part["n_cases"] else "–",
        },
        "note": _way_note(part["n_steps"] - len(steps)),
    }


def _way_note(n_hidden: int) -> str:
    note = _("Medians count open cases as not over yet (Kaplan–Meier); times of steps are weighted for cases that were cut off before.")
    return note if n_hidden <= 0 else f"{note} {_('%(n)s rarer steps are not shown.') % {'n': n_hidden}}"


def way_legend() -> list[str]:
    """How the map is read, in sentences."""
    return [
        _("Cases go from the top to the bottom: steps forward at the right, steps back at the left."),
        _("In a box: how many cases were ever in the state, how many are there now, their usual stay, and how often they came back."),
        _("On an arc, which is as thick as the share: how often it was taken, its share of the steps out of the state, its median time."),
    ]


def state_lines(state: Part) -> list[str]:
    """What stands in a state's box below its name."""
    n_cases, n_open, n_again = state["n_cases"], state["n_open"], state["n_visits"] - state["n_cases"]
    counted = ngettext("%(count)s case", "%(count)s cases", n_cases) % {"count": f"{n_cases:,}"}
    there = _("%(count)s there now") % {"count": f"{n_open:,}"} if n_open else ""
    stay = "" if state["n_ends"] == state["n_visits"] or state["median_seconds"] is None else span(state["median_seconds"])
    again = ngettext("%(count)s return", "%(count)s returns", n_again) % {"count": f"{n_again:,}"} if n_again else ""
    return [" · ".join(one for one in some if one) for some in ((counted, there), (stay, again))]


def step_lines(step: Part) -> list[str]:
    """What stands on an arc: how often and which share, and below it the median time."""
    return [f"{step['n']:,} · {percent(step['share'])}", span(step["median_seconds"])]


def cut_name(text: str) -> str:
    """A state's name as far as its box is wide."""
    wide = sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)
    return text if wide <= LETTERS else text[: LETTERS // 2 if wide > len(text) else LETTERS - 1] + "…"


def _stay(state: Part) -> dict[str, str]:
    """How long cases usually stay in a state; nothing where all of them end."""
    if state["n_ends"] == state["n_visits"]:
        return {"median": "–", "interval": ""}
    low, high = ("…" if state.get(end) is None else span(state[end]) for end in ("low_seconds", "high_seconds"))
    return {"median": seconds(state["median_seconds"]), "interval": f"{low}–{high}" if state["median_seconds"] is not None else ""}


def driver_rows(part: Part, words: Words) -> dict[str, Any]:
    """Effects on satisfaction: those that are shown, the others, and what could not be asked."""
    if "problem" in part:
        return {"has_too_little": True}
    effects = [words.effect(one) for one in part["effects"]]
    return {
        "shown": [one for one in effects if one["is_shown"]],
        "others": [one for one in effects if not one["is_shown"]],
        "untold": words.untold(part["untold"]),
        "note": _(
            "From %(n)s rated cases, each effect with the others held, ranges for all of them together (95 %%); they tell %(explained)s of "
            "the differences between ratings. This is what goes with satisfaction; whether it causes it, a comparison shows."
        )
        % {"n": f"{part['n']:,}", "explained": percent(part["explained_ratio"])},
    }


def answered_rows(part: Part) -> dict[str, Any]:
    """How satisfied all are who were invited."""
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


def model_rows(part: Part, words: Words) -> dict[str, Any]:
    """The model of those who did not answer: how good it is, and what it estimates."""
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


def work_rows(part: Part | None, weights: Mapping[str, float], words: Words) -> dict[str, Any] | None:
    """Efficiencies and the score; None where nobody's time was measured, or before they were first computed."""
    if part is None or part["whole"]["communication"]["value"] is None:
        return None
    score, known = score_work(dict(part["parts"]), dict(weights)), part["parts"]
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
