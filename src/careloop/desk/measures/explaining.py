"""Why: what makes cases slow, the way they go, what moves satisfaction, and how satisfied those are who did not answer.

Everything here reads facts and returns plain values that can be stored as JSON; each part says by `problem` when there is not enough data.
"""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.utils import timezone

from careloop.desk.measures.case_rows import CaseRows, arrival_columns, course_columns, read_cases, text_columns
from careloop.desk.measures.queries import CASES_SHOWN
from careloop.desk.measures.working import DAYS as WORK_DAYS
from careloop.desk.measures.working import measure_work
from careloop.insight.errors import InputError
from careloop.insight.service.bottlenecks import find_bottlenecks
from careloop.insight.service.drivers import find_drivers
from careloop.insight.service.process_map import draw_map
from careloop.insight.service.response_weights import estimate_satisfaction, weigh_answers
from careloop.insight.service.satisfaction_model import LEAST_ANSWERS, LEAST_OF_EACH, Learnt, learn_satisfaction
from careloop.insight.service.silent_share import estimate_silent_share

DAYS = 365
MOST_CASES = 20_000
DISSATISFIED = 300  # hundredths on 1–5: 1 and 2
SATISFIED = 400
SILENT_DAYS = 90
RULE_CASES = 200  # of which the page opens the newest
STEPS_SHOWN = 24
FEW_AND_MANY = (0.1, 0.9)  # quantiles of a number between which the page tells what it moves
LEAST_SHOWN = 0.01  # of the chance; smaller moves are not told
Part = dict[str, Any]


@dataclass(frozen=True)
class Explained:
    """The parts, ready to be stored; `model` is that of the satisfaction of those who did not answer, if there could be one."""

    slow: Part
    waits: Part
    way: Part
    drivers: Part
    silent: Part
    work: Part
    model: dict[str, Any] | None


def explain(*, now: datetime, team_id: int | None = None) -> Explained:
    """Explain the house or a team by the cases of the last year, the newest 20,000 of them; a model is learnt for the house only."""
    since = (timezone.localdate(now) - timedelta(days=DAYS)).toordinal()
    rows = read_cases(since_day=since, most=MOST_CASES, team_id=team_id, now_second=int(now.timestamp()))
    silent, model = estimate_silent(rows) if team_id is None else ({"answered": _answered(rows)}, None)
    recent = timezone.localdate(now).toordinal() - WORK_DAYS
    slow, waits = (explain_slowness(rows, with_waits=with_waits) for with_waits in (False, True))
    work = measure_work(rows, recent, silent["answered"])
    return Explained(slow, waits, draw_way(rows), explain_satisfaction(rows), silent, work, model)


def explain_slowness(rows: CaseRows, *, with_waits: bool = False) -> Part:
    """Rules under which cases take longer than three quarters of them do, as measured on cases that the rules were not found on.

    By what is known on arrival; `with_waits` also by the state in which a case spent the most time, which is known afterwards.
    """
    if not rows.facts:
        return _too_little("no cases")
    columns = arrival_columns(rows, ZoneInfo(settings.TIME_ZONE))
    if not with_waits:
        del columns["waiting_for"]
    try:
        found = find_bottlenecks(columns, rows.seconds, [not one for one in rows.is_open])
    except InputError as error:
        return _too_little(str(error))
    facts = asdict(found) | {"told": found.told._asdict()}
    for rule in facts["rules"]:
        rule["conditions"] = [list(one) for one in rule["conditions"]]
        rule["cases"] = [rows.facts[place].case_id for place in rule.pop("rows")[:RULE_CASES]]
    return facts


def draw_way(rows: CaseRows) -> Part:
    """States and steps between them; statuses, or the states of flows."""
    opened = {fact.case_id for fact in rows.facts if fact.resolution_seconds is None}
    if not rows.steps:
        return _too_little("no cases")
    known = sorted(rows.steps, key=lambda step: step.case_id)
    latest = max(*(step.second for step in known), rows.now_second)
    found = draw_map(
        [step.case_id for step in known], [step.state for step in known], [step.second for step in known], now=latest, open_cases=opened
    )
    been, here, taken = _cases_on_the_way(rows)
    return {
        "states": [
            one._asdict() | {"cases": been[one.name][:CASES_SHOWN], "open_cases": here[one.name][:CASES_SHOWN]} for one in found.states
        ],
        "steps": [
            one._asdict() | {"n_cases": len(some), "cases": some[:CASES_SHOWN]}
            for one in found.steps[:STEPS_SHOWN]
            for some in (taken[one.source, one.target],)
        ],
        "n_steps": len(found.steps),
        "names": rows.state_names,
        "n_cases": found.n_cases,
        "n_with_returns": found.n_with_returns,
    }


def _cases_on_the_way(rows: CaseRows) -> tuple[dict[str, list[int]], dict[str, list[int]], dict[tuple[str, str], list[int]]]:
    """The cases that were ever in each state, that are open in it now, and that took each step; newest first, each once."""
    by_case: dict[int, list[str]] = defaultdict(list)
    for step in sorted(rows.steps, key=lambda one: one.second):
        by_case[step.case_id].append(step.state)
    been, here, taken = (defaultdict[Any, list[int]](list) for _ in range(3))
    for fact in rows.facts:
        states = by_case.get(fact.case_id, [])
        for state in dict.fromkeys(states):
            been[state].append(fact.case_id)
        for pair in dict.fromkeys(pairwise(states)):
            taken[pair].append(fact.case_id)
        if states and fact.resolution_seconds is None:
            here[states[-1]].append(fact.case_id)
    return been, here, taken


def explain_satisfaction(rows: CaseRows) -> Part:
    """What moves the rating, in points of 1–5, answers weighted for who answered."""
    scored = _scored(rows)
    if not scored:
        return _too_little("no answers")
    columns = _take(course_columns(rows), scored)
    scores = [_score(rows, place) for place in scored]
    customers = [rows.customers.get(rows.facts[place].case_id, -rows.facts[place].case_id) for place in scored]
    try:
        found = find_drivers(columns, scores, weights=_weights_of(rows, scored), customers=customers)
    except InputError as error:
        return _too_little(str(error))
    return {
        "effects": [asdict(one) for one in found.effects],
        "untold": [one._asdict() for one in found.untold],
        "n": found.n,
        "explained_ratio": found.explained_ratio,
    }


def estimate_silent(rows: CaseRows) -> tuple[Part, dict[str, Any] | None]:
    """Satisfaction of all who were invited from those who answered, and estimates for cases without an answer by a model."""
    scored = _scored(rows)
    is_bad = np.array([_score(rows, place) * 100 < DISSATISFIED for place in scored], dtype=bool)
    part: Part = {"answered": _answered(rows), "n_scored": len(scored), "n_bad": int(is_bad.sum())}
    part |= {"least_answers": LEAST_ANSWERS, "least_of_each": LEAST_OF_EACH}
    columns = {**course_columns(rows), **text_columns(rows)}
    learnt_from, facts = _take(columns, scored), [rows.facts[place] for place in scored]
    customers = [rows.customers.get(fact.case_id, -fact.case_id) for fact in facts]
    days = [rows.answers[fact.case_id].answered_on or 0 for fact in facts]
    try:
        if not scored:
            raise InputError("no answers")
        learnt = learn_satisfaction(learnt_from, is_bad, customers=customers, times=days)
    except InputError as error:
        return part | _too_little(str(error)), None
    newest = rows.now_second - SILENT_DAYS * 86_400
    silent = [place for place, fact in enumerate(rows.facts) if fact.opened_second >= newest and not _is_scored(rows, place)]
    share = estimate_silent_share(learnt, learnt_from, is_bad, _take(columns, silent), customers=customers)
    told = {"share": share._asdict(), "of_answers": float(is_bad.mean()), "days": SILENT_DAYS}
    return part | _describe(learnt) | told | {"influences": _list_influences(learnt, learnt_from)}, learnt.model.to_json()


def _describe(learnt: Learnt) -> Part:
    model = learnt.model
    return {
        "quality": model.quality.to_json() | {"is_useful": model.quality.is_useful},
        "newest": None if model.newest is None else model.newest.to_json(),
        "algorithm": model.algorithm,
        "chosen": Counter(model.chosen).most_common(),
    }


def _list_influences(learnt: Learnt, columns: dict[str, list[Any]]) -> list[Part]:
    """By how much each column moves the chance of the average customer: at few and at many of a number, at each word; the largest first."""
    base = learnt.model.quality.n_dissatisfied / learnt.model.quality.n
    found = []
    for name, moves in learnt.model.contributions(columns).items():
        points = np.asarray(base * (1 - base) * moves)
        values = columns[name]
        if name in learnt.model.curves.coding.words or isinstance(next((one for one in values if one is not None), None), bool):
            places = {value: place for place, value in enumerate(values) if value is not None}
            told = sorted(((value, float(points[place])) for value, place in places.items()), key=lambda one: one[1])
            ends = [told[0], told[-1]] if len(told) > 1 else []
        else:
            known = sorted((float(value), place) for place, value in enumerate(values) if value is not None)
            ends = [(known[at][0], float(points[known[at][1]])) for at in (int(share * (len(known) - 1)) for share in FEW_AND_MANY)]
        if ends and abs(ends[1][1] - ends[0][1]) >= LEAST_SHOWN:
            found.append({"column": name, "ends": [list(one) for one in ends], "n": sum(value is not None for value in values)})
    return sorted(found, key=lambda one: -abs(one["ends"][1][1] - one["ends"][0][1]))


def _answered(rows: CaseRows) -> Part:
    """The share of satisfied among all who were invited, with what the silent leave open."""
    invited = [place for place, fact in enumerate(rows.facts) if (one := rows.answers.get(fact.case_id)) is not None and one.sent_on]
    answered = np.array([_is_scored(rows, place) for place in invited], dtype=bool)
    traits = _traits(rows, invited)
    try:
        if not len(answered):
            raise InputError("nobody was invited")
        weights = weigh_answers(traits, answered)
        scores = [float(_score(rows, place) * 100 >= SATISFIED) for place, spoke in zip(invited, answered, strict=True) if spoke]
        return asdict(estimate_satisfaction(scores, weights, traits, answered))
    except InputError as error:
        return _too_little(str(error))


def _weights_of(rows: CaseRows, scored: list[int]) -> list[float] | None:
    """Weights for those who were invited; answers of those who came by themselves count once."""
    invited = [place for place, fact in enumerate(rows.facts) if (one := rows.answers.get(fact.case_id)) is not None and one.sent_on]
    answered = np.array([_is_scored(rows, place) for place in invited], dtype=bool)
    if answered.sum() < 5:
        return None
    weights = weigh_answers(_traits(rows, invited), answered).weights
    known = dict(zip([place for place, spoke in zip(invited, answered, strict=True) if spoke], weights, strict=True))
    return [float(known.get(place, 1.0)) for place in scored]


def _traits(rows: CaseRows, places: list[int]) -> dict[str, list[Any]]:
    """What is known of everybody who was invited and may decide who answers."""
    columns = course_columns(rows)
    return _take({name: columns[name] for name in ("kind", "channel", "late", "reopened", "resolution_hours")}, places)


def _scored(rows: CaseRows) -> list[int]:
    return [place for place in range(len(rows.facts)) if _is_scored(rows, place)]


def _is_scored(rows: CaseRows, place: int) -> bool:
    """Whether a survey of satisfaction was answered; reviews are not among them: often a case only begins with one."""
    one = rows.answers.get(rows.facts[place].case_id)
    return one is not None and one.hundredths is not None and one.scale == "CSAT"


def _score(rows: CaseRows, place: int) -> float:
    return float(rows.answers[rows.facts[place].case_id].hundredths or 0) / 100


def _take(columns: dict[str, list[Any]], places: list[int]) -> dict[str, list[Any]]:
    return {name: [values[place] for place in places] for name, values in columns.items()}


def _too_little(why: str) -> Part:
    return {"problem": why}
