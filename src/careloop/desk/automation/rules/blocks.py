"""Condition trees as a form shows them: blocks of lines (all of, any of, none of), each with blocks inside, two levels deep."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from careloop.desk.automation.rules.conditions import Node

ALL, ANY, NONE = "all", "any", "none"
MODES = (ALL, ANY, NONE)
MOST_DEEP = 2  # blocks inside blocks below the outermost
MOST_INSIDE = 8  # blocks in one block


@dataclass
class Block:
    """Conditions of which all, any or none shall hold; `blocks` count as one condition each."""

    mode: str = ALL
    leaves: list[Any] = field(default_factory=list)
    blocks: list["Block"] = field(default_factory=list)


def tree_of(block: Block) -> dict[str, Any]:
    """The tree of a block whose leaves are conditions; blocks without a condition say nothing."""
    parts: list[Node] = [*block.leaves, *(tree_of(one) for one in block.blocks if has_leaves(one))]
    if block.mode == ANY and parts:
        return {"any": parts}
    return {"not": {"any": parts}} if block.mode == NONE and parts else {"all": parts}


def block_of(tree: Node, depth: int = 0) -> Block | None:
    """The block that shows a tree; None for one that is deeper than a form."""
    if depth > MOST_DEEP:
        return None
    mode, parts = _parts(tree)
    inside = [block_of(part, depth + 1) for part in parts if "field" not in part]
    if any(one is None for one in inside) or len(inside) > MOST_INSIDE:
        return None
    return Block(mode, [part for part in parts if "field" in part], [one for one in inside if one is not None])


def has_leaves(block: Block) -> bool:
    """Whether a block has a condition anywhere."""
    return bool(block.leaves) or any(has_leaves(one) for one in block.blocks)


def _parts(tree: Node) -> tuple[str, Sequence[Node]]:
    if "any" in tree:
        return ANY, tree["any"]
    if "not" in tree:
        denied = tree["not"]
        return NONE, denied.get("any", [denied])
    return ALL, tree.get("all", [tree])
