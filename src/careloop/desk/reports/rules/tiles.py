"""What a tile of a dashboard may be: a measure as one number, over time or split into groups, with its own choice or the page's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NUMBER, OVER_TIME, BY_GROUP = "number", "time", "groups"
FORMS = (NUMBER, OVER_TIME, BY_GROUP)
WIDTHS = ("", "1", "2", "4")  # of four columns; "" is as wide as its form needs
MOST_TILES = 24
MOST_VALUE = 120
UP, DOWN, OUT = "up", "down", "out"


@dataclass(frozen=True)
class Allowed:
    """The codes that a tile may name, and which measures have a day, so that they can be drawn over time."""

    measures: frozenset[str]
    dated: frozenset[str]
    groups: frozenset[str]
    periods: frozenset[str]


@dataclass(frozen=True)
class Tile:
    """One tile. `by` splits the form "groups"; `period` "" is the page's; `chosen` are facets as they stand in an address and go
    before the page's facets of the same name; `width` is one of WIDTHS.
    """

    measure: str
    form: str = NUMBER
    by: str = ""
    period: str = ""
    chosen: tuple[tuple[str, str], ...] = ()
    width: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {**vars(self), "chosen": dict(self.chosen)}


class BadTile(ValueError):
    """A tile is none: `code` says what is wrong and `place` with which, from 1."""

    def __init__(self, code: str, place: int, given: str = "") -> None:
        super().__init__(f"Tile {place}: {code} ({given!r}).")
        self.code, self.place, self.given = code, place, given


def read_tile(given: Mapping[str, Any]) -> Tile:
    """A tile from what is stored or was sent; what has no meaning for its form is left out."""
    form = str(given.get("form", ""))
    chosen = tuple(
        sorted((str(name), str(value)[:MOST_VALUE]) for name, value in dict(given.get("chosen") or {}).items() if value not in {"", None})
    )
    by = str(given.get("by", "")) if form == BY_GROUP else ""
    return Tile(str(given.get("measure", "")), form, by, str(given.get("period", "")), chosen, str(given.get("width", "")))


def check_tiles(tiles: Sequence[Tile], allowed: Allowed) -> None:
    """Refuse the first tile that cannot be shown, and more than can be counted at once.

    Raises
    ------
    BadTile
        With the code "many", "measure", "form", "undated", "by", "period", "width" or "facet".
    """
    if len(tiles) > MOST_TILES:
        raise BadTile("many", len(tiles), str(MOST_TILES))
    for place, tile in enumerate(tiles, start=1):
        faults = (
            ("measure", tile.measure, tile.measure not in allowed.measures),
            ("form", tile.form, tile.form not in FORMS),
            ("undated", tile.measure, tile.form == OVER_TIME and tile.measure not in allowed.dated),
            ("by", tile.by, tile.form == BY_GROUP and tile.by not in allowed.groups),
            ("period", tile.period, bool(tile.period) and tile.period not in allowed.periods),
            ("width", tile.width, tile.width not in WIDTHS),
            *(("facet", name, name not in allowed.groups) for name, _value in tile.chosen),
        )
        for code, given, is_wrong in faults:
            if is_wrong:
                raise BadTile(code, place, given)


def rearrange(tiles: Sequence[Tile], how: str, place: int) -> list[Tile]:
    """The tiles after one of them (from 0) went up, down or out; a place or a step that does not exist changes nothing."""
    changed = list(tiles)
    if not 0 <= place < len(changed):
        return changed
    if how == OUT:
        del changed[place]
    other = {UP: place - 1, DOWN: place + 1}.get(how, -1)
    if 0 <= other < len(changed):
        changed[place], changed[other] = changed[other], changed[place]
    return changed


def address_of(tile: Tile, page: Mapping[str, str]) -> dict[str, str]:
    """The page's parameters with the tile's own choice before them; what is split does not stand in it."""
    values = {name: value for name, value in page.items() if name not in {"by", "per"}}
    if tile.period:
        values = {name: value for name, value in values.items() if name not in {"since", "until"}} | {"period": tile.period}
    return values | dict(tile.chosen)
