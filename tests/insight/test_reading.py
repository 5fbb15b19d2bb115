"""What a reading says of a text: exact values on our own sentences, promises on any text at all."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careloop.insight import KINDS, SENTIMENTS, Reading, read
from careloop.insight.errors import StoredReadingError
from careloop.insight.text.readable import to_readable


def read_one(text):
    (reading,) = read([text])
    return reading


@pytest.mark.parametrize(
    ("text", "sentiment", "probability"),
    [
        ("物流很快，质量很好", "positive", 0.98),
        ("客服态度不太好", "negative", 0.04),
        ("没有不满意的地方", "positive", 0.91),
        ("不推荐，太失望了", "negative", 0.01),
        ("not bad at all", "positive", 0.99),
        ("not good", "negative", 0.05),
        ("The agent was rude and never replied", "negative", 0.01),
        ("I love it, works perfectly", "positive", 0.99),
        ("請問什麼時候發貨？", "neutral", 0.26),
    ],
)
def test_shipped_models_give_these_probabilities(text, sentiment, probability):
    reading = read_one(text)
    assert reading.sentiment == sentiment
    assert reading.sentiment_probability == pytest.approx(probability, abs=0.05)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("怎么改地址", "consultation"),
        ("客服态度很差还挂我电话", "complaint"),
        ("我要退款", "refund"),
        ("建议增加夜间模式", "suggestion"),
        ("服务很好，非常满意", "praise"),
        ("你好", "other"),
        ("How do I change my address?", "consultation"),
        ("Your agent was rude and hung up on me", "complaint"),
        ("I want my money back", "refund"),
        ("It would be nice to have more colours", "suggestion"),
        ("Great service, thank you!", "praise"),
        ("hello", "other"),
    ],
)
def test_kind_of_contact(text, kind):
    reading = read_one(text)
    assert (reading.kind, reading.kind_abstained) == (kind, False)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("请问什么时候发货", "zh-Hans"),
        ("請問什麼時候發貨", "zh-Hant"),
        ("when will it ship", "en"),
        ("退款 please, the agent was rude and I have been waiting 我很生气", "mixed"),
        ("iPhone很好用", "zh-Hans"),
        ("Bonjour, je voudrais savoir où est ma commande", "fr"),
        ("Wo ist meine Bestellung und wann kommt sie?", "de"),
        ("こんにちは、注文はどこですか", "ja"),
        ("주문이 어디에 있나요", "ko"),
        ("Где мой заказ", "ru"),
        ("asdf qwer zxcv", "und"),
        ("12345 !!!", "und"),
        ("", "und"),
    ],
)
def test_language(text, language):
    assert read_one(text).language == language


def test_traditional_text_is_cut_by_its_simplified_copy():
    assert [token.text for token in read_one("請問什麼時候發貨").tokens] == ["請問", "什麼", "時候", "發貨"]


def test_traditional_characters_are_judged_as_simplified_ones():
    assert read_one("質量很好").sentiment_probability == read_one("质量很好").sentiment_probability


def test_words_that_decided_stand_in_the_text_with_their_sign():
    text = "物流很快，但是客服太差劲了"
    weights = {text[span.start : span.end]: span.weight for span in read_one(text).sentiment_evidence}
    assert weights["差劲"] < 0 < weights["很快"]


def test_english_evidence_has_the_sign_of_the_words():
    text = "I love the phone but the battery is terrible"
    weights = {text[span.start : span.end]: span.weight for span in read_one(text).sentiment_evidence}
    assert weights["terrible"] < 0 < weights["love"]


def test_words_carry_places_and_parts_of_speech():
    tokens = [tuple(token) for token in read_one("物流 很慢").tokens]
    assert tokens == [("物流", 0, 2, "n"), ("很", 3, 4, "zg"), ("慢", 4, 5, "a")]
    assert [token.pos for token in read_one("the rude driver shouted loudly").tokens] == ["u", "n", "n", "v", "d"]


def test_keywords_are_the_telling_words_of_either_language():
    assert "热水器" in read_one("我的热水器又漏水了，热水器才买了一个月").keywords[:1]
    assert read_one("The router keeps rebooting and the router is hot").keywords[0] == "router"


def test_summary_is_one_sentence_of_at_most_120_characters():
    before, after = "今天天气不错。我和朋友去外面吃了饭。", "谢谢大家看到这里。祝大家周末愉快，一切都好，再见。"
    text = f"{before}我买的热水器一直漏水，热水器的客服不肯退款！{after}"
    summary = read_one(text).summary
    assert summary == "我买的热水器一直漏水，热水器的客服不肯退款！"
    assert len(read_one("一直漏水而且没有人来修，" * 60).summary) <= 120


def test_language_the_models_do_not_know_is_left_undecided():
    reading = read_one("Bonjour, je voudrais savoir où est ma commande")
    assert (reading.sentiment, reading.sentiment_probability, reading.sentiment_abstained) == ("neutral", 0.5, True)
    assert (reading.kind, reading.kind_probability, reading.kind_abstained) == ("other", 0.0, True)


def test_emoji_alone_have_a_sentiment():
    assert read_one("👍👍").sentiment == "positive"
    assert read_one("👎").sentiment == "negative"


def test_models_and_versions_are_named():
    assert read_one("很好").models == {"words": "rjieba-0.2.2", "sentiment": "zh-2", "kind": "zh-3"}
    assert read_one("very good").models == {"words": "careloop-1", "sentiment": "en-2", "kind": "en-3"}


def test_what_is_not_text_fails_alone():
    before, failed, after = read(["很好", None, "very good"])
    assert failed == Reading(error="A text must be a str; this one is of type NoneType.")
    assert (before, after) == (read_one("很好"), read_one("very good"))


def test_a_failing_part_costs_only_its_own_text(monkeypatch):
    from careloop.insight.text import reader

    def fail_on_one(text, tokens):
        if text == "坏":
            raise RuntimeError("broken part")
        return ()

    monkeypatch.setattr(reader, "find_entities", fail_on_one)
    first, failed, last = read(["好", "坏", "差"])
    assert failed.error == "This text could not be read: RuntimeError: broken part."
    assert (first.error, last.error) == (None, None)


def test_long_text_is_read_to_its_hundred_thousandth_character():
    reading = read_one("很好。" * 50_000)
    assert reading.truncated_at == 100_000
    assert reading.tokens[-1].end <= 100_000
    assert read_one("很好。").truncated_at is None


def test_a_single_string_is_refused():
    with pytest.raises(TypeError, match="list of texts"):
        read("很好")


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "好", "👍", "\x00", "\ud800", "x" * 1_000_000, "好" * 100_000, "1块 " * 12_000, "a@" * 20_000, "1-" * 20_000,
     "<b " * 12_000, "+1 (1" * 8_000, "ıİß" * 12_000, "\u202e\u0301" * 1000],
)  # fmt: skip
def test_hostile_text_neither_fails_nor_takes_long(text):
    read(["warm up, 预热"])
    began = time.process_time()
    reading = read_one(text)
    assert reading.error is None
    assert time.process_time() - began < 2.0


def test_html_tags_are_not_words():
    assert "".join(token.text for token in read_one("<b>物流很慢</b>").tokens) == "物流很慢"


def check_promises(text, reading):
    readable = to_readable(text)
    assert reading.error is None
    assert reading.sentiment in SENTIMENTS
    assert reading.kind in KINDS
    assert 0 <= reading.sentiment_probability <= 1
    assert 0 <= reading.kind_probability <= 1
    assert len(reading.summary) <= 120
    for part in (*reading.tokens, *reading.entities):
        assert readable[part.start : part.end] == part.text
    assert all(0 <= span.start < span.end <= len(text) for span in reading.sentiment_evidence + reading.kind_evidence)
    assert Reading.from_json(reading.to_json()) == reading


PIECES = st.sampled_from(
    ["退款", "很好", "13812345678", "not ", "good", "a@b.co", "￥1,200", " ", "2024-02-30", "三百块", "\n", "<p>", "昨天", "👍", "۳"]
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=20), PIECES), max_size=8).map("".join))
def test_promises_hold_for_any_text(text):
    check_promises(text, read_one(text))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(codec=None), max_size=15), max_size=6))
def test_neighbours_do_not_change_a_reading(texts):
    together = read(texts)
    for text, reading in zip(texts, together, strict=True):
        alone = read_one(text)
        assert (alone.language, alone.tokens, alone.entities, alone.summary) == (
            reading.language, reading.tokens, reading.entities, reading.summary,
        )  # fmt: skip
        assert alone.sentiment_probability == pytest.approx(reading.sentiment_probability, abs=2e-4)


def test_stored_reading_of_another_format_is_refused():
    stored = read_one("很好").to_json()
    with pytest.raises(StoredReadingError, match="format 3"):
        Reading.from_json(stored | {"format": 3})
    with pytest.raises(StoredReadingError, match="lacks a field"):
        Reading.from_json({"format": 2, "tokens": []})


def test_unexplained_readings_lack_the_explanation_alone():
    texts = ["物流慢，但客服好", "The screen is great, the battery is awful", "包装很好 but the courier was rude and late", "👍", ""]
    explained = read(texts)
    assert [bool(one.sentiment_evidence) for one in explained] == [True, True, True, True, False]
    assert [len(one.aspects) for one in explained] == [2, 1, 2, 0, 0]
    assert read(texts, is_explained=False) == [replace(one, sentiment_evidence=(), kind_evidence=(), aspects=()) for one in explained]
