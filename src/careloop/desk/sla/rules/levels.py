"""Which promise holds for a case."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FACTS = ("kind", "priority", "channel", "team", "segment")


@dataclass(frozen=True)
class Level:
    """A service level; `targets` in seconds by FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION, those that are promised only."""

    id: int
    name: str
    calendar_id: int
    targets: Mapping[str, int]
    conditions: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    pauses_while_waiting: bool = True

    def fits(self, facts: Mapping[str, Any]) -> bool:
        """Whether a case with these facts falls under the level."""
        return all(not allowed or facts.get(name) in allowed for name, allowed in self.conditions.items())


def choose_level(levels: Iterable[Level], facts: Mapping[str, Any]) -> Level | None:
    """The first level that fits; None when nothing is promised."""
    return next((level for level in levels if level.fits(facts)), None)
