"""How single values are read: exact results, and exact refusals."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careloop.insight.tables import (
    Amount,
    Reason,
    parse_amount,
    parse_date,
    parse_datetime,
    parse_email,
    parse_integer,
    parse_number,
    parse_phone,
    parse_rating,
)
from careloop.insight.tables.reasons import ValueProblem

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234", "1234"), ("１２３４．５", "1234.5"), ("1,234", "1234"), ("1,234,567.89", "1234567.89"), ("1.234.567,89", "1234567.89"),
        ("1.234", "1.234"), ("12,5", "12.5"), ("-3", "-3"), ("(3)", "-3"), ("−3", "-3"), ("+7", "7"), ("50%", "0.50"), ("1.2万", "12000"),
        ("3亿", "300000000"), ("1e3", "1E+3"), ("1 234 567", "1234567"), (".5", "0.5"),
    ],
)  # fmt: skip
def test_numbers(text: str, value: str) -> None:
    assert parse_number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "abc", "1,23,4", "1.2.3", "12,3456,7", "--3", "1-2", "五", "1e999", "½", "٣x", "inf", "NaN"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        parse_number(text)
    assert caught.value.reason is Reason.NOT_A_NUMBER


def test_integers() -> None:
    assert [parse_integer(text) for text in ("５", "5.0", "1,000", "-7", "9223372036854775807")] == [5, 5, 1000, -7, 2**63 - 1]
    for text, reason in (("5.5", Reason.NOT_AN_INTEGER), ("9223372036854775808", Reason.NUMBER_TOO_LARGE), ("x", Reason.NOT_A_NUMBER)):
        with pytest.raises(ValueProblem) as caught:
            parse_integer(text)
        assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("text", "value"),
    [("4", 4), ("4.5", 4.5), ("４", 4), ("4/5", 4), ("4 out of 5", 4), ("4星", 4), ("四星", 4), ("两颗星", 2), ("5分", 5), ("3 stars", 3),
     ("★★★★☆", 4), ("⭐️⭐️⭐️", 3), ("4,0", 4)],
)  # fmt: skip
def test_ratings(text: str, value: float) -> None:
    assert parse_rating(text, 1, 5) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [("6", Reason.RATING_OUT_OF_RANGE), ("0", Reason.RATING_OUT_OF_RANGE), ("-1", Reason.RATING_OUT_OF_RANGE),
     ("8/10", Reason.RATING_OUT_OF_RANGE), ("good", Reason.NOT_A_RATING), ("十一星", Reason.NOT_A_RATING), ("4/5/6", Reason.NOT_A_RATING)],
)  # fmt: skip
def test_refused_ratings(text: str, reason: Reason) -> None:
    with pytest.raises(ValueProblem) as caught:
        parse_rating(text, 1, 5)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("text", "cents", "currency"),
    [("1299", 129900, "CNY"), ("¥1,299.00", 129900, "CNY"), ("￥１２．５", 1250, "CNY"), ("12.5元", 1250, "CNY"),
     ("1.2万元", 1200000, "CNY"),
     ("-¥3", -300, "CNY"), ("¥-3", -300, "CNY"), ("$12.50", 1250, "USD"), ("EUR 1.299,00", 129900, "EUR"), ("RMB 8", 800, "CNY"),
     ("100日元", 100, "JPY"), ("HK$5", 500, "HKD"), ("99 USD", 9900, "USD"), ("0", 0, "CNY")],
)  # fmt: skip
def test_amounts(text: str, cents: int, currency: str) -> None:
    assert parse_amount(text, "CNY") == Amount(cents, currency)


@pytest.mark.parametrize("text", ["", "free", "12.345", "1.5日元", "¥5 USD", "5 apples", "¥", "1,2,3", "--5"])
def test_refused_amounts(text: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        parse_amount(text, "CNY")
    assert caught.value.reason is Reason.NOT_AN_AMOUNT


@pytest.mark.parametrize(
    "text",
    ["2026-03-05", "2026/3/5", "2026.3.5", "2026年3月5日", "2026年03月05号", "20260305", "05.03.2026", "5.3.2026", "５.３.２０２６",
     "46086",
     "46086.75", "5 Mar 2026", "March 5, 2026", "5th March 2026", "2026-03-05 23:59:59", "2026-03-05T14:02:33+08:00", "Thu, 5 Mar 2026",
     "2026年3月5日 星期四", "2026-3-5"],
)  # fmt: skip
def test_spellings_of_one_day(text: str) -> None:
    assert parse_date(text, is_day_first=None) == date(2026, 3, 5)


def test_slashed_dates_are_ambiguous_until_somebody_says_which_comes_first() -> None:
    assert parse_date("03/05/2026", is_day_first=True) == date(2026, 5, 3)
    assert parse_date("03/05/2026", is_day_first=False) == date(2026, 3, 5)
    assert parse_date("13/05/2026", is_day_first=None) == parse_date("05/13/2026", is_day_first=None) == date(2026, 5, 13)
    assert parse_date("05/05/2026", is_day_first=None) == date(2026, 5, 5)
    with pytest.raises(ValueProblem, match="“03/05/2026” may be day 3 of month 5 or the reverse") as caught:
        parse_date("03/05/2026", is_day_first=None)
    assert caught.value.reason is Reason.AMBIGUOUS_DATE


@pytest.mark.parametrize(
    "text", ["", "2026-02-30", "31.04.2026", "2026-13-01", "03/05/26", "yesterday", "5", "2026", "13/13/2026", "0000-01-01"]
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        parse_date(text, is_day_first=True)
    assert caught.value.reason is Reason.NOT_A_DATE


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-05 14:02", datetime(2026, 3, 5, 6, 2, tzinfo=UTC)),
        ("2026-03-05T14:02:33.250", datetime(2026, 3, 5, 6, 2, 33, 250000, tzinfo=UTC)),
        ("2026-03-05T14:02:33Z", datetime(2026, 3, 5, 14, 2, 33, tzinfo=UTC)),
        ("2026/3/5 14:02:33 +0100", datetime(2026, 3, 5, 13, 2, 33, tzinfo=UTC)),
        ("2026年3月5日 下午2:05", datetime(2026, 3, 5, 6, 5, tzinfo=UTC)),
        ("2026年3月5日14时02分33秒", datetime(2026, 3, 5, 6, 2, 33, tzinfo=UTC)),
        ("5 Mar 2026, 2:05 PM", datetime(2026, 3, 5, 6, 5, tzinfo=UTC)),
        ("2026/3/5 12:30 AM", datetime(2026, 3, 4, 16, 30, tzinfo=UTC)),
        ("2026-03-05", datetime(2026, 3, 4, 16, 0, tzinfo=UTC)),
        ("46086.75", datetime(2026, 3, 5, 10, 0, tzinfo=UTC)),
        ("1772690553", datetime(2026, 3, 5, 6, 2, 33, tzinfo=UTC)),
        ("1772690553250", datetime(2026, 3, 5, 6, 2, 33, 250000, tzinfo=UTC)),
    ],
)
def test_moments_in_utc(text: str, moment: datetime) -> None:
    assert parse_datetime(text, is_day_first=None, zone=SHANGHAI) == moment


@pytest.mark.parametrize("text", ["2026-03-05 25:00", "2026-03-05 lunch", "0001-01-01", "14:02", "2026/3/5 14:02 +99:00"])
def test_refused_moments(text: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        parse_datetime(text, is_day_first=None, zone=SHANGHAI)
    assert caught.value.reason is Reason.NOT_A_DATE


@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))
def test_every_spelling_of_a_moment_agrees(moment: datetime) -> None:
    spellings = [
        moment.isoformat(),
        f"{moment.year}/{moment.month}/{moment.day} {moment:%H:%M:%S}",
        f"{moment.year}年{moment.month}月{moment.day}日 {moment.hour}时{moment.minute}分{moment.second}秒",
        f"{moment:%d.%m.%Y %H:%M:%S}",
        f"{moment:%Y%m%d %H:%M:%S}",
    ]
    assert {parse_datetime(text, is_day_first=None, zone=UTC) for text in spellings} == {moment.replace(tzinfo=UTC)}


@pytest.mark.parametrize(
    ("text", "address"),
    [("Li.Ming@Example.COM", "Li.Ming@example.com"), (" a@b.cn ", "a@b.cn"), ("王小明 <wang@qq.com>", "wang@qq.com"),
     ("mailto:a+b@b.co", "a+b@b.co"), ("ａ＠ｂ．ｃｎ", "a@b.cn"), ("a@例子。中国", "a@xn--fsqu00a.xn--fiqs8s"),
     ("a@FAẞ.de", "a@xn--fa-hia.de"), ("张三@b.cn", "张三@b.cn")],
)  # fmt: skip
def test_emails(text: str, address: str) -> None:
    assert parse_email(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a@b",
        "@b.cn",
        "a@",
        "a b@c.cn",
        "a@b..cn",
        ".a@b.cn",
        "a@-b.cn",
        "a@b.cn, c@d.cn",
        "a@1.2.3.4",
        "x" * 65 + "@b.cn",
        "a@" + "b." * 127 + "cn",
    ],
)
def test_what_is_no_email(text: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        parse_email(text)
    assert caught.value.reason is Reason.NOT_AN_EMAIL


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [("138 0013 8000", "CN", "+8613800138000"), ("１３８００１３８０００", "CN", "+8613800138000"),
     ("+86 138-0013-8000", "CN", "+8613800138000"),
     ("8613800138000", "CN", "+8613800138000"), ("0086 13800138000", "CN", "+8613800138000"), ("010-12345678", "CN", None),
     ("010-62345678", "CN", "+861062345678"), ("(0755) 8234 5678", "CN", "+8675582345678"), ("400-820-8820", "CN", "+864008208820"),
     ("手机：13800138000", "CN", "+8613800138000"), ("+852 2345 6789", "CN", "+85223456789"), ("+1 (212) 555-0123", "CN", "+12125550123"),
     ("(212) 555-4567", "US", "+12125554567"), ("020 7946 0958", "GB", "+442079460958"), ("030 123456", "DE", "+4930123456"),
     ("06 1234 5678", "IT", "+390612345678")],
)  # fmt: skip
def test_phones(text: str, region: str, number: str | None) -> None:
    if number is None:
        with pytest.raises(ValueProblem):
            parse_phone(text, region)
    else:
        assert parse_phone(text, region) == number


@pytest.mark.parametrize(
    ("text", "what"),
    [("12345678", "lacks its area code"), ("010-62345678转801", "has an extension"), ("12800138000", "is no Chinese phone number"),
     ("+861380013800", "is no Chinese phone number"), ("call me", "is no phone number"), ("+0123456789", "has the wrong length"),
     ("1.38E+10", "is no phone number")],
)  # fmt: skip
def test_refused_phones_say_why(text: str, what: str) -> None:
    with pytest.raises(ValueProblem, match=what) as caught:
        parse_phone(text, "CN")
    assert caught.value.reason is Reason.NOT_A_PHONE


@given(st.text(max_size=30))
def test_any_text_gives_a_value_or_a_reason(text: str) -> None:
    for parse in (
        parse_number,
        parse_integer,
        parse_email,
        lambda cell: parse_rating(cell, 1, 5),
        lambda cell: parse_amount(cell, "CNY"),
        lambda cell: parse_phone(cell, "CN"),
        lambda cell: parse_datetime(cell, is_day_first=None, zone=SHANGHAI),
    ):
        try:
            parse(text)  # type: ignore[operator]
        except ValueProblem as problem:
            assert problem.reason in Reason
