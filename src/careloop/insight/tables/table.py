"""Opening a table: which format a file has, by content and name, and its rows, telling where a damaged file ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Protocol

from careloop.insight.errors import FileFormatError, Sentence
from careloop.insight.tables.delimited import DelimitedReader
from careloop.insight.tables.encodings import TextLines, checked_encoding, detect_encoding
from careloop.insight.tables.errors import BrokenStreamError
from careloop.insight.tables.jsonlines import JsonLinesReader
from careloop.insight.tables.rows import Limits, Row
from careloop.insight.tables.sources import GZIP_MAGIC, Source

FORMAT_BY_ENDING = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "xlsx", ".xlsm": "xlsx",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
FORMAT_NAMES = {
    "csv": Sentence("CSV text"), "jsonl": Sentence("JSON lines"), "xlsx": Sentence("an XLSX workbook"),
    "parquet": Sentence("Parquet"), "gzip": Sentence("gzip data"),
}  # fmt: skip
UNREAD_FORMATS = {
    b"\xd0\xcf\x11\xe0": Sentence("an old Excel workbook (.xls) or one with a password; save it as .xlsx without one"),
    b"%PDF": Sentence("a PDF document; export the table as CSV or XLSX"),
    b"BZh": Sentence("packed with bzip2; unpack it first"),
    b"\xfd7zXZ": Sentence("packed with xz; unpack it first"),
    b"\x28\xb5\x2f\xfd": Sentence("packed with Zstandard; unpack it first"),
    b"7z\xbc\xaf": Sentence("a 7-Zip archive; unpack it first"),
    b"Rar!": Sentence("a RAR archive; unpack it first"),
    GZIP_MAGIC: Sentence("packed with gzip twice; unpack it once"),
}
SNIFFED_LINES = 20


class Reader(Protocol):
    """What a format has to offer."""

    columns: tuple[str, ...]
    notes: tuple[str, ...]
    sheets: tuple[str, ...]
    encoding: str | None

    def rows(self, start_after: int) -> Iterator[Row | None]:
        """Yield the rows above a number; None for a blank one."""


class Table:
    """A tabular file, read as a stream in constant memory; iterate it as often as you like.

    Attributes
    ----------
    name : str
        The file's name.
    format : str
        "csv", "jsonl", "xlsx" or "parquet".
    is_compressed : bool
        True when it came as gzip.
    encoding : str or None
        Python's name of the text encoding; None for XLSX and Parquet.
    columns : tuple of str
        Unique names, in order.
    notes : tuple of str
        A sentence on each column that had to be renamed.
    sheets : tuple of str
        The sheets of a workbook.
    blank_rows : int
        Blank rows passed over during the latest iteration; they keep their numbers.

    Examples
    --------
    >>> import io
    >>> with open_table(io.BytesIO("text,rating\\n很好,5\\n".encode()), name="reviews.csv") as table:
    ...     [row.values for row in table]
    [{'text': '很好', 'rating': '5'}]
    """

    def __init__(self, source: Source, kind: str, reader: Reader) -> None:
        self._source = source
        self._reader = reader
        self.name = source.name
        self.format = kind
        self.is_compressed = source.is_gzip
        self.encoding = reader.encoding
        self.columns = reader.columns
        self.notes = reader.notes
        self.sheets = reader.sheets
        self.blank_rows = 0

    def __enter__(self) -> Table:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Delete the temporary copy of a stream; a file given by its path stays."""
        self._source.close()

    def __iter__(self) -> Iterator[Row]:
        return self.rows()

    def rows(self, *, start_after: int = 0) -> Iterator[Row]:
        """Yield the rows whose number is above `start_after`.

        Rows that cannot be read are yielded with their `error`; only a file that breaks off ends the iteration early.

        Parameters
        ----------
        start_after : int
            Number of the last row already done, at least 0. Rows up to it are passed over without being taken apart
            (in Parquet without being read).

        Raises
        ------
        DamagedFileError
            When the file ends in the middle or its packed data are damaged; `rows_read` says how far it was read.
        TooLargeError
            When it expands beyond the limits.
        """
        self.blank_rows = 0
        number = start_after
        try:
            for row in self._reader.rows(start_after):
                if row is None:
                    self.blank_rows += 1
                else:
                    number = row.number
                    yield row
        except BrokenStreamError as error:
            raise error.public(error.message, rows_read=number) from error


def open_table(
    given: str | Path | BinaryIO | IO[bytes],
    *,
    name: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    limits: Limits | None = None,
) -> Table:
    """Open a table and read its header.

    Parameters
    ----------
    given : path or binary stream
        A stream is copied to a temporary file, as reading may start anew.
    name : str or None
        The file's own name where `given` does not have it (an upload). Unknown endings say nothing about the format,
        which is then taken from the content.
    encoding : str or None
        Of text formats; detected when None.
    sheet : str or None
        Of a workbook; the first visible one when None.
    limits : Limits or None

    Returns
    -------
    Table

    Raises
    ------
    FileFormatError
        When the content is of no known format, contradicts the name, or has no header.
    EncodingError
        When text is in no encoding that can be detected.
    DamagedFileError, TooLargeError
        When the file breaks off before its first row, or is beyond the limits.
    InputError
        When there is no such file or sheet.
    """
    limits = limits or Limits()
    source = Source(given, name, limits)
    try:
        kind, found = _recognise(source, encoding, limits)
        return Table(source, kind, _reader(source, kind, found, sheet, limits))
    except BrokenStreamError as error:
        source.close()
        raise error.public(error.message, rows_read=0) from error
    except BaseException:
        source.close()
        raise


def _reader(source: Source, kind: str, encoding: str, sheet: str | None, limits: Limits) -> Reader:
    if kind == "xlsx":  # imported only when needed: openpyxl and polars cost 0.2 s at every start
        from careloop.insight.tables.workbook import WorkbookReader

        return WorkbookReader(source, sheet, limits)
    if kind == "parquet":
        from careloop.insight.tables.columnar import ParquetReader

        return ParquetReader(source, limits)
    if kind == "jsonl":
        return JsonLinesReader(source, encoding, limits)
    return DelimitedReader(source, encoding, limits)


def _recognise(source: Source, encoding: str | None, limits: Limits) -> tuple[str, str]:
    """Return the format and, for text, the encoding."""
    endings = [ending.lower() for ending in Path(source.name).suffixes[-2:]]
    if endings[-1:] == [".gz"]:
        endings.pop()
        if not source.is_gzip:
            told = Sentence("The name of {file} says gzip but its content is not; rename it without “.gz”.", file=source.name)
            raise FileFormatError(told, field="file")
        said = FORMAT_BY_ENDING.get(endings[-1]) if endings else None
    else:
        said = FORMAT_BY_ENDING.get(endings[-1]) if endings else None
        if said and source.is_gzip:
            raise _contradiction(source.name, said, "gzip")
    found = _binary_format(source)
    if found:
        if said and said != found:
            raise _contradiction(source.name, said, found)
        return found, ""
    if said in ("xlsx", "parquet"):
        raise (
            _contradiction(source.name, said, "csv")
            if source.head(1)
            else FileFormatError(Sentence("{file} is empty (0 bytes).", file=source.name), field="file")
        )
    encoding = checked_encoding(encoding) if encoding else detect_encoding(source.blocks(), source.name)
    is_json = _looks_like_json(source, encoding, limits)
    if said and is_json is not None and is_json != (said == "jsonl"):
        raise _contradiction(source.name, said, "jsonl" if is_json else "csv")
    return said or ("jsonl" if is_json else "csv"), encoding


def _binary_format(source: Source) -> str | None:
    """Return the format that the first bytes give away; None for text.

    Raises
    ------
    FileFormatError
        For binary formats that are recognised but not read.
    """
    try:
        head = next(source.blocks(), b"")
    except BrokenStreamError:
        return None
    for magic, what in UNREAD_FORMATS.items():
        if head.startswith(magic):
            raise FileFormatError(Sentence("{file} is {what}.", file=source.name, what=what), field="file")
    found = {b"PK\x03\x04": "xlsx", b"PK\x05\x06": "xlsx", b"PAR1": "parquet"}.get(head[:4])
    if found and source.is_gzip:
        told = Sentence("{file} is {format} inside gzip; unpack it first.", file=source.name, format=FORMAT_NAMES[found])
        raise FileFormatError(told, field="file")
    return found


def _looks_like_json(source: Source, encoding: str, limits: Limits) -> bool | None:
    """Return True when one of the first lines is a JSON object, None when the text is empty or undecided.

    Raises
    ------
    FileFormatError
        When the text is one JSON array.
    """
    seen = is_braced = 0
    try:
        for line in TextLines(source.blocks(), encoding, limits):
            text = line.strip()
            if not text:
                continue
            if not seen and text.startswith("[") and _is_json_array(text):
                raise FileFormatError(
                    Sentence(
                        "{file} is a JSON array; write one object a line (JSON lines), without the brackets around them and the "
                        "commas between them.",
                        file=source.name,
                    ),
                    field="file",
                )
            seen += 1
            if text.startswith("{"):
                is_braced += 1
                if _is_json_object(text):
                    return True
            if seen == SNIFFED_LINES:
                break
    except BrokenStreamError:
        pass
    return None if not seen or is_braced == seen else False


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_int=str), dict)
    except (ValueError, RecursionError):
        return False


def _is_json_array(text: str) -> bool:
    return text == "[" or text[1:].lstrip().startswith(("{", "["))


def _contradiction(name: str, said: str, found: str) -> FileFormatError:
    return FileFormatError(
        Sentence(
            "The name of {file} says {said} but its content is {found}; rename the file or export it again.",
            file=name,
            said=FORMAT_NAMES[said],
            found=FORMAT_NAMES[found],
        ),
        field="file",
    )
