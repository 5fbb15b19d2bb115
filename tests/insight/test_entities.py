"""Entities: found where they stand, normalised, and left out when their check fails."""

import pytest

from careloop.insight.text.entities import find_entities
from careloop.insight.text.entity_numbers import read_chinese_number


def found(text):
    for entity in find_entities(text):
        assert text[entity.start : entity.end] == entity.text
    return [(entity.type, entity.text, entity.value) for entity in find_entities(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("电话13812345678。", [("phone", "13812345678", "+8613812345678")]),
        ("+86 138 1234 5678", [("phone", "+86 138 1234 5678", "+8613812345678")]),
        ("010-62345678转3", [("phone", "010-62345678", "+861062345678")]),
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
        ("实付￥1,288.50", [("amount", "￥1,288.50", "1288.50 CNY")]),
        ("3万元", [("amount", "3万元", "30000.00 CNY")]),
        ("paid 20 euros", [("amount", "20 euros", "20.00 EUR")]),
        ("三百二十块", [("amount", "三百二十块", "320.00 CNY")]),
        ("2024年5月1日", [("date", "2024年5月1日", "2024-05-01")]),
        ("5月3号", [("date", "5月3号", "--05-03")]),
        ("May 3rd, 2024", [("date", "May 3rd, 2024", "2024-05-03")]),
        ("3 May", [("date", "3 May", "--05-03")]),
        ("2024-02-30", []),
        ("2023-02-29", []),
        ("昨天", [("relative_date", "昨天", "-1 day")]),
        ("上周五", [("relative_date", "上周五", "-1 week friday")]),
        ("三天前", [("relative_date", "三天前", "-3 day")]),
        ("下个月", [("relative_date", "下个月", "+1 month")]),
        ("two weeks ago", [("relative_date", "two weeks ago", "-2 week")]),
        ("next Monday", [("relative_date", "next Monday", "+1 week monday")]),
        ("11010519491231002X", [("id_card", "11010519491231002X", "11010519491231002X")]),
        ("110105194912310021", []),
        ("4111 1111 1111 1111", [("bank_card", "4111 1111 1111 1111", "4111111111111111")]),
        ("4111 1111 1111 1112", []),
        ("京A·12345", [("plate", "京A·12345", "京A12345")]),
        ("没有任何东西", []),
    ],
)
def test_entity(text, expected):
    assert found(text) == expected


def test_a_stretch_of_text_belongs_to_one_entity():
    text = "订单号13812345678，电话13812345678，实付88元"
    assert [entity.type for entity in find_entities(text)] == ["order", "phone", "amount"]


@pytest.mark.parametrize(
    ("numerals", "value"),
    [("一百五", 150), ("一百零五", 105), ("两千三", 2300), ("一万二", 12000), ("十五", 15), ("二十", 20), ("半", 0.5)],
)
def test_chinese_numerals(numerals, value):
    assert read_chinese_number(numerals) == value
