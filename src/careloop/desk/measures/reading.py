"""The facts that a question is about, read from the database as columns of whole numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import connection

from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.rows import marks, table_of
from careloop.desk.measures.columns import Integers, fetch, joined, numbers_in
from careloop.desk.measures.models import (
    AnswerFact,
    AnswerFactPast,
    CaseFact,
    CaseFactPast,
    Facets,
    WorkFact,
    WorkFactPast,
)
from careloop.desk.measures.rules.definitions import ANSWER, CASE, GROUPS, SHARE, WORK, Measure

TABLES: dict[str, tuple[type, type]] = {
    CASE: (CaseFact, CaseFactPast),
    ANSWER: (AnswerFact, AnswerFactPast),
    WORK: (WorkFact, WorkFactPast),
}


@dataclass(frozen=True)
class Question:
    """Which figures: measures by their keys, split `by` a facet and `per` day, week or month, of facts chosen by period and facets.

    `as_of` None asks for what is shown now.
    """

    measures: tuple[str, ...]
    by: str = ""
    per: str = ""
    since: date | None = None
    until: date | None = None
    chosen: dict[str, Any] = field(default_factory=dict)
    as_of: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """The facts of a question's period and choice that a viewer may see, as they are or were at the moment `as_of`."""

    question: Question
    viewer: Viewer
    as_of: datetime

    def columns(self, measure: Measure, expressions: Sequence[str], among: str = "") -> Integers:
        """One row for each SQL expression over facts `f` and facets `g`, one column for each fact dated as the measure dates it.

        Facts come in any order; expressions are whole numbers and never NULL. They and the condition `among` may say {now}.
        """
        selected = joined([self._now(expression) for expression in expressions])
        found = [np.empty((len(expressions), 0), dtype=np.int64)]
        for sql, values in self._statements(measure, f"SELECT {selected}"):
            texts = fetch(f"{sql} AND ({self._now(among)})" if among else sql, values)[0]
            found.append(np.stack([numbers_in(text) for text in texts]))
        return np.concatenate(found, axis=1)

    def labels(self, measure: Measure) -> tuple[str, dict[int, Any] | None]:
        """The expression that tells facts apart by the question's split, and which label its numbers stand for (None: they are it)."""
        by = self.question.by
        if not by:
            return "0", {0: None}
        if by == "agent" and measure.fact == WORK:
            return _facet(by, measure), None
        facets = table_of(Facets).name
        return "f.facets_id", dict(fetch(f"SELECT g.id, {GROUPS[by]} FROM {facets} g", []))  # noqa: S608  (names of our own models)

    def list_cases(self, measure: Measure, *, most: int, is_hit: bool | None = None) -> list[int]:
        """The newest cases behind a measure; with `is_hit` those of a share that hit or did not, or whose span is over or is not."""
        conditions = ["f.case_id <> 0", *([measure.chosen] if measure.chosen else [])]
        told = measure.value if measure.form == SHARE else measure.ended
        if is_hit is not None and told:
            conditions.append(f"{'' if is_hit else 'NOT '}({told})")
        more = self._now("".join(f" AND ({one})" for one in conditions))
        numbers: set[int] = set()
        for sql, values in self._statements(measure, "SELECT DISTINCT f.case_id"):
            numbers |= {number for (number,) in fetch(f"{sql}{more} ORDER BY f.case_id DESC LIMIT {most}", values)}
        return sorted(numbers, reverse=True)[:most]

    def _statements(self, measure: Measure, select: str) -> Iterator[tuple[str, list[Any]]]:
        """The statement up to its conditions, and its values: of the facts as they are; for an earlier moment also as they were."""
        conditions, values = self._conditions(measure)
        now, past = (table_of(model).name for model in TABLES[measure.fact])
        head = f"{select} FROM {{}} f LEFT JOIN {table_of(Facets).name} g ON g.id = f.facets_id WHERE {' AND '.join(conditions)}"
        if self.question.as_of is None:
            yield head.format(now), values
            return
        moment = connection.ops.adapt_datetimefield_value(self.as_of)
        yield f"{head.format(now)} AND f.known_from <= %s", [*values, moment]
        yield f"{head.format(past)} AND f.known_from <= %s AND f.known_until > %s", [*values, moment, moment]

    def _conditions(self, measure: Measure) -> tuple[list[str], list[Any]]:
        conditions, values = ["1 = 1"], []
        if measure.dated_by:
            day = f"f.{measure.dated_by}"
            conditions.append(f"{day} IS NOT NULL")
            for sign, limit in ((">=", self.question.since), ("<=", self.question.until)):
                if limit is not None:
                    conditions.append(f"{day} {sign} %s")
                    values.append(limit.toordinal())
        for name, value in self.question.chosen.items():
            conditions.append(f"{_facet(name, measure)} = %s")
            values.append(value)
        if self.viewer.team_ids is not None:
            conditions.append(f"g.team_id IN ({marks(self.viewer.team_ids) or 'NULL'})")
            values += self.viewer.team_ids
        return conditions, values

    def _now(self, text: str) -> str:
        return text.replace("{now}", str(int(self.as_of.timestamp())))


def _facet(name: str, measure: Measure) -> str:
    """The column of a facet; work is done by whoever did it, whosever case it is."""
    return "f.user_id" if name == "agent" and measure.fact == WORK else GROUPS[name]
