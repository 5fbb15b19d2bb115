"""A comparison as flat lines: the file and the API give these, and the page shows them rounded."""

from typing import Any

from careloop.desk.measures.before_after import WindowOutcome
from careloop.desk.measures.trial_figures import Contrast, OutcomeResult, Overall
from careloop.desk.measures.trial_looks import Pair
from careloop.desk.measures.trials import Trial

GROUP, PAIR, OVERALL = "GROUP", "PAIR", "OVERALL"  # what a line tells of
COLUMNS = (
    "line", "outcome", "form", "group", "against", "n", "value", "low", "high", "difference", "difference_low", "difference_high", "effect",
    "effect_low", "effect_high", "p", "corrected_p", "always_p", "always_low", "always_high", "visible", "verdict", "adjusted",
    "adjusted_low", "adjusted_high", "test", "omega_squared", "spread_ratio",
)  # fmt: skip
NOTHING: dict[str, Any] = dict.fromkeys(COLUMNS)


def lines_of(trial: Trial) -> list[dict[str, Any]]:
    """A line for each outcome and group; of three or more groups also for each other pair, and for all together. Unknown is None."""
    if trial.window is not None:
        return [_window_line(one) for one in trial.window.outcomes]
    names = [one.arm.name for one in trial.arms]
    return [line for result in trial.outcomes for line in _outcome_lines(result, names)]


def _outcome_lines(result: OutcomeResult, names: list[str]) -> list[dict[str, Any]]:
    contrasts = {one.arm: one for one in result.contrasts}
    about = {**NOTHING, "outcome": result.outcome, "form": result.form}
    groups = [
        {
            **about,
            "line": GROUP,
            "group": names[figure.arm],
            "n": figure.n,
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            **(_contrast_part(contrasts[figure.arm], names) if figure.arm in contrasts else {}),
        }
        for figure in result.figures
    ]
    control = result.contrasts[0].control
    pairs = [{**about, **_pair_part(one, names)} for one in result.pairs if one.second != control]
    return [*groups, *pairs, *([{**about, **_overall_part(result.overall)}] if result.overall is not None else [])]


def _pair_part(pair: Pair, names: list[str]) -> dict[str, Any]:
    always = {"always_p": pair.p, "always_low": pair.low, "always_high": pair.high}
    between = {"line": PAIR, "group": names[pair.first], "against": names[pair.second]}
    return {**between, "difference": pair.difference, **always, "visible": pair.visible, "verdict": pair.verdict}


def _overall_part(overall: Overall) -> dict[str, Any]:
    line = {"line": OVERALL, "test": overall.test, "p": overall.p, "omega_squared": overall.omega, "spread_ratio": overall.spread_ratio}
    if overall.eta is None:
        return line
    return {**line, "effect": overall.eta.value, "effect_low": overall.eta.low, "effect_high": overall.eta.high}


def _contrast_part(contrast: Contrast, names: list[str]) -> dict[str, Any]:
    adjusted = contrast.adjusted or (None, None, None)
    return {
        "against": names[contrast.control],
        "difference": contrast.difference,
        "difference_low": contrast.low,
        "difference_high": contrast.high,
        "effect": contrast.effect,
        "effect_low": contrast.effect_low,
        "effect_high": contrast.effect_high,
        "p": contrast.p,
        "corrected_p": contrast.corrected_p,
        "always_p": contrast.always_p,
        "always_low": contrast.always_low,
        "always_high": contrast.always_high,
        "visible": contrast.visible,
        "verdict": contrast.verdict,
        "adjusted": adjusted[0],
        "adjusted_low": adjusted[1],
        "adjusted_high": adjusted[2],
    }


def _window_line(one: WindowOutcome) -> dict[str, Any]:
    line = {**NOTHING, "line": OVERALL, "outcome": one.outcome, "form": "BEFORE_AFTER", "verdict": one.verdict}
    if one.found is None:
        return line
    found = one.found
    ends = {"difference_low": one.low, "difference_high": one.high}
    return {**line, "n": found.n, "difference": found.effect, **ends, "p": found.p, "corrected_p": one.corrected_p}
