"""Columns of cases become a matrix and come back from storage."""

import json

import numpy as np
import pytest

from careloop.insight.errors import InputError, ModelError
from careloop.insight.service.columns import Coding, Feature

TABLE = {
    "hours": [1.0, None, 3.0, 5.0],
    "late": [True, False, False, False],
    "channel": ["mail", "chat", "mail", "phone"],
}


def test_numbers_gaps_and_words_have_their_places():
    coding = Coding.learn(TABLE)
    assert [feature.name for feature in coding.features] == ["hours", "late", "hours?", "channel=chat", "channel=phone"]
    assert coding.apply(TABLE).tolist() == [[1, 1, 0, 0, 0], [3, 0, 1, 1, 0], [3, 0, 0, 0, 0], [5, 0, 0, 0, 1]]


def test_scaled_numbers_count_from_their_median_in_standard_deviations():
    scaled = Coding.learn(TABLE).apply(TABLE, is_scaled=True)
    assert scaled[:, 0] == pytest.approx(np.array([-2, 0, 0, 2]) / np.std([1, 3, 5]))


def test_rare_and_unheard_of_words_share_one_place():
    coding = Coding.learn(TABLE, least_count=2)
    assert coding.features[-1] == Feature("channel", "…")
    assert coding.words == {"channel": ("mail", "…")}
    later = {"hours": [2], "late": [None], "channel": ["pigeon"]}
    assert coding.apply(later).tolist() == [[2, 0, 1]]
    assert Coding.learn(TABLE).apply(later).tolist() == [[2, 0, 0, 0, 0]]


def test_it_comes_back_from_storage():
    coding = Coding.learn(TABLE)
    again = Coding.from_json(json.loads(json.dumps(coding.to_json())))
    assert again == coding
    with pytest.raises(ModelError, match="lacks a part"):
        Coding.from_json({"middles": {}})


def test_ragged_and_missing_columns_are_refused():
    with pytest.raises(InputError, match="hours 2, channel 1"):
        Coding.learn({"hours": [1, 2], "channel": ["mail"]})
    with pytest.raises(InputError, match="No columns"):
        Coding.learn({})
    with pytest.raises(InputError, match="late, channel are missing"):
        Coding.learn(TABLE).apply({"hours": [1]})
