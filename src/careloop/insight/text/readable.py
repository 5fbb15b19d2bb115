"""A working copy of a text that every part can read: same length, so that offsets stay true."""

from __future__ import annotations

import re

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufff9-\uffff\ud800-\udfff]")
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,20}(?:\s[^<>]{0,2000})?/?>|<!--")


def to_readable(text: str) -> str:
    """Return `text` with control characters, lone surrogates, zero-width spaces and HTML tags as blanks; the length does not change."""
    if "<" in text:
        text = _TAG.sub(lambda tag: " " * len(tag[0]), text)
    return _UNREADABLE.sub(" ", text)
