"""Facts read once for several questions: each table by split and day, folded afterwards into groups, weeks and periods.

A report asks four questions about the same facts (now, the period before, over time, by group). Reading costs more than folding.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from careloop.desk.measures.columns import Integers
from careloop.desk.measures.reading import Facts
from careloop.desk.measures.rules.definitions import COUNT, MEASURES, MEDIAN, RATE, SHARE, Measure
from careloop.desk.measures.rules.values import Figure, Sums, fold_day

Group = tuple[Any, int]  # what it is split by (None for no split) and the first day of the time (0 for no times)
FEW = 2**16  # so many groups are put in order by their digits, which is faster


@dataclass(frozen=True)
class Fold:
    """How facts are put together: the days that count (None: no limit), whether groups are told apart, and by which time."""

    since: date | None
    until: date | None
    is_split: bool
    per: str


@dataclass(frozen=True)
class _Part:
    """Facts of one table by cell, that is by label and day (0 where facts have none), and by the measures' keys what they come to.

    `sums` has three numbers for each cell. `spans` has, for each fact that counts, its cell and twice its seconds, plus one if it is over.
    """

    labels: list[Any]
    codes: Integers
    days: Integers
    sums: dict[str, Integers]
    spans: dict[str, tuple[Integers, Integers]]


@dataclass
class Sheet:
    """What was read so far for the measures that the questions ask for, and the medians of whole periods."""

    measures: tuple[str, ...]
    parts: dict[tuple[str, str], _Part] = field(default_factory=dict)
    medians: dict[tuple[str, date | None, date | None], Figure] = field(default_factory=dict)

    def sums(self, key: str, fold: Fold, facts: Facts) -> dict[Group, Sums]:
        """The sums of a measure, by group."""
        part = self._part(MEASURES[key], facts)
        groups, where = _gather(part, fold)
        counts = where >= 0
        found = np.zeros((len(groups), 3), dtype=np.int64)
        np.add.at(found, where[counts], part.sums[key][counts])
        return {group: Sums(*(int(one) for one in row)) for group, row in zip(groups, found, strict=True) if row[0]}

    def spans(self, key: str, fold: Fold, facts: Facts) -> dict[Group, Integers]:
        """Twice the seconds, plus one if they are over, by group."""
        part = self._part(MEASURES[key], facts)
        groups, where = _gather(part, fold)
        cells, spans = part.spans[key]
        of_spans = where[cells]
        if len(groups) < 2:
            return dict.fromkeys(groups, spans[of_spans >= 0])
        counts = of_spans >= 0
        of_spans, spans = of_spans[counts], spans[counts]
        order = np.argsort(of_spans.astype(np.uint16) if len(groups) < FEW else of_spans, kind="stable")
        ends = np.cumsum(np.bincount(of_spans, minlength=len(groups)))[:-1]
        return {group: piece for group, piece in zip(groups, np.split(spans[order], ends), strict=True) if len(piece)}

    def median(self, key: str, fold: Fold, facts: Facts, median_of: Callable[[Integers], Figure]) -> Figure:
        """The median of all groups together, once for each period."""
        period = key, fold.since, fold.until
        if period not in self.medians:
            pieces = self.spans(key, Fold(fold.since, fold.until, is_split=False, per=""), facts).values()
            self.medians[period] = median_of(np.concatenate([np.empty(0, dtype=np.int64), *pieces]))
        return self.medians[period]

    def _part(self, measure: Measure, facts: Facts) -> _Part:
        """Measures of the same table and day are read in one statement."""
        kind = measure.fact, measure.dated_by
        if kind not in self.parts or measure.key not in {*self.parts[kind].sums, *self.parts[kind].spans}:
            asked = [MEASURES[key] for key in with_tasks((*self.measures, measure.key))]
            self.parts[kind] = _read([one for one in asked if (one.fact, one.dated_by) == kind], facts)
        return self.parts[kind]


def with_tasks(keys: Iterable[str]) -> list[str]:
    """These measures and those that count the tasks of rates, each once."""
    given = list(keys)
    return list(dict.fromkeys([*given, *(MEASURES[key].value for key in given if MEASURES[key].form == RATE)]))


def _read(measures: list[Measure], facts: Facts) -> _Part:
    """Whether a fact counts and hits takes two bits a measure of one column; values and spans have a column each."""
    first = measures[0]
    label, names = facts.labels(first)
    day = f"f.{first.dated_by}" if first.dated_by else "0"
    bits = " + ".join(["CAST(0 AS BIGINT)", *(_bits(one, 4**place) for place, one in enumerate(measures))])
    valued = {one.key: place for place, one in enumerate([one for one in measures if one.form not in {COUNT, SHARE}], start=3)}
    among = " OR ".join(f"({one.chosen})" for one in measures) if all(one.chosen for one in measures) else ""
    rows = facts.columns(first, [label, day, bits, *(_value(MEASURES[key]) for key in valued)], among)
    numbers, code_of = _compress(rows[0])
    told = [names[number] if names is not None else number for number in numbers.tolist()]
    labels = list(dict.fromkeys(told))
    codes = np.array([labels.index(name) for name in told], dtype=np.int64)[code_of]
    days, day_of = _compress(rows[1])
    cells, cell_of = _compress(day_of * max(1, len(labels)) + codes)
    part = _Part(labels, cells % max(1, len(labels)), days[cells // max(1, len(labels))], {}, {})
    for place, one in enumerate(measures):
        is_chosen = (rows[2] >> 2 * place) & 1
        if one.form == MEDIAN:
            part.spans[one.key] = (cell_of[is_chosen == 1], rows[valued[one.key]][is_chosen == 1])
            continue
        value = is_chosen * rows[valued[one.key]] if one.key in valued else (rows[2] >> 2 * place + 1) & 1
        part.sums[one.key] = np.zeros((len(cells), 3), dtype=np.int64)
        for column, numbers in enumerate((is_chosen, value, value * value) if one.key in valued else (is_chosen, value)):
            np.add.at(part.sums[one.key][:, column], cell_of, numbers)
    return part


def _bits(measure: Measure, unit: int) -> str:
    """SQL of whether a fact counts (1) and hits (2), times the unit."""
    counts = f"CASE WHEN {measure.value} THEN {3 * unit} ELSE {unit} END" if measure.form == SHARE else str(unit)
    return f"CASE WHEN {measure.chosen} THEN {counts} ELSE 0 END" if measure.chosen else counts


def _value(measure: Measure) -> str:
    """SQL of a fact's value (0 for none), of its seconds for a rate, of twice its seconds plus whether they are over for spans."""
    if measure.form == MEDIAN:
        return f"2 * ({measure.value}) + CASE WHEN {measure.ended} THEN 1 ELSE 0 END"
    return f"COALESCE({'f.seconds' if measure.form == RATE else measure.value}, 0)"


def _compress(numbers: Integers) -> tuple[Integers, Integers]:
    """The different numbers in order, and the place of each among them; counted, as they lie close together."""
    if not len(numbers):
        return numbers, numbers
    lowest = int(numbers.min())
    is_there = np.bincount(numbers - lowest) > 0
    return np.flatnonzero(is_there) + lowest, (np.cumsum(is_there) - 1)[numbers - lowest]


def _gather(part: _Part, fold: Fold) -> tuple[list[Group], Integers]:
    """The groups in order of time, and the group of each cell; -1 where it does not count."""
    days, counts = part.days, np.ones(len(part.days), dtype=np.bool_)
    if fold.since is not None:
        counts &= (days >= fold.since.toordinal()) | (days == 0)
    if fold.until is not None:
        counts &= (days <= fold.until.toordinal()) | (days == 0)
    each_day, place = _compress(days if fold.per else np.zeros_like(days))
    times = np.array([fold_day(day, fold.per) if day else 0 for day in each_day.tolist()], dtype=np.int64)
    size = max(1, len(part.labels))
    both = times[place] * size + (part.codes if fold.is_split else 0) if len(days) else days
    distinct, of_counted = np.unique(both[counts], return_inverse=True)
    where = np.full(len(days), -1, dtype=np.int64)
    where[counts] = of_counted
    return [(part.labels[one % size] if fold.is_split else None, one // size) for one in distinct.tolist()], where
