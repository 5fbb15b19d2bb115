"""Small words on pages: initials, ages, shares."""

from datetime import datetime
from typing import Any

from django import template
from django.template.defaultfilters import date
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careloop.desk.analysis.taxonomy_queries import name_of
from careloop.desk.kernel.wording import in_words

register = template.Library()
JOB_ERRORS: dict[str, Promise] = {
    "careloop.desk.jobs.rules.WorkerLost": gettext_lazy("The worker was killed, or its machine stopped, while it ran this job."),
    "careloop.desk.jobs.rules.UnknownTask": gettext_lazy("This version of the program has no job of this name."),
    "careloop.desk.jobs.running.OpenTransaction": gettext_lazy("The job left a transaction open; nothing of it was kept."),
    "django.db.utils.OperationalError": gettext_lazy("The database was busy or could not be reached."),
}
HOUR_SECONDS, DAY_SECONDS, WEEK_SECONDS = 3_600, 86_400, 604_800


@register.filter
def initials(name: str) -> str:
    """Two letters that stand for a person: "Lin Xiaotong" → LX, "林晓彤" → 晓彤."""
    words = name.split()
    if not words:
        return "?"
    if len(words) == 1:
        return words[0][-2:] if not words[0].isascii() else words[0][:2].title()
    return (words[0][0] + words[-1][0]).upper()


@register.filter
def category_name(category: Any) -> str:
    """A category's name in the reader's language, else in the other one."""
    return name_of(category)


@register.filter
def age(moment: datetime | None) -> str:
    """How long ago, in few letters; the date when it was more than a week ago."""
    return age_at(moment, timezone.now()) if moment else ""


def age_at(moment: datetime, now: datetime) -> str:
    """How long before `now`: "now", "3 min", "2 h", "5 d", else the date."""
    seconds = int((now - moment).total_seconds())
    if seconds < 60:
        return _("now")
    if seconds < HOUR_SECONDS:
        return _("%(count)d min") % {"count": seconds // 60}
    if seconds < DAY_SECONDS:
        return _("%(count)d h") % {"count": seconds // HOUR_SECONDS}
    if seconds < WEEK_SECONDS:
        return _("%(count)d d") % {"count": seconds // DAY_SECONDS}
    return str(date(timezone.localtime(moment), "SHORT_DATE_FORMAT"))


@register.filter
def day_and_time(moment: datetime | None) -> str:
    """ "14:03" today, else the date before it; in the house's time zone."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return str(date(local, "H:i"))
    return f"{date(local, 'SHORT_DATE_FORMAT')} {date(local, 'H:i')}"


@register.filter
def probability(ratio: float | None) -> str:
    """Two digits; never "1.00" or "0.00", which nobody can be."""
    if ratio is None:
        return "–"
    if ratio >= 0.995:
        return f"> {number_format(0.99, 2)}"
    return f"< {number_format(0.01, 2)}" if ratio < 0.005 else str(number_format(ratio, 2))


register.filter("in_words", in_words)


@register.filter
def job_error(text: str) -> str:
    """Why an attempt failed: in words where we know them, else the first line of what the program wrote."""
    first = text.partition("\n")[0]
    return str(JOB_ERRORS.get(first.partition(":")[0], first))
