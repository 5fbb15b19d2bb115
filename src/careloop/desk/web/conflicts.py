"""Two versions of the same thing, side by side: what somebody else saved in between, and what this person wanted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Side:
    """One field of which there are two versions."""

    label: Any
    theirs: Any
    mine: Any


def different(fields: Iterable[tuple[Any, ...]]) -> list[Side]:
    """Of (label, theirs, mine) those that differ, line ends and blank ends aside."""
    return [Side(label, theirs, mine) for label, theirs, mine in fields if _plain(theirs) != _plain(mine)]


def _plain(value: Any) -> str:
    return "\n".join(line.rstrip() for line in str(value).strip().splitlines())
