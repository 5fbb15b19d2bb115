"""Every error that careloop raises on purpose: one tree, on one page.

The message is a sentence for the person who gave the input: what was given, what was expected, what to do. Programs look
at the class and at the attributes. Errors of the desk (permissions, workflow) subclass `CareloopError` where they live.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self


class Sentence(str):
    """A sentence that can also be said in another language: a template and its values. As a text it is English.

    Parameters
    ----------
    template : str
        English, with places as in `str.format`; the key under which a translation is looked up, so write it as a literal.
    detail : str
        What a library said, in its own words; set in brackets at the end and left out in other languages.
    **values : str, int, float or Sentence
        What stands in the places; a `Sentence` is translated, too.

    Examples
    --------
    >>> Sentence("{file} has {count:,} columns.", file="a.csv", count=12000)
    'a.csv has 12,000 columns.'
    >>> Sentence("{file} is damaged.", file="a.gz", detail="Error -3").to_json()["values"]
    {'file': 'a.gz'}
    """

    template: str
    detail: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, *, detail: str = "", **values: Any) -> Self:
        """Make the English text."""
        text = template.format(**values)
        if detail:
            text = f"{text[:-1]} ({detail})." if text.endswith(".") else f"{text} ({detail})"
        sentence = super().__new__(cls, text)
        sentence.template, sentence.detail, sentence.values = template, detail, values
        return sentence

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """Let it be copied and pickled."""
        return (self.template,), {"detail": self.detail, **self.values}

    def to_json(self) -> dict[str, Any]:
        """Return template, values and detail as plain texts and numbers."""
        values = {name: value.to_json() if isinstance(value, Sentence) else value for name, value in self.values.items()}
        return {"template": self.template, "values": values, "detail": self.detail}


class CareloopError(Exception):
    """Root of the tree; catching it catches every error raised on purpose."""

    @property
    def sentence(self) -> Sentence:
        """The message with its template and values; a message that came without a template is its own."""
        message = self.args[0] if self.args else ""
        return message if isinstance(message, Sentence) else Sentence("{message}", message=str(self))


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
        names = ", ".join(f"“{name}”" for name in present) or Sentence("no columns at all")
        super().__init__(
            Sentence("There is no column “{column}” in this table, which has {names}; name one of these.", column=column, names=names),
            field=column,
        )
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
