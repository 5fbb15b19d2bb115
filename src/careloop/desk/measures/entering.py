"""Customers from the case on with which they enter a count: what the case was, when the next ones came, how many before and after.

Each customer enters once, with the first case in the period that fits the choice, and is told by what that case was. So nobody is called
"without a complaint" for what came later, and no time before the entry counts. Who cannot be followed to the end counts as far as seen.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, Kind
from careloop.desk.kernel.rows import table_of
from careloop.desk.measures.columns import Integers
from careloop.desk.measures.reading import Facts, Question
from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.measures.timelines import Timelines

DAY = 86_400
Days = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Entrants:
    """Customers as columns, each of (n,) but for the two of (3, n).

    `days` are those from the entering case to the first further case, to the second, and to the next complaint, or as far as seen, and
    `has_come` tells which; `before` and `after` count the cases in the days before and after, where `is_seen` says that all were seen.
    """

    case_ids: Integers
    customers: Integers
    seconds: Integers
    is_complaint: Flags
    days: Days
    has_come: Flags
    before: Integers
    after: Integers
    is_seen: Flags

    def __len__(self) -> int:
        return len(self.case_ids)

    def pick(self, which: Flags | Integers) -> "Entrants":
        """Those at some places."""
        return Entrants(*(column[..., which] for column in vars(self).values()))


@dataclass(frozen=True)
class _History:
    """All cases in sight, by customer and each customer's in the order of their beginning; when the first of all began."""

    case_ids: Integers
    customers: Integers
    opened: Integers
    is_complaint: Flags
    is_known: Flags
    began: int


def list_entrants(question: Question, within: int, viewer: Viewer, as_of: datetime) -> tuple[Entrants, int, int]:
    """Those who entered, and how many others did with a case of unknown kind, and with a case from the future."""
    history, now = _read_history(question, viewer, as_of), int(as_of.timestamp())
    entering = Facts(question, viewer, as_of).columns(MEASURES["opened"], ["f.case_id"])[0]
    may_enter = np.flatnonzero(np.isin(history.case_ids, entering))
    places = may_enter[np.unique(history.customers[may_enter], return_index=True)[1]]
    is_ahead = history.opened[places] > now
    is_known = history.is_known[places]
    entered = places[is_known & ~is_ahead]
    return _follow(history, entered, within, now), int((~is_known & ~is_ahead).sum()), int(is_ahead.sum())


def _read_history(question: Question, viewer: Viewer, as_of: datetime) -> _History:
    told = f"CASE WHEN g.kind = '{Kind.COMPLAINT.value}' THEN 2 WHEN g.kind <> '' THEN 1 ELSE 0 END"
    customer = f"COALESCE((SELECT c.customer_id FROM {table_of(Case).name} c WHERE c.id = f.case_id), 0)"  # noqa: S608  (our own names)
    facts = Facts(Question(("opened",), as_of=question.as_of), viewer, as_of)
    rows = facts.columns(MEASURES["opened"], ["f.case_id", customer, "f.opened_second", told])
    rows = rows[:, rows[1] > 0]  # an erased case has nobody left
    case_ids, customers, opened, kinds = rows[:, np.lexsort((rows[0], rows[2], rows[1]))]
    return _History(case_ids, customers, opened, kinds == 2, kinds > 0, int(opened.min(initial=int(as_of.timestamp()))))


def _follow(history: _History, places: Integers, within: int, now: int) -> Entrants:
    """`places` are those of the entering cases."""
    span, lines = within * DAY, Timelines(history.customers, history.opened)
    customers, seconds = history.customers[places], history.opened[places]
    end = lines.place(customers, now, "right")
    wanted = np.stack([places + 1, places + 2, _next(history.is_complaint)[places + 1]])
    has_come = wanted < end
    moments = np.where(has_come, history.opened[np.minimum(wanted, len(history.opened) - 1)], now)
    return Entrants(
        history.case_ids[places],
        customers,
        seconds,
        history.is_complaint[places],
        (moments - seconds) / DAY,
        has_come,
        places - lines.place(customers, seconds - span, "left"),
        np.minimum(lines.place(customers, seconds + span, "right"), end) - places - 1,
        (now - seconds >= span) & (seconds - history.began >= span),
    )


def _next(marked: Flags) -> Integers:
    """For each place and the one behind the last, the first marked place from it on, else the one behind the last."""
    here = np.where(np.append(marked, True), np.arange(len(marked) + 1), len(marked))
    found: Integers = np.minimum.accumulate(here[::-1])[::-1]
    return found
