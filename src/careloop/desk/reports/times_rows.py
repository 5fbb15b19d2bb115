"""Times, ready to be shown: what the page and the paper print, rounded; the file and the API give the figures themselves."""

from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.times import DAY, MINUTE, REST, TARGETS, CaseSpans, GroupTimes, Moment, Times
from careloop.desk.measures.times_model import Effect, TimesModel, explain_times
from careloop.desk.reports.address import ReportAddress
from careloop.desk.reports.times_lines import group_name
from careloop.desk.reports.times_words import (
    CURVE_NAMES,
    TONES,
    VERDICTS,
    comparison_words,
    effect_words,
    share_interval,
    share_words,
    span_interval,
    spans,
)
from careloop.desk.reports.words import facet_name, say, say_interval, span, split_names

TICKS = {5 * MINUTE: 5, 15 * MINUTE: 3, 3 * DAY: 3, 7 * DAY: 7, 14 * DAY: 7, 30 * DAY: 6, 90 * DAY: 6, 180 * DAY: 6, 365 * DAY: 5}
DEFAULT_TARGET = "resolution"
TABLE_ROWS = 12  # of the curves, below the drawing


def target_of(address: ReportAddress) -> str:
    """The time that an address asks for."""
    given = address.values.get("target", "") or DEFAULT_TARGET
    if given not in TARGETS:
        raise InvalidInput(_("The time “%(given)s” is not known; choose one from the list.") % {"given": given[:40]}, field="target")
    return given


def times_rows(found: Times, cases: CaseSpans | None, viewer: Viewer) -> dict[str, Any]:
    """All that is shown of an answer that has cases; nothing of one that has none."""
    if found.whole is None or cases is None:
        return {}
    names = split_names(found.question.by, viewer)
    return {
        "horizon": span(found.horizon),
        "curve": curve_rows(found, names),
        "comparison": comparison_words(found),
        "rows": [group_row(one, found, names) for one in [*found.groups, found.whole]],
        "rows_note": _(
            "Times are on the clock on the wall, the share on time is in working time. A dash: fewer cases are over, so it cannot be told "
            "yet. The average counts what takes longer than %(horizon)s as %(horizon)s. Which groups differ from the others is put right "
            "for how many are compared (log-rank tests, Holm)."
        )
        % {"horizon": span(found.horizon)},
        "model": model_rows(explain_times(cases), found.target, viewer),
    }


def curve_rows(found: Times, names: dict[Any, str]) -> dict[str, Any]:
    """The curves of the groups (of the whole, where there is one group), their ticks, and the table behind them."""
    groups = found.groups if len(found.groups) > 1 or found.whole is None else (found.whole,)
    courses: list[tuple[str, tuple[Moment, ...]]] = [(group_name(one, names), one.course) for one in groups]
    parts = TICKS.get(found.horizon, 4)
    step = max(1, max(len(one.course) for one in groups) // TABLE_ROWS)
    table = [
        {"time": span(moment.seconds), "cells": [_share(one, place) for one in groups]}
        for place, moment in list(enumerate(max(groups, key=lambda one: len(one.course)).course))[::step]
    ]
    ticks = [(found.horizon * place / parts, span(found.horizon * place / parts)) for place in range(parts + 1)]
    return {"name": CURVE_NAMES[found.target], "courses": courses, "ticks": ticks, "table": table}


def _share(group: GroupTimes, place: int) -> dict[str, str]:
    """What stands at a time in a group's column; nothing beyond what was seen of it."""
    if place >= len(group.course):
        return {"value": "–", "interval": ""}
    one = group.course[place]
    return {"value": share_words(one.share), "interval": share_interval(one.low, one.high)}


def group_row(one: GroupTimes, found: Times, names: dict[Any, str]) -> dict[str, Any]:
    """One group's points, average and share on time; that of the whole is the last."""
    key = f"{found.target}_on_time"
    return {
        "name": group_name(one, names),
        "n": one.n,
        "open": one.n_open,
        "points": [{"value": spans(point), "interval": span_interval(point)} for point in (*one.points, one.mean)],
        "on_time": say(key, one.on_time.value),
        "on_time_interval": say_interval(key, one.on_time),
        "verdict": str(VERDICTS.get(one.verdict, "")),
        "tone": TONES.get(one.verdict, ""),
        "is_whole": one is found.whole,
        "is_rest": one.group == REST,
    }


def model_rows(model: TimesModel, target: str, viewer: Viewer) -> dict[str, Any]:
    """What goes with a sooner end: effects that are shown, the others, and how much the model tells."""
    names = {facet: split_names(facet, viewer) for facet in {effect.facet for effect in model.effects}}
    effects = [_effect(one, target, names[one.facet]) for one in model.effects]
    return {
        "needed": model.needed,
        "nothing_varies": model.nothing_varies,
        "shown": [one for one in effects if one["is_shown"]],
        "others": [one for one in effects if not one["is_shown"]],
        "unsteady": [one for one in effects if one["is_shown"] and not one["is_steady"]],
        "n": model.n,
        "n_ended": model.n_ended,
        "n_all": model.n_all,
        "agreement": share_words(model.agreement),
        "note": _model_note(model),
    }


def _model_note(model: TimesModel) -> str:
    """Of how many cases the effects are and what they mean, or why there are none."""
    facts = {"n": f"{model.n:,}", "ended": f"{model.n_ended:,}", "needed": model.needed, "of": f"{model.n_all:,}"}
    if model.needed:
        return _("Not enough data: %(ended)s cases are over, %(needed)s are needed.") % facts
    if model.nothing_varies:
        return _("Not enough data: nothing that is known of these cases varies enough to compare.")
    note = _(
        "Proportional hazards (Cox) of %(n)s cases, %(ended)s of them over: how many times as likely a case that still waits ends in the "
        "next moment, all else held. Ranges hold for all effects together (95 %%). Of two cases the model tells in %(agreement)s which "
        "ends sooner; 50%% is chance. This is what goes with it; whether it causes it, a comparison shows."
    ) % (facts | {"agreement": share_words(model.agreement)})
    return note if model.n == model.n_all else f"{note} {_('The newest %(n)s of %(of)s cases were used.') % facts}"


def _effect(one: Effect, target: str, names: dict[Any, str]) -> dict[str, Any]:
    return {
        "facet": facet_name(one.facet),
        "words": effect_words(one, target, names, names),
        "interval": f"{one.low:.2f}–{one.high:.2f}",
        "n": one.n,
        "is_shown": one.is_shown,
        "is_steady": one.is_steady,
        "tone": "good" if one.ratio > 1 else "bad",
    }
