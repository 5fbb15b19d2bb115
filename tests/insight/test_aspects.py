"""What opinions are about: built-in aspects in both languages, and aspects learnt from a house's own examples."""

import numpy as np
import pytest
from scipy import sparse

from careloop.insight import Reading, read
from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.aspects import learn_aspects, load_aspects
from careloop.insight.text.aspects.clauses import Clause
from careloop.insight.text.aspects.model import Detector, find_signs

CARS = {
    "油耗": ["油耗太高了", "百公里油耗八个", "这车很省油", "费油得很", "油耗比想象的低", "跑高速省油"],
    "空间": ["后排空间大", "后备箱空间很大", "腿部空间宽敞", "空间有点小", "头部空间够用", "后排坐三个人不挤"],
    "价格": ["价格太贵", "价格优惠两万", "落地价十五万", "价格便宜", "这个价格很值", "降价两万"],
}


def read_aspects(text):
    (reading,) = read([text])
    return [(one.aspect, one.sentiment, text[one.start : one.end]) for one in reading.aspects]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("物流慢，但客服好", [("delivery", "negative", "物流慢"), ("service", "positive", "但客服好")]),
        ("质量和服务都很好", [("quality", "positive", "质量和服务都很好"), ("service", "positive", "质量和服务都很好")]),
        ("质量好价格便宜", [("quality", "positive", "质量好"), ("price", "positive", "价格便宜")]),
        ("太贵了", [("price", "negative", "太贵了")]),
        ("物流很快 包装破了", [("delivery", "positive", "物流很快"), ("packaging", "negative", "包装破了")]),
        ("great food but rude service", [("taste", "positive", "great food"), ("service", "negative", "but rude service")]),
        ("Fast delivery, great packaging", [("delivery", "positive", "Fast delivery"), ("packaging", "positive", "great packaging")]),
        ("你好", []),
        ("", []),
    ],
)  # fmt: skip
def test_built_in_aspects_carry_the_opinion_of_their_own_words(text, found):
    assert read_aspects(text) == found


def test_question_about_an_aspect_is_neutral():
    assert read_aspects("请问物流几天到") == [("delivery", "neutral", "请问物流几天到")]


def test_aspect_named_twice_is_one_entry():
    (reading,) = read(["物流很慢。真的，物流太慢了！"])
    assert [one.aspect for one in reading.aspects] == ["delivery"]


def test_reading_stored_before_aspects_existed_still_loads():
    (reading,) = read(["你好"])
    stored = reading.to_json()
    del stored["aspects"]
    assert Reading.from_json(stored | {"format": 1}) == reading


def learn_cars(*, with_opinions=False):
    rows = [(text, name) for name, texts in CARS.items() for text in texts]
    rows += [("油耗高，但是空间大", "油耗"), ("油耗高，但是空间大", "空间")]
    texts, names = zip(*rows, strict=True)
    opinions = ["-1" if any(bad in text for bad in ("太", "小", "费", "高，")) else "1" for text in texts] if with_opinions else None
    return learn_aspects(texts, names, opinions)


def test_learnt_aspects_are_found_in_new_texts_with_their_clause():
    model, report = learn_cars()
    (found,) = model.read(["外观一般，油耗很高，空间也大"])
    assert [(one.aspect, one.start, one.end) for one in sorted(found, key=lambda one: one.start)][-2:] == [("油耗", 5, 9), ("空间", 10, 14)]
    assert (report.rows, report.texts, report.labels) == (20, 19, 3)
    assert report.sentiment_accuracy is None


def test_saved_model_reads_alike(tmp_path):
    model, _ = learn_cars(with_opinions=True)
    model.save(tmp_path / "cars")
    loaded = load_aspects(tmp_path / "cars")
    texts = ["油耗高", "空间大，价格贵", "", "你好", "👍", "\x00\x01", "a" * 10_000]
    np.testing.assert_allclose(loaded.score(texts), model.score(texts), atol=0.01)
    assert [[one.aspect for one in found] for found in loaded.read(texts)] == [[one.aspect for one in found] for found in model.read(texts)]
    assert loaded.card["fingerprint"] == model.card["fingerprint"]


def test_learnt_opinions_use_the_words_of_the_examples():
    model, report = learn_cars(with_opinions=True)
    assert {one.sentiment for found in model.read(["油耗太高", "空间大"]) for one in found} <= {"1", "-1"}
    assert report.sentiment_accuracy == pytest.approx(0.5, abs=0.5)


def test_signs_are_of_the_text_its_clearest_clause_and_the_strongest_other_aspect():
    weights = np.array([[4.0, 0.0, 1.0], [0.0, 2.0, 0.0]], dtype=np.float32)
    detector = Detector(np.arange(2), np.zeros((2, 3), dtype=np.float32), weights, np.zeros(3))  # a text's length is 2
    texts = sparse.csr_matrix([[1.0, 1.0], [0.0, 1.0]])
    parts = sparse.csr_matrix([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    signs = find_signs(detector, texts, parts, [Clause(0, 0, 1), Clause(0, 2, 3), Clause(1, 0, 1)])
    assert signs[0].tolist() == [[2.0, 2.0, 1.0, 1.0], [1.0, 1.0, 2.0, 2.0], [0.5, 0.5, 2.0, 2.0]]
    assert signs[1].tolist() == [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]


def test_text_without_anything_known_has_no_aspect():
    model, _ = learn_cars()
    assert model.read(["", "👍", "?"]) == [[], [], []]
    assert model.read([]) == []


def test_english_aspects_are_learnt_from_words():
    rows = [("the room was clean", "room"), ("our room was tiny", "room"), ("room with a view", "room"), ("noisy room", "room")]
    rows += [("dirty room and bed", "room"), ("breakfast was cold", "food"), ("the breakfast buffet", "food"), ("nice breakfast", "food")]
    rows += [("breakfast included", "food"), ("poor breakfast", "food")]
    model, _ = learn_aspects(*zip(*rows, strict=True))
    assert [[one.aspect for one in found] for found in model.read(["a big room", "late breakfast"])] == [["room"], ["food"]]


def test_too_few_examples_are_refused():
    with pytest.raises(InputError, match="At least 2 aspects"):
        learn_aspects(["a", "b"], ["x", "y"])
    with pytest.raises(InputError, match="one length"):
        learn_aspects(["a", "b"], ["x"])


def test_folder_without_or_with_a_damaged_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="There is no model"):
        load_aspects(tmp_path)
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(ModelError, match="is for something else, not for aspects"):
        load_aspects(tmp_path)
    (tmp_path / "card.json").write_text('{"task": "aspects", "format": 2}')
    with pytest.raises(ModelError, match="learn the model again"):
        load_aspects(tmp_path)
