"""Cases as columns of numbers and words, coded into a matrix: the same way for every model of this family.

A column is a number when all its known values are numbers or yes/no; otherwise it is words. A gap (None or not a number) in a number
is filled with the median and told in a column of its own; in words it is a value of its own. Words that are too rare share one place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError, ModelError

Doubles = NDArray[np.float64]
Table = Mapping[str, Sequence[Any]]

GAP = ""  # the value of words that are not known
OTHER = "…"  # where rare words are
_NOBODY = "\x00"  # a word that does not occur


class Feature(NamedTuple):
    """A column of the matrix.

    Attributes
    ----------
    column : str
        The column given that it comes from.
    value : str or None
        Words: the value that makes it 1. None: the number itself.
    is_gap : bool
        Of a number: whether it is not known (1) or known (0).
    """

    column: str
    value: str | None = None
    is_gap: bool = False

    @property
    def name(self) -> str:
        """Unique within a coding."""
        return f"{self.column}?" if self.is_gap else self.column if self.value is None else f"{self.column}={self.value}"


@dataclass(frozen=True)
class Coding:
    """How columns become a matrix.

    Attributes
    ----------
    middles : mapping of str to float
        Median of each number column.
    spreads : mapping of str to float
        Standard deviation of each number column, > 0.
    gaps : tuple of str
        Number columns of which some values were not known.
    words : mapping of str to tuple of str
        Values of each word column; the first, the most frequent one, is what the others are compared with.
    """

    middles: Mapping[str, float]
    spreads: Mapping[str, float]
    gaps: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]

    @classmethod
    def learn(cls, table: Table, *, least_count: int = 1) -> Coding:
        """Return the coding of these rows.

        Parameters
        ----------
        table : mapping of str to sequence, each of length n_rows
        least_count : int
            Rows that a word or a gap needs for a place of its own.

        Raises
        ------
        InputError
            When there is no column or their lengths differ.
        """
        count_rows(table)
        middles, spreads, gaps, words = {}, {}, [], {}
        for name, values in table.items():
            if is_number(values):
                numbers = read_numbers(values)
                known = numbers[np.isfinite(numbers)]
                middles[name] = float(np.median(known)) if len(known) else 0.0
                spreads[name] = (float(known.std()) if len(known) else 0.0) or 1.0
                if len(numbers) - len(known) >= least_count:
                    gaps.append(name)
            else:
                counts = Counter(map(_word, values))
                kept = [word for word, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if count >= least_count]
                words[name] = tuple([*kept, OTHER] if len(kept) < len(counts) else kept)
        return cls(middles, spreads, tuple(gaps), words)

    def with_every_word(self) -> Coding:
        """Return the coding in which the most frequent word has a place of its own, too, as trees need it."""
        return Coding(self.middles, self.spreads, self.gaps, {name: (_NOBODY, *values) for name, values in self.words.items()})

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the matrix's columns are, in order."""
        numbers = [Feature(name) for name in self.middles]
        missing = [Feature(name, is_gap=True) for name in self.gaps]
        return tuple(numbers + missing + [Feature(name, value) for name, values in self.words.items() for value in values[1:]])

    def apply(self, table: Table, *, is_scaled: bool = False) -> Doubles:
        """Return the matrix, shape (n_rows, n_features).

        Parameters
        ----------
        table : mapping of str to sequence
            At least the columns that were learnt.
        is_scaled : bool
            Whether numbers are counted from their median, in standard deviations.

        Raises
        ------
        InputError
            When a column is missing.
        """
        lacking = [name for name in (*self.middles, *self.words) if name not in table]
        if lacking:
            raise InputError(f"The columns {', '.join(lacking)} are missing; give all columns that were learnt from.", field=lacking[0])
        columns: dict[Feature, Doubles] = {}
        for name, middle in self.middles.items():
            numbers = read_numbers(table[name])
            known = np.isfinite(numbers)
            filled = np.where(known, numbers, middle)
            columns[Feature(name)] = (filled - middle) / self.spreads[name] if is_scaled else filled
            columns[Feature(name, is_gap=True)] = (~known).astype(np.float64)
        for name, values in self.words.items():
            written = np.array(list(map(_word, table[name])), dtype=object)
            named = [value for value in values if value != OTHER]
            for value in values[1:]:
                is_there = ~np.isin(written, named) if value == OTHER else written == value
                columns[Feature(name, value)] = is_there.astype(np.float64)
        return np.column_stack([columns[feature] for feature in self.features]) if self.features else np.zeros((count_rows(table), 0))

    def measure_known(self, table: Table) -> Doubles:
        """Return which share of the columns that were learnt is known in each row, shape (n_rows,), 0–1."""
        known = [np.isfinite(read_numbers(table[name])) for name in self.middles]
        known += [np.array([value is not None and value != GAP for value in table[name]]) for name in self.words]
        return np.asarray(np.mean(known, axis=0))

    def join_rare(self, table: Table) -> dict[str, list[Any]]:
        """Return the columns that were learnt, rare and unheard-of words as `OTHER`, gaps in words as `GAP`."""
        joined: dict[str, list[Any]] = {name: list(table[name]) for name in self.middles}
        for name, values in self.words.items():
            joined[name] = [word if word in values else OTHER for word in map(_word, table[name])]
        return joined

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers; `from_json` turns them back."""
        return {
            "middles": dict(self.middles),
            "spreads": dict(self.spreads),
            "gaps": list(self.gaps),
            "words": {name: list(values) for name, values in self.words.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Coding:
        """Return the coding that `to_json` made.

        Raises
        ------
        ModelError
            When a part is missing.
        """
        try:
            words = {str(name): tuple(values) for name, values in stored["words"].items()}
            return cls(dict(stored["middles"]), dict(stored["spreads"]), tuple(stored["gaps"]), words)
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"A stored coding of columns lacks a part ({error}); learn the model again.") from error


def count_rows(table: Table) -> int:
    """Return the number of rows of a table.

    Raises
    ------
    InputError
        When there is no column or their lengths differ.
    """
    lengths = {name: len(values) for name, values in table.items()}
    if not lengths:
        raise InputError("No columns were given; give at least one.")
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise InputError(f"The columns have different lengths ({told}); give one value a row, None where it is not known.")
    return next(iter(lengths.values()))


def is_number(values: Sequence[Any]) -> bool:
    """Return whether all that is known of a column is numbers or yes/no."""
    kinds = set(map(type, values)) - {type(None)}
    return bool(kinds) and all(issubclass(kind, int | float | np.number | np.bool_) for kind in kinds)


def read_numbers(values: Sequence[Any]) -> Doubles:
    """Return a column of numbers, None and what is not a number as NaN."""
    return np.array(values, dtype=np.float64)


def _word(value: Any) -> str:
    return GAP if value is None else str(value)
