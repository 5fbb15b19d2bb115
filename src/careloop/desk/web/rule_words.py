"""Rules and macros in the reader's words, and what was typed into their forms as codes again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from careloop.desk.accounts.queries import list_channels, list_teams, list_users
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.taxonomy_queries import names_by_code
from careloop.desk.automation.queries import list_canned
from careloop.desk.automation.rules import fields
from careloop.desk.cases.queries import choices
from careloop.desk.kernel.errors import InvalidInput

Words = Mapping[str, Any]
FIELD_WORDS: dict[str, Promise] = {
    "kind": gettext_lazy("Kind of contact"),
    "priority": gettext_lazy("Priority"),
    "status": gettext_lazy("Status"),
    "category": gettext_lazy("Category"),
    "channel": gettext_lazy("Channel"),
    "team": gettext_lazy("Team"),
    "assignee": gettext_lazy("Assignee"),
    "language": gettext_lazy("Language"),
    "happiness": gettext_lazy("Probability of being positive"),
    "subject": gettext_lazy("Subject"),
    "text": gettext_lazy("Text of the message"),
    "hours_since_customer": gettext_lazy("Hours since the customer wrote"),
    "hours_since_opened": gettext_lazy("Hours since it was opened"),
    "hours_overdue": gettext_lazy("Hours overdue"),
}
OPERATOR_WORDS: dict[str, Promise] = {
    "is": pgettext_lazy("comparison", "is"),
    "is_not": pgettext_lazy("comparison", "is not"),
    "contains": pgettext_lazy("comparison", "contains"),
    "contains_not": pgettext_lazy("comparison", "does not contain"),
    "at_least": pgettext_lazy("comparison", "is at least"),
    "at_most": pgettext_lazy("comparison", "is at most"),
    "is_empty": pgettext_lazy("comparison", "is empty"),
    "is_set": pgettext_lazy("comparison", "is filled in"),
}
ACTION_WORDS: dict[str, Promise] = {
    "SET_PRIORITY": gettext_lazy("Set the priority"),
    "SET_STATUS": gettext_lazy("Set the status"),
    "SET_CATEGORY": gettext_lazy("Set the category"),
    "ASSIGN": gettext_lazy("Give the case to"),
    "ADD_NOTE": gettext_lazy("Add a note"),
    "REPLY": gettext_lazy("Reply with the text"),
    "NOTIFY": gettext_lazy("Tell these people"),
    "NOTIFY_SUPERVISORS": gettext_lazy("Tell the supervisors"),
}
VALUES_OF_ACTIONS = {"SET_PRIORITY": "priority", "SET_STATUS": "status", "SET_CATEGORY": "category"}
VALUES_OF_ACTIONS |= {"ASSIGN": "assignee", "REPLY": "text", "NOTIFY": "assignee"}
LANGUAGES = {"zh": "中文", "en": "English"}
LIST_MARKS = re.compile(r"[,，、;；]")
HOURS = re.compile(r"(\d+(?:\.\d+)?)\s*(h|d|小时|天)?", re.IGNORECASE)


@dataclass(frozen=True)
class Vocabulary:
    """For each fact with a list of values, the word of each code; `texts` are those that rules may send."""

    values: Mapping[str, Words]
    texts: Words

    def of_action(self, code: str) -> Words:
        """The words of what an action takes; empty where anything may be written."""
        name = VALUES_OF_ACTIONS.get(code, "")
        return self.texts if name == "text" else self.values.get(name, {})

    def condition(self, leaf: Mapping[str, Any]) -> str:
        """A condition as a sentence."""
        if "not" in leaf:
            return _("not: %(condition)s") % {"condition": self.condition(leaf["not"])}
        return " ".join(filter(None, [field_word(leaf["field"]), str(OPERATOR_WORDS[leaf["op"]]), self.shown(leaf)]))

    def shown(self, leaf: Mapping[str, Any]) -> str:
        """A condition's value as it is typed into the form."""
        words, value = self.values.get(leaf["field"], {}), leaf.get("value")
        if value is None:
            return ""
        return (
            ", ".join(str(words.get(str(one), one)) for one in value)
            if isinstance(value, list)
            else str(words.get(str(value), f"{value:g}"))
        )

    def action(self, action: Mapping[str, Any]) -> str:
        """An action as a sentence."""
        said = self.action_value(action)
        return f"{ACTION_WORDS[action['do']]}: {said}" if said else str(ACTION_WORDS[action["do"]])

    def action_value(self, action: Mapping[str, Any]) -> str:
        """An action's value as it is typed into the form."""
        words, value = self.of_action(action["do"]), action.get("value")
        if value is None:
            return _("Nobody") if action["do"] == fields.ASSIGN else ""
        return ", ".join(str(words.get(str(one), one)) for one in (value if isinstance(value, list) else [value]))


def vocabulary(viewer: Viewer) -> Vocabulary:
    """The words in the viewer's language."""
    offered = choices()
    values: dict[str, Words] = {name: {str(code): str(word) for code, word in offered[name]} for name in ("kind", "priority", "status")}
    values["category"] = {code: str(name) for code, name in names_by_code(viewer).items()}
    values["channel"] = {str(one.pk): one.name for one in list_channels(viewer)}
    values["team"] = {str(one.pk): one.name for one in list_teams(viewer)}
    values["assignee"] = {str(one.pk): one.display_name for one in list_users() if one.is_active and _is_near(one, viewer)}
    values["language"] = LANGUAGES
    return Vocabulary(values, {str(macro.pk): macro.name for macro in list_canned(viewer)})


def _is_near(person: Any, viewer: Viewer) -> bool:
    """Owners, and those who share a team with the viewer."""
    return person.role == "OWNER" or any(viewer.sees_team(team.pk) for team in person.teams.all())


def field_word(name: str) -> str:
    """The word of a fact; an attribute of the customer's record says its name."""
    if name.startswith(fields.ATTRIBUTES):
        return _("Customer’s “%(name)s”") % {"name": name.removeprefix(fields.ATTRIBUTES)}
    return str(FIELD_WORDS.get(name, name))


def read_conditions(rows: Sequence[tuple[str, str, str]], words: Vocabulary) -> list[dict[str, Any]]:
    """The conditions of a form's lines (fact, comparison, what was typed); blank lines are none."""
    found = []
    for name, operator, typed in rows:
        if not name.strip():
            continue
        value: Any = None
        if operator in (fields.AT_LEAST, fields.AT_MOST):
            value = _read_number(name, typed, words)
        elif operator not in fields.WITHOUT_VALUE:
            value = [_read_code(name, one, words.values.get(name)) for one in _parts(typed)]
        found.append({"field": name.strip(), "op": operator, "value": value})
    return found


def read_actions(rows: Sequence[tuple[str, str]], words: Vocabulary) -> list[dict[str, Any]]:
    """The actions of a form's lines (code, what was typed); blank lines are none."""
    found = []
    for code, typed in rows:
        if not code:
            continue
        known, text = words.of_action(code), typed.strip()
        value: Any = text
        if code == fields.NOTIFY_SUPERVISORS or (code == fields.ASSIGN and text.casefold() in ("", _("Nobody").casefold())):
            value = None
        elif code == fields.NOTIFY:
            value = [_read_code("assignee", one, known) for one in _parts(text)]
        elif known or code in (fields.REPLY, fields.ASSIGN):
            value = _read_code("priority" if code in (fields.SET_PRIORITY, fields.REPLY, fields.ASSIGN) else "", text, known)
        found.append({"do": code, "value": value})
    return found


def _parts(typed: str) -> list[str]:
    return [part.strip() for part in LIST_MARKS.split(typed) if part.strip()]


def _read_code(name: str, typed: str, known: Words | None) -> Any:
    """The code of a word; a code stays one; anything is taken where no words are known."""
    if known is None:
        return typed
    wanted = typed.strip().casefold()
    code = next((code for code, word in known.items() if wanted in (str(word).casefold(), code.casefold())), None)
    if code is None:
        some = ", ".join(map(str, list(known.values())[:8])) or "–"
        raise InvalidInput(_("“%(given)s” is not in the list; there are: %(known)s.") % {"given": typed[:60], "known": some}, field="form")
    return int(code) if name in fields.NUMBERED else code


def _read_number(name: str, typed: str, words: Vocabulary) -> Any:
    text = typed.strip()
    if name in words.values:
        return _read_code(name, text, words.values[name])
    if name == "happiness" and text.endswith("%"):
        text = text.removesuffix("%").strip()
        return float(text) / 100 if HOURS.fullmatch(text) else text
    found = HOURS.fullmatch(text)
    if found is None:
        return text  # the check of the rule says what is wrong with it
    return float(found[1]) * (24 if (found[2] or "").lower() in ("d", "天") else 1)
