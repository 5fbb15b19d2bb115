"""Explanations as flat lines: the file and the API give these, and the page shows them rounded."""

from collections.abc import Iterator, Mapping
from typing import Any

from careloop.desk.measures.working import PARTS, score_work
from careloop.desk.reports.why_words import GAP, UNITS, Words

COLUMNS = ("part", "figure", "group", "group_name", "value", "low", "high", "n", "done", "hours", "is_shown")
NOTHING: dict[str, Any] = dict.fromkeys(COLUMNS)
SLOW_NUMBERS = ("n_found", "n_held", "n_unknown", "n_dropped")
STATE_NUMBERS = ("n_visits", "n_cases", "n_open")
Part = Mapping[str, Any]
Line = dict[str, Any]


def lines_of(parts: Part, weights: Mapping[str, float], words: Words) -> list[Line]:
    """Slow cases, the way of cases, what moves satisfaction, those who did not answer, efficiency and the score; a part about which
    too little is known has no lines.
    """
    told = {
        "slow": _slow(parts["slow"], words),
        "waits": _slow(parts["waits"], words),
        "way": _way(parts["way"], words),
        "drivers": _drivers(parts["drivers"], words),
        "silent": _silent(parts["silent"]),
        "work": _work(parts.get("work"), words),
        "score": _score(parts.get("work"), weights),
    }
    return [{**NOTHING, "part": part, **line} for part, lines in told.items() for line in lines]


def _slow(part: Part, words: Words) -> Iterator[Line]:
    """`rest_share` is that of the cases outside the rule, `explained_ratio` how many of all slow cases are under it."""
    if "problem" in part:
        return
    for rule in part["rules"]:
        codes = " · ".join(" ".join(str(word) for word in one if word is not None) for one in rule["conditions"])
        about = {"group": codes, "group_name": words.rule(rule["conditions"])}
        yield {**about, "figure": "slow_share", "value": rule["share"], "low": rule["low"], "high": rule["high"], "n": rule["n"]}
        yield {**about, "figure": "rest_share", "value": rule["rest_share"], "n": part["n_held"] - rule["n"]}
        yield {**about, "figure": "explained_ratio", "value": rule["explained_ratio"]}
    yield {"figure": "slow_seconds", "value": part["slow_seconds"]}
    yield {"figure": "slow_share", "value": part["slow_share"], "n": part["n_found"] + part["n_held"]}
    yield from ({"figure": name, "n": part[name]} for name in SLOW_NUMBERS)


def _way(part: Part, words: Words) -> Iterator[Line]:
    if "problem" in part:
        return
    yield {"figure": "n_cases", "n": part["n_cases"]}
    yield {"figure": "returned", "value": part["n_with_returns"] / part["n_cases"] if part["n_cases"] else None, "n": part["n_cases"]}
    for one in part["states"]:
        about = {"group": one["name"], "group_name": words.state(one["name"])}
        ends = {"low": one.get("low_seconds"), "high": one.get("high_seconds")}
        yield {**about, "figure": "median_seconds", "value": one["median_seconds"], "n": one["n_visits"], **ends}
        yield from ({**about, "figure": name, "n": one[name]} for name in STATE_NUMBERS)
    for one in part["steps"]:
        about = {
            "group": f"{one['source']} → {one['target']}",
            "group_name": f"{words.state(one['source'])} → {words.state(one['target'])}",
        }
        yield {**about, "figure": "step_share", "value": one["share"], "low": one.get("low"), "high": one.get("high"), "n": one["n"]}
        yield {**about, "figure": "step_median_seconds", "value": one["median_seconds"], "n": one["n"]}


def _drivers(part: Part, words: Words) -> Iterator[Line]:
    """Points of 1–5."""
    if "problem" in part:
        return
    for one in part["effects"]:
        units = UNITS.get(one["column"], 1.0)
        ends = {"value": one["estimate"] * units, "low": one["low"] * units, "high": one["high"] * units}
        told = [one["column"], *([one["value"], "/", one["base"]] if one["value"] is not None else []), *(["?"] if one["is_gap"] else [])]
        about = {"group": " ".join(map(str, told)), "group_name": words.cause(one)}
        yield {**about, "figure": "effect", **ends, "n": one["n_with"], "is_shown": one["is_shown"]}
    yield {"figure": "explained_ratio", "value": part["explained_ratio"], "n": part["n"]}


def _silent(part: Part) -> Iterator[Line]:
    answered = part["answered"]
    if "problem" not in answered:
        ends = {"value": answered["value"], "low": answered["low"], "high": answered["high"]}
        yield {"figure": "satisfied_of_invited", **ends, "n": answered["n_invited"]}
        yield {"figure": "satisfied_of_answers", "value": answered["plain"], "n": answered["n_answered"]}
        yield {"figure": "effective_n", "value": answered["effective_n"]}
        for name in ("sensitivity", "bounds"):
            yield {"figure": name, "low": answered[name][0], "high": answered[name][1], "n": answered["n_invited"]}
    if "share" not in part:
        return
    quality, share = part["quality"], part["share"]
    error, by_chance, corrected, error_low, error_high = quality["calibration"]
    yield {"figure": "auc", "value": quality["auc"], "low": quality["auc_low"], "high": quality["auc_high"], "n": quality["n"]}
    yield {"figure": "calibration_error", "value": error, "n": quality["n"]}
    yield {"figure": "calibration_error_by_chance", "value": by_chance, "n": quality["n"]}
    yield {"figure": "calibration_error_corrected", "value": corrected, "low": error_low, "high": error_high, "n": quality["n"]}
    yield {"figure": "brier", "value": quality["brier"], "n": quality["n"]}
    yield {"figure": "brier_of_average", "value": quality["base_brier"], "n": quality["n"]}
    yield {"figure": "n_dissatisfied", "n": quality["n_dissatisfied"]}
    for said, true, rows, low, high in quality["bins"]:
        yield {"figure": "came_true", "group": said, "value": true, "low": low, "high": high, "n": rows}
    if quality["is_useful"]:
        about = {"low": share["low"], "high": share["high"], "n": share["n"]}
        yield {"figure": "estimated_dissatisfied", "value": share["value"], **about}
        yield {"figure": "dissatisfied_of_answers", "value": part["of_answers"], "n": quality["n"]}
        yield {"figure": "n_abstained", "n": share["n_abstained"]}


def _work(part: Part | None, words: Words) -> Iterator[Line]:
    """Tasks done an hour, of the whole and by agent, channel and category; `n` are the cases with time or tasks."""
    if part is None or part["whole"]["communication"]["value"] is None:
        return
    yield {"figure": "n_cases", "n": part["n"]}
    for task, one in part["whole"].items():
        yield {"figure": task, **_efficiency(one)}
    for facet, found in part["groups"].items():
        for code, figures in found.items():
            about = {"group": f"{facet}: {code or '-'}", "group_name": words.value(facet, code or GAP)}
            yield from ({**about, "figure": task, **_efficiency(one)} for task, one in figures.items())


def _efficiency(one: Part) -> Line:
    return {name: one.get(name) for name in ("value", "low", "high", "n", "done", "hours")}


def _score(part: Part | None, weights: Mapping[str, float]) -> Iterator[Line]:
    """The score is 0–100, its parts 0–1."""
    if part is None or part["whole"]["communication"]["value"] is None:
        return
    known, score = part["parts"], score_work(dict(part["parts"]), dict(weights))
    yield {"figure": "score", "value": score.value, "low": score.low, "high": score.high, "n": part["n"]}
    for name in PARTS:
        yield {"figure": name, **{end: known[name][end] for end in ("value", "low", "high")}, "n": known[name].get("n")}
        yield {"figure": f"{name}_weight", "value": weights[name]}
    yield {"figure": "median_seconds", "value": known["median_seconds"]}
    yield {"figure": "target_seconds", "value": known["target_seconds"]}
