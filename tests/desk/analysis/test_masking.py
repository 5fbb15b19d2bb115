"""Masking: what tells of a person becomes a placeholder, the same everywhere, and comes back into the answer."""

import pytest

from careloop.desk.analysis.masking import Mask


def hidden(*texts: str, names=()) -> list[str]:
    mask = Mask()
    mask.know(names)
    return mask.hide(texts)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话 13800138000", "电话 [PHONE_1]"),
        ("電話１３８００１３８０００", "電話[PHONE_1]"),
        ("138\u200b0013\u200b8001 打给我", "[PHONE_1] 打给我"),
        ("call +44 20 7946 0958", "call [PHONE_1]"),
        ("write to lin.x@example.com please", "write to [EMAIL_1] please"),
        ("lin＠example.com", "[EMAIL_1]"),
        ("订单 20418837 没到", "订单 [ORDER_1] 没到"),
        ("身份证 11010519491231002X", "身份证 [ID_1]"),
        ("卡号 6222 0212 3456 7890 128", "卡号 [NUMBER_1]"),
        ("ref ZX9938811AA", "ref [NUMBER_1]"),
        ("王女士您好", "[NAME_1]您好"),
        ("My name is Priya Frost, hello", "My name is [NAME_1], hello"),
        ("12 Baker Street, London", "[ADDRESS_1], London"),
    ],
)
def test_personal_data_becomes_a_placeholder(text, masked):
    assert hidden(text) == [masked]


@pytest.mark.parametrize("text", ["退款 1299.00 元，2026年5月4日前到账", "It broke after 3 days, I paid $120.50", "热水器漏水，客服态度好"])
def test_amounts_dates_and_products_stay_readable(text):
    assert hidden(text) == [text]


def test_the_same_value_has_the_same_placeholder_in_all_texts():
    assert hidden("电话 13800138000", "又打了 13800138000 和 13900139000") == ["电话 [PHONE_1]", "又打了 [PHONE_1] 和 [PHONE_2]"]


def test_a_name_that_one_text_gives_away_is_hidden_in_all():
    assert hidden("I told Priya about it", "My name is Priya Frost.") == ["I told [NAME_1] about it", "My name is [NAME_2]."]


def test_known_names_are_hidden_in_part_and_whatever_their_case():
    assert hidden("林晓彤说晓彤很好", "dear FROST", names=["林晓彤", "Priya Frost"]) == ["[NAME_1]说[NAME_2]很好", "dear [NAME_3]"]
    assert hidden("a frosty day", names=["Priya Frost"]) == ["a frosty day"]


def test_values_come_back_however_the_model_writes_the_brackets():
    mask = Mask()
    mask.hide(["电话 13800138000"])
    assert mask.restore("请拨【PHONE_1】或 [phone_1]、［PHONE_1］") == "请拨13800138000或 13800138000、13800138000"


def test_invented_placeholders_stay_and_written_ones_are_not_believed():
    mask = Mask()
    (text,) = mask.hide(["[PHONE_1] 是 13800138000"])
    assert text == "(PHONE_1) 是 [PHONE_1]"
    assert mask.restore("[NAME_7]") == "[NAME_7]"


def test_counts_tell_how_much_was_hidden_and_nothing_more():
    mask = Mask()
    mask.hide(["电话 13800138000，13900139000，邮箱 a.b@example.com"])
    assert mask.counts() == {"EMAIL": 1, "PHONE": 2}
    assert "138" not in repr(mask)
