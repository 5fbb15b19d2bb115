"""What the case page tells in order of time: messages and, in plain words, what was done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from careloop.desk.cases.queries import choices
from careloop.desk.web.event_words import sentence_of
from careloop.desk.web.highlight import highlight, marks_of
from careloop.desk.web.templatetags.desk import probability as probability_words

SHOWN_LENGTH = 20_000


@dataclass(frozen=True)
class Entry:
    """One message (with its text as HTML) or one sentence about what happened; `day` is set on the first entry of a day."""

    at: datetime
    sentence: str = ""
    message: Any = None
    reading: Any = None
    html: SafeString | str = ""
    length: int = 0
    is_cut: bool = False
    day: date | None = None


def timeline(
    messages: Iterable[Any],
    readings: Mapping[int, Any],
    events: Iterable[Any],
    people: Mapping[int, str],
    names: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Messages and events by time; events that say nothing beyond their message are left out, as are those before the first message."""
    entries = [message_entry(message, readings.get(message.pk)) for message in messages]
    begin = entries[0].at if entries else None
    for event in events:
        if begin is not None and event.at < begin:
            continue
        if sentence := describe(event, people, names):
            entries.append(Entry(at=event.at, sentence=sentence))
    entries.sort(key=lambda entry: (entry.at, entry.message is None))
    return _with_days(entries)


def message_entry(message: Any, reading: Any) -> Entry:
    """One message, its beginning only when it is very long."""
    shown = message.body[:SHOWN_LENGTH]
    marks = marks_of(reading.details) if reading is not None and reading.details else []
    is_cut = len(message.body) > SHOWN_LENGTH
    return Entry(message.sent_at, "", message, reading, highlight(shown, marks), len(message.body), is_cut)


def _with_days(entries: list[Entry]) -> list[Entry]:
    told, last = [], None
    for entry in entries:
        day = timezone.localtime(entry.at).date()
        told.append(Entry(**{**entry.__dict__, "day": day}) if day != last else entry)
        last = day
    return told


def describe(event: Any, people: Mapping[int, str], names: Mapping[str, str] | None = None) -> str:
    """The event as a sentence; "" when the message beside it already says everything."""
    sentence = _sentence(event, people, names)
    if not sentence or "bulk" not in event.after:
        return sentence
    part = _("taking a bulk change back") if event.after.get("is_undo") else _("as part of a bulk change")
    return f"{sentence} · {part}"


def _sentence(event: Any, people: Mapping[int, str], names: Mapping[str, str] | None) -> str:
    who, names = event.actor_name or _("Somebody"), names or {}
    if event.actor_kind == "rule":
        who = _("Rule “%(name)s”") % {"name": who}
    if event.kind == "ASSIGNED":
        return _assigned(event, who, people)
    if event.kind == "PRIORITY":
        return _("%(who)s set the priority to %(after)s") % {"who": who, "after": word("priority", event.after.get("priority"))}
    if event.kind == "STATUS":
        return _status(event.after.get("status"), who)
    if event.kind in ("TRIAGED", "CORRECTED"):
        return _triaged(event.before, event.after, names) if event.kind == "TRIAGED" else _corrected(event.after, who, names)
    if event.kind == "REPLIED" and event.after.get("status") == "RESOLVED":
        return _("%(who)s resolved the case with this reply") % {"who": who}
    return sentence_of(event, who, people)


def _assigned(event: Any, who: str, people: Mapping[int, str]) -> str:
    assignee = event.after.get("assignee_id")
    if assignee is None:
        return _("%(who)s gave the case back; nobody has it") % {"who": who}
    if event.actor_kind == "user" and assignee == event.actor_id:
        return _("%(who)s took the case") % {"who": who}
    return _("%(who)s gave the case to %(whom)s") % {"who": who, "whom": people.get(assignee, _("somebody"))}


def _status(status: Any, who: str) -> str:
    sentences = {
        "RESOLVED": _("%(who)s resolved the case"),
        "OPEN": _("%(who)s opened the case again"),
        "WAITING": _("%(who)s set the case to wait for the customer"),
    }
    return sentences.get(status, "") % {"who": who}


def _corrected(after: Mapping[str, Any], who: str, names: Mapping[str, str]) -> str:
    sentences = {
        "category": _("%(who)s said that it is about %(what)s"),
        "kind": _("%(who)s said that the kind is %(what)s"),
        "sentiment": _("%(who)s said that it sounds %(what)s"),
    }
    field = next((name for name in sentences if name in after), "")
    if not field:
        return ""
    if not after[field]:
        return _("%(who)s took the category away") % {"who": who}
    what = names.get(after[field], after[field]) if field == "category" else word(field, after[field])
    return sentences[field] % {"who": who, "what": what}


def _triaged(before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[str, str]) -> str:
    said = []
    category, sure = after.get("category"), after.get("category_probability")
    if category and sure is not None:
        what = {"category": names.get(category, category), "probability": probability_words(sure)}
        said.append(_("Category %(category)s (%(probability)s)") % what)
    kind, probability = after.get("kind"), after.get("kind_probability")
    if kind and kind != before.get("kind"):
        said.append(_("Read as %(kind)s (%(probability)s)") % {"kind": word("kind", kind), "probability": probability_words(probability)})
    if after.get("priority") != before.get("priority"):
        said.append(_("priority set to %(after)s") % {"after": word("priority", after.get("priority"))})
    return " · ".join(said)


def word(field: str, code: Any) -> str:
    """The word of a stored code: "kind", "sentiment", "status" or "priority"."""
    return str(dict(choices()[field]).get(code, code))
