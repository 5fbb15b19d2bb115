"""The editor's rows as they were typed: shown again after a refusal or with a row more or less."""

import re
from collections.abc import Mapping
from typing import Any

from careloop.desk.web.flow_form import TASK, TYPED, Post, numbered, numbers_of

KINDS = {"state": "states", "step": "steps", "field": "fields"}
ROW = re.compile(r"(state|step|field)-(\d{1,4})")
TASK_OF = re.compile(r"step-(\d{1,4})-task(?:-(\d{1,4}))?")


def rows_typed(post: Post, lists: Mapping[str, list[str]]) -> dict[str, list[dict[str, Any]]]:
    """The rows as they stand in the form, with what its buttons ask for: `add` (state, step-2-task …) or `remove` (state-3 …)."""
    post = _without(post, post.get("remove", ""))
    add = post.get("add", "")
    return {
        plural: _with_blank(plural, [_typed(what, one, post, lists) for one in numbers_of(post, what, TYPED[what])], what == add)
        for what, plural in KINDS.items()
    }


def _without(post: Post, gone: str) -> Post:
    is_row = ROW.fullmatch(gone) or ((match := TASK_OF.fullmatch(gone)) and match[2])
    return {name: value for name, value in post.items() if not name.startswith(f"{gone}-")} if is_row else post


def _with_blank(plural: str, rows: list[dict[str, Any]], is_added: bool) -> list[dict[str, Any]]:
    """Rows keep the order that they had, but get new numbers, so that a removed one leaves no gap."""
    found = numbered(plural, [*rows, {"is_blank": True}] if is_added and rows else rows)
    return [{**found[0], "is_new": True}, *found[1:]] if is_added and not rows else [*found[:-1], {**found[-1], "is_new": is_added}]


def _typed(what: str, number: int, post: Post, lists: Mapping[str, list[str]]) -> dict[str, Any]:
    base = f"{what}-{number}"
    row: dict[str, Any] = {"code": post.get(f"{base}-code", ""), **_names(post, base)}
    if what == "state":
        is_marked = {"is_start": post.get("start") == str(number), "is_end": f"{base}-is_end" in post}
        return {**row, "status": post.get(f"{base}-status", "OPEN"), **is_marked}
    if what == "field":
        return row | {name: post.get(f"{base}-{name}", "") for name in ("type", "currency", "choices")}
    texts = ("required", "approval_field", "approval_above", "approval_people")
    ways = {"source": post.get(f"{base}-from", ""), "target": post.get(f"{base}-to", "")}
    many = {name: lists.get(f"{base}-{name}", []) for name in ("roles", "then", "approval_roles")}
    is_open = post.get("add") == f"{base}-task" or post.get("remove", "").startswith(f"{base}-task-")
    extra = {"has_approval": f"{base}-approval" in post, "tasks": _tasks(base, post), "is_open": is_open}
    return {**row, **ways, **{name: post.get(f"{base}-{name}", "") for name in texts}, **many, **extra}


def _tasks(base: str, post: Post) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {**_names(post, f"{base}-task-{one}"), **{name: post.get(f"{base}-task-{one}-{name}", "") for name in ("department", "days")}}
        for one in numbers_of(post, f"{base}-task", TASK)
    ]
    more = [{"days": "3", "is_new": True}] if post.get("add", "") == f"{base}-task" else []
    return [{**row, "number": number} for number, row in enumerate([*rows, *more])]


def _names(post: Post, base: str) -> dict[str, str]:
    return {"name_en": post.get(f"{base}-en", ""), "name_zh": post.get(f"{base}-zh", "")}
