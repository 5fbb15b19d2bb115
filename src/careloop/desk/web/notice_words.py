"""Notices as sentences in the reader's language."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.flows.queries import named
from careloop.desk.web.clock_words import running_words

TONES = {
    "OVERDUE": "bad",
    "DUE_SOON": "warn",
    "MENTIONED": "accent",
    "APPROVAL": "warn",
    "NOT_SENT": "bad",
    "TASK": "accent",
    "CALENDAR": "warn",
    "SURVEY": "bad",
}
ICONS = {
    "ASSIGNED": "user-check", "MENTIONED": "at-sign", "DUE_SOON": "timer", "OVERDUE": "timer-off", "REPLIED": "message-square",
    "NOT_SENT": "message-square-warning",
    "TASK": "list-checks", "APPROVAL": "stamp", "REMINDER": "alarm-clock", "RULE": "workflow", "CALENDAR": "calendar",
    "SOLUTION": "book-open", "FOLLOWED": "eye", "SURVEY": "frown",
}  # fmt: skip


def describe_notice(notice: Any, now: datetime) -> dict[str, str]:
    """Heading, detail, tone and icon of a notice, and a text of the reader's own; `facts` may bring `subject`, `who`, `text`, `body`."""
    facts = notice.facts
    is_step = notice.kind == "RULE" and bool(facts.get("step"))  # a flow's step tells people as a rule does
    heading = _("A step was taken") if is_step else str(notice.get_kind_display())
    if facts.get("who"):
        heading = _("%(what)s, by %(who)s") % {"what": heading, "who": facts["who"]}
    detail = facts.get("text") or facts.get("subject", "")
    if facts.get("step"):
        detail = f"{named(facts['step'])} · {detail}"
    if notice.kind in {"DUE_SOON", "OVERDUE"}:
        targets = {"FIRST_RESPONSE": _("First response"), "NEXT_RESPONSE": _("Next response"), "RESOLUTION": _("Resolution")}
        due = datetime.fromisoformat(facts["due_at"]) if facts.get("due_at") else now
        heading = f"{heading} · {targets.get(facts.get('target', ''), '')} {running_words(due, now)[0]}"
    if notice.kind == "SURVEY":
        heading = _("%(score)s of %(high)s in the survey “%(survey)s”") % facts
    return {
        "heading": heading,
        "detail": detail,
        "tone": TONES.get(notice.kind, ""),
        "icon": ICONS.get(notice.kind, "bell"),
        "body": facts.get("body", ""),
    }
