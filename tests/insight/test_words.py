"""Words: the user's own stay whole, stop words are known, groups are told apart by what is not chance."""

import math
import time
from itertools import pairwise

import pytest

from careloop.insight import read
from careloop.insight.errors import InputError
from careloop.insight.text.distinction import distinguish
from careloop.insight.text.keywords import find_keywords
from careloop.insight.text.stop_words import STOP_WORDS, is_stop_word
from careloop.insight.text.user_words import UserWords
from careloop.insight.text.words import find_chinese_words, find_english_words


def cut(words, text, *, is_traditional=False):
    if text.isascii():
        tokens = find_english_words(text).tokens
    else:
        tokens = find_chinese_words(text, is_traditional=is_traditional)
    merged = words.merge(text, tokens)
    assert all(text[token.start : token.end] == token.text for token in merged)
    assert all(before.end <= after.start for before, after in pairwise(merged))
    return [(token.text, token.pos) for token in merged]


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        (["小爱同学Pro"], "小爱同学Pro坏了", [("小爱同学Pro", "product"), ("坏", "a"), ("了", "ul")]),
        (["Galaxy Buds"], "my galaxy  buds broke", [("my", "r"), ("galaxy  buds", "product"), ("broke", "n")]),
        (["Type-C Hub"], "the Type-C hub works", [("the", "u"), ("Type-C hub", "product"), ("works", "n")]),
        (["hub"], "the hubcap", [("the", "u"), ("hubcap", "n")]),
        (["cap"], "the hubcap", [("the", "u"), ("hubcap", "n")]),
        (["米家", "米家台灯"], "米家台灯亮", [("米家台灯", "product"), ("亮", "v")]),
        (["空气炸锅"], "空氣炸鍋很好", [("空氣炸鍋", "product"), ("很", "zg"), ("好", "a")]),
        ({"云盒": "device", "Hub X": "nz"}, "云盒Hub X", [("云盒", "device"), ("Hub X", "nz")]),
        ([], "退款", [("退款", "v")]),
    ],
)
def test_words_of_the_user_stay_whole(given, text, expected):
    assert cut(UserWords(given), text, is_traditional="氣" in text) == expected


def test_a_word_that_is_cut_in_two_keeps_its_rests():
    assert cut(UserWords(["京城"]), "北京城市") == [("北", "ns"), ("京城", "product"), ("市", "ns")]
    assert [text for text, _ in cut(UserWords(["动电"]), "移动电源")] == ["移", "动电", "源"]


def test_words_of_the_user_are_keywords():
    words = UserWords(["X9 Pro Max"])
    text = "the X9 Pro Max is very very hot"
    assert find_keywords(words.merge(text, find_english_words(text).tokens))[0] == "x9 pro max"


def test_products_are_entities_of_a_reading():
    (reading,) = read(["云盒Hub X昨天坏了"], user_words=UserWords({"云盒Hub X": "product"}))
    assert [(one.type, one.text) for one in reading.entities] == [("product", "云盒Hub X"), ("relative_date", "昨天")]
    assert reading.tokens[0] == ("云盒Hub X", 0, 7, "product")


@pytest.mark.parametrize(("word", "tag", "message"), [("", "product", "1–60"), ("x" * 61, "product", "1–60"), ("云", "v", "at least 5")])
def test_words_that_cannot_be_kept_are_refused(word, tag, message):
    with pytest.raises(InputError, match=message):
        UserWords([word], tag=tag)


def test_three_thousand_words_cost_little():
    text = "这个型号99产品用了一段时间以后就坏了，" * 1000
    tokens = find_chinese_words(text)
    large = UserWords([f"型号{number}产品" for number in range(3_000)])
    began = time.process_time()
    merged = large.merge(text, tokens)
    assert time.process_time() - began < 2.0
    assert sum(token.pos == "product" for token in merged) == 1000


def test_stop_words_are_known_in_both_languages():
    assert all(is_stop_word(word) for word in ("的", "我们", "The", "don’t", "沒有"))
    assert not any(is_stop_word(word) for word in ("退款", "battery", "物流"))
    assert {name: len(words) > 200 for name, words in STOP_WORDS.items()} == {"zh": True, "en": True}


def test_groups_are_told_apart_by_words_that_are_not_chance():
    late = [["物流", "慢", "客服"]] * 30 + [["物流", "客服"]] * 10
    broken = [["屏幕", "碎", "客服"]] * 40
    found = distinguish({"late": late, "broken": broken})
    assert [one.word for one in found["late"]] == ["物流", "慢"]
    assert [(one.word, one.here, one.elsewhere) for one in found["broken"]] == [("屏幕", 40, 0), ("碎", 40, 0)]


def test_log_odds_are_those_of_the_paper():
    """Equations 16, 20 and 22 of Monroe et al. by hand: 8 of 10 words here, 2 of 20 there, prior worth 10 words."""
    found = distinguish({"here": [["a"]] * 8 + [["b"]] * 2, "there": [["a"]] * 2 + [["b"]] * 18}, prior_weight=10.0, least_z=-99)
    (first,) = found["here"]
    prior = 10 * 10 / 30
    mine, other = 8 + prior, 2 + prior
    log_odds = math.log(mine / (10 + 10 - mine)) - math.log(other / (20 + 10 - other))
    assert (first.word, first.here, first.elsewhere) == ("a", 8, 2)
    assert first.log_odds == pytest.approx(log_odds)
    assert first.z == pytest.approx(log_odds / math.sqrt(1 / mine + 1 / other))


@pytest.mark.parametrize("groups", [{}, {"a": []}, {"a": [["x"]] * 9, "b": []}, {"a": [["x"]] * 9, "b": [["x"]] * 9}])
def test_where_nothing_differs_nothing_is_named(groups):
    assert distinguish(groups) == {name: [] for name in groups}
