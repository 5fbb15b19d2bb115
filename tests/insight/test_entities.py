"""Entities: found where they stand, normalised, and left out when their check fails."""

import time
from datetime import date

import pytest

from careloop.insight.errors import InputError
from careloop.insight.text.entities import codes, find_entities, join_entities, resolve_date
from careloop.insight.text.entities.amounts import read_chinese_number
from careloop.insight.text.words import find_chinese_words, find_english_words
from careloop.insight.types import Entity


def found(text):
    for entity in find_entities(text):
        assert text[entity.start : entity.end] == entity.text
    return [(entity.type, entity.text, entity.value) for entity in find_entities(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("电话13812345678。", [("phone", "13812345678", "+8613812345678")]),
        ("+86 138 1234 5678", [("phone", "+86 138 1234 5678", "+8613812345678")]),
        ("010-62345678转3", [("phone", "010-62345678转3", "+861062345678")]),
        ("400-820-8820", [("phone", "400-820-8820", "4008208820")]),
        ("call +44 20 7946 0958 now", [("phone", "+44 20 7946 0958", "+442079460958")]),
        ("(415) 555-2671", [("phone", "(415) 555-2671", "+14155552671")]),
        ("写信到Foo.bar@Example.com吧", [("email", "Foo.bar@Example.com", "foo.bar@example.com")]),
        ("see https://a.com/x?y=1.", [("url", "https://a.com/x?y=1", "https://a.com/x?y=1")]),
        ("www.b.cn，好", [("url", "www.b.cn", "http://www.b.cn")]),
        ("订单号：2024051200031", [("order", "2024051200031", "2024051200031")]),
        ("my order #ab-12345 is late", [("order", "ab-12345", "AB-12345")]),
        ("快递单号SF1234567890123", [("tracking", "SF1234567890123", "SF1234567890123")]),
        ("RR123456785CN", [("tracking", "RR123456785CN", "RR123456785CN")]),
        ("RR123456784CN", []),
        ("实付￥1,288.50", [("amount", "￥1,288.50", "128850 CNY")]),
        ("3万元", [("amount", "3万元", "3000000 CNY")]),
        ("paid 20 euros", [("amount", "20 euros", "2000 EUR")]),
        ("三百二十块", [("amount", "三百二十块", "32000 CNY")]),
        ("2024年5月1日", [("date", "2024年5月1日", "2024-05-01")]),
        ("5月3号", [("date", "5月3号", "--05-03")]),
        ("May 3rd, 2024", [("date", "May 3rd, 2024", "2024-05-03")]),
        ("3 May", [("date", "3 May", "--05-03")]),
        ("2024-02-30", []),
        ("2023-02-29", []),
        ("昨天", [("relative_date", "昨天", "-P1D")]),
        ("上周五", [("relative_date", "上周五", "-P1W-5")]),
        ("三天前", [("relative_date", "三天前", "-P3D")]),
        ("下个月", [("relative_date", "下个月", "P1M")]),
        ("two weeks ago", [("relative_date", "two weeks ago", "-P2W")]),
        ("next Monday", [("relative_date", "next Monday", "P1W-1")]),
        ("11010519491231002X", [("id_card", "11010519491231002X", "11010519491231002X")]),
        ("110105194912310021", []),
        ("4111 1111 1111 1111", [("bank_card", "4111 1111 1111 1111", "4111111111111111")]),
        ("4111 1111 1111 1112", []),
        ("京A·12345", [("plate", "京A·12345", "京A12345")]),
        ("没有任何东西", []),
        ("客服电话95588打不通", [("phone", "95588", "95588")]),
        ("call 1-800-555-0199x", [("phone", "1-800-555-0199", "+18005550199")]),
        ("官网ctrip.com", [("url", "ctrip.com", "http://ctrip.com")]),
        ("运单号 YT1234567890123", [("tracking", "YT1234567890123", "YT1234567890123")]),
        ("JDVB01234567890 到哪了", [("tracking", "JDVB01234567890", "JDVB01234567890")]),
        ("1Z5R89390357567127", [("tracking", "1Z5R89390357567127", "1Z5R89390357567127")]),
        ("1Z5R89390357567128", []),
        ("9400111899223197428497", [("tracking", "9400111899223197428497", "9400111899223197428497")]),
        ("9400111899223197428498", []),
        ("IBAN DE89 3704 0044 0532 0130 00.", [("iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000")]),
        ("DE88 3704 0044 0532 0130 00", []),
        ("粤B·D12345新能源", [("plate", "粤B·D12345", "粤BD12345")]),
        ("沪A12345D", [("plate", "沪A12345D", "沪A12345D")]),
        ("京AB12C3D4", []),
        ("5毛", [("amount", "5毛", "50 CNY")]),
        ("12块5", [("amount", "12块5", "1250 CNY")]),
        ("三块五毛", [("amount", "三块五毛", "350 CNY")]),
        ("USD 1,299.00", [("amount", "USD 1,299.00", "129900 USD")]),
        ("$1.5 million", [("amount", "$1.5 million", "150000000 USD")]),
        ("12,50 €", [("amount", "12,50 €", "1250 EUR")]),
        ("5000日元", [("amount", "5000日元", "5000 JPY")]),
        ("2024年5月", [("date", "2024年5月", "2024-05")]),
        ("10/15/2024", [("date", "10/15/2024", "2024-10-15")]),
        ("15/10/2024", [("date", "15/10/2024", "2024-10-15")]),
        ("二〇二四年五月一日", [("date", "二〇二四年五月一日", "2024-05-01")]),
        ("十月二十三号", [("date", "十月二十三号", "--10-23")]),
        ("2024-05-01T10:00", [("date", "2024-05-01", "2024-05-01")]),
        ("上个月15号", [("relative_date", "上个月15号", "-P1M-15")]),
        ("周五发货", [("relative_date", "周五", "P0W-5")]),
        ("几天前", [("relative_date", "几天前", "-PXD")]),
        ("半年后", [("relative_date", "半年后", "P0.5Y")]),
        ("3小时前", [("relative_date", "3小时前", "-PT3H")]),
        ("in two weeks", [("relative_date", "in two weeks", "P2W")]),
        ("the day after tomorrow", [("relative_date", "the day after tomorrow", "P2D")]),
        ("the update on Friday", [("relative_date", "Friday", "P0W-5")]),
    ],
)
def test_entity(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "价格1,299.00",  # no currency
        "版本1.13.0.2024",
        "v2.0.1",
        "192.168.1.10",
        "12:30到18:45",
        "1234567890123456789012345",  # a number within a number
        "0.13812345678",
        "13812345678901",
        "尺寸100-200-300",
        "一块屏幕",
        "3块电池",
        "元旦快乐",
        "2024/13/45",
        "30 February",
        "四周一圈都是",
        "上下班方便",
        "前年轻人",
        "let.me know",
        "Black Friday deal",
        "may I ask 3 questions",
        "5 stars",
        "SF123",
        "110105194913310020",  # month 13
        "990105194912310021",  # no such province
        "0000 0000 0000 0000",
        "room 4111",
    ],
)
def test_numbers_that_are_nothing_of_the_kind(text):
    assert [one for one in found(text) if one[1] != "前年"] == []


def names(text):
    tokens = find_chinese_words(text) if not text.isascii() else find_english_words(text).tokens
    entities = find_entities(text, tokens)
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)
    return [(entity.type, entity.text) for entity in entities]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("收货地址：北京市朝阳区建国路88号SOHO现代城A座1203室，谢谢", [("address", "北京市朝阳区建国路88号SOHO现代城A座1203室")]),
        ("我住在上海浦东新区张江镇碧波路690号3号楼", [("address", "上海浦东新区张江镇碧波路690号3号楼")]),
        ("改成成都市武侯区天府大道北段1700号", [("address", "成都市武侯区天府大道北段1700号")]),
        ("浙江杭州西湖区文三路", [("address", "浙江杭州西湖区文三路")]),
        ("他家门口的人民路12号有店", [("address", "人民路12号")]),
        ("我在路上走了3号线", []),
        ("一路上都没人接电话，等了20号", []),
        ("这条街道有5号楼吗", []),
        ("从上海发到西安要几天", [("place", "上海"), ("place", "西安")]),
        ("东西新鲜，商城的蓝牙耳机也美丽", []),
        ("招商银行的人说张爱玲女士已经签收", [("organisation", "招商银行"), ("person", "张爱玲女士")]),
        ("王经理态度很好", [("person", "王经理")]),
        ("提高小姐的积极性", []),
        ("白色的很高档，金色也明显", []),
        ("My name is John Smith and I spoke to Anna", [("person", "John Smith"), ("person", "Anna")]),
        ("This is a bad app", []),
    ],
)
def test_addresses_and_names_need_the_words_of_the_text(text, expected):
    assert names(text) == expected
    assert not {"address", "person", "place", "organisation"} & {kind for kind, _, _ in found(text) if kind != "person"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-P1D", "2026-11-21"),
        ("P0D", "2026-11-22"),
        ("-P1W-5", "2026-11-13"),
        ("P0W-1", "2026-11-16"),
        ("P1W", "2026-W48"),
        ("-P1M-15", "2026-10-15"),
        ("P3M-31", "2027-02-28"),
        ("P2M", "2027-01"),
        ("-P1Y", "2025"),
        ("P0.5Y", "2027-05"),
        ("-P0.5M", "2026-11-07"),
        ("-PT30H", "2026-11-21"),
        ("-PXD", None),
        ("--05-03", "2027-05-03"),
        ("--02-29", "2028-02-29"),
        ("2024-05-01", "2024-05-01"),
        ("P9999Y", None),
    ],
)
def test_relative_dates_are_resolved_from_the_day_of_writing(value, expected):
    assert resolve_date(value, today=date(2026, 11, 22)) == expected


def test_what_is_no_date_value_is_refused():
    with pytest.raises(InputError, match="“88 CNY” is not the value of a date"):
        resolve_date("88 CNY", today=date(2026, 11, 22))


def test_check_digits_against_published_examples():
    assert codes.check_iban("GB82WEST12345698765432")  # ISO 13616's example
    assert codes.check_luhn("79927398713")  # ISO/IEC 7812's example
    assert codes.check_postal("RB123456785GB")  # UPU S10's example
    assert codes.check_id_card("11010519491231002X")  # GB 11643's example


@pytest.mark.parametrize(
    "text", ["", "1", "👍", "\x00", "省" * 20_000, "1" * 100_000, "1 " * 20_000, "区a1" * 5_000, "路1号" * 4_000, "张先生" * 8_000]
)
def test_hostile_text_takes_linear_time(text):
    began = time.process_time()
    find_entities(text, find_chinese_words(text))
    assert time.process_time() - began < 1.5


def test_of_two_finders_the_first_has_the_say():
    learnt = [Entity("product", "云盒138", 0, 5, "云盒138")]
    patterns = [Entity("amount", "138", 2, 5, "138"), Entity("relative_date", "昨天", 8, 10, "-P1D")]
    assert join_entities(learnt, patterns) == (learnt[0], patterns[1])
    assert join_entities(patterns, learnt) == tuple(patterns)


def test_a_stretch_of_text_belongs_to_one_entity():
    text = "订单号13812345678，电话13812345678，实付88元"
    assert [entity.type for entity in find_entities(text)] == ["order", "phone", "amount"]


@pytest.mark.parametrize(
    ("numerals", "value"),
    [("一百五", 150), ("一百零五", 105), ("两千三", 2300), ("一万二", 12000), ("十五", 15), ("二十", 20), ("半", 0.5)],
)
def test_chinese_numerals(numerals, value):
    assert read_chinese_number(numerals) == value
