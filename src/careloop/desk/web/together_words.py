"""What people and customers did around a case, as sentences for its history."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

People = Mapping[int, str]


def _rated(event: Any, who: str, _people: People) -> str:
    after = event.after
    facts = {"who": who, "rating": after.get("rating", "–"), "high": after.get("high", 5), "survey": after.get("survey", "")}
    if "rating" not in after:
        return _("%(who)s answered the survey “%(survey)s”") % facts
    said = _("%(who)s changed the answer to %(rating)s of %(high)s") if after.get("changes") else _("%(who)s gave %(rating)s of %(high)s")
    return said % facts


def _task(event: Any, who: str, _people: People) -> str:
    sentences = {
        "ADDED": _("%(who)s added the task “%(title)s”"),
        "DONE": _("%(who)s ticked off the task “%(title)s”"),
        "OPENED": _("%(who)s opened the task “%(title)s” again"),
        "CHANGED": _("%(who)s changed the task “%(title)s”"),
        "REMOVED": _("%(who)s removed the task “%(title)s”"),
        "RETURNED": _("%(left)s no longer works here; the task “%(title)s” went to the team"),
    }
    sentence = sentences.get(event.after.get("state"), "")
    facts = {"who": who, "title": event.after.get("title", ""), "left": event.after.get("left") or _("somebody")}
    return sentence % facts if sentence else ""


def _tagged(event: Any, who: str, _people: People) -> str:
    before, after = event.before.get("tags", []), event.after.get("tags", [])
    put, taken = sorted(set(after) - set(before)), sorted(set(before) - set(after))
    if put:
        return _("%(who)s tagged the case: %(tags)s") % {"who": who, "tags": ", ".join(put)}
    return _("%(who)s took off the tag %(tags)s") % {"who": who, "tags": ", ".join(taken)}


def _field(event: Any, who: str, _people: People) -> str:
    said = ", ".join(f"{code}: {'–' if value is None else value}" for code, value in event.after.items())
    return _("%(who)s entered %(what)s") % {"who": who, "what": said}


def _snoozed(event: Any, who: str, _people: People) -> str:
    if "until" not in event.after:
        return _("The case came back")
    until = timezone.localtime(datetime.fromisoformat(event.after["until"]))
    return _("%(who)s lets the case wait until %(until)s") % {"who": who, "until": date_format(until, "SHORT_DATETIME_FORMAT")}


def _shared(event: Any, who: str, _people: People) -> str:
    if event.after.get("is_revoked"):
        return _("%(who)s took back a shared page") % {"who": who}
    n, days = event.after.get("messages", 0), event.after.get("days", 0)
    words = ngettext("%(who)s shared %(n)s message for %(days)s", "%(who)s shared %(n)s messages for %(days)s", n)
    return words % {"who": who, "n": n, "days": ngettext("%(n)s day", "%(n)s days", days) % {"n": days}}


TOGETHER: dict[str, Callable[[Any, str, People], str]] = {
    "SURVEY": _rated, "TASK": _task, "TAGGED": _tagged, "FIELD": _field, "SNOOZED": _snoozed, "SHARED": _shared,
}  # fmt: skip
