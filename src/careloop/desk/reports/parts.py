"""What a report on paper is made of, one kind below the other: headings, sentences, tiles, tables, curves, the way of cases."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.measures.times import Moment
from careloop.desk.reports.rules.way import Way


@dataclass(frozen=True)
class Heading:
    """Begins a section."""

    text: str


@dataclass(frozen=True)
class Said:
    """A paragraph; definitions are quiet."""

    text: str
    is_quiet: bool = False


@dataclass(frozen=True)
class Tile:
    """A number with its name and what stands below it in two lines."""

    name: str
    value: str
    below: str = ""
    further: str = ""


@dataclass(frozen=True)
class Tiles:
    """Four beside each other."""

    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Grid:
    """A table; a cell's second line is its range."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    has_sum: bool = False


@dataclass(frozen=True)
class Curves:
    """Falling curves of groups, by name, up to a horizon in seconds."""

    courses: Sequence[tuple[str, tuple[Moment, ...]]]
    horizon: int
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Map:
    """The way of cases; `name` says what a state is called."""

    way: Way
    name: Callable[[str], str]


Part = Heading | Said | Tiles | Grid | Curves | Map


@dataclass(frozen=True)
class Document:
    """A report of parts: what is mailed, printed and kept as a file; `as_of` is None before anything was counted."""

    slug: str
    title: str
    days: str
    chosen: list[str]
    as_of: datetime | None
    figures: list[str]  # the few that a mail tells in its text
    parts: list[Part]
    head: Sequence[str]
    lines: Sequence[Mapping[str, Any]] = ()
    query: str = ""  # of its page's address


def named(name: str, value: str) -> str:
    """ "Name: value", as the language writes it."""
    return _("%(name)s: %(value)s") % {"name": name, "value": value}


def two_lines(value: str, below: str) -> str:
    """A cell of a table."""
    return f"{value}\n{below}" if below else value


def sentences(said: Iterable[str]) -> list[Part]:
    """One paragraph for each."""
    return [Said(one) for one in said if one]
