"""What is looked at of the cases of a comparison by lot: columns, one entry an exposure, from the facts as they are or as they were.

A case that was merged into another since its exposure tells of itself as long as it was known, and of the other from then on.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection, models
from numpy.typing import NDArray

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case
from careloop.desk.experiments.models import Comparison, Exposure
from careloop.desk.kernel.rows import marks, table_of
from careloop.desk.measures.columns import Integers, fetch, joined, moments_in, numbers_in
from careloop.desk.measures.models import AnswerFact, AnswerFactPast, CaseFact, CaseFactPast, Facets
from careloop.desk.measures.trial_looks import Rows

REPEAT_SECONDS = 30 * 24 * 3600
MOST_COLUMNS = 8  # channels and kinds held, the commonest
NONE = -1  # stands for NULL among whole numbers that are not negative
CUSTOMER_BITS = 40  # of a key that orders cases by customer and second

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Tables = tuple[type[models.Model], type[models.Model]]  # facts as they are, and those closed since


@dataclass(frozen=True)
class CaseColumns:
    """Facts of cases, by rising number; -1 where a case is not resolved or not answered yet."""

    numbers: Integers
    customers: Integers
    facets: Integers
    opened: Integers
    resolution: Integers
    response: Integers
    reopened: Integers


@dataclass(frozen=True)
class Seen:
    """The exposures in a viewer's sight, in their order: group, case, customer, second, and the place of the case's fact or -1.

    `others` has the facts of all cases of these customers in that sight, `combinations` team, channel and kind of each of their facets.
    """

    arms: Integers
    cases: Integers
    customers: Integers
    at: Floats
    facts: Integers
    others: CaseColumns
    combinations: dict[int, tuple[int, int, str]]


def read_seen(comparison: Comparison, viewer: Viewer, *, as_of: datetime | None, until: datetime) -> Seen:
    """Exposures until a moment with the facts of their customers' cases."""
    facets = Facets.objects.values_list("id", "team_id", "channel_id", "kind")
    combinations = {number: (team, channel, kind) for number, team, channel, kind in facets}
    keys, arms, first, later, customers, at = _read_exposures(comparison, until)
    others = _read_cases(comparison, as_of, np.unique(later[first != later]))
    order = np.lexsort((keys, at))
    arms, first, later, customers, at = (column[order].astype(np.int64) for column in (arms, first, later, customers, at))
    facts = _places(others.numbers, first)
    is_merged = (facts < 0) & (first != later)
    facts[is_merged] = _places(others.numbers, later[is_merged])
    cases = np.where(is_merged, later, first)
    if viewer.team_ids is not None:
        inside = np.array([number for number, (team, _channel, _kind) in combinations.items() if team in viewer.team_ids], dtype=np.int64)
        in_sight = np.isin(others.facets, inside)
        kept = (facts >= 0) & in_sight[facts]
        arms, cases, customers, at = (column[kept] for column in (arms, cases, customers, at))
        others = CaseColumns(*(getattr(others, name)[in_sight] for name in CaseColumns.__dataclass_fields__))
        facts = _places(others.numbers, cases)
    places = {arm.pk: place for place, arm in enumerate(comparison.arms.all())}
    known, place = np.unique(arms, return_inverse=True)
    groups = np.array([places[arm] for arm in known.tolist()], dtype=np.int64)[place]
    return Seen(groups, cases, customers, at / 1e6, facts, others, combinations)


def count_outcomes(seen: Seen, comparison: Comparison, *, as_of: datetime | None, shown: datetime) -> dict[str, Rows]:
    """What each outcome counts, as of the moment that is shown."""
    is_known = seen.facts >= 0
    sorts, table, names = _sort(seen)
    opened, resolution, response, reopened = (
        np.where(is_known, column[seen.facts] if len(column) else NONE, NONE)
        for column in (seen.others.opened, seen.others.resolution, seen.others.response, seen.others.reopened)
    )
    ratings, is_answered = _answers(seen, comparison, as_of)
    is_over, is_replied = resolution != NONE, response != NONE
    so_far = np.maximum(0, int(shown.timestamp()) - opened)

    def rows(values: NDArray[Any], is_counted: Flags, ended: Flags | None = None) -> Rows:
        chosen = is_counted & is_known
        over = np.ones(len(values), dtype=bool) if ended is None else ended
        return Rows(seen.arms[chosen], values[chosen].astype(np.float64), over[chosen], sorts[chosen], table, names)

    return {
        "SATISFACTION": rows(ratings, ~np.isnan(ratings)),
        "REOPENED": rows(reopened > 0, is_over | (reopened > 0)),
        "REPEAT": rows(_has_come_again(seen, opened), seen.at <= shown.timestamp() - REPEAT_SECONDS),
        "ANSWERED": rows(is_answered, ~np.isnan(is_answered)),
        "RESOLUTION": rows(np.where(is_over, resolution, so_far), is_known, is_over),
        "RESPONSE": rows(np.where(is_replied, response, np.where(is_over, resolution, so_far)), is_known, is_replied),
    }


def _read_exposures(comparison: Comparison, until: datetime) -> list[Integers]:
    """Number, group, first case, case that it became, customer and microsecond of each."""
    columns = ("e.id", "e.arm_id", "e.first_case_id", "e.case_id", "e.customer_id", "CAST(e.at AS TEXT)")
    sql = f"SELECT {joined(columns)} FROM {table_of(Exposure).name} e WHERE e.comparison_id = %s AND e.at <= %s"  # noqa: S608  (names of our own models)
    *numbers, moments = fetch(sql, [comparison.pk, connection.ops.adapt_datetimefield_value(until)])[0]
    return [*map(numbers_in, numbers), moments_in(moments)]


def _read_cases(comparison: Comparison, as_of: datetime | None, became: Integers) -> CaseColumns:
    """All cases of the exposed customers, and those that exposed cases became."""
    case, exposed = table_of(Case).name, table_of(Exposure).name
    columns = ("resolution_seconds", "response_seconds", "reopened")
    selected = ("f.case_id", "c.customer_id", "f.facets_id", "f.opened_second", *(f"COALESCE(f.{one}, {NONE})" for one in columns))
    tables, tail = (CaseFact, CaseFactPast), f"f JOIN {case} c ON c.id = f.case_id WHERE"
    theirs = f"{tail} c.customer_id IN (SELECT customer_id FROM {exposed} WHERE comparison_id = %s)"  # noqa: S608  (names of our own models)
    found = read_facts(tables, selected, theirs, [comparison.pk], as_of)
    if len(became):
        more = read_facts(tables, selected, f"{tail} f.case_id IN ({marks(became)})", became.tolist(), as_of)
        found = np.concatenate([found, more[:, ~np.isin(more[0], found[0])]], axis=1)
    return CaseColumns(*found[:, np.argsort(found[0])])


def read_facts(tables: Tables, columns: Sequence[str], tail: str, values: list[Any], as_of: datetime | None) -> Integers:
    """One row for each SQL expression, one column for each fact `f` that the rest of the statement chooses, as it is or as it was."""
    now, past = (table_of(model).name for model in tables)
    select = f"SELECT {joined(columns)} FROM"
    if as_of is None:
        texts = [fetch(f"{select} {now} {tail}", values)[0]]
    else:
        moment = connection.ops.adapt_datetimefield_value(as_of)
        kept = fetch(f"{select} {now} {tail} AND f.known_from <= %s", [*values, moment])[0]
        was = fetch(f"{select} {past} {tail} AND f.known_from <= %s AND f.known_until > %s", [*values, moment, moment])[0]
        texts = [kept, was]
    return np.concatenate([np.stack([numbers_in(text) for text in some]) for some in texts], axis=1)


def _answers(seen: Seen, comparison: Comparison, as_of: datetime | None) -> tuple[Floats, Floats]:
    """Of each exposure the newest rating of its case, and whether it was answered if it was asked; not a number where there is none."""
    exposed = f"SELECT %s FROM {table_of(Exposure).name} WHERE comparison_id = {int(comparison.pk)}"  # noqa: S608  (names of our own models)
    tail = f"f WHERE f.case_id IN ({exposed % 'case_id'} UNION {exposed % 'first_case_id'})"
    rating = f"CASE WHEN f.scale IN ('CSAT', 'STARS') THEN COALESCE(f.hundredths, {NONE}) ELSE {NONE} END"
    days = tuple(f"COALESCE(f.{one}, {NONE})" for one in ("sent_on", "answered_on"))
    columns = ("f.case_id", rating, *days, "CASE f.origin WHEN 'SURVEY' THEN 1 ELSE 0 END", "f.origin_id")
    found = read_facts((AnswerFact, AnswerFactPast), columns, tail, [], as_of)
    cases, rated, sent, answered = found[:4, np.lexsort((found[5], found[4], found[3]))]
    ratings, replied = np.full((2, len(seen.cases)), np.nan)
    names = np.unique(cases)
    places = _places(names, seen.cases)
    last, any_reply = np.full((2, len(names)), np.nan)
    last[np.searchsorted(names, cases[rated != NONE])] = rated[rated != NONE] / 100  # of several the last stays
    any_reply[np.searchsorted(names, cases[sent != NONE])] = 0.0
    any_reply[np.searchsorted(names, cases[(sent != NONE) & (answered != NONE)])] = 1.0
    is_there = places >= 0
    ratings[is_there], replied[is_there] = last[places[is_there]], any_reply[places[is_there]]
    return ratings, replied


def _has_come_again(seen: Seen, opened: Integers) -> Flags:
    """Whether each exposure's customer opened another case in the 30 days after it."""
    names = np.unique(np.concatenate([seen.others.customers, seen.customers]))

    def keys(customers: Integers, seconds: Integers) -> Integers:
        return (np.searchsorted(names, customers) << CUSTOMER_BITS) + seconds

    cases, at = np.sort(keys(seen.others.customers, seen.others.opened)), np.floor(seen.at).astype(np.int64)
    before, until = (np.searchsorted(cases, keys(seen.customers, at + span), side="right") for span in (0, REPEAT_SECONDS))
    is_own = (opened > at) & (opened <= at + REPEAT_SECONDS)
    return np.asarray(until - before > is_own)


def _sort(seen: Seen) -> tuple[Integers, Floats, tuple[str, ...]]:
    """The sort of each exposure, and for each sort 1 for its channel and its kind; of the commonest, as what is rare cannot be held."""
    facets = np.where(seen.facts >= 0, seen.others.facets[seen.facts] if len(seen.others.facets) else NONE, NONE)
    numbers, first, places, counts = np.unique(facets, return_index=True, return_inverse=True, return_counts=True)
    counted: Counter[tuple[int, str]] = Counter()
    told = [seen.combinations[number][1:] if number != NONE else (0, "") for number in numbers.tolist()]
    for place in np.argsort(first).tolist():
        counted[told[place]] += int(counts[place])
    marked = {one: (f"channel {one[0]}", f"kind {one[1]}") for one in counted}
    common: Counter[str] = Counter()
    for one, n in counted.items():
        common.update(dict.fromkeys(marked[one], n))
    names = tuple(name for name, _n in common.most_common(MOST_COLUMNS))
    code = {one: place for place, one in enumerate(counted)}
    table = [[float(name in both) for name in names] for both in marked.values()]
    sorts = np.array([code[one] for one in told], dtype=np.int64)[places]
    return sorts, np.array(table, dtype=np.float64).reshape(len(counted), len(names)), names


def _places(among: Integers, wanted: Integers) -> Integers:
    """Where each number lies in a rising row; -1 where it does not."""
    if not len(among):
        return np.full(len(wanted), NONE)
    found = np.minimum(np.searchsorted(among, wanted), len(among) - 1)
    return np.where(among[found] == wanted, found, NONE)
