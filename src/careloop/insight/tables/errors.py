"""What can be wrong with a whole file or a plan; what is wrong with one row is no exception but its `Row.error`."""

from __future__ import annotations

from careloop.insight.errors import FileFormatError, InputError, Sentence


class DamagedFileError(FileFormatError):
    """A file ends or breaks in the middle; the rows before that were already handed out.

    Parameters
    ----------
    message : str
        What is wrong with the file.
    rows_read : int
        Number of the last row that could be read; 0 when none could.
    """

    def __init__(self, message: str, *, rows_read: int = 0) -> None:
        if rows_read:
            told = Sentence("{message} Rows 1 to {rows:,} were read; everything after that is missing.", message=message, rows=rows_read)
        else:
            told = Sentence("{message} No row was read; everything after that is missing.", message=message)
        super().__init__(told, row=rows_read + 1)
        self.rows_read = rows_read


class TooLargeError(DamagedFileError):
    """A file is larger, or expands to more, than the limits allow."""


class BrokenStreamError(Exception):
    """Internal: the bytes ended early; the table adds how many rows were read and raises the public error."""

    def __init__(self, message: str, public: type[DamagedFileError] = DamagedFileError) -> None:
        super().__init__(message)
        self.message = message
        self.public = public


class PlanError(InputError):
    """A cleaning plan contradicts itself or does not fit the table."""
