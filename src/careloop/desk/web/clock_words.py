"""Deadlines in words: how long there is still, or how late it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from careloop.desk.web.templatetags.desk import probability

SOON_SECONDS = 3600
MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True)
class ClockLine:
    """One deadline of a case as the page shows it."""

    name: str
    words: str
    tone: str
    title: str
    is_provisional: bool
    chance: str = ""


def clock_lines(clocks: list[Any], chances: Mapping[int, Any], now: datetime) -> list[ClockLine]:
    """The deadlines of a case, in words; `chances` of being missed, with the number of past cases, by the clocks' numbers."""
    names = {"FIRST_RESPONSE": _("First response"), "NEXT_RESPONSE": _("Next response"), "RESOLUTION": _("Resolution")}
    lines = []
    for clock in clocks:
        chance = _("missed: %(chance)s") % {"chance": probability(chances[clock.pk].chance)} if clock.pk in chances else ""
        lines.append(ClockLine(names[clock.target], *_state_words(clock, now), _title(clock), clock.is_provisional, chance))
    return lines


def span_words(seconds: float) -> str:
    """ "25 min", "3 h", "2 d"."""
    if seconds < HOUR:
        return pgettext("span", "%(count)d min") % {"count": int(seconds // MINUTE)}
    if seconds < 2 * DAY:
        return pgettext("span", "%(count)d h") % {"count": int(seconds // HOUR)}
    return pgettext("span", "%(count)d d") % {"count": int(seconds // DAY)}


def running_words(due_at: datetime, now: datetime) -> tuple[str, str]:
    """“due in 32 min” or “2 h late”, and the tone of its chip."""
    left = (due_at - now).total_seconds()
    if left < 0:
        return _("%(span)s late") % {"span": span_words(-left)}, "bad"
    return _("due in %(span)s") % {"span": span_words(left)}, "warn" if left < SOON_SECONDS else ""


def _state_words(clock: Any, now: datetime) -> tuple[str, str]:
    if clock.state == "RUNNING" and clock.due_at is not None:
        return running_words(clock.due_at, now)
    if clock.state == "PAUSED":
        return _("paused"), ""
    used = span_words(clock.elapsed_seconds)
    return (_("missed, took %(span)s") % {"span": used}, "bad") if clock.is_late else (_("met in %(span)s") % {"span": used}, "good")


def _title(clock: Any) -> str:
    promised = _("promised: %(span)s of working time") % {"span": span_words(clock.target_seconds)}
    level = clock.level.name if clock.level else ""
    due = date_format(timezone.localtime(clock.due_at), "DATETIME_FORMAT") if clock.due_at else ""
    return " · ".join(part for part in (level, promised, due) if part)
