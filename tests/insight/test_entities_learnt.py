"""Entity types learnt from examples: what is refused, what is found again, what the report says."""

import itertools
import json
import re
import time

import numpy as np
import pytest

from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.entities import AnnotatedText, LabelledSpan, read_annotations
from careloop.insight.text.entities.chains import Chain, encode_tags, find_rows
from careloop.insight.text.entities.evaluation import score_entities
from careloop.insight.text.entities.features import Columns
from careloop.insight.text.entities.gazetteer import Gazetteer
from careloop.insight.text.entities.judging import learn_judge
from careloop.insight.text.entities.layout import lay_out
from careloop.insight.text.entities.learning import learn_entities
from careloop.insight.text.entities.model import load_entities
from careloop.insight.text.entities.units import cut_units, find_quotes

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


def test_the_same_examples_make_the_same_model():
    texts, spans = zip(*make_examples()[::3], strict=True)
    first, second = learn_entities(texts, spans), learn_entities(texts, spans)
    assert first.card == second.card
    np.testing.assert_array_equal(first.chain.weights, second.chain.weights)
    np.testing.assert_array_equal(first.judge.weights, second.judge.weights)


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


@pytest.mark.parametrize("damage", ["card.json", "names.json", "model.npz"])
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


def test_entities_become_tags():
    text = "买了Nova Pad和小白锅2个"
    units = cut_units(text)
    assert units.plain == ["买", "了", "nova", "pad", "和", "小", "白", "锅", "0", "个"]
    spans = [LabelledSpan(2, 10, "product"), LabelledSpan(11, 14, "pot")]
    assert encode_tags(spans, units, ("pot", "product")) == [0, 0, 3, 4, 0, 1, 2, 2, 0, 0]
    assert encode_tags([LabelledSpan(2, 10, "pot"), LabelledSpan(10, 11, "pot")], units, ("pot",)) == [0, 0, 1, 2, 1, 0, 0, 0, 0, 0]


def test_probabilities_of_stretches_are_those_of_all_ways_to_tag_a_text():
    random = np.random.default_rng(4)
    weights = np.vstack([np.zeros((1, 5)), random.normal(size=(4, 5))]).astype(np.float32)
    transitions = random.normal(size=(5, 5))
    columns = np.array([[1], [2], [3], [4], [0], [2]], dtype=np.int32)
    firsts, lengths = np.array([0, 5]), np.array([4, 1])
    found = Chain(weights, transitions).find(columns, firsts, lengths)

    def brute_force(text):
        scores = weights[columns[find_rows(firsts[[text]], lengths[[text]]), 0]]
        chances = {}
        for tags in itertools.product(range(5), repeat=len(scores)):
            if all(tag in (0, 1, 3) or before in (tag - 1, tag) for before, tag in zip((0, *tags), tags, strict=False)):
                score = sum(scores[place, tag] for place, tag in enumerate(tags))
                chances[tags] = np.exp(score + sum(transitions[pair] for pair in itertools.pairwise(tags)))
        total = sum(chances.values())
        likely = {}
        for first, last, kind in itertools.product(range(len(scores)), range(len(scores)), (0, 1)):
            own = [2 * kind + 1, *[2 * kind + 2] * (last - first)]
            ways = [tags for tags in chances if [*tags[first : last + 1]] == own and [*tags, 0][last + 1] != own[0] + 1]
            if last >= first and (chance := sum(chances[tags] for tags in ways) / total) > 0.02:
                likely[text, first, last, kind] = pytest.approx(chance, abs=1e-6)
        return likely

    told = dict(zip(zip(*(part.tolist() for part in found[:4]), strict=True), found.probability.tolist(), strict=True))
    assert told == brute_force(0) | brute_force(1)
    assert len(told) > 5


def test_features_that_are_not_known_have_no_column():
    codes = np.array([[7, 0, 1 << 63], [7, 9, 1 << 63]], dtype=np.uint64)
    columns = Columns.choose(codes, least=2)
    assert columns.codes.tolist() == [7, 1 << 63]
    assert columns.number(codes).tolist() == [[1, 0, 2], [1, 0, 2]]


def test_neighbours_are_those_of_the_same_text():
    texts = ["好", "退手机", ""]
    units = [cut_units(text) for text in texts]
    layout = lay_out(texts, units)
    alone = lay_out(texts[1:2], units[1:2])
    rows, own = layout.firsts[1] + np.arange(3), alone.firsts[0] + np.arange(3)
    for name in ("unit", "within", "word", "word_before", "word_after", "tag", "tag_before", "tag_after", "tail_before", "head_after"):
        np.testing.assert_array_equal(getattr(layout, name)[rows], getattr(alone, name)[own])
    assert layout.within[rows].tolist() == [4, 1, 3]
    assert layout.word_after[rows].tolist() == [layout.word[rows[1]], 0, 0]


def test_quotation_marks_are_told_with_the_place_between_them():
    assert find_quotes(cut_units("看《红楼梦》了")) == ["", "《B1", "《F1", "《M1", "《L1", "《E1", ""]
    assert find_quotes(cut_units("梦》了")) == ["?》", "?》", ""]


def test_with_few_candidates_the_chain_alone_decides():
    features = np.zeros((3, (1 << 18) + 2))
    features[:, 1 << 18] = [2.0, 0.0, -2.0]
    judge = learn_judge(features, np.array([True, False, True]), np.arange(3), 3)
    np.testing.assert_allclose(judge.judge(features), [0.880797, 0.5, 0.119203], atol=1e-6)
    assert judge.threshold == 0.35


def test_an_example_does_not_know_its_own_names():
    rows = [AnnotatedText("小白锅坏了", (LabelledSpan(0, 3, "product"),)), AnnotatedText("小白锅好", (LabelledSpan(0, 3, "product"),))]
    text = rows[0].text
    units = cut_units(text)
    known = [(0, 2, {"product": 1})]
    assert Gazetteer.learn(rows).find(text, units, rows[0]) == known
    assert Gazetteer.learn(rows[:1]).find(text, units, rows[0]) == []
    assert Gazetteer.learn(rows[:1]).find(text, units) == known
    assert Gazetteer.learn(rows).count(text, [(0, 3), (1, 3)], rows[0]) == [{"product": 1}, {}]
