"""Categories of the house's own: learnt, calibrated, stored as plain arrays, honest about what they have not seen."""

import json

import numpy as np
import pytest

from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.categories import learn_categories, load_categories

SUBJECTS = {
    "delivery": ["where is my parcel", "the parcel is late", "物流太慢了", "快递到哪里了", "my delivery has not come", "什么时候送到"],
    "invoice": ["send me an invoice", "the invoice is wrong", "可以开发票吗", "发票抬头错了", "I need an invoice", "发票什么时候寄"],
    "refund": ["I want my money back", "refund me please", "我要退款", "钱什么时候退", "the refund is late", "申请退款没有人理"],
}
ENDINGS = ["", "!", " please", " 谢谢", " today", "，麻烦了", "??", " 123"]


def cast() -> tuple[list[str], list[str]]:
    rows = [(text + ending, label) for label, texts in SUBJECTS.items() for text in texts for ending in ENDINGS]
    return [text for text, _ in rows], [label for _, label in rows]


@pytest.fixture(scope="module")
def model():
    texts, labels = cast()
    return learn_categories(texts, labels, algorithm="ridge", encoder=None)


def test_what_was_learnt_is_read(model):
    found = model.read(["我要退款！", "where is the parcel", "发票"], top=2)
    assert [one.label for one in found] == ["refund", "delivery", "invoice"]
    assert [len(one.ranked) for one in found] == [2, 2, 2]
    assert all(one.ranked[0] == (one.label, one.probability) for one in found)


def test_a_saved_model_reads_as_before(model, tmp_path):
    model.save(tmp_path / "model")
    loaded = load_categories(tmp_path / "model")
    texts, _ = cast()
    before, after = model.read(texts), loaded.read(texts)
    assert [one.label for one in before] == [one.label for one in after]
    assert np.allclose([one.probability for one in before], [one.probability for one in after], atol=0.01)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["card.json", "model.npz"]


def test_the_card_counts_rows_it_tested_on_and_is_plain_json(model):
    card = json.loads(json.dumps(model.card))
    assert (card["task"], card["algorithm"], card["rows"], card["tested_rows"]) == ("categories", "ridge", 144, 58)
    assert sum(label["n"] for label in card["per_label"].values()) == 58
    assert card["threshold_table"][0]["answered"] == 1.0
    assert card["threshold_table"][0]["accuracy"] == card["accuracy"]
    assert sum(count for _, _, count in card["confusion"]) == 58


@pytest.mark.parametrize(
    ("texts", "labels", "sentence"),
    [
        (["a", "b"], ["x"], "There are 2 texts and 1 labels; give one label for each text."),
        (["a", "b"], ["x", ""], "Of 2 rows 1 have both a text and a label; at least 2 are needed."),
        (["a", "b"], ["x", "x"], "All 2 rows have the same label, “x”; a model needs at least two labels to tell apart."),
        (["a", "b"], ["x", "y"], "Every label stands in one row only, so nothing could be tested; give at least two rows of some label."),
    ],
)
def test_rows_that_teach_nothing_are_refused(texts, labels, sentence):
    with pytest.raises(InputError) as refusal:
        learn_categories(texts, labels, encoder=None)
    assert str(refusal.value) == sentence


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="has no card.json"):
        load_categories(tmp_path)
