"""Times as flat lines: the file and the API give these, and the page shows them rounded."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.rules.values import Figure
from careloop.desk.measures.times import LATER, SHARES, SOONER, CaseSpans, GroupTimes, Times
from careloop.desk.measures.times_model import Effect, TimesModel, explain_times
from careloop.desk.reports.address import spell
from careloop.desk.reports.words import facet_name, split_names

COLUMNS = ("target", "figure", "group", "group_name", "against", "seconds", "value", "low", "high", "n", "open", "verdict")
NOTHING: dict[str, Any] = dict.fromkeys(COLUMNS)
Line = dict[str, Any]


def lines_of(found: Times, cases: CaseSpans | None, viewer: Viewer) -> list[Line]:
    """Points, curves and the comparison of all groups and of the whole, then the effects; what is not known is None."""
    names = split_names(found.question.by, viewer)
    told = [{**NOTHING, "figure": "log_rank_p", "value": found.p}] if found.p is not None else []
    groups = [*found.groups, *([found.whole] if found.whole is not None else [])]
    lines = [line for one in groups for line in _lines_of_group(one, found.horizon, group_name(one, names))] + told
    if cases is not None and found.whole is not None:
        lines += _lines_of_model(explain_times(cases), viewer)
    return [{**line, "target": found.target} for line in lines]


def group_name(one: GroupTimes, names: dict[Any, str]) -> str:
    """What a group is called."""
    return _("All together") if one.group is None else str(names.get(one.group, one.group))


def _lines_of_group(one: GroupTimes, horizon: int, name: str) -> Iterator[Line]:
    about = {**NOTHING, "group": one.group, "group_name": name}
    counted = {**about, "n": one.n, "open": one.n_open, "verdict": one.verdict or None}
    for share, point in zip(SHARES, one.points, strict=True):
        yield {**counted, "figure": f"over_by_{share:.0%}", **_ends(point)}
    yield {**counted, "figure": "mean", "seconds": horizon, **_ends(one.mean)}
    yield {**about, "figure": "on_time", "n": one.on_time.n, **_ends(one.on_time)}
    for moment in one.course:
        ends = {"value": moment.share, "low": moment.low, "high": moment.high}
        yield {**counted, "figure": "still_open", "seconds": moment.seconds, **ends}


def _lines_of_model(model: TimesModel, viewer: Viewer) -> Iterator[Line]:
    names = {facet: split_names(facet, viewer) for facet in {one.facet for one in model.effects}}
    for one in model.effects:
        yield _effect_line(one, names[one.facet])
    if model.agreement is not None:
        yield {**NOTHING, "figure": "agreement", "value": model.agreement, "n": model.n, "open": model.n - model.n_ended}


def _effect_line(one: Effect, names: dict[Any, str]) -> Line:
    """`against` is whom the group is compared with; SHIFTING says that the ratio changes while cases wait."""
    verdict = None if not one.is_shown else "SHIFTING" if not one.is_steady else SOONER if one.ratio > 1 else LATER
    return {
        **NOTHING,
        "figure": "times_as_fast",
        "group": f"{one.facet}: {spell(one.value)}",
        "group_name": f"{facet_name(one.facet)}: {names.get(one.value, one.value)}",
        "against": str(names.get(one.base, one.base)),
        "value": one.ratio,
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "verdict": verdict,
    }


def _ends(figure: Figure) -> Line:
    return {"value": figure.value, "low": figure.low, "high": figure.high}
