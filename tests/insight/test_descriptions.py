"""Categories from names alone: read one by one, in batches, after a lesson, and from a folder."""

import numpy as np
import pytest

from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.categories import load_categories
from careloop.insight.text.descriptions import describe_categories
from careloop.insight.text.encoder import get_bundled_encoder
from careloop.insight.text.service_words import find_sayings

NAMES = {"咨询发货时间": "", "要求开发票": "", "表达感谢": "", "refund_status": ""}
TEXTS = ["我的包裹哪天能寄出来", "抬头开公司可以吗，要报销", "辛苦你了，多谢", "when do I get my money back"]


class Counting:
    """An encoder that knows twenty-six letters and remembers what it was asked."""

    name = "counting 1"
    dimensions = 26

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        counts = np.array([[text.count(chr(97 + place)) for place in range(26)] for text in texts], dtype=np.float32).reshape(-1, 26)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


def test_names_alone_tell_texts_apart_in_both_languages():
    model = describe_categories(NAMES)
    answers = model.read(TEXTS, top=2)
    assert [answer.label for answer in answers] == list(NAMES)
    assert [len(answer.ranked) for answer in answers] == [2] * 4
    assert all(answer.ranked[0] == (answer.label, answer.probability) for answer in answers)
    assert model.labels == tuple(NAMES)


def test_words_alone_do_without_the_encoder():
    encoder = Counting()
    model = describe_categories(NAMES, encoder=encoder)
    encoder.asked.clear()
    assert [answer.label for answer in model.read(TEXTS[:3], is_semantic=False)] == list(NAMES)[:3]
    assert encoder.asked == []


def test_a_description_counts_as_the_name_does():
    model = describe_categories({"A1": "parcel lost", "A2": "invoice wrong"}, encoder=Counting())
    assert [answer.label for answer in model.read(["my parcel!", "the invoice?"], is_semantic=False)] == ["A1", "A2"]


def test_what_says_nothing_is_abstained_on():
    model = describe_categories(NAMES)
    answers = model.read(["", " ", "👍", "?", "x"])
    assert [answer.abstained for answer in answers] == [True] * 5
    assert [answer.probability for answer in answers[:4]] == [0.25] * 4


def test_a_megabyte_is_read_by_its_beginning():
    text = "抬头开公司可以吗，发票什么时候寄" + " zzzz" * 200_000
    assert describe_categories(NAMES).read([text])[0].label == "要求开发票"


def test_a_text_is_read_alike_alone_and_among_few():
    model = describe_categories(NAMES)
    assert model.read(TEXTS, top=4) == [model.read([text], top=4)[0] for text in TEXTS]


def test_a_large_batch_teaches_how_categories_are_spoken_of():
    """Names share no word with the second half of the texts, but the first half does."""
    encoder = Counting()
    model = describe_categories({"parcel": "", "invoice": ""}, encoder=encoder)
    spoken = ["parcel quokka", "invoice wombat"] * 200
    assert [answer.label for answer in model.adapt(spoken, encoder=encoder).read(["quokka", "wombat"], encoder=encoder)] == [
        "parcel",
        "invoice",
    ]
    in_batch = model.read([*spoken, "quokka", "wombat"], encoder=encoder)
    assert [answer.label for answer in in_batch[-2:]] == ["parcel", "invoice"]
    assert model.lesson.spoken is None


def test_a_model_travels_through_a_folder(tmp_path):
    encoder = Counting()
    for number, model in enumerate(
        (one := describe_categories(NAMES, encoder=encoder), one.adapt([*TEXTS, "thanks a lot"], encoder=encoder))
    ):
        model.save(tmp_path / str(number))
        again = load_categories(tmp_path / str(number))
        assert again.labels == model.labels
        assert again.card["algorithm"] == "descriptions"
        before, after = model.read(TEXTS, encoder=encoder), again.read(TEXTS, encoder=encoder)
        assert [answer.label for answer in after] == [answer.label for answer in before]
        np.testing.assert_allclose([answer.probability for answer in after], [answer.probability for answer in before], atol=0.01)


def test_a_damaged_folder_is_told(tmp_path):
    describe_categories(NAMES, encoder=Counting()).save(tmp_path)
    (tmp_path / "model.npz").write_bytes(b"PK")
    with pytest.raises(ModelError, match="learn the model again"):
        load_categories(tmp_path)


def test_another_encoder_is_refused():
    model = describe_categories(NAMES, encoder=Counting())
    with pytest.raises(ModelError, match="made with the encoder “counting 1”"):
        model.read(TEXTS, encoder=get_bundled_encoder())


def test_too_few_or_blank_names_are_refused():
    with pytest.raises(InputError, match="at least two categories"):
        describe_categories({"a": ""}, encoder=Counting())
    with pytest.raises(InputError, match="is blank"):
        describe_categories({"a": "", " ": ""}, encoder=Counting())


def test_sayings_are_found_by_the_subjects_in_a_name():
    assert "什么时候" in find_sayings("咨询发货时间")
    assert "money back" in find_sayings("refund status")
    assert find_sayings("refunding") == ()
