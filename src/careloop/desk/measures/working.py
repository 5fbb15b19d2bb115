"""Efficiency: tasks done by time spent, of the house and by agent, team, channel and category; and the parts of the communication score."""

from collections import defaultdict
from typing import Any

from careloop.desk.measures.case_rows import AT_ONCE, CaseRows
from careloop.desk.measures.models import CaseFact, WorkFact
from careloop.desk.sla.models import ServiceLevel
from careloop.insight.service.efficiency import TASKS, Part, Score, Work, measure_efficiencies, rate_speed, score_communication
from careloop.insight.stats.intervals import median_interval, wilson_interval
from careloop.insight.stats.survival import fit_survival

DAYS = 90
MOST_GROUPS = 40
TARGET_SECONDS = 3600  # of the first response, where no service level promises one
PARTS = ("speed", "first_contact", "satisfaction")
Figures = dict[str, Any]


def measure_work(rows: CaseRows, since_day: int, satisfied: Figures) -> Figures:
    """The four efficiencies of cases begun since a day, whole and by groups, and the parts of the score.

    By agent the time is that of whoever worked, the tasks are those of whoever has the case; `satisfied` has value, low and high.
    """
    facts = [fact for fact in rows.facts if fact.opened_on >= since_day]
    spent = _seconds([fact.case_id for fact in facts])
    groups: dict[str, dict[str, Figures]] = {}
    for name in ("agent", "team", "channel", "category"):
        found = _by_group(name, facts, spent)
        largest = sorted(found, key=lambda code: -found[code]["communication"]["hours"])[:MOST_GROUPS]
        groups[name] = {code: found[code] for code in largest if found[code]["communication"]["hours"] > 0}
    whole = _figures(facts, [sum(spent[fact.case_id].values()) for fact in facts], [1.0] * len(facts))
    return {"whole": whole, "groups": groups, "parts": _parts(facts, rows.now_second, satisfied), "days": DAYS, "n": len(facts)}


def score_work(parts: Figures, weights: dict[str, float]) -> Score:
    """The communication score, 0–100, by the house's weights; not known where a part that weighs something is not."""
    given = {name: Part(parts[name]["value"], parts[name]["low"], parts[name]["high"], weights[name]) for name in PARTS}
    return score_communication(given)


def _by_group(name: str, facts: list[CaseFact], spent: dict[int, dict[int, int]]) -> dict[str, Figures]:
    """Efficiencies by a facet's value."""
    lines: dict[str, list[tuple[CaseFact, float, float]]] = defaultdict(list)  # with the time, and whether the tasks count
    for fact in facts:
        own = spent[fact.case_id]
        if name == "agent":
            for user_id in own.keys() | ({fact.facets.agent_id} - {0}):
                lines[str(user_id)].append((fact, float(own.get(user_id, 0)), float(fact.facets.agent_id == user_id)))
        else:
            code = {"team": fact.facets.team_id, "channel": fact.facets.channel_id, "category": fact.facets.category}[name]
            lines[str(code)].append((fact, float(sum(own.values())), 1.0))
    return {code: _figures([one[0] for one in some], [one[1] for one in some], [one[2] for one in some]) for code, some in lines.items()}


def _figures(facts: list[CaseFact], seconds: list[float], counts: list[float]) -> Figures:
    work = Work(
        [(fact.facets.kind or "OTHER").lower() for fact in facts],
        [fact.replies * count for fact, count in zip(facts, counts, strict=True)],
        [fact.resolution_seconds is not None and count > 0 for fact, count in zip(facts, counts, strict=True)],
        seconds,
    )
    found = measure_efficiencies(work)
    return {task: found[task]._asdict() for task in TASKS}


def _parts(facts: list[CaseFact], now_second: int, satisfied: Figures) -> Figures:
    """Speed, first contact and satisfaction, each 0–1 with its interval; None where it is not known."""
    target = ServiceLevel.objects.filter(is_active=True, first_response_minutes__isnull=False).order_by("position", "pk").first()
    target_seconds = (target.first_response_minutes or 60) * 60 if target is not None else TARGET_SECONDS
    parts: Figures = {"target_seconds": target_seconds, "median_seconds": None, "speed": _unknown(), "first_contact": _unknown()}
    ends = [fact.response_seconds if fact.response_seconds is not None else fact.resolution_seconds for fact in facts]
    waits = [end if end is not None else max(0, now_second - fact.opened_second) for fact, end in zip(facts, ends, strict=True)]
    if (
        facts
        and (median := (curve := fit_survival(waits, [fact.response_seconds is not None for fact in facts])).quantile(0.5)) is not None
    ):
        low, high = median_interval(curve)
        slowest = 0.0 if high is None else rate_speed(high, target_seconds=target_seconds)
        quickest = rate_speed(low or 0.0, target_seconds=target_seconds)
        parts["median_seconds"] = median
        parts["speed"] = {"value": rate_speed(median, target_seconds=target_seconds), "low": slowest, "high": quickest, "n": len(facts)}
    answered = [fact for fact in facts if fact.resolution_seconds is not None and fact.replies > 0]
    if answered:
        once = sum(fact.replies == 1 and fact.reopened == 0 for fact in answered)
        low, high = wilson_interval(once, len(answered))
        parts["first_contact"] = {"value": once / len(answered), "low": low, "high": high, "n": len(answered)}
    parts["satisfaction"] = {**{name: satisfied.get(name) for name in ("value", "low", "high")}, "n": satisfied.get("n_answered")}
    return parts


def _unknown() -> Figures:
    return {"value": None, "low": None, "high": None, "n": None}


def _seconds(case_ids: list[int]) -> dict[int, dict[int, int]]:
    """Seconds that each person worked on each case."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for begin in range(0, len(case_ids), AT_ONCE):
        lines = WorkFact.objects.filter(case_id__in=case_ids[begin : begin + AT_ONCE]).values_list("case_id", "user_id", "seconds")
        for case_id, user_id, seconds in lines:
            found[case_id][user_id] = found[case_id].get(user_id, 0) + seconds
    return found
