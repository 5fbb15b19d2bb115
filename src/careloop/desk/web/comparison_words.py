"""Comparisons in words: outcomes, figures in their units, and what can be said and what cannot."""

from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from careloop.desk.measures.trial_looks import LESS, MEAN, MORE, NOT_SHOWN, SHARE, TIME, TOO_FEW
from careloop.desk.web.measure_words import span

OUTCOMES: dict[str, str | Promise] = {
    "SATISFACTION": gettext_lazy("Satisfaction, of 5"),
    "REOPENED": pgettext_lazy("measure", "Reopened"),
    "REPEAT": gettext_lazy("New case of the customer within 30 days"),
    "ANSWERED": gettext_lazy("Survey answered"),
    "RESOLUTION": gettext_lazy("Time to resolution"),
    "RESPONSE": gettext_lazy("Time to first response"),
    "RESOLVED_IN_24_HOURS": gettext_lazy("Resolved within 24 hours"),
    "RESPONDED_IN_1_HOUR": gettext_lazy("First response within an hour"),
}
DEFINITIONS: dict[str, str | Promise] = {
    "SATISFACTION": gettext_lazy("Average rating of those who answered, one answer a case."),
    "REOPENED": gettext_lazy("Share of the cases once resolved that were opened again."),
    "REPEAT": gettext_lazy("Share whose customer opened another case within 30 days; only those whose 30 days are over count."),
    "ANSWERED": gettext_lazy("Share of the cases whose customer was asked by survey that answered."),
    "RESOLUTION": gettext_lazy("Median from beginning to last resolution; open cases count as not over yet (Kaplan–Meier, log-rank test)."),
    "RESPONSE": gettext_lazy("Median from beginning to first answer by a person; cases without one count as not over yet."),
    "RESOLVED_IN_24_HOURS": gettext_lazy(
        "Share of cases resolved within 24 hours of their beginning, of those begun a day ago or earlier."
    ),
    "RESPONDED_IN_1_HOUR": gettext_lazy("Share of cases answered within an hour of their beginning."),
}
MORE_IS_GOOD = {
    "SATISFACTION",
    "ANSWERED",
    "RESOLUTION",
    "RESPONSE",
    "RESOLVED_IN_24_HOURS",
    "RESPONDED_IN_1_HOUR",
}  # of times: sooner over
EFFECTS: dict[str, str | Promise] = {
    MEAN: gettext_lazy("Hedges' g"),
    SHARE: gettext_lazy("Cohen's h"),
    TIME: gettext_lazy("Hazard ratio"),
}


def _rounded(value: float, digits: int) -> str:
    return str(formats.number_format(round(value, digits), digits))  # number_format alone cuts off


def say_value(form: str, value: float | None) -> str:
    """A group's figure in its unit."""
    if value is None:
        return "–"
    if form == TIME:
        return span(value)
    return f"{_rounded(100 * value, 1)}%" if form == SHARE else _rounded(value, 2)


def say_difference(form: str, value: float | None) -> str:
    """A difference with its sign: points of a share, stars, or times as often."""
    if value is None:
        return "–"
    if form == TIME:
        return f"× {_rounded(value, 2)}"
    sign = "−" if round(value, 3 if form == SHARE else 2) < 0 else "+"
    if form == SHARE:
        return _("%(sign)s%(points)s points") % {"sign": sign, "points": _rounded(abs(100 * value), 1)}
    return f"{sign}{_rounded(abs(value), 2)}"


def say_tick(form: str, value: float) -> str:
    """A difference on a scale: short."""
    shown = round(100 * value, 1) if form == SHARE else round(value, 2)
    return f"{'−' if shown < 0 else '+' if shown > 0 else ''}{abs(shown):g}{' %' if form == SHARE else ''}"


def say_range(form: str, low: float | None, high: float | None) -> str:
    """Two ends of a difference; an unknown one is open."""
    if low is None and high is None:
        return ""
    return _("%(low)s to %(high)s") % {
        "low": "…" if low is None else say_difference(form, low),
        "high": "…" if high is None else say_difference(form, high),
    }


def say_p(value: float | None) -> str:
    """A p-value."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else _rounded(value, 3)


def verdict_words(line: dict[str, Any]) -> str:
    """What the test that may be looked at daily says of one line."""
    form, names = line["form"], {"group": line["group"], "against": line["against"]}
    if line["verdict"] == TOO_FEW:
        return _("Too few yet to say anything: each group needs at least 20.")
    if line["verdict"] == NOT_SHOWN:
        if line["visible"] is None:
            return _("No difference can be shown yet.")
        seen = say_difference(form, line["visible"]).removeprefix("+")
        return _("No difference can be shown yet. With this many, one of %(seen)s would have been seen (four times in five).") % {
            "seen": seen
        }
    between = {**names, "range": say_range(form, line["always_low"], line["always_high"])}
    if form == TIME:
        sentence = _("Sooner over with “%(group)s” than with “%(against)s”: %(range)s as often at any moment.")
        slower = _("Later over with “%(group)s” than with “%(against)s”: %(range)s as often at any moment.")
        return (sentence if line["verdict"] == MORE else slower) % between
    more = _("More with “%(group)s” than with “%(against)s”: %(range)s.")
    less = _("Less with “%(group)s” than with “%(against)s”: %(range)s.")
    return (more if line["verdict"] == MORE else less) % between


def overall_words(line: dict[str, Any]) -> str:
    """Whether three or more groups are alike at all, by how much they differ, and what the test takes for granted."""
    words = {"p": say_p(line["p"])}
    tests = {
        "WELCH": _(
            "Are all groups alike? p = %(p)s (Welch's analysis of variance; groups may scatter differently, cases are independent)."
        ),
        "CHI_SQUARED": _("Are all groups alike? p = %(p)s (chi-squared test; cases are independent)."),
        "LOG_RANK": _("Are all groups alike? p = %(p)s (log-rank test; cases still open count as far as seen)."),
    }
    said = tests[line["test"]] % words
    if line["effect"] is None:
        return said
    part = {name: f"{100 * line[name]:.1f}%" for name in ("effect", "effect_low", "effect_high", "omega_squared")}
    lies = _(
        "Of all scatter %(effect)s lies between the groups (η²; %(effect_low)s to %(effect_high)s), %(omega_squared)s without chance (ω²)."
    )
    said = f"{said} {lies % part}"
    if line["spread_ratio"] is None:
        return said
    spread = _("The most scattered group scatters %(ratio)s times as much as the least.")
    return f"{said} {spread % {'ratio': _rounded(line['spread_ratio'], 2)}}"


def window_words(line: dict[str, Any]) -> str:
    """What before and after says."""
    form = MEAN if line["outcome"] == "SATISFACTION" else SHARE
    if line["verdict"] == TOO_FEW:
        return _("Not enough cases to say anything.")
    ends = say_range(form, line["difference_low"], line["difference_high"])
    if line["verdict"] == NOT_SHOWN:
        if (line["difference_low"] or 0) * (line["difference_high"] or 0) > 0:
            return _("No difference can be shown: alone it would be %(range)s, but one of so many outcomes looks so by chance.") % {
                "range": ends
            }
        return _("No difference can be shown; its range is %(range)s.") % {"range": ends}
    return (
        _("It rose more than in the comparison group: %(range)s.")
        if line["verdict"] == MORE
        else _("It fell more than in the comparison group: %(range)s.")
    ) % {"range": ends}


def tone_of(outcome: str, verdict: str) -> str:
    """Good, bad or nothing."""
    if verdict not in {MORE, LESS}:
        return ""
    return "good" if (verdict == MORE) == (outcome in MORE_IS_GOOD) else "bad"
