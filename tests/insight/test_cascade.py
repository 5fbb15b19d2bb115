"""Reading by words first: which texts are read again with the encoder, and what that may cost."""

from dataclasses import replace

import numpy as np
import pytest

from careloop.insight.errors import ModelError
from careloop.insight.text.categories import CategoryModel, learn_categories, load_categories
from careloop.insight.text.categories.cascade import Cascade, find_sureness


def lead(sureness: np.ndarray, leading: np.ndarray) -> np.ndarray:
    """Probabilities of two labels whose leading one is ahead by so much."""
    probabilities = np.empty((len(sureness), 2))
    rows = np.arange(len(sureness))
    probabilities[rows, leading] = (1 + sureness) / 2
    probabilities[rows, 1 - leading] = (1 - sureness) / 2
    return probabilities


CLASSES = np.arange(1000) % 2
SURENESS = np.arange(1000) / 1000


def test_the_fewest_rows_that_surely_keep_within_half_a_point_are_encoded() -> None:
    rows = np.arange(10_000)
    classes, sureness = rows % 2, rows / 10_000
    fast = lead(sureness, np.where((sureness < 0.3) & (rows % 4 < 1), 1 - classes, classes))  # a quarter of the least sure 3,000 is wrong
    semantic = lead(np.ones(10_000), classes)
    found = Cascade.learn(fast, semantic, classes)
    assert found.reading == "both"
    assert found.limit == pytest.approx(0.29)  # 0.25 ± 0.05 points are lost; at 0.28 it would be 0.5 ± 0.07
    assert found.find_doubtful(fast).mean() == 0.29
    assert (found.combine(fast, semantic).argmax(axis=1) == classes).mean() == 0.9975
    assert Cascade.learn(fast, semantic, classes, noise_ratio=0.5).limit == pytest.approx(0.3)


def test_pieces_are_read_first_where_they_save_more_than_they_cost() -> None:
    semantic = lead(np.ones(1000), CLASSES)
    words, pieces = (lead(SURENESS, np.where(limit > SURENESS, 1 - CLASSES, CLASSES)) for limit in (0.3, 0.2))
    found = Cascade.choose({"fast": words, "pieces": pieces}, semantic, CLASSES)
    assert (found.reading, found.first, found.limit) == ("both", "pieces", pytest.approx(0.2))
    assert found.price(pieces) == pytest.approx(0.21)
    assert Cascade.choose({"fast": pieces, "pieces": pieces}, semantic, CLASSES).first == "fast"
    assert Cascade.choose({"fast": semantic, "pieces": semantic}, semantic, CLASSES) == Cascade("fast", 0.0)
    assert Cascade.choose({"fast": words, "pieces": semantic}, semantic, CLASSES) == Cascade("pieces", 0.0, "pieces")


def test_of_two_that_cost_the_same_the_one_that_is_right_more_often_reads_first() -> None:
    semantic = lead(np.ones(1000), CLASSES)
    wrong = np.where(SURENESS < 0.2, 1 - CLASSES, CLASSES)
    words = lead(SURENESS, np.where((SURENESS > 0.2) & (SURENESS < 0.21), 1 - CLASSES, wrong))  # 9 errors and 1 row more, at 0.01 a price
    assert Cascade.choose({"fast": words, "pieces": lead(SURENESS, wrong)}, semantic, CLASSES).first == "pieces"


def test_no_row_is_encoded_when_words_tell_as_much() -> None:
    fast = lead(SURENESS, CLASSES)
    assert Cascade.learn(fast, lead(np.ones(1000), CLASSES), CLASSES) == Cascade("fast", 0.0)


def test_every_row_is_encoded_when_sureness_tells_nothing() -> None:
    wrong = np.where(np.arange(1000) % 10 < 4, 1 - CLASSES, CLASSES)
    found = Cascade.learn(lead(SURENESS, wrong), lead(np.ones(1000), CLASSES), CLASSES)
    assert found == Cascade("semantic", 0.0)
    assert found.find_doubtful(lead(SURENESS, wrong)).all()


def test_rare_labels_count_as_much_as_frequent_ones() -> None:
    classes = np.zeros(1000, dtype=np.int64)
    classes[[700, 720]] = 1  # never found by words: one fifth of a point of accuracy, half of macro-F1
    fast, semantic = lead(SURENESS, np.zeros(1000, dtype=np.int64)), lead(np.ones(1000), classes)
    found = Cascade.learn(fast, semantic, classes)
    assert found.reading == "both"
    assert found.limit == pytest.approx(0.73)


def test_without_rows_to_choose_on_every_text_is_encoded() -> None:
    nothing = np.zeros((0, 2))
    assert Cascade.learn(nothing, nothing, np.zeros(0, dtype=np.int64)) == Cascade("semantic", 0.0)


def test_sureness_is_the_lead_over_the_second() -> None:
    np.testing.assert_allclose(find_sureness(np.array([[0.2, 0.5, 0.3], [1 / 3] * 3])), [0.2, 0.0])
    np.testing.assert_array_equal(find_sureness(np.ones((2, 1))), [1.0, 1.0])


class Counting:
    """An encoder that remembers what it was asked."""

    name, dimensions = "counting", 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[1, "parcel" in text] for text in texts], dtype=np.float32)


@pytest.fixture(scope="module")
def model() -> CategoryModel:
    texts = [f"where is my parcel number {number}" for number in range(20)] + [
        f"please send an invoice for order {number}" for number in range(20)
    ]
    learnt = learn_categories(texts, ["delivery"] * 20 + ["invoice"] * 20, algorithm="ridge", encoder=Counting())
    sureness = find_sureness(learnt.scorers["fast"].judge(["where is my parcel", "please send my parcel"], None))
    return replace(learnt, card=learnt.card | {"reads_with": "both", "doubt_limit": float(sureness.mean())})


def test_only_texts_in_doubt_are_encoded(model: CategoryModel, tmp_path) -> None:
    model.save(tmp_path)
    again, encoder = load_categories(tmp_path), Counting()
    texts = ["where is my parcel", "please send my parcel", "", "where is my parcel number 3"]
    answers = again.read(texts, encoder=encoder)
    assert encoder.asked == ["please send my parcel"]
    assert answers[1] == model.read(texts[1:2], encoder=encoder, is_semantic=True)[0]
    assert [answers[place] for place in (0, 2, 3)] == [again.read(texts, is_semantic=False)[place] for place in (0, 2, 3)]


def test_forbidden_the_encoder_is_not_asked_and_told_to_it_reads_everything(model: CategoryModel) -> None:
    encoder = Counting()
    model.read(["please send my parcel"], encoder=encoder, is_semantic=False)
    assert encoder.asked == []
    model.read(["where is my parcel", "please send my parcel"], encoder=encoder, is_semantic=True)
    assert encoder.asked == ["where is my parcel", "please send my parcel"]


TOPICS = {"delivery": 1.0, "invoice": -1.0}
WORDS = {label: [f"{label[0]}{number:x}{number * 7919 % 97:x}" for number in range(60)] for label in TOPICS}
MEANT = {word: sign for label, sign in TOPICS.items() for word in WORDS[label]}


class Piecewise(Counting):
    """An encoder whose table of pieces knows what words mean, though no text repeats one."""

    def __init__(self) -> None:
        super().__init__()
        self.glanced: list[str] = []

    def encode(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[1, MEANT.get(text, 0)] for text in texts], dtype=np.float32)

    def encode_pieces(self, texts: list[str]) -> np.ndarray:
        self.glanced += texts
        return np.array([[0.5, MEANT.get(text, 0)] for text in texts], dtype=np.float32)


@pytest.fixture(scope="module")
def piecewise() -> CategoryModel:
    pairs = [(word, label) for label, words in WORDS.items() for word in words[:50]]
    return learn_categories([text for text, _ in pairs], [label for _, label in pairs], algorithm="ridge", encoder=Piecewise())


def test_a_model_that_pieces_tell_enough_never_encodes(piecewise: CategoryModel, tmp_path) -> None:
    assert (piecewise.card["reads_with"], piecewise.card["reads_first"], piecewise.card["encoded_ratio"]) == ("pieces", "pieces", 0.0)
    assert piecewise.card["accuracy"] == piecewise.card["readers"]["pieces"]["accuracy"] == 1.0
    piecewise.save(tmp_path)
    again, encoder = load_categories(tmp_path), Piecewise()
    texts = [WORDS["delivery"][55], WORDS["invoice"][55]]
    assert [one.label for one in again.read(texts, encoder=encoder)] == ["delivery", "invoice"]
    assert (encoder.glanced, encoder.asked) == (texts, [])


def test_forbidden_the_encoder_is_not_asked_for_pieces_either(piecewise: CategoryModel) -> None:
    encoder = Piecewise()
    piecewise.read([WORDS["delivery"][55]], encoder=encoder, is_semantic=False)
    assert (encoder.glanced, encoder.asked) == ([], [])
    piecewise.read([WORDS["delivery"][55]], encoder=encoder, is_semantic=True)
    assert (encoder.glanced, encoder.asked) == ([], [WORDS["delivery"][55]])


def test_an_encoder_that_shows_no_pieces_is_refused(piecewise: CategoryModel) -> None:
    with pytest.raises(ModelError, match=r"reads the table of pieces of the encoder “counting”.*--semantic or --no-semantic"):
        piecewise.read(["parcel"], encoder=Counting())
