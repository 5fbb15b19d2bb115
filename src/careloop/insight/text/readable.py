"""A working copy of a text that every part can read: same length, so that offsets stay true."""

from __future__ import annotations

import re

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufff9-\uffff\ud800-\udfff]")


def to_readable(text: str) -> str:
    """Return `text` with control characters, lone surrogates and zero-width spaces as blanks; the length does not change."""
    return _UNREADABLE.sub(" ", text)
