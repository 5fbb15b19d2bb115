"""Columns of whole numbers from the database, each as one text: a third of the time of a row for each fact."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def joined(expressions: Sequence[str]) -> str:
    """What to select, so that each SQL expression comes as one text; NULLs are left out, so expressions are never NULL."""
    one = "STRING_AGG(CAST({} AS TEXT), ',')" if connection.vendor == "postgresql" else "GROUP_CONCAT({})"
    return ", ".join(one.format(expression) for expression in expressions)


def numbers_in(text: str | None) -> Integers:
    """The whole numbers of such a text; none for NULL, which is what no row at all gives."""
    return np.fromstring(text or "", dtype=np.int64, sep=",")


def fetch(sql: str, values: Iterable[Any]) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        return list(cursor.fetchall())
