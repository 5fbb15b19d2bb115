"""The parts of a comparison's page, ready to be shown."""

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from careloop.desk.measures.before_after import BeforeAfterResult
from careloop.desk.measures.trial_lines import GROUP, OVERALL
from careloop.desk.measures.trial_looks import MEAN, NOT_SHOWN, SHARE, TIME, TOO_FEW
from careloop.desk.measures.trials import Trial
from careloop.desk.reports.rules.scales import nice_ticks
from careloop.desk.web import report_charts
from careloop.desk.web.comparison_words import (
    DEFINITIONS,
    EFFECTS,
    OUTCOMES,
    overall_words,
    say_difference,
    say_p,
    say_range,
    say_tick,
    say_value,
    tone_of,
    verdict_words,
    window_words,
)


def outcome_panels(lines: list[dict[str, Any]], first: str) -> list[dict[str, Any]]:
    """A panel for each outcome with a row for each group, what is said of each pair, and whether all groups are alike."""
    panels: dict[str, dict[str, Any]] = {}
    for line in lines:
        outcome, form = line["outcome"], line["form"]
        panel = panels.setdefault(
            outcome,
            {
                "name": OUTCOMES[outcome],
                "definition": DEFINITIONS[outcome],
                "effect": EFFECTS[form],
                "is_first": outcome == first,
                "is_time": form == TIME,
                "rows": [],
                "verdicts": [],
                "pairs": [],
                "overall": "",
            },
        )
        if line["line"] == OVERALL:
            panel["overall"] = overall_words(line)
            continue
        if line["line"] == GROUP:
            panel["rows"].append(_row(line))
        if line["verdict"]:
            panel["pairs"].append(_pair(line))
    for panel in panels.values():
        panel["verdicts"] = _verdicts(panel["pairs"])
    return list(panels.values())


def _pair(line: dict[str, Any]) -> dict[str, Any]:
    form = line["form"]
    return {
        "group": line["group"],
        "against": line["against"],
        "range": say_range(form, line["always_low"], line["always_high"]) or "–",
        "p": say_p(line["always_p"]),
        "text": verdict_words(line),
        "tone": tone_of(line["outcome"], line["verdict"]),
        "is_silent": line["verdict"] == TOO_FEW,
        "is_unshown": line["verdict"] == NOT_SHOWN,
    }


def _verdicts(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is shown; when nothing is, one sentence for all."""
    shown = [pair for pair in pairs if pair["tone"]]
    if shown or len(pairs) < 2:
        return shown or pairs
    silent = next((pair for pair in pairs if pair["is_silent"]), None)
    if silent is not None:
        return [silent]
    return [{"tone": "", "text": _("No difference can be shown yet between any two of the groups.")}]


def _row(line: dict[str, Any]) -> dict[str, Any]:
    form = line["form"]
    return {
        "name": line["group"],
        "n": line["n"],
        "value": say_value(form, line["value"]),
        "interval": _ends(form, line["low"], line["high"]) if line["value"] is not None else "",
        "is_control": line["against"] is None,
        "difference": say_difference(form, line["difference"]),
        "difference_range": say_range(form, line["difference_low"], line["difference_high"]),
        "effect": _effect(line["effect"]),
        "effect_range": f"{_effect(line['effect_low'])} … {_effect(line['effect_high'])}" if line["effect"] is not None else "",
        "p": say_p(line["p"]),
        "corrected_p": say_p(line["corrected_p"]),
        "adjusted": say_difference(form, line["adjusted"]) if line["adjusted"] is not None else "",
        "adjusted_range": say_range(form, line["adjusted_low"], line["adjusted_high"]),
    }


def window_panels(window: BeforeAfterResult, lines: list[dict[str, Any]], reasons: dict[str, str]) -> list[dict[str, Any]]:
    """A panel for each outcome: the four averages, the difference of differences, and whether both drifted apart before."""
    panels = []
    for one, line in zip(window.outcomes, lines, strict=True):
        form = MEAN if one.outcome == "SATISFACTION" else SHARE
        found = one.found
        panels.append(
            {
                "name": OUTCOMES[one.outcome],
                "definition": DEFINITIONS[one.outcome],
                "verdict": window_words(line),
                "tone": tone_of(one.outcome, line["verdict"]),
                "why_not": reasons.get(one.outcome, ""),
                "cells": [[(say_value(form, found.averages[row][time]), found.sizes[row][time]) for time in (0, 1)] for row in (1, 0)]
                if found is not None
                else [],
                "difference": say_difference(form, line["difference"]),
                "range": say_range(form, line["difference_low"], line["difference_high"]),
                "corrected_p": say_p(line["corrected_p"]),
                "drift": say_difference(form, one.drift.effect) if one.drift is not None else "",
                "drift_range": say_range(form, one.drift.low, one.drift.high) if one.drift is not None else "",
                "drift_p": say_p(one.drift.p) if one.drift is not None else "",
                "drifted": one.drift is not None and one.drift.p < 0.05,
            }
        )
    return panels


def history_chart(trial: Trial) -> dict[str, Any] | None:
    """How the interval that holds at every look has narrowed; None for times and before there is anything."""
    first = trial.outcomes[0]
    if len(first.history) < 2:
        return None
    points = [
        report_charts.Point(
            f"{n}", middle, low, high, f"n = {n}: {say_difference(first.form, middle)} ({say_range(first.form, low, high)})"
        )
        for n, middle, low, high in first.history
    ]
    ends = [end for _n, _middle, low, high in first.history for end in (low, high)]
    marks = nice_ticks(min(*ends, 0.0), max(*ends, 0.0))
    ticks = [(mark, say_tick(first.form, mark)) for mark in marks]
    alt = _("The first difference with its range after so many cases; the numbers are in the table below.")
    svg: SafeString = report_charts.line(points, alt=alt, ticks=ticks, ends=(marks[0], marks[-1]), width=report_charts.WIDE)
    return {"svg": svg, "points": points}


def _ends(form: str, low: float | None, high: float | None) -> str:
    return "–".join("…" if end is None else say_value(form, end) for end in (low, high))


def _effect(value: float | None) -> str:
    return "…" if value is None else f"{value:.2f}".replace("-", "−")
