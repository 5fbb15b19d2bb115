"""How probable it is that two cases are one matter."""

from careloop.desk.merging.rules import Likeness, probability_of_same

TWIN = Likeness(is_same_customer=True, is_same_code=True, has_code=True, text_ratio=0.9, is_same_text=True, hours=2)


def test_the_same_customer_with_the_same_number_and_text_is_almost_certainly_the_same():
    assert round(probability_of_same(TWIN), 2) == 1.0


def test_each_thing_in_common_counts_and_time_apart_counts_against():
    likely = probability_of_same(TWIN._replace(hours=48))
    for change in ({"is_same_customer": False}, {"is_same_code": False}, {"text_ratio": 0.1}, {"hours": 480}):
        assert probability_of_same(TWIN._replace(**{"hours": 48, **change})) < likely


def test_a_stranger_with_similar_words_days_later_is_not_the_same():
    stranger = Likeness(is_same_customer=False, is_same_code=False, has_code=False, text_ratio=0.9, is_same_text=False, hours=72)
    assert round(probability_of_same(stranger), 2) == 0.01
