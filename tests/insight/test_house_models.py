"""What a house's corrections add to the shipped sentiment and kind: learnt where people correct, unchanged where nobody did."""

import json

import numpy as np
import pytest

from careloop.insight import read
from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.house_models import LABELS, HouseModel, answer_as_shipped, learn_house_model, load_house_model, start_from
from careloop.insight.types import KINDS, Reading

HEATERS = [f"热水器{fault}，第{place}次了" for place in range(12) for fault in ("跳闸", "打火打不着")]
PARCELS = [f"{place}号包裹什么时候到" for place in range(24)]
OTHERS = [f"{place}号订单的发票抬头怎么改" for place in range(40)]


def rows_of(texts: list[str], label: str) -> list[tuple[str, Reading, str]]:
    return [(text, reading, label) for text, reading in zip(texts, read(texts), strict=True)]


@pytest.fixture(scope="module")
def learnt() -> HouseModel:
    """A house in which a heater that fails is a matter of refunds."""
    others = list(zip(OTHERS, read(OTHERS), strict=True))
    return learn_house_model("kind", rows_of(HEATERS, "refund") + rows_of(PARCELS, "consultation"), others)


def test_new_texts_like_the_corrected_ones_are_read_as_people_said(learnt: HouseModel) -> None:
    texts = ["家里热水器又跳闸", "热水器打火打不着怎么回事"]
    shipped, house = read(texts), learnt.answer(texts, read(texts))
    assert [one.kind for one in shipped] != ["refund", "refund"]
    assert [one.label for one in house] == ["refund", "refund"]
    assert [len(one.ranked) for one in house] == [6, 6] and sum(p for _name, p in house[0].ranked) == pytest.approx(1, abs=3e-4)


def test_a_text_without_a_known_word_is_read_as_shipped(learnt: HouseModel) -> None:
    texts = ["Zxq wvut!", ""]
    readings = read(texts)
    assert learnt.answer(texts, readings) == answer_as_shipped("kind", readings)


def test_people_who_correct_errors_alone_do_not_turn_what_is_right() -> None:
    wrong = rows_of(HEATERS, "refund") + rows_of(PARCELS, "praise")  # whatever was read here, somebody found it wrong
    readings = read(OTHERS)
    model = learn_house_model("kind", wrong, list(zip(OTHERS, readings, strict=True)))
    new = [f"请问{place}号订单的发票抬头" for place in range(10)]
    assert [one.label for one in model.answer(new, read(new))] == [one.kind for one in read(new)]


def test_sentiment_is_learnt_with_its_three_values() -> None:
    neutral = [f"还行吧，没什么感觉，第{place}次" for place in range(12)]
    good = [f"这锅香得冒油，{place}天吃完" for place in range(12)]
    model = learn_house_model("sentiment", rows_of(neutral, "neutral") + rows_of(good, "positive"))
    texts = ["还行吧，没什么感觉", "这锅香得冒油"]
    applied = model.apply(texts, read(texts), version="house-7")
    assert [one.sentiment for one in applied] == ["neutral", "positive"]
    assert applied[1].sentiment_probability > 0.5
    assert [one.models["sentiment"] for one in applied] == ["house-7", "house-7"]


def test_applying_changes_only_its_own_task_and_leaves_words_that_spoke_for_another_label_out(learnt: HouseModel) -> None:
    (before,) = read(["家里热水器又跳闸"])
    (after,) = learnt.apply(["家里热水器又跳闸"], [before], version="house-3")
    assert (after.kind, after.kind_evidence, after.kind_abstained) == ("refund", (), False)
    assert (after.sentiment, after.sentiment_probability, after.tokens) == (before.sentiment, before.sentiment_probability, before.tokens)
    assert (after.models["kind"], after.models["sentiment"]) == ("house-3", before.models["sentiment"])
    failed = Reading(error="broken")
    assert learnt.apply(["x"], [failed], version="house-3") == [failed]


def test_where_the_house_agrees_it_abstains_as_the_reading_does() -> None:
    readings = [
        Reading(kind="refund", kind_probability=0.4, kind_abstained=True),
        Reading(kind="refund", kind_probability=0.4, kind_abstained=False),
    ]
    assert [one.abstained for one in answer_as_shipped("kind", readings)] == [True, False]


def test_the_start_says_what_the_reading_says() -> None:
    kinds = np.exp(start_from("kind", [Reading(kind="complaint", kind_probability=0.75), Reading()]))
    assert kinds[0].round(4).tolist() == [0.05, 0.75, 0.05, 0.05, 0.05, 0.05]
    assert KINDS[int(kinds[1].argmax())] == "other"
    given = [
        Reading(sentiment="positive", sentiment_probability=0.9),
        Reading(sentiment="negative", sentiment_probability=0.1),
        Reading(sentiment="neutral", sentiment_probability=0.6),
        Reading(sentiment="positive", sentiment_probability=0.5),
    ]
    assert [one.label for one in answer_as_shipped("sentiment", given)] == ["positive", "negative", "neutral", "positive"]
    assert np.exp(start_from("sentiment", given)).sum(axis=1) == pytest.approx(np.ones(4))


def test_it_comes_back_from_its_folder_and_gives_the_same_answers(learnt: HouseModel, tmp_path) -> None:
    learnt.save(tmp_path)
    again = load_house_model(tmp_path, "kind")
    texts = [*HEATERS[:3], *OTHERS[:3]]
    assert again.answer(texts, read(texts)) == learnt.answer(texts, read(texts))
    assert json.loads((tmp_path / "card.json").read_text())["labels"] == {"consultation": 24, "refund": 24}
    with pytest.raises(ModelError, match="not for house sentiment"):
        load_house_model(tmp_path, "sentiment")


def test_learning_twice_gives_the_same(learnt: HouseModel) -> None:
    others = list(zip(OTHERS, read(OTHERS), strict=True))
    again = learn_house_model("kind", rows_of(HEATERS, "refund") + rows_of(PARCELS, "consultation"), others)
    assert np.array_equal(again.weights, learnt.weights) and again.card == learnt.card


@pytest.mark.parametrize(
    ("task", "labels", "sentence"),
    [
        ("kind", ["refund"] * 19, "Too few corrections to learn from: 19 of 20."),
        ("kind", ["refund"] * 20, "All 20 corrections say the same; two different ones are needed."),
        ("sentiment", ["refund"] * 20, "“refund” is no sentiment; choose one of positive, neutral, negative."),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(task, labels, sentence) -> None:
    with pytest.raises(InputError) as refused:
        learn_house_model(task, [("text", Reading(), label) for label in labels])
    assert str(refused.value) == sentence


def test_labels_are_those_of_readings() -> None:
    assert LABELS == {"sentiment": ("positive", "neutral", "negative"), "kind": KINDS}
