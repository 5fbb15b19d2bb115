"""Reading a growing table by id without losing rows that become visible late: plain Python.

PostgreSQL gives ids when rows are written but shows them when their transactions commit, so id 7 may appear after id 9. The cursor
therefore remembers the ids that are missing among those it saw, to be asked for again until they are given up (a rolled-back
transaction never shows its ids).
"""

from collections.abc import Iterable

GAP_SECONDS = 30.0
LOOK_BACK = 50  # ids before the start that may still be on their way
MOST_GAPS = 500


class EventCursor:
    """Tells which ids are new: read those above `top` and those in `missing`, then `take` what was found."""

    def __init__(self, newest: int, known: Iterable[int], at_seconds: float) -> None:
        """Begin after `newest`; `known` are those of the last LOOK_BACK ids that are there already."""
        self.top = newest
        there = set(known)
        self.missing = {number: at_seconds for number in range(max(0, newest - LOOK_BACK) + 1, newest + 1) if number not in there}

    def take(self, ids: Iterable[int], at_seconds: float) -> list[int]:
        """The ids among those found that were not taken before, in order."""
        found = set(ids)
        new = sorted(number for number in found if number > self.top or number in self.missing)
        top = max([self.top, *new])
        for number in range(max(self.top, top - MOST_GAPS) + 1, top + 1):
            self.missing.setdefault(number, at_seconds)
        self.top = top
        self.missing = {number: since for number, since in self.missing.items() if number not in found and at_seconds - since < GAP_SECONDS}
        return new

    def jump(self, newest: int) -> None:
        """Leave everything up to `newest` out."""
        self.top = max(self.top, newest)
        self.missing = {}
