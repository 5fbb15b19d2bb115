"""Steps, approvals and fields of flows, as sentences for a case's history."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from careloop.desk.flows.queries import named
from careloop.desk.flows.rules.flow import department_in

People = Mapping[int, str]


def _moved(event: Any, who: str, _people: People) -> str:
    after = event.after
    state = named(after.get("state_name", {})) or after.get("state", "")
    if after.get("is_start"):
        return _("The case begins at “%(state)s”") % {"state": state}
    if "step" not in after:
        return _("%(who)s moved the case to version %(number)s of its flow, “%(state)s”") % {
            "who": who,
            "number": after.get("version"),
            "state": state,
        }
    facts = {"who": who, "step": named(after.get("step_name", {})) or after["step"], "state": state}
    said = _("%(who)s took the step “%(step)s”; the case is at “%(state)s”") % facts
    language = get_language() or "en"
    tasks = [f"{named(task['name'])} ({department_in(task['department'], language)})" for task in after.get("tasks", [])]
    return f"{said} · {', '.join(tasks)}" if tasks else said


def _approval(event: Any, who: str, _people: People) -> str:
    after = event.after
    facts = {"who": who, "step": named(after.get("step_name", {})) or after.get("step", "")}
    if "is_yes" not in after:
        return _("%(who)s asked for approval of “%(step)s”") % facts
    said = _("%(who)s agreed to “%(step)s”") if after["is_yes"] else _("%(who)s refused “%(step)s”")
    return said % facts + (f": {after['comment']}" if after.get("comment") else "")


def _field(event: Any, who: str, _people: People) -> str:
    names = event.after.get("names", {})
    fields = [named(names[code]) for code in event.after if code in names]
    return _("%(who)s entered %(fields)s") % {"who": who, "fields": ", ".join(fields)} if fields else ""


FLOWS: dict[str, Callable[[Any, str, People], str]] = {"MOVED": _moved, "APPROVAL": _approval, "FIELD": _field}


def type_names() -> dict[str, str]:
    """The types of fields in words."""
    return {
        "text": _("text"),
        "number": _("number"),
        "money": _("amount of money"),
        "date": _("date"),
        "choice": _("choice"),
        "yes_no": _("yes or no"),
    }


def consequence_names() -> dict[str, str]:
    """What may follow a step, in words."""
    return {
        "NOTIFY_ASSIGNEE": _("Tell the assignee"),
        "NOTIFY_SUPERVISORS": _("Tell the supervisors"),
        "RAISE_PRIORITY": _("Raise the priority"),
        "UNASSIGN": _("Give it back to the queue"),
    }
