"""Two versions of a flow side by side, a line for each thing that differs, in the words of the editor's form."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.flows.wording import role_names
from careloop.desk.web.conflicts import Side, different
from careloop.desk.web.flow_form import rows_of
from careloop.desk.web.flow_words import consequence_names, type_names
from careloop.desk.web.timeline import word

Row = Mapping[str, Any]


def flow_sides(stored: Row, given: Row) -> list[Side]:
    """Where the version that somebody saved in between and the one that this person sends differ.

    Both definitions are as `flow_to_json` writes them. A row that only one side has stands whole, on one line.
    """
    found: list[tuple[Any, ...]] = [
        (_("Name in English"), stored["en"], given["en"]),
        (_("Name in Chinese"), stored["zh"], given["zh"]),
        (_("Kind of contact"), word("kind", stored["kind"]), word("kind", given["kind"])),
        (_("Order"), stored["position"], given["position"]),
        (_("In force"), *(_said(one["is_active"]) for one in (stored, given))),
    ]
    parts = {"states": (_("State"), _state), "steps": (_("Step"), _step), "fields": (_("Field"), _field)}
    theirs, mine = (rows_of(one["definition"]) for one in (stored, given))
    for part, (name, in_words) in parts.items():
        sides = [{row["code"]: in_words(row) for row in rows[part] if row.get("code")} for rows in (theirs, mine)]
        for code in dict.fromkeys([*sides[0], *sides[1]]):
            found += _row_sides(f"{name} {code}", *(side.get(code, {}) for side in sides))
        if set(sides[0]) == set(sides[1]):
            found.append((f"{name}: {_('Order')}", *(" → ".join(side) for side in sides)))
    return different(found)


def _row_sides(name: str, theirs: Mapping[str, str], mine: Mapping[str, str]) -> list[tuple[str, str, str]]:
    if theirs and mine:
        return [(f"{name}: {label}", theirs[label], mine[label]) for label in theirs]
    whole = ["\n".join(f"{label}: {text}" for label, text in one.items() if text) for one in (theirs, mine)]
    return [(name, whole[0], whole[1])]


def _state(row: Row) -> dict[str, str]:
    marks = {_("Start"): _said(row["is_start"]), _("End"): _said(row["is_end"])}
    return {**_names(row), _("Status"): word("status", row["status"]), **marks}


def _step(row: Row) -> dict[str, str]:
    tasks = [f"{task['name_en']} | {task['name_zh']} ({task['department']}, {task['days']})" for task in row["tasks"]]
    return {
        **_names(row),
        _("From (code)"): row["source"],
        _("To (code)"): row["target"],
        _("Fields that it needs (codes)"): row["required"],
        _("Tasks that it brings"): "\n".join(tasks),
        _("Who may take it"): role_names(row["roles"]),
        _("Then"): "\n".join(consequence_names()[what] for what in row["then"]),
        _("Somebody else must agree"): _said(row["has_approval"]),
        **_approval(row),
    }


def _approval(row: Row) -> dict[str, str]:
    facts = {
        _("Where this field (code; blank: always)"): row["approval_field"] or "",
        _("is above"): row["approval_above"],
        _("How many people"): str(row["approval_people"]),
        _("Who may agree"): role_names(row["approval_roles"]),
    }
    return facts if row["has_approval"] else dict.fromkeys(facts, "")


def _field(row: Row) -> dict[str, str]:
    options = {_("Currency"): row["currency"], _("Choices"): row["choices"]}
    return {**_names(row), _("Type"): type_names()[row["type"]], **options}


def _names(row: Row) -> dict[str, str]:
    return {_("Name in English"): row["name_en"], _("Name in Chinese"): row["name_zh"]}


def _said(is_so: Any) -> str:
    return _("yes") if is_so else _("no")
