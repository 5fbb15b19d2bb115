"""Entity types learnt from examples: what is refused, what is found again, what the report says."""

import itertools
import json
import re
import time

import pytest

from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.entities import AnnotatedText, LabelledSpan, read_annotations
from careloop.insight.text.entities.chains import decode_tags, encode_tags, tell_ends
from careloop.insight.text.entities.evaluation import score_entities
from careloop.insight.text.entities.gazetteer import Gazetteer
from careloop.insight.text.entities.model import learn_entities, load_entities
from careloop.insight.text.entities.units import cut_units, describe_units

PRODUCTS = ["云盒X9", "米灯", "小白锅", "晨光壶", "Nova Pad", "星河耳机"]
FRAMES = ["我的{}坏了怎么办", "{}什么时候发货", "买了{}，不喜欢", "the {} is broken", "请问{}保修吗", "《{}》说明书"]
PEOPLE = ["Anna Smith", "Tom Jones", "王小明", "李静"]


def make_examples():
    examples = []
    for name, frame in itertools.product(PRODUCTS, FRAMES):
        text = frame.format(name)
        start = text.index(name)
        examples.append((text, [LabelledSpan(start, start + len(name), "product")]))
    examples += [(f"{name} 说明天回复，waiting", [LabelledSpan(0, len(name), "agent")]) for name in PEOPLE]
    return examples + [(text, []) for text in ("物流太慢了", "客服不理人", "I am angry", "退款", "好的")]


@pytest.fixture(scope="module")
def model():
    texts, spans = zip(*make_examples(), strict=True)
    return learn_entities(texts, spans)


def find(model, text):
    (entities,) = model.read([text])
    assert all(text[one.start : one.end] == one.text == one.value for one in entities)
    return [(one.type, one.text) for one in entities]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的小白锅坏了，请问小白锅保修吗", [("product", "小白锅"), ("product", "小白锅")]),
        ("the Nova Pad is broken", [("product", "Nova Pad")]),
        ("退款", []),
        ("", []),
        ("👍", []),
        ("\x00\ud800", []),
    ],
)
def test_entities_are_found_in_new_texts(model, text, expected):
    assert find(model, text) == expected


def test_a_stored_model_finds_the_same(model, tmp_path):
    model.save(tmp_path / "model")
    texts = [text for text, _ in make_examples()]
    stored = load_entities(tmp_path / "model")
    assert stored.read(texts) == model.read(texts)
    assert (stored.types, stored.card) == (("agent", "product"), model.card)


def test_the_card_reports_rows_that_were_held_back(model):
    card = model.card
    assert (card["rows"], card["rows_learnt"], card["held_back_rows"]) == (45, 45, 9)
    assert set(card["report"]) == {"precision", "recall", "f1", "entities", "per_type"}
    assert card["report"]["entities"] == sum(figures["entities"] for figures in card["report"]["per_type"].values())


def test_the_same_examples_make_the_same_model(model):
    texts, spans = zip(*make_examples(), strict=True)
    again = learn_entities(texts, spans)
    assert again.card == model.card
    assert [chain.content for chain in again.chains] == [chain.content for chain in model.chains]


def test_neighbours_do_not_change_what_is_found(model):
    texts = [text for text, _ in make_examples()]
    assert model.read(texts) == [model.read([text])[0] for text in texts]


def test_long_texts_are_read_in_linear_time(model):
    text = "请问小白锅保修吗？" * 400
    began = time.process_time()
    (entities,) = model.read([text])
    assert time.process_time() - began < 5.0
    assert len(entities) == 400
    assert find(model, "x" * 20_000) == []


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ("{", None, "Row 1 is not JSON"),
        ("[1]", None, "Row 1 is a JSON list"),
        ({"label": {}}, "text", "has no text"),
        ({"text": "退款"}, "entities", "neither “label” nor “entities”"),
        ({"text": "退款", "label": []}, "label", "not an object of types"),
        ({"text": "退款", "label": {"a": {"退": [0, 0]}}}, "label", "not a list of [first, last]"),
        ({"text": "退款", "label": {"a": {"款": [[0, 0]]}}}, "label", "a is “款”, but at 0–1 the text has “退”"),
        ({"text": "退款", "label": {"a": {"退款": [[0, 2]]}}}, "label", "stands at 0–3, outside the text of 2 characters"),
        ({"text": "退款", "label": {"a": {"退款": [[1, 0]]}}}, "label", "ends at 1, which is not after its start at 1"),
        ({"text": "退款", "entities": {}}, "entities", "is not a list"),
        ({"text": "退款", "entities": [3]}, "entities", "is not an object"),
        ({"text": "退款", "entities": [{"type": "", "start": 0, "end": 1}]}, "entities", "the type of an entity is ''"),
        ({"text": "退款", "entities": [{"type": "a", "start": "0", "end": 1}]}, "entities", "expected were whole numbers"),
        ({"text": "退款", "entities": [{"type": "a", "start": -1, "end": 1}]}, "entities", "outside the text"),
        ({"text": "退款", "entities": [{"type": "a", "start": 0, "end": 1, "text": "款"}]}, "entities", "count characters, not bytes"),
        (
            {"text": "要退款", "entities": [{"type": "a", "start": 0, "end": 2}, {"type": "b", "start": 1, "end": 3}]},
            "entities",
            "“要退” (a, from 0) and “退款” (b, from 1) overlap",
        ),
        (
            {"text": "退款", "entities": [{"type": "a", "start": 0, "end": 2}, {"type": "b", "start": 0, "end": 2}]},
            "entities",
            "“退款” (a, from 0) and “退款” (b, from 0) overlap",
        ),
    ],
)
def test_examples_that_cannot_be_right_are_refused(row, field, message):
    line = row if isinstance(row, str) else json.dumps(row)
    with pytest.raises(InputError, match=re.escape(message)) as refusal:
        read_annotations([line])
    assert (refusal.value.row, refusal.value.field) == (1, field)


def test_both_ways_of_writing_mean_the_same():
    expected = AnnotatedText("王五在北京", (LabelledSpan(0, 2, "name"), LabelledSpan(3, 5, "place")))
    inclusive = '{"text": "王五在北京", "label": {"place": {"北京": [[3, 4]]}, "name": {"王五": [[0, 1]]}}}'
    exclusive = {"text": "王五在北京", "entities": [{"type": "name", "start": 0, "end": 2}, {"type": "place", "start": 3, "end": 5}]}
    assert read_annotations([inclusive, "", exclusive]) == [expected, expected]


def test_of_an_entity_within_another_the_longer_is_kept_and_the_other_counted():
    line = {
        "text": "《王五在北京》",
        "label": {"book": {"《王五在北京》": [[0, 6]]}, "name": {"王五": [[1, 2]]}, "place": {"北京": [[4, 5]]}},
    }
    assert read_annotations([line]) == [AnnotatedText("《王五在北京》", (LabelledSpan(0, 7, "book"),), 2)]


@pytest.mark.parametrize(
    ("texts", "spans", "message"),
    [
        (["退款"] * 3, [[]] * 3, "at least 10"),
        (["退款"] * 12, [[]] * 11, "12 texts and the entities of 11"),
        ([f"退款{number}" for number in range(12)], [[]] * 12, "None of the examples has an entity"),
    ],
)
def test_too_few_examples_are_refused(texts, spans, message):
    with pytest.raises(InputError, match=message):
        learn_entities(texts, spans)


def test_one_type_in_every_text_is_learnt():
    names = [f"产品{letter}" for letter in "ABCDEFGHIJKL"]
    found = learn_entities([f"{name}坏了" for name in names], [[LabelledSpan(0, 3, "product")]] * 12)
    assert find(found, "产品Z坏了") == [("product", "产品Z")]


@pytest.mark.parametrize("damage", ["card.json", "names.json", "model.npz", "perceptron.crfsuite"])
def test_damaged_models_are_refused(model, tmp_path, damage):
    model.save(tmp_path)
    (tmp_path / damage).write_bytes(b"nothing")
    with pytest.raises(ModelError):
        load_entities(tmp_path)


def test_figures_count_whole_entities():
    expected = [[LabelledSpan(0, 2, "a"), LabelledSpan(3, 5, "b")], [LabelledSpan(0, 1, "a")]]
    found = [[LabelledSpan(0, 2, "a"), LabelledSpan(3, 4, "b")], []]
    report = score_entities(expected, found)
    assert (report["precision"], report["recall"], report["f1"], report["entities"]) == (0.5, 0.3333, 0.4, 3)
    assert report["per_type"]["b"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "entities": 1}
    assert score_entities([[]], [[]])["f1"] is None


def test_tags_and_entities_turn_into_each_other():
    text = "买了Nova Pad和小白锅2个"
    units = cut_units(text)
    assert units.plain == ["买", "了", "nova", "pad", "和", "小", "白", "锅", "0", "个"]
    spans = [LabelledSpan(2, 10, "product"), LabelledSpan(11, 14, "product")]
    tags = encode_tags(spans, units)
    assert tags == ["O", "O", "B-product", "I-product", "O", "B-product", "I-product", "I-product", "O", "O"]
    assert decode_tags(tags, units) == spans
    assert tell_ends(["B-a", "B-a", "I-a", "I-a", "O", "B-b"]) == ["S-a", "B-a", "I-a", "E-a", "O", "S-b"]
    assert decode_tags(tell_ends(tags), units) == spans
    assert decode_tags(["I-a", "I-b"], cut_units("小白")) == [LabelledSpan(0, 1, "a"), LabelledSpan(1, 2, "b")]


def test_an_example_does_not_know_its_own_names():
    rows = [AnnotatedText("小白锅坏了", (LabelledSpan(0, 3, "product"),)), AnnotatedText("小白锅好", (LabelledSpan(0, 3, "product"),))]
    text = rows[0].text
    units = cut_units(text)

    def known(gazetteer, own):
        features = describe_units(text, units)
        gazetteer.describe(text, units, features, own)
        return [one for one in features[0] if one[0] == "G"]

    assert known(Gazetteer.learn(rows), rows[0]) == ["GBproduct3"]
    assert known(Gazetteer.learn(rows[:1]), rows[0]) == []
    assert known(Gazetteer.learn(rows[:1]), None) == ["GBproduct3"]
