"""Facts read once for several questions: each table by split and day, folded afterwards into groups, weeks and periods.

A report asks four questions about the same facts (now, the period before, over time, by group). Reading costs more than folding.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.desk.measures.rules.definitions import MEASURES, MEDIAN, RATE, Measure
from careloop.desk.measures.rules.values import Sums, fold_day

Integers = NDArray[np.int64]
Ended = tuple[Integers, NDArray[np.bool_]]  # seconds, and whether they were over
Group = tuple[Any, int]  # what it is split by (None for no split) and the first day of the time (0 for no times)
Read = Callable[[list[Measure]], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Fold:
    """How rows are put together: the days that count (None: no limit), whether groups are told apart, and by which time."""

    since: date | None
    until: date | None
    is_split: bool
    per: str


@dataclass(frozen=True)
class _Part:
    """Rows of one table: which label each has, its day (0 where the facts have none) and its numbers, by the measures' keys."""

    labels: list[Any]
    codes: Integers
    days: Integers
    numbers: dict[str, Integers]


@dataclass
class Sheet:
    """What was read so far for the measures that the questions ask for."""

    measures: tuple[str, ...]
    parts: dict[tuple[str, str, str], _Part] = field(default_factory=dict)

    def sums(self, key: str, fold: Fold, read: Read) -> dict[Group, Sums]:
        """The sums of a measure, by group."""
        part = self._part(MEASURES[key], read)
        chosen, groups, where = _gather(part, fold)
        numbers = part.numbers[key][chosen]
        found = np.zeros((len(groups), numbers.shape[1]), dtype=np.int64)
        np.add.at(found, where, numbers)
        return {group: Sums(*(int(one) for one in row)) for group, row in zip(groups, found, strict=True) if row[0]}

    def spans(self, key: str, fold: Fold, read: Read) -> tuple[dict[Group, Ended], Ended]:
        """Seconds and whether they were over, by group and together."""
        part = self._part(MEASURES[key], read)
        chosen, groups, where = _gather(part, fold)
        numbers = part.numbers[key][chosen]
        order = np.argsort(where, kind="stable")
        ends: list[int] = np.cumsum(np.bincount(where, minlength=len(groups)))[:-1].tolist() if groups else []
        pieces = np.split(numbers[order], ends) if groups else []
        found = {group: (piece[:, 0], piece[:, 1] != 0) for group, piece in zip(groups, pieces, strict=True)}
        return found, (numbers[:, 0], numbers[:, 1] != 0)

    def _part(self, measure: Measure, read: Read) -> _Part:
        kind = _table_of(measure)
        if kind not in self.parts or measure.key not in self.parts[kind].numbers:
            asked = [MEASURES[key] for key in with_tasks((*self.measures, measure.key)) if _table_of(MEASURES[key]) == kind]
            self.parts[kind] = _part_of(asked, read(asked))
        return self.parts[kind]


def with_tasks(keys: Iterable[str]) -> list[str]:
    """These measures and those that count the tasks of rates, each once."""
    given = list(keys)
    return list(dict.fromkeys([*given, *(MEASURES[key].value for key in given if MEASURES[key].form == RATE)]))


def _table_of(measure: Measure) -> tuple[str, str, str]:
    """Measures of the same table, day and, for spans, condition are read in one statement."""
    return measure.fact, measure.dated_by, f"spans {measure.chosen}" if measure.form == MEDIAN else ""


def _part_of(measures: list[Measure], rows: list[tuple[Any, ...]]) -> _Part:
    """Rows are the label, the day and then each measure's numbers: three sums, or seconds and whether they were over."""
    width = 2 if measures[0].form == MEDIAN else 3
    columns = list(zip(*rows, strict=True)) if rows else [()] * (2 + width * len(measures))
    codes = {label: number for number, label in enumerate(dict.fromkeys(columns[0]))}
    numbers = np.array(columns[2:], dtype=np.int64).reshape(width * len(measures), len(rows)).T
    return _Part(
        list(codes),
        np.array([codes[label] for label in columns[0]], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        {one.key: numbers[:, width * place : width * (place + 1)] for place, one in enumerate(measures)},
    )


def _gather(part: _Part, fold: Fold) -> tuple[NDArray[np.bool_], list[Group], Integers]:
    """Which rows count, the groups that they make in order of time, and the group of each row that counts."""
    days = part.days
    chosen = np.ones(len(days), dtype=np.bool_)
    if fold.since is not None:
        chosen &= (days >= fold.since.toordinal()) | (days == 0)
    if fold.until is not None:
        chosen &= (days <= fold.until.toordinal()) | (days == 0)
    each_day, place = np.unique(days[chosen] if fold.per else np.zeros(int(chosen.sum()), dtype=np.int64), return_inverse=True)
    times = np.array([fold_day(int(day), fold.per) if day else 0 for day in each_day], dtype=np.int64)
    codes = part.codes[chosen] if fold.is_split else np.zeros(int(chosen.sum()), dtype=np.int64)
    both = times[place] * max(1, len(part.labels)) + codes if len(times) else codes
    distinct, where = np.unique(both, return_inverse=True)
    size = max(1, len(part.labels))
    groups = [(part.labels[int(one) % size] if fold.is_split else None, int(one) // size) for one in distinct]
    return chosen, groups, where
