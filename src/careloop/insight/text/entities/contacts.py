"""Ways to reach somebody: e-mail addresses, web addresses, phone numbers."""

from __future__ import annotations

import re

from careloop.insight.text.entities.pattern import make_pattern

_TOP_LEVEL = "com|cn|net|org|edu|gov|cc|uk|jp|hk|tw"


def _url(match: re.Match[str]) -> str:
    return match[0] if match[0][:4].lower() == "http" else f"http://{match[0]}"


def _mobile(match: re.Match[str]) -> str:
    """Return a Chinese mobile number as +86 and eleven digits."""
    return f"+86{re.sub(r'[^0-9]', '', match[0])[-11:]}"


def _landline(match: re.Match[str]) -> str | None:
    """Return a Chinese landline as +86 without the leading 0, or a 400/800 number as it is."""
    digits = re.sub(r"\D", "", match["number"])
    if digits[0] in "48":
        return digits
    return f"+86{digits[1:]}" if 10 <= len(digits) <= 12 else None


def _international(match: re.Match[str]) -> str | None:
    """Return an international number as + and 8–15 digits (ITU-T E.164); North American ones get +1."""
    digits = re.sub(r"\D", "", match[0])
    if match[0][0] == "+":
        return f"+{digits}" if 8 <= len(digits) <= 15 else None
    return f"+1{digits[-10:]}"


EMAIL = make_pattern(
    "email",
    r"(?<![\w.+-])[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?![a-z0-9-])",
    lambda match: match[0].lower(),
)
URL = make_pattern("url", r"(?:https?://|www\.)[a-z0-9][^\s<>\"'（），。！？；、《》【】\u4e00-\u9fff]{2,2000}(?<![.,;:!?)\]}])", _url)
BARE_URL = make_pattern(
    "url",
    rf"(?<![\w.@/-])(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,4}}(?:{_TOP_LEVEL})(?![\w.-]*@)(?:/[\w./?%&=~#:+-]{{0,500}}(?<![.,;:?])|(?![\w-]|\.\w))",
    _url,
)
PHONES = (
    make_pattern("phone", r"(?<![\d.\-/])(?:(?:\+|00)?86[\s-]?)?1[3-9]\d(?:\d{8}|[\s-]\d{4}[\s-]\d{4})(?![\d-]|\.\d)", _mobile),
    make_pattern(
        "phone",
        r"(?<![\d.\-/])(?P<number>\(?0(?:10|2\d|[3-9]\d{2})\)?[\s-]?[2-9]\d{6,7}|(?:\+86[\s-]?)?[48]00[\s-]?\d{3,4}[\s-]?\d{3,4}(?<![\d-]{13}))"
        r"(?:\s?(?:转|轉|分机|ext\.?)\s?\d{1,6})?(?!\d|-\d)",
        _landline,
    ),
    make_pattern(
        "phone",
        r"(?<![\d.\-/+])(?:\+[1-9]\d{0,2}(?:[\s.-]?\(?\d{1,4}\)?){2,5}|(?:1[\s-])?(?:\([2-9]\d{2}\)\s?|[2-9]\d{2}-)\d{3}-\d{4})(?![\d-])",
        _international,
    ),
    make_pattern(
        "phone",
        r"(?:电话|热线|客服|拨打?|致电|打了?|拨通|hotline|call(?:ed)?)\s?[:：]?\s?(?P<value>95\d{3}|10(?:0\d\d|1\d\d)|123\d\d)(?!\d|[元块年月.])",
        lambda match: match["value"],
    ),
)
