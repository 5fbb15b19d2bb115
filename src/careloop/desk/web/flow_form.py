"""The editor's form: a flow as rows of inputs and back to its JSON. What makes sense is decided by flows.rules, not here."""

import re
from collections.abc import Mapping
from typing import Any

from careloop.desk.flows.rules.flow import MONEY
from careloop.desk.flows.rules.money import minor_in, read_money, show_money
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence

BLANK_ROWS = 2
MOST_ROWS = 120
Post = Mapping[str, str]


def rows_of(definition: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What the form shows, each list with blank rows at its end."""
    types = {field["code"]: field["type"] for field in definition.get("fields", [])}
    return {
        "states": _numbered(
            [{**_names(one), **{name: one.get(name) for name in ("code", "status", "is_start", "is_end")}} for one in definition["states"]]
        ),
        "steps": _numbered([_step_row(one, types) for one in definition["transitions"]]),
        "fields": _numbered(
            [
                {
                    **_names(one),
                    "code": one["code"],
                    "type": one["type"],
                    "choices": _choices_text(one),
                    "currency": one.get("currency", ""),
                }
                for one in definition["fields"]
            ]
        ),
    }


def definition_from(post: Post, lists: Mapping[str, list[str]]) -> dict[str, Any]:
    """The JSON of what was posted; `lists` holds the names that come more than once. A row without a code counts as removed."""
    fields: list[dict[str, Any]] = [
        {"code": code, "name": _name(post, f"field-{number}"), "type": post.get(f"field-{number}-type", "text")}
        | ({"choices": choices} if (choices := _read_choices(post.get(f"field-{number}-choices", ""))) else {})
        | ({"currency": currency} if (currency := post.get(f"field-{number}-currency", "").strip().upper()) else {})
        for number, code in _rows(post, "field")
    ]
    money = {field["code"]: field.get("currency", "") for field in fields if field["type"] == MONEY}
    states = [
        {
            "code": code,
            "name": _name(post, f"state-{number}"),
            "status": post.get(f"state-{number}-status", "OPEN"),
            "is_start": post.get("start") == str(number),
            "is_end": f"state-{number}-is_end" in post,
        }
        for number, code in _rows(post, "state")
    ]
    steps = [_read_step(post, lists, number, code, money) for number, code in _rows(post, "step")]
    return {"states": states, "transitions": steps, "fields": fields}


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "number": number} for number, row in enumerate([*rows, *({"is_blank": True} for _ in range(BLANK_ROWS))])]


def _names(one: Mapping[str, Any]) -> dict[str, str]:
    return {"name_en": one["name"].get("en", ""), "name_zh": one["name"].get("zh", "")}


def _step_row(step: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    approval = step.get("approval") or {}
    above = approval.get("above", 0)
    currency = approval.get("currency", "")
    if currency:
        above = {"minor": above, "currency": currency}
    is_money = types.get(approval.get("field", "")) == MONEY
    return {
        **_names(step),
        "code": step["code"],
        "source": step["from"],
        "target": step["to"],
        "roles": step.get("roles", []),
        "required": ", ".join(step.get("required", [])),
        "tasks": "\n".join(" | ".join((*_names(one).values(), one["department"], str(one["days"]))) for one in step.get("tasks", [])),
        "then": [one["what"] for one in step.get("then", [])],
        "has_approval": bool(approval),
        "approval_field": approval.get("field", ""),
        "approval_above": show_money(above, currency) if is_money else str(above),
        "approval_roles": approval.get("roles", ["SUPERVISOR", "OWNER"]),
        "approval_people": approval.get("people", 1),
    }


def _read_step(post: Post, lists: Mapping[str, list[str]], number: int, code: str, money: Mapping[str, str]) -> dict[str, Any]:
    base = f"step-{number}"
    return {
        "code": code,
        "name": _name(post, base),
        "from": post.get(f"{base}-from", ""),
        "to": post.get(f"{base}-to", ""),
        "roles": lists.get(f"{base}-roles", []),
        "required": _codes(post.get(f"{base}-required", "")),
        "tasks": [_read_task(line) for line in post.get(f"{base}-tasks", "").splitlines() if line.strip()],
        "approval": _read_approval(post, lists, base, money) if f"{base}-approval" in post else None,
        "then": [{"what": what} for what in lists.get(f"{base}-then", [])],
    }


def _read_approval(post: Post, lists: Mapping[str, list[str]], base: str, money: Mapping[str, str]) -> dict[str, Any]:
    """A limit of money is in the currency of its field."""
    field = post.get(f"{base}-approval_field", "")
    above = post.get(f"{base}-approval_above", "").strip() or "0"
    limit = _read_limit(above, field, money[field]) if field in money else _whole(above)
    currency = {"currency": money[field]} if money.get(field) else {}
    people = _whole(post.get(f"{base}-approval_people", "1").strip() or "1")
    return {"field": field, "above": limit, "roles": lists.get(f"{base}-approval_roles", []), "people": people} | currency


def _read_limit(above: str, field: str, currency: str) -> int:
    found = minor_in(read_money(above, field, currency), currency)
    if found is None:
        sentence = "The limit is “{given}”, and “{field}” is in {expected}; give it in the currency of its field."
        raise InvalidInput(Sentence(sentence, given=above[:40], field=field, expected=currency or "–"), field="definition")
    return int(found)


def _read_task(line: str) -> dict[str, Any]:
    parts = [part.strip() for part in line.replace("｜", "|").split("|")]
    if len(parts) != 4 or not parts[3].isdecimal():
        raise InvalidInput(
            Sentence("“{given}” is no task; write: name | 名称 | department | days.", given=line.strip()[:60]), field="definition"
        )
    return {"name": {"en": parts[0], "zh": parts[1]}, "department": parts[2], "days": int(parts[3][:6])}


def _read_choices(text: str) -> list[dict[str, Any]]:
    """ "GOOD = As new | 完好" a line."""
    choices = []
    for line in filter(str.strip, text.splitlines()):
        code, _, names = line.partition("=")
        english, _, chinese = names.replace("｜", "|").partition("|")
        choices.append({"code": code.strip(), "name": {"en": english.strip(), "zh": chinese.strip()}})
    return choices


def _choices_text(field: Mapping[str, Any]) -> str:
    return "\n".join(f"{one['code']} = {' | '.join(_names(one).values())}" for one in field.get("choices", []))


def _rows(post: Post, what: str) -> list[tuple[int, str]]:
    codes = [(number, post.get(f"{what}-{number}-code", "").strip()) for number in range(MOST_ROWS)]
    return [(number, code) for number, code in codes if code]


def _name(post: Post, base: str) -> dict[str, str]:
    return {"en": post.get(f"{base}-en", "").strip(), "zh": post.get(f"{base}-zh", "").strip()}


def _codes(text: str) -> list[str]:
    return [code for code in re.split(r"[,，\s]+", text) if code]


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,12}", text):
        raise InvalidInput(Sentence("“{given}” is no whole number of 0 or more.", given=text[:40]), field="definition")
    return int(text)
