"""Topics: found, named, told apart, the same every time, followed over time."""

import json
from datetime import date, datetime
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from careloop.insight.errors import InputError, ModelError
from careloop.insight.topics import METHODS, TopicModel
from careloop.insight.topics.corpus import count_words, cut_texts
from careloop.insight.topics.false_alarms import Unrest, measure
from careloop.insight.topics.hierarchy import join_topics
from careloop.insight.topics.matching import match_topics
from careloop.insight.topics.mixture import calibrate, fit_mixture
from careloop.insight.topics.naming import measure_coherence
from careloop.insight.topics.trends import Trend, adjust_holm, count_over_time, find_emerging

SUBJECTS = {
    "delivery": (("快递", "物流", "包裹"), ("延误", "丢失", "破损"), ("派送", "签收", "仓库")),
    "hotel": (("酒店", "房间", "早餐"), ("前台", "空调", "床单"), ("浴室", "隔音", "窗户")),
    "phone": (("手机", "屏幕", "电池"), ("充电", "信号", "摄像头"), ("系统", "内存", "耳机")),
}
TEXTS = [" ".join(words) for parts in SUBJECTS.values() for words in product(*parts)]
TRUTH = [place for place, parts in enumerate(SUBJECTS.values()) for _ in product(*parts)]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_tells_three_subjects_apart(method: str) -> None:
    model = TopicModel(3, method=method).fit(TEXTS)
    pairs = set(zip(TRUTH, model.labels_.tolist(), strict=True))
    assert len(pairs) == 3
    assert [topic.size for topic in model.topics_] == [27, 27, 27]


def test_topics_are_named_by_their_words_and_shown_by_their_texts() -> None:
    model = TopicModel(3).fit(TEXTS)
    for topic in model.topics_:
        truth = {TRUTH[row] for row in topic.examples}
        assert len(truth) == 1
        own = {word for part in list(SUBJECTS.values())[truth.pop()] for word in part}
        assert set(topic.words[:9]) == own
        assert topic.name == " · ".join(topic.words[:3])


def test_the_same_texts_and_seed_give_the_same_topics() -> None:
    first, second = TopicModel(3, seed=7).fit(TEXTS), TopicModel(3, seed=7).fit(TEXTS)
    np.testing.assert_array_equal(first.labels_, second.labels_)
    assert first.topics_ == second.topics_


def test_later_texts_get_a_topic_and_texts_without_known_words_none() -> None:
    model = TopicModel(3).fit(TEXTS)
    hotel = model.labels_[TRUTH.index(1)]
    found = model.read(["酒店房间的早餐", "🙂🙂", ""])
    assert (found[0].topic, found[1], found[2]) == (hotel, (-1, 0.0), (-1, 0.0))
    assert 0.5 < found[0].probability <= 1


def test_the_number_of_topics_is_chosen() -> None:
    generator = np.random.default_rng(0)
    subjects = [[f"{name}{place}" for place in range(12)] for name in ("sea", "mountain", "city", "forest", "desert", "river")]
    texts = [" ".join(generator.choice(words, 6)) for words in subjects for _ in range(60)]
    model = TopicModel().fit([text.translate(str.maketrans("0123456789", "abcdefghij")) for text in texts])
    assert len(model.topics_) == 6


@pytest.mark.parametrize(("most", "found"), [(4, 4), (1, 1)])
def test_a_number_that_is_chosen_keeps_to_its_upper_bound(most: int, found: int) -> None:
    subjects = [[f"{name}{letter}" for letter in "abcdefgh"] for name in ("sea", "mountain", "city", "forest", "desert", "river")]
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice(words, 6)) for words in subjects for _ in range(40)]
    assert len(TopicModel(most=most).fit(texts).topics_) == found


def test_a_saved_model_reads_as_it_did(tmp_path: Path) -> None:
    model = TopicModel(3, seed=5).fit(TEXTS)
    model.save(tmp_path / "topics")
    loaded = TopicModel.load(tmp_path / "topics")
    later = [*TEXTS, "酒店房间的早餐", "🙂", ""]
    assert [one.topic for one in loaded.read(later)] == [one.topic for one in model.read(later)]
    assert [one.probability for one in loaded.read(later)] == pytest.approx([one.probability for one in model.read(later)], abs=0.01)
    assert [(one.name, one.words, one.scores, one.size, one.coherence) for one in loaded.topics_] == [
        (one.name, one.words, one.scores, one.size, one.coherence) for one in model.topics_
    ]
    assert [one.examples for one in loaded.topics_] == [(), (), ()]


def test_damaged_models_are_refused(tmp_path: Path) -> None:
    TopicModel(3).fit(TEXTS).save(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    for changed, said in (
        (card | {"words": card["words"][1:]}, "not of one model"),
        (card | {"topics": [{"number": 0}]}, "cannot be read"),
        (card | {"task": "categories"}, "not for topics"),
    ):
        (tmp_path / "card.json").write_text(json.dumps(changed), encoding="utf-8")
        with pytest.raises(ModelError, match=said):
            TopicModel.load(tmp_path)


def test_renumbering_keeps_texts_with_their_topics() -> None:
    model = TopicModel(3).fit(TEXTS)
    before = [topic.words for topic in model.topics_]
    model.renumber([2, 0, 1], ["Earlier name", None, None])
    assert [topic.words for topic in model.topics_] == [before[1], before[2], before[0]]
    assert model.topics_[2].name == "Earlier name"


@pytest.mark.parametrize("texts", [[], [""], ["🙂", "!!!", "12"]])
def test_texts_without_words_are_refused(texts: list[str]) -> None:
    with pytest.raises(InputError, match="share no content words"):
        TopicModel(2).fit(texts)


def test_hostile_texts_are_divided_too() -> None:
    texts = [*TEXTS, "快" * 100_000, "\0\ud800", "<script>alert(1)</script>"]
    assert len(TopicModel(3).fit(texts).labels_) == len(texts)


@pytest.mark.parametrize(("n_topics", "method"), [(0, "mixture"), (501, "mixture"), (3, "magic")])
def test_impossible_wishes_are_refused(n_topics: int, method: str) -> None:
    with pytest.raises(InputError):
        TopicModel(n_topics, method=method).fit(TEXTS)
    with pytest.raises(InputError, match="At most 1 to 500 topics may be chosen; 0 was given"):
        TopicModel(most=0).fit(TEXTS)


def test_more_topics_than_texts_leave_no_empty_topic() -> None:
    model = TopicModel(50).fit(TEXTS[:10])
    assert min(topic.size for topic in model.topics_) >= 1


def test_coherence_is_normalised_mutual_information() -> None:
    """By hand: P(a)=P(b)=1/2, together in 1/4 of texts: independent, 0; always together: 1; never: −1."""
    seen = count_words([["a", "b"], ["a"], ["b"], []], words=["a", "b"]).presence
    assert measure_coherence(seen, [0, 1]) == pytest.approx(0.0)
    assert measure_coherence(count_words([["a", "b"], [], []], words=["a", "b"]).presence, [0, 1]) == pytest.approx(1.0)
    assert measure_coherence(count_words([["a"], ["b"]], words=["a", "b"]).presence, [0, 1]) == -1.0


def test_calibrated_probabilities_foretell_the_other_half_better_than_raw_ones() -> None:
    counts = count_words(cut_texts(TEXTS * 3)).counts
    raw = fit_mixture(counts, np.array(TRUTH * 3), 3)
    calibrated = calibrate(raw, counts, seed=0)
    assert calibrated.temperature >= 1
    np.testing.assert_allclose(calibrated.estimate(counts).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(calibrated.assign(counts), raw.assign(counts))


def test_the_tree_joins_near_topics_first() -> None:
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1]], dtype=np.float32)
    branches = join_topics(vectors, np.array([0, 1, 2]))
    assert [branch.topics for branch in branches] == [(0, 1), (0, 1, 2)]
    assert branches[0].distance < branches[1].distance
    assert join_topics(vectors[:1], np.array([0])) == []


def test_a_topic_goes_on_when_its_words_do() -> None:
    old = [{"快递": 5.0, "物流": 3.0}, {"酒店": 4.0, "房间": 4.0}]
    new = [{"房间": 3.0, "酒店": 5.0, "前台": 1.0}, {"手机": 4.0}, {"物流": 2.0, "快递": 4.0}]
    assert match_topics(old, new) == {0: 1, 2: 0}
    assert match_topics([], new) == {}


def test_weeks_begin_on_monday_and_have_no_gaps() -> None:
    times = [datetime(2026, 11, 2, 23, 59), date(2026, 11, 8), date(2026, 11, 23)]
    trend = count_over_time(np.array([0, 1, -1]), times, n_topics=2)
    assert trend.periods == tuple(date(2026, 11, day) for day in (2, 9, 16, 23))
    assert trend.counts.tolist() == [[1, 1], [0, 0], [0, 0], [0, 0]]
    assert trend.totals.tolist() == [2, 0, 0, 1]


def test_holm_agrees_with_the_textbook() -> None:
    """Wright, "Adjusted P-Values for Simultaneous Inference", Biometrics 48, 1992: steps multiply by 4, 3, 2, 1 and never fall."""
    np.testing.assert_allclose(adjust_holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


def _weeks(counts: list[list[int]]) -> Trend:
    table = np.array(counts)
    return Trend(tuple(date(2026, 1, 5 + 0 * n) for n in range(len(counts))), table, table.sum(axis=1))


def test_a_jump_is_emerging_and_ordinary_weeks_are_not() -> None:
    quiet = [[100, 50, 5], [90, 60, 4], [110, 45, 6], [95, 52, 5], [105, 49, 3], [100, 51, 6]]
    assert find_emerging(_weeks(quiet)) == []
    (found,) = find_emerging(_weeks([*quiet[:-1], [100, 50, 30]]))
    assert (found.topic, found.count) == (2, 30)
    assert found.expected == pytest.approx(180 * 23.5 / 780)
    assert found.p_value < 0.01


def test_without_a_history_nothing_is_called_emerging() -> None:
    assert find_emerging(_weeks([[5, 5], [5, 5], [0, 100]])) == []


@pytest.mark.parametrize("unrest", [Unrest(), Unrest(dispersion=0.01), Unrest(scatter=0.4)])
def test_false_alarms_stay_near_the_rate_that_is_promised(unrest: Unrest) -> None:
    false, _ = measure(100, unrest, volume=300, n_before=12)
    assert false <= 0.03  # of a hundred weeks; 3 or fewer in 98 of 100 runs at exactly 1 %


def test_a_doubled_topic_is_noticed_where_weeks_are_large_and_quiet() -> None:
    _, noticed = measure(100, Unrest(), volume=3_000, n_before=12)
    assert noticed >= 0.8
