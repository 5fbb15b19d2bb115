"""The map of cases, by hand and against an independent count of real events."""

import csv
import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.service.process_map import Step, draw_map
from careloop.insight.stats.intervals import median_interval, wilson_interval
from careloop.insight.stats.survival import fit_survival

EVENTS = Path(__file__).resolve().parents[4] / "shared" / "data" / "helpdesk_events.csv.gz"
CASES = ["a", "a", "a", "b", "b", "c", "c", "c", "c"]
STATES = ["new", "waiting", "closed", "new", "waiting", "new", "waiting", "new", "closed"]
TIMES = [0, 10, 40, 0, 20, 5, 15, 75, 80]


def test_states_and_steps_are_counted_and_timed():
    found = draw_map(CASES, STATES, TIMES, now=100, open_cases={"b"})
    assert (found.n_cases, found.n_with_returns) == (3, 1)
    assert [(state.name, state.n_cases, state.n_visits, state.n_starts, state.n_ends, state.n_open) for state in found.states] == [
        ("new", 3, 4, 3, 0, 0),
        ("waiting", 3, 3, 0, 0, 1),
        ("closed", 2, 2, 0, 2, 0),
    ]
    assert found.steps == (
        Step("new", "waiting", 3, 0.75, *wilson_interval(3, 4), 10.0),
        Step("new", "closed", 1, 0.25, *wilson_interval(1, 4), 5.0),
        Step("waiting", "closed", 1, 0.5, *wilson_interval(1, 2), 30.0),
        Step("waiting", "new", 1, 0.5, *wilson_interval(1, 2), 60.0),
    )


def test_an_open_stay_counts_as_longer_than_it_has_lasted():
    states = {state.name: state.median_seconds for state in draw_map(CASES, STATES, TIMES, now=100, open_cases={"b"}).states}
    assert states == {"new": 10.0, "waiting": 60.0, "closed": None}  # stays in waiting: 30, 60, more than 80
    half_open = draw_map(["a", "a", "b", "c"], ["new", "closed", "new", "new"], [0, 10, 0, 0], now=50, open_cases={"b", "c"})
    assert half_open.states[0].median_seconds is None


def test_a_median_stay_has_the_interval_of_its_curve():
    cases = [name for number in range(40) for name in (number, number)]
    found = draw_map(cases, ["new", "closed"] * 40, [second for number in range(40) for second in (0, number + 1)])
    new = next(state for state in found.states if state.name == "new")
    low, high = median_interval(fit_survival(np.arange(1.0, 41.0), np.ones(40, dtype=bool)))
    assert (new.low_seconds, new.median_seconds, new.high_seconds) == (low, 20.0, high) == (14.0, 20.0, 26.0)


def test_slow_steps_that_are_cut_off_more_often_count_fully():
    rng = np.random.default_rng(6)
    stays, ends = rng.exponential(100, 4_000), rng.uniform(0, 150, 4_000)
    cases, states, times, still_open = [], [], [], set()
    for case, (stay, end) in enumerate(zip(stays, ends, strict=True)):
        cases.append(case)
        states.append("waiting")
        times.append(1_000 - end)
        if stay <= end:
            cases.append(case)
            states.append("answered")
            times.append(1_000 - end + stay)
        else:
            still_open.add(case)
    found = draw_map(cases, states, times, now=1_000, open_cases=still_open)
    step = found.steps[0]
    observed = np.median(stays[stays <= ends])
    assert observed < 36
    assert found.states[0].median_seconds == pytest.approx(100 * np.log(2), rel=0.06)
    assert step.median_seconds > 1.25 * observed  # the true one among stays up to 150 is 50


def test_rows_need_no_order_and_a_clock_that_ran_backwards_orders_by_time():
    order = np.random.default_rng(1).permutation(len(CASES))
    shuffled = draw_map([CASES[i] for i in order], [STATES[i] for i in order], [TIMES[i] for i in order], now=100, open_cases={"b"})
    assert shuffled == draw_map(CASES, STATES, TIMES, now=100, open_cases={"b"})


def test_nothing_and_nonsense():
    empty = draw_map([], [], [])
    assert (empty.states, empty.steps, empty.n_cases, empty.n_with_returns) == ((), (), 0, 0)
    with pytest.raises(InputError, match="until when they are known"):
        draw_map(CASES, STATES, TIMES, open_cases={"b"})
    with pytest.raises(InputError, match="give one of each"):
        draw_map(CASES, STATES, TIMES[1:])
    with pytest.raises(InputError, match="not finite"):
        draw_map(["a"], ["new"], [float("nan")])


@pytest.mark.skipif(not EVENTS.is_file(), reason="the shared data is not beside the project")
def test_the_map_of_real_events_is_that_of_pandas():
    """pandas 2.3.3: groupby, shift and median over cases whose rows are sorted by time, then by their place in the file."""
    with gzip.open(EVENTS, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    seconds = [datetime.fromisoformat(row["CompleteTimestamp"] + "+00:00").timestamp() for row in rows]
    found = draw_map([row["CaseID"] for row in rows], [row["ActivityID"] for row in rows], seconds)
    assert (found.n_cases, found.n_with_returns, len(found.steps), len(found.states)) == (3804, 1043, 33, 9)
    assert [(*step[:3], step.median_seconds) for step in found.steps[:8]] == [
        ("1", "8", 3483, 8619.0),
        ("8", "6", 3286, 7326.0),
        ("8", "9", 851, 72037.0),
        ("9", "8", 519, 430403.0),
        ("1", "1", 394, 3908.5),
        ("9", "6", 382, 603400.0),
        ("1", "6", 220, 2945.5),
        ("6", "6", 208, 1.0),
    ]
    assert {state.name: (state.n_visits, state.n_cases) for state in found.states[:3]} == {
        "8": (4278, 3571),
        "6": (4150, 3804),
        "1": (4144, 3749),
    }
    assert {state.name: state.n_starts for state in found.states if state.n_starts} == {
        "1": 3644,
        "3": 108,
        "8": 48,
        "6": 2,
        "2": 1,
        "9": 1,
    }
    assert next(state for state in found.states if state.name == "6").n_ends == 3804
