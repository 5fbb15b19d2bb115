"""E-mail addresses and phone numbers in one spelling each, so that the same customer is found again."""

from __future__ import annotations

import re
import unicodedata

from careloop.insight.errors import Sentence
from careloop.insight.tables.quantities import to_ascii_forms
from careloop.insight.tables.reasons import Reason, ValueProblem, shortened

LOCAL_PART = re.compile(r"[^\s\x00-\x1f\x7f.@\"(),:;<>\[\]\\]+(?:\.[^\s\x00-\x1f\x7f.@\"(),:;<>\[\]\\]+)*")
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
IN_ANGLES = re.compile(r"[^<>]*<([^<>]+)>")
DOTS = str.maketrans("。．｡", "...")

CALLING_CODES = {
    "CN": "86", "HK": "852", "MO": "853", "TW": "886", "US": "1", "CA": "1", "GB": "44", "JP": "81", "KR": "82", "SG": "65",
    "MY": "60", "TH": "66", "VN": "84", "IN": "91", "AU": "61", "NZ": "64", "DE": "49", "AT": "43", "CH": "41", "FR": "33",
    "IT": "39", "ES": "34", "NL": "31", "BE": "32", "SE": "46", "PL": "48", "RU": "7", "BR": "55", "MX": "52", "ZA": "27",
}  # fmt: skip
KEEPS_ZERO = ("IT",)
CHINESE_NUMBER = re.compile(
    r"1[3-9]\d{9}"  # mobile
    r"|(?:10|2\d)[2-9]\d{7}|[3-9]\d{2}[2-9]\d{6,7}"  # area code without its zero, and number
    r"|[48]00\d{7}"  # 400 and 800 service numbers
)
NORTH_AMERICAN_NUMBER = re.compile(r"[2-9]\d{2}[2-9]\d{6}")
EXTENSION = re.compile(r"(?:转|轉|分机|ext\.?|x|#).*$", re.IGNORECASE)
PHONE_LABEL = re.compile(r"^(?:tel|phone|mobile|电话|手机|联系方式)\s*[:.]?\s*", re.IGNORECASE)


def parse_email(text: str) -> str:
    """Return an address with its domain in lower case and ASCII ("张@例子.中国" → "张@xn--fsqu00a.xn--fiqs8s").

    The part before the @ keeps its case, as it may matter there. "Name <address>" and "mailto:" are taken off. Domains are
    mapped by NFKC and lower case and encoded label by label (RFC 3492); ß and ς are kept, as IDNA 2008 does.

    Raises
    ------
    ValueProblem
        With `NOT_AN_EMAIL`.
    """
    cell = to_ascii_forms(text)
    if angles := IN_ANGLES.fullmatch(cell):
        cell = angles[1].strip()
    if cell[:7].lower() == "mailto:":
        cell = cell[7:]
    local, at, domain = cell.rpartition("@")
    host = _host(domain)
    if not at or not LOCAL_PART.fullmatch(local) or len(local.encode()) > 64 or host is None:
        raise ValueProblem(Reason.NOT_AN_EMAIL, Sentence("“{text}” is no e-mail address", text=shortened(text)))
    return f"{local}@{host}"


def _host(domain: str) -> str | None:
    labels = domain.translate(DOTS).removesuffix(".").split(".")
    hosts = [_host_label(label) for label in labels]
    if len(hosts) < 2 or None in hosts:
        return None
    host = ".".join(label for label in hosts if label)
    return host if len(host) <= 253 and not labels[-1].isdecimal() else None


def _host_label(label: str) -> str | None:
    if not label.isascii():
        label = unicodedata.normalize("NFKC", label).lower()
        if any(unicodedata.category(char)[0] not in "LMN" and char not in "-·・" for char in label):
            return None
        label = "xn--" + label.encode("punycode").decode() if not label.isascii() else label
    label = label.lower()
    return label if LABEL.fullmatch(label) else None


def parse_phone(text: str, region: str) -> str:
    """Return a phone number in E.164: "+" and at most 15 digits ("138 0013 8000" → "+8613800138000").

    Numbers that begin with "+" or "00" carry their country. Others belong to `region`; its leading zero is taken off.
    Chinese numbers are checked: mobile numbers, area code and number, 400 and 800 numbers. For other regions the length is.

    Parameters
    ----------
    text : str
    region : str
        ISO 3166 code of `CALLING_CODES`.

    Raises
    ------
    ValueProblem
        With `NOT_A_PHONE`; also for a number with an extension, which E.164 cannot hold.

    References
    ----------
    ITU-T E.164 (2010), 6.2.
    """
    cell = PHONE_LABEL.sub("", to_ascii_forms(text))
    digits = re.sub(r"[\s\-().·/]", "", cell)
    is_international = digits.startswith(("+", "00"))
    digits = digits[1:] if digits.startswith("+") else digits.removeprefix("00")
    if not digits.isdecimal() or not digits.isascii():
        if EXTENSION.search(cell) and cell[:1].isdigit():
            raise _no_phone(Sentence("“{text}” has an extension, which a phone field cannot hold", text=shortened(text)))
        raise _no_phone(Sentence("“{text}” is no phone number", text=shortened(text)))
    code = CALLING_CODES[region]
    if is_international:
        return "+" + _checked_international(digits, text)
    if region == "CN":
        return "+86" + _chinese(digits, text)
    national = digits if region in KEEPS_ZERO else digits.removeprefix("0")
    if code == "1":
        return "+" + _checked_international(national if len(national) == 11 else "1" + national, text)
    if not 6 <= len(national) <= 15 - len(code):
        raise _no_phone(Sentence("“{text}” has the wrong length for a number in {region}", text=shortened(text), region=region))
    return f"+{code}{national}"


def _checked_international(digits: str, text: str) -> str:
    if digits.startswith("86"):
        return "86" + _chinese(digits[2:], text)
    if digits.startswith("1") and not NORTH_AMERICAN_NUMBER.fullmatch(digits[1:]):
        raise _no_phone(Sentence("“{text}” is no North American number", text=shortened(text)))
    if digits.startswith("0") or not 7 <= len(digits) <= 15:
        raise _no_phone(Sentence("“{text}” has the wrong length for an international number", text=shortened(text)))
    return digits


def _chinese(digits: str, text: str) -> str:
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    national = digits.removeprefix("0")
    if not CHINESE_NUMBER.fullmatch(national):
        if len(digits) in (7, 8):
            raise _no_phone(Sentence("“{text}” lacks its area code", text=shortened(text)))
        raise _no_phone(Sentence("“{text}” is no Chinese phone number", text=shortened(text)))
    return national


def _no_phone(problem: Sentence) -> ValueProblem:
    return ValueProblem(Reason.NOT_A_PHONE, problem)
