"""Sentiment that learns the words of the texts at hand: better on them, the same everywhere else, never without enough to learn from."""

import numpy as np
import pytest

from careloop.insight import read
from careloop.insight.text import sentiment
from careloop.insight.text.adaptation import Adaptation, adapt

NEW_WORDS = (("脆爽", "爆汁"), ("发蔫", "空心"))  # of fruit; the shipped model does not know what they mean
KNOWN_WORDS = (("很满意", "质量很好", "非常喜欢"), ("太差了", "很失望", "质量很差"))


@pytest.fixture(scope="module")
def adaptation() -> Adaptation:
    generator = np.random.default_rng(0)
    texts = [
        f"收到的梨子{generator.choice(new)}，{generator.choice(known)}，第{'一二三四五六七'[place % 7]}次买"
        for place in range(600)
        for new, known in zip(NEW_WORDS, KNOWN_WORDS, strict=True)
    ]
    return adapt(texts)


def test_words_of_the_trade_are_learnt_without_labels(adaptation: Adaptation) -> None:
    texts = ["梨子脆爽", "梨子爆汁", "梨子发蔫", "梨子空心"]
    before = [one.sentiment_probability for one in read(texts)]
    after = [one.sentiment_probability for one in read(texts, adaptation=adaptation)]
    assert min(after[:2]) > 0.6 > 0.4 > max(after[2:])
    assert sum(after[:2]) - sum(after[2:]) > sum(before[:2]) - sum(before[2:])
    assert adaptation.n_texts == {sentiment.CHINESE: 1200}


def test_readings_say_that_their_model_was_adapted(adaptation: Adaptation) -> None:
    (reading,) = read(["梨子脆爽"], adaptation=adaptation)
    (plain,) = read(["梨子脆爽"])
    assert reading.models["sentiment"] == plain.models["sentiment"] + "*"
    assert any(span.weight > 0 for span in reading.sentiment_evidence)


def test_a_language_that_was_not_there_is_read_as_before(adaptation: Adaptation) -> None:
    texts = ["The pears were crisp and sweet, love them", "Bonjour, où est mon colis ?"]
    assert read(texts, adaptation=adaptation) == read(texts)


@pytest.mark.parametrize("texts", [[], ["很好"] * 999, ["很好，非常满意"] * 2_000, ["🙂"] * 2_000, ["good"] * 500 + ["很好"] * 500])
def test_too_little_teaches_nothing(texts: list[str]) -> None:
    assert adapt(texts).models == {}


def test_the_same_texts_teach_the_same(adaptation: Adaptation) -> None:
    texts = ["很满意，苹果脆", "太差了，苹果烂"] * 600
    first, second = (adapt(texts).models[sentiment.CHINESE] for _ in range(2))
    np.testing.assert_array_equal(first.table.values, second.table.values)
    assert (first.bias, first.scale) == (second.bias, second.scale)
