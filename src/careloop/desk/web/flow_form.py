"""The editor's form: a flow as rows of inputs and back to its JSON. What makes sense is decided by flows.rules, not here."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from careloop.desk.flows.rules.flow import MONEY, department_to_json
from careloop.desk.flows.rules.money import minor_in, read_money, show_money
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence

MOST_ROWS = 200
BLANK_ROWS = {"states": 2, "steps": 1, "fields": 1}  # of a flow that has none yet
Post = Mapping[str, str]
TYPED = {"state": ("code", "en", "zh"), "step": ("code", "en", "zh", "from", "to"), "field": ("code", "en", "zh", "choices")}
TASK = ("en", "zh", "department", "days")


def rows_of(definition: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What the form shows of a stored flow; a list without any row begins with blank ones."""
    types = {field["code"]: field["type"] for field in definition.get("fields", [])}
    return {
        "states": numbered(
            "states",
            [{**_names(one), **{name: one.get(name) for name in ("code", "status", "is_start", "is_end")}} for one in definition["states"]],
        ),
        "steps": numbered("steps", [_step_row(one, types) for one in definition["transitions"]]),
        "fields": numbered(
            "fields",
            [
                {
                    **_names(one),
                    "code": one["code"],
                    "type": one["type"],
                    "choices": _choices_text(one),
                    "currency": one.get("currency", ""),
                }
                for one in definition["fields"]
            ],
        ),
    }


def definition_from(post: Post, lists: Mapping[str, list[str]]) -> dict[str, Any]:
    """The JSON of what was posted; `lists` holds the names that come more than once. A row in which nothing is typed is none."""
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


def numbered(what: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the numbers that their inputs' names carry."""
    blank: list[dict[str, Any]] = [] if rows else [{"is_blank": True} for _ in range(BLANK_ROWS[what])]
    return [{**row, "number": number} for number, row in enumerate([*rows, *blank])]


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
        "tasks": [
            {**_names(one), "number": number, "department": _department(one["department"]), "days": str(one["days"])}
            for number, one in enumerate(step.get("tasks", []))
        ],
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
        "tasks": [_read_task(post, f"{base}-task-{one}") for one in numbers_of(post, f"{base}-task", TASK)],
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
        raise InvalidInput(
            Sentence(
                "The limit is “{given}”, and “{field}” is in {expected}; give it in the currency of its field.",
                given=above[:40],
                field=field,
                expected=currency or "–",
            ),
            field="definition",
        )
    return int(found)


def _read_task(post: Post, base: str) -> dict[str, Any]:
    days = post.get(f"{base}-days", "").strip()
    if not re.fullmatch(r"[0-9]{1,6}", days):
        raise InvalidInput(
            Sentence("A task is due after a number of days such as 3; “{given}” was given.", given=days[:40]), field="definition"
        )
    english, _bar, chinese = (one.strip() for one in post.get(f"{base}-department", "").replace("｜", "|").partition("|"))
    department = department_to_json({"en": english, "zh": chinese})
    return {"name": _name(post, base), "department": department, "days": int(days)}


def _department(stored: Any) -> str:
    """A department in one line: a text, or “Finance | 财务部”."""
    return stored if isinstance(stored, str) else " | ".join(filter(None, (stored.get("en"), stored.get("zh"))))


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
    return [(number, post.get(f"{what}-{number}-code", "").strip()) for number in numbers_of(post, what, TYPED[what])]


def numbers_of(post: Post, what: str, typed: Sequence[str], *, with_blank: bool = False) -> list[int]:
    """The numbers of the rows that were posted, in their order; those in which nothing is typed only `with_blank`."""
    shape = re.compile(rf"{re.escape(what)}-(\d{{1,4}})-{typed[0]}")
    found = sorted({int(match[1]) for name in post if (match := shape.fullmatch(name))})
    kept = [one for one in found if with_blank or any(post.get(f"{what}-{one}-{name}", "").strip() for name in typed)]
    if len(kept) > MOST_ROWS:
        raise InvalidInput(Sentence("{count} rows are too many for a flow; at most {most} fit.", count=len(kept), most=MOST_ROWS))
    return kept


def _name(post: Post, base: str) -> dict[str, str]:
    return {"en": post.get(f"{base}-en", "").strip(), "zh": post.get(f"{base}-zh", "").strip()}


def _codes(text: str) -> list[str]:
    return [code for code in re.split(r"[,，\s]+", text) if code]


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,12}", text):
        raise InvalidInput(Sentence("“{given}” is no whole number of 0 or more.", given=text[:40]), field="definition")
    return int(text)
