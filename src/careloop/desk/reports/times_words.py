"""Times in words: which time, which group, what the comparison and the model tell."""

from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careloop.desk.measures.rules.values import Figure
from careloop.desk.measures.times import LATER, SOONER, Times
from careloop.desk.measures.times_model import Effect
from careloop.desk.reports.words import facet_name, span

TARGET_NAMES: dict[str, str | Promise] = {
    "first_response": gettext_lazy("Time to first response"),
    "resolution": gettext_lazy("Time to resolution"),
}
CURVE_NAMES: dict[str, str | Promise] = {
    "first_response": gettext_lazy("Share of cases still without a response, by time since they began"),
    "resolution": gettext_lazy("Share of cases not yet resolved, by time since they began"),
}
OPEN_NAMES: dict[str, str | Promise] = {
    "first_response": gettext_lazy("Without response"),
    "resolution": gettext_lazy("Still open"),
}
VERDICTS: dict[str, str | Promise] = {SOONER: gettext_lazy("faster than the others"), LATER: gettext_lazy("slower than the others")}
TONES = {SOONER: "good", LATER: "bad"}
SMALLEST_P = 0.001


def spans(figure: Figure) -> str:
    """A time, or a dash where the observations do not reach."""
    return "–" if figure.value is None else span(figure.value)


def span_interval(figure: Figure) -> str:
    """ "3 h–5 h"; an end that the observations do not reach is open."""
    if figure.value is None:
        return ""
    low, high = ("…" if end is None else span(end) for end in (figure.low, figure.high))
    return f"{low}–{high}"


def p_words(p: float) -> str:
    """ "p = 0.031", "p < 0.001"."""
    return f"p < {formats.number_format(SMALLEST_P, 3)}" if p < SMALLEST_P else f"p = {formats.number_format(p, 3)}"


def comparison_words(times: Times) -> str:
    """The log-rank test in one sentence."""
    if times.p is None:
        return _("Not enough data to compare groups: at least two groups and ten cases that are over are needed.")
    facts = {"p": p_words(times.p)}
    if times.p < 0.05:
        return _("The groups differ by more than chance explains (log-rank test, %(p)s).") % facts
    return _("No difference between the groups can be shown (log-rank test, %(p)s).") % facts


def effect_words(effect: Effect, target: str, names: dict[Any, str], base_names: dict[Any, str]) -> str:
    """An effect as a sentence: who is answered or resolved how many times as fast as whom."""
    facts = {
        "facet": facet_name(effect.facet),
        "value": names.get(effect.value, effect.value),
        "base": base_names.get(effect.base, effect.base),
        "ratio": formats.number_format(effect.ratio, 2),
    }
    if target == "first_response":
        return _("%(facet)s: %(value)s – answered %(ratio)s times as fast as %(base)s") % facts
    return _("%(facet)s: %(value)s – resolved %(ratio)s times as fast as %(base)s") % facts


def share_words(value: float | None) -> str:
    """ "12.5%", or a dash where it cannot be told."""
    return "–" if value is None else f"{formats.number_format(round(100 * value, 1), 1)}%"


def share_interval(low: float | None, high: float | None) -> str:
    """ "10.0%–15.2%"."""
    return "" if low is None or high is None else f"{share_words(low)}–{share_words(high)}"
