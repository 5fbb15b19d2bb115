"""The two things that can come of a row: it is clean, or it is rejected with a reason."""

from __future__ import annotations

from typing import Any, NamedTuple


class CleanRow(NamedTuple):
    """A row ready to be stored.

    Attributes
    ----------
    number : int
        Its number in the table.
    values : dict of str to object
        By field: str, int, Decimal, float, date, datetime (UTC) or `Amount`, as the kind says; None when missing and kept.
    filled, kept : tuple of str
        Fields whose value was missing, by what was done.
    normalised : tuple of str
        Fields whose spelling changed.
    """

    number: int
    values: dict[str, Any]
    filled: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    normalised: tuple[str, ...] = ()


class Rejected(NamedTuple):
    """A row that is not taken over, and why.

    Attributes
    ----------
    row_number : int
    column : str or None
        The column at fault, by its name in the table.
    code : str
        A `Fault` of reading or a `Reason` of cleaning.
    reason : str
        A sentence that names row, column and value.
    values : dict of str to (str or None)
        The cells as they were read.
    line : int or None
        Physical line or sheet row.
    """

    row_number: int
    column: str | None
    code: str
    reason: str
    values: dict[str, str | None]
    line: int | None = None
