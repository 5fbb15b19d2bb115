"""Rules and macros in the reader's words, and what was typed into their forms as codes again."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation import choices
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules import fields
from careloop.desk.kernel.errors import InvalidInput

Words = Mapping[str, Any]
FACTS_OF_CASE: dict[str, tuple[Promise, Callable[[Viewer], Words] | None]] = {
    "kind": (gettext_lazy("Kind of contact"), choices.kinds),
    "category": (gettext_lazy("Category"), choices.categories),
    "category_probability": (gettext_lazy("Probability of the category"), None),
    "priority": (gettext_lazy("Priority"), choices.priorities),
    "status": (gettext_lazy("Status"), choices.statuses),
    "flow_state": (gettext_lazy("Where it stands in its flow"), choices.flow_states),
    "assignee": (gettext_lazy("Assignee"), choices.people),
    "team": (gettext_lazy("Team"), choices.teams),
    "channel": (gettext_lazy("Channel"), choices.channels),
    "tags": (gettext_lazy("Tags"), choices.tags),
    "subject": (gettext_lazy("Subject"), None),
    "text": (gettext_lazy("Text of the message"), None),
    "sentiment": (gettext_lazy("Sentiment"), choices.sentiments),
    "happiness": (gettext_lazy("Probability of being positive"), None),
    "rating": (gettext_lazy("Rating, 1 to 5"), None),
    "reopened": (gettext_lazy("How often it was opened again"), None),
    "hours_waiting": (gettext_lazy("Hours the customer waits for an answer"), None),
    "hours_since_customer": (gettext_lazy("Hours since the customer wrote"), None),
    "hours_since_opened": (gettext_lazy("Hours since it was opened"), None),
    "hours_overdue": (gettext_lazy("Hours overdue"), None),
}
FACTS_OF_CUSTOMER: dict[str, tuple[Promise, Callable[[Viewer], Words] | None]] = {
    "language": (gettext_lazy("Language"), choices.languages),
    "company": (gettext_lazy("Company"), None),
}
OPERATOR_WORDS: dict[str, Promise] = {
    "is": pgettext_lazy("comparison", "is"),
    "is_not": pgettext_lazy("comparison", "is not"),
    "has": pgettext_lazy("comparison", "has"),
    "has_not": pgettext_lazy("comparison", "does not have"),
    "contains": pgettext_lazy("comparison", "contains"),
    "contains_not": pgettext_lazy("comparison", "does not contain"),
    "at_least": pgettext_lazy("comparison", "is at least"),
    "at_most": pgettext_lazy("comparison", "is at most"),
    "is_empty": pgettext_lazy("comparison", "is empty"),
    "is_set": pgettext_lazy("comparison", "is filled in"),
}
MODE_WORDS: dict[str, Promise] = {
    "all": gettext_lazy("All of these"),
    "any": gettext_lazy("At least one of these"),
    "none": gettext_lazy("None of these"),
}
LIST_MARKS = re.compile(r"[,，、;；]")
HOURS = re.compile(r"(\d+(?:\.\d+)?)\s*(h|d|小时|天)?", re.IGNORECASE)


class Vocabulary:
    """The words of facts and actions in the viewer's language; each list is read when it is needed first."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self._lists: dict[Callable[[Viewer], Words], Words] = {}

    @cached_property
    def own(self) -> dict[str, tuple[str, Words | None]]:
        """The house's own fields: name and, where there is a list, what may be entered."""
        return {f"{fields.OWN}{code}": (name, words) for code, name, words in choices.own_fields(self.viewer)}

    def facts(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """What conditions may ask for, in groups: (group, [(code, word)])."""
        attributes = [(name, field_word(name)) for name in (f"{fields.ATTRIBUTES}{one}" for one in choices.attribute_names())]
        customer = [(name, str(word)) for name, (word, _words) in FACTS_OF_CUSTOMER.items()]
        groups = [
            (_("Case"), [(name, str(word)) for name, (word, _words) in FACTS_OF_CASE.items()]),
            (_("Customer"), customer + attributes),
            (_("The house’s own fields"), [(name, word) for name, (word, _words) in self.own.items()]),
        ]
        return [(group, found) for group, found in groups if found]

    def values(self, name: str) -> Words | None:
        """The words of a fact's values; None where anything may be written."""
        if name.startswith(fields.OWN):
            return self.own.get(name, ("", None))[1]
        found = (FACTS_OF_CASE | FACTS_OF_CUSTOMER).get(name)
        return self._list(found[1]) if found and found[1] else None

    def of_action(self, code: str) -> Words:
        """The words of what an action takes; empty where anything may be written."""
        found = ACTIONS[code].words
        return self._list(found) if found else {}

    def word(self, name: str) -> str:
        """The word of a fact."""
        return self.own[name][0] if name in self.own else field_word(name)

    def condition(self, leaf: Mapping[str, Any]) -> str:
        """A condition as a sentence."""
        if "not" in leaf:
            return _("not: %(condition)s") % {"condition": self.condition(leaf["not"])}
        return " ".join(filter(None, [self.word(leaf["field"]), str(OPERATOR_WORDS[leaf["op"]]), self.shown(leaf)]))

    def tree(self, node: Mapping[str, Any]) -> Iterator[str]:
        """A tree of conditions as sentences that hold together; what stands inside is one sentence."""
        for part in node.get("all", [node]):
            if "all" in part:
                yield from self.tree(part)
            elif "any" in part:
                yield " · ".join([_("one of: %(conditions)s") % {"conditions": self._joined(part["any"])}])
            elif "not" in part:
                yield _("none of: %(conditions)s") % {"conditions": self._joined(part["not"].get("any", [part["not"]]))}
            else:
                yield self.condition(part)

    def shown(self, leaf: Mapping[str, Any]) -> str:
        """A condition's value as it is typed into the form."""
        words, value = self.values(leaf["field"]) or {}, leaf.get("value")
        if value is None:
            return ""
        if isinstance(value, list):
            return ", ".join(str(words.get(str(one), one)) for one in value)
        return str(words.get(str(value), f"{value:g}"))

    def action(self, action: Mapping[str, Any]) -> str:
        """An action as a sentence."""
        said, label = self.action_value(action), ACTIONS[action["do"]].label
        return f"{label}: {said}" if said else str(label)

    def action_value(self, action: Mapping[str, Any]) -> str:
        """An action's value as it is typed into the form."""
        words, value, takes = self.of_action(action["do"]), action.get("value"), ACTIONS[action["do"]].takes
        if value is None:
            return _("Nobody") if takes == fields.PERSON else ""
        if takes == fields.HOURS:
            return f"{value / 24:g}d" if value % 24 == 0 else f"{value:g}h"
        return ", ".join(str(words.get(str(one), one)) for one in (value if isinstance(value, list) else [value]))

    def _joined(self, parts: Sequence[Mapping[str, Any]]) -> str:
        return "; ".join(_(" and ").join(self.tree(part)) for part in parts)

    def _list(self, found: Callable[[Viewer], Words]) -> Words:
        if found not in self._lists:
            self._lists[found] = found(self.viewer)
        return self._lists[found]


def vocabulary(viewer: Viewer) -> Vocabulary:
    """The words in the viewer's language."""
    return Vocabulary(viewer)


def field_word(name: str) -> str:
    """The word of a fact; an attribute of the customer's record says its name."""
    if name.startswith(fields.ATTRIBUTES):
        return _("Customer’s “%(name)s”") % {"name": name.removeprefix(fields.ATTRIBUTES)}
    found = (FACTS_OF_CASE | FACTS_OF_CUSTOMER).get(name)
    return str(found[0]) if found else name


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
            known = None if name == "tags" else words.values(name)
            value = [_read_code(name, one, known) for one in _parts(typed)]
        found.append({"field": name.strip(), "op": operator, "value": value})
    return found


def read_actions(rows: Sequence[tuple[str, str]], words: Vocabulary) -> list[dict[str, Any]]:
    """The actions of a form's lines (code, what was typed); blank lines are none."""
    found = []
    for code, typed in rows:
        if code in ACTIONS:
            found.append({"do": code, "value": _read_value(code, typed.strip(), words)})
        elif code:
            raise InvalidInput(_("There is no action “%(code)s”; choose one from the list.") % {"code": code[:40]}, field="actions")
    return found


def _read_value(code: str, text: str, words: Vocabulary) -> Any:
    kind, known = ACTIONS[code], words.of_action(code)
    if kind.takes == fields.NOTHING or (kind.takes == fields.PERSON and text.casefold() in ("", _("Nobody").casefold())):
        return None
    if kind.takes == fields.PEOPLE:
        return [int(_read_code("", one, known)) for one in _parts(text)]
    if kind.takes == fields.HOURS:
        return _read_number("", text, words)
    if kind.takes in (fields.WHOLE, fields.PERSON):
        return int(_read_code("", text, known))
    return text if kind.is_free or not known else _read_code("", text, known)


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
    if (known := words.values(name)) and fields.type_of(name) == fields.RANK:
        return _read_code(name, text, known)
    if name in fields.PROBABILITIES and text.endswith("%"):
        text = text.removesuffix("%").strip()
        return float(text) / 100 if HOURS.fullmatch(text) else text
    found = HOURS.fullmatch(text)
    if found is None:
        return text  # the check of the rule says what is wrong with it
    return float(found[1]) * (24 if (found[2] or "").lower() in ("d", "天") else 1)
