"""Every error that careloop raises on purpose: one tree, on one page.

The message is a sentence for the person who gave the input: what was given, what was expected, what to do. Programs look
at the class and at the attributes. Errors of the desk (permissions, workflow) subclass `CareloopError` where they live.
"""

from __future__ import annotations

from collections.abc import Sequence


class CareloopError(Exception):
    """Root of the tree; catching it catches every error raised on purpose."""


class InputError(CareloopError, ValueError):
    """Something given from outside cannot be used.

    Parameters
    ----------
    message : str
        The sentence to show.
    field : str or None
        Name of the argument, column or form field at fault.
    row : int or None
        Row of the file at fault; the first row under the header is 1.
    """

    def __init__(self, message: str, *, field: str | None = None, row: int | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.row = row


class MissingColumnError(InputError):
    """A table lacks a column that was asked for.

    Parameters
    ----------
    column : str
        The column asked for.
    present : sequence of str
        The columns that the table has.
    """

    def __init__(self, column: str, present: Sequence[str]) -> None:
        names = ", ".join(f"“{name}”" for name in present) or "no columns at all"
        super().__init__(f"There is no column “{column}” in this table, which has {names}; name one of these.", field=column)
        self.column = column
        self.present = tuple(present)


class FileFormatError(InputError):
    """A file is not of a kind that can be read, or is not what its name says."""


class EncodingError(FileFormatError):
    """The bytes of a file are not text in any encoding that was tried."""


class ModelError(CareloopError):
    """A model's files are missing, damaged, or made for another version."""


class StoredReadingError(CareloopError, ValueError):
    """A stored reading cannot be turned back into a `Reading`."""
