"""What a pattern is: a type, an expression, and the check that turns a match into its normal form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Pattern(NamedTuple):
    """A type, the expression that finds it, and a function from the match to its normal form (None: not one after all).

    What the group “value” matched, if there is such a group, is the entity; otherwise the whole match is.
    """

    type: str
    expression: re.Pattern[str]
    normalise: Callable[[re.Match[str]], str | None]


def make_pattern(type_name: str, expression: str, normalise: Callable[[re.Match[str]], str | None]) -> Pattern:
    """Compile a pattern; capitals and small letters are alike, \\d and \\w are ASCII."""
    return Pattern(type_name, re.compile(expression, re.IGNORECASE | re.ASCII), normalise)
