"""How an address is normalised before it is compared: plain Python."""

import re
import unicodedata
from dataclasses import dataclass

from careloop.desk.kernel.sentences import Sentence

EMAIL, PHONE, HANDLE = "EMAIL", "PHONE", "HANDLE"
ADDRESS_KINDS = (EMAIL, PHONE, HANDLE)
MAX_ADDRESS_LENGTH = 320
EMAIL_SHAPE = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True)
class AddressValue:
    """A customer's identity in one channel: a kind, the scope in which it is unique ("" for everywhere), the value as given."""

    kind: str
    value: str
    scope: str = ""

    @property
    def normalised(self) -> str:
        """The form that is equal for equal addresses."""
        return normalise_address(self.kind, self.value)


def normalise_address(kind: str, value: str) -> str:
    """Lower-case e-mail; phone as + and digits (mainland mobile numbers get +86); handles as they are; ValueError when impossible."""
    text = unicodedata.normalize("NFKC", value).strip()
    if not text or len(text) > MAX_ADDRESS_LENGTH or "\0" in text:
        raise ValueError(
            Sentence("An address has 1 to {most} characters and no NUL; {count} were given.", most=MAX_ADDRESS_LENGTH, count=len(text))
        )
    if kind == EMAIL:
        if not EMAIL_SHAPE.fullmatch(text):
            raise ValueError(Sentence("“{given}” is not an e-mail address; expected name@host.", given=text))
        return text.casefold()
    if kind == PHONE:
        return _normalise_phone(text)
    if kind == HANDLE:
        return text
    expected = ", ".join(ADDRESS_KINDS)
    raise ValueError(Sentence("The kind of address is “{given}”; expected one of {expected}.", given=kind, expected=expected))


def _normalise_phone(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    if text.startswith("00"):
        text, digits = "+" + digits[2:], digits[2:]
    if not 5 <= len(digits) <= 15:
        raise ValueError(Sentence("“{given}” is not a phone number; expected 5 to 15 digits.", given=text))
    if not text.startswith("+") and re.fullmatch(r"1[3-9]\d{9}", digits):
        return "+86" + digits
    if not text.startswith("+") and re.fullmatch(r"861[3-9]\d{9}", digits):
        return "+" + digits
    return "+" + digits if text.startswith("+") else digits


def mask_address(kind: str, value: str) -> str:
    """What may be shown without a look-up being recorded: 138****2231, li***@example.com."""
    if kind == EMAIL and "@" in value:
        name, host = value.split("@", 1)
        return f"{name[:2]}***@{host}"
    return value[:3] + "****" + value[-4:] if len(value) >= 9 else value[:1] + "***"
