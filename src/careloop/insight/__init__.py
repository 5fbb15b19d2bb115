"""The analytics core: plain Python on NumPy, SciPy and scikit-learn; importable in a notebook, without Django.

`read` is the one door to everything that is understood of a text. It is loaded on first use, so that importing the
package stays fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from careloop.insight.types import KINDS, SENTIMENTS, Entity, Reading, Span, Token

__all__ = ["KINDS", "SENTIMENTS", "Entity", "Reading", "Span", "Token", "read"]


def read(texts: Sequence[Any], **options: Any) -> list[Reading]:
    """Read texts: see `careloop.insight.pipeline.read`, which this calls."""
    from careloop.insight import pipeline

    return pipeline.read(texts, **options)
