"""An alarm in words, for mails and notices."""

from datetime import datetime

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.watch.models import Alarm
from careloop.desk.watch.queries import find_span

NAMES: dict[str, str | Promise] = {
    "opened": gettext_lazy("Cases opened"),
    "resolved": gettext_lazy("Cases resolved"),
    "first_response": gettext_lazy("Time to first response"),
    "resolution": gettext_lazy("Time to resolution"),
    "first_response_on_time": gettext_lazy("First response on time"),
    "resolution_on_time": gettext_lazy("Resolved on time"),
    "reopened": pgettext_lazy("measure", "Reopened"),
    "one_reply": gettext_lazy("Resolved with one reply"),
    "negative": gettext_lazy("Negative cases"),
    "complaints": gettext_lazy("Complaints"),
    "satisfied": gettext_lazy("Satisfied customers"),
    "answered": gettext_lazy("Surveys answered"),
}
MINUTE, HOUR, DAY = 60, 3600, 86_400


def name_of(alarm: Alarm) -> str:
    """What is watched: the figure, and the team or category."""
    watched = alarm.watched
    parts = [str(NAMES.get(watched.measure, watched.measure)), watched.team.name if watched.team else "", watched.category]
    return " · ".join(part for part in parts if part)


def sentence_of(alarm: Alarm) -> str:
    """ "Cases opened · After-sales: 61 on 3 May, between 22 and 44 were expected." """
    facts = {
        "name": name_of(alarm),
        "value": say(alarm.watched.measure, alarm.value),
        "when": formats.date_format(alarm.start, "DATE_FORMAT"),
        "low": say(alarm.watched.measure, alarm.low),
        "high": say(alarm.watched.measure, alarm.high),
        "expected": say(alarm.watched.measure, alarm.expected),
    }
    if (span := find_span(alarm)) is not None:
        facts |= {name: clock(span[name]) for name in ("since", "until")}
        return _("%(name)s: %(value)s from %(since)s to %(until)s on %(when)s; between %(low)s and %(high)s were expected.") % facts
    if alarm.sign == Alarm.Sign.SINGLE:
        if alarm.watched.period == "week":
            return _("%(name)s: %(value)s in the week from %(when)s; between %(low)s and %(high)s were expected.") % facts
        return _("%(name)s: %(value)s on %(when)s; between %(low)s and %(high)s were expected.") % facts
    if alarm.is_up:
        return _("%(name)s has been higher than usual for some time, up to %(when)s: %(value)s, expected %(expected)s.") % facts
    return _("%(name)s has been lower than usual for some time, up to %(when)s: %(value)s, expected %(expected)s.") % facts


def sentence_of_topic(name: str, count: int, expected: float) -> str:
    """What is to be looked into when a topic emerges."""
    facts = {"topic": name, "count": count, "expected": _number(expected, 1)}
    return _("More is written about the topic “%(topic)s” than usual: %(count)s texts in seven days, %(expected)s expected.") % facts


def say(measure: str, value: float) -> str:
    """A value in its unit."""
    unit = MEASURES[measure].unit
    if unit == "share":
        return f"{_number(100 * value, 0)}%"
    if unit == "seconds":
        for seconds, words in ((DAY, _("%(count)s days")), (HOUR, _("%(count)s hours")), (MINUTE, _("%(count)s minutes"))):
            if value >= 2 * seconds:
                return words % {"count": _number(value / seconds, 1)}
        return _("%(count)s seconds") % {"count": _number(value, 0)}
    return _number(value, 0)


def clock(moment: datetime) -> str:
    """A full hour as a person writes it."""
    return str(formats.date_format(moment, "TIME_FORMAT"))


def _number(value: float, digits: int) -> str:
    """Rounded: Django would cut digits off."""
    return str(formats.number_format(round(value, digits), digits))
