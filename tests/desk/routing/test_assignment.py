"""Cases given to people: never against the rules, never far from the best."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from careloop.desk.routing.rules.assignment import NEVER, NOBODY, assign


def draw(n_cases, n_people, most_places, seed):
    rng = np.random.default_rng(seed)
    needs = rng.integers(0, 6, n_cases)
    has = rng.random((n_people, 6)) < 0.4
    urgency = rng.choice([1.0, 2.0, 4.0, 8.0], n_cases)
    benefits = np.where(has[:, needs].T, urgency[:, None] * (1 + rng.random((n_cases, n_people))), NEVER)
    return benefits, [np.linspace(0, 1, places) for places in rng.integers(0, most_places, n_people)]


def best_total(benefits, place_costs):
    columns = [
        np.where(np.isfinite(benefits[:, [one]]), benefits[:, [one]] - costs, -1e9) for one, costs in enumerate(place_costs) if len(costs)
    ]
    table = np.concatenate([*columns, np.zeros((len(benefits), len(benefits)))], axis=1)
    rows, chosen = linear_sum_assignment(-table)
    return table[rows, chosen].sum()


@pytest.mark.parametrize("seed", range(12))
def test_within_one_percent_of_the_best_and_below_its_own_bound(seed):
    benefits, places = draw(120, 10, 14, seed)
    found, best = assign(benefits, places), best_total(benefits, places)
    assert found.value <= best + 1e-9 <= found.bound + 2e-9
    assert found.value >= 0.99 * best
    assert found.gap_ratio <= 0.01


@pytest.mark.parametrize("seed", range(6))
def test_nobody_gets_more_than_their_places_or_what_they_must_not(seed):
    benefits, places = draw(200, 8, 20, seed)
    person_of = assign(benefits, places).person_of
    for person, costs in enumerate(places):
        assert (person_of == person).sum() <= len(costs)
    taken = np.flatnonzero(person_of != NOBODY)
    assert np.isfinite(benefits[taken, person_of[taken]]).all()


def test_the_value_is_what_was_chosen_adds_up_to():
    benefits, places = draw(80, 6, 10, 3)
    found = assign(benefits, places)
    total = sum(benefits[case, person] for case, person in enumerate(found.person_of) if person != NOBODY)
    total -= sum(places[person][: (found.person_of == person).sum()].sum() for person in range(6))
    assert found.value == pytest.approx(total)


def test_work_spreads_over_equal_people():
    found = assign(np.full((12, 4), 2.0), [np.array([0.0, 0.5, 1.0, 1.5])] * 4)
    assert sorted(np.bincount(found.person_of, minlength=4)) == [3, 3, 3, 3]


def test_the_most_urgent_come_first_when_there_is_no_room_for_all():
    benefits = np.array([[1.0], [8.0], [2.0], [4.0]])
    assert assign(benefits, [np.zeros(2)]).person_of.tolist() == [NOBODY, 0, NOBODY, 0]


def test_a_case_waits_rather_than_be_worth_less_than_its_place():
    assert assign(np.array([[0.3]]), [np.array([0.5])]).person_of.tolist() == [NOBODY]


@pytest.mark.parametrize(
    ("benefits", "places"), [(np.zeros((0, 3)), [np.zeros(2)] * 3), (np.zeros((3, 0)), []), (np.ones((2, 1)), [np.zeros(0)])]
)
def test_nothing_to_give_or_nobody_with_room(benefits, places):
    found = assign(benefits, places)
    assert (found.person_of.tolist(), found.value) == ([NOBODY] * len(benefits), 0.0)


def test_the_same_question_has_the_same_answer():
    benefits, places = draw(150, 9, 12, 5)
    assert assign(benefits, places).person_of.tolist() == assign(benefits.copy(), places).person_of.tolist()
