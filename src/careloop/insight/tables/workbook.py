"""Rows of XLSX workbooks, one sheet, read as a stream.

Formulas are never evaluated: the value that the spreadsheet program stored last is taken, and a formula without one
makes its row an error row. XML entities are refused (defusedxml), sizes are checked before anything is unpacked, and
the shared texts of the workbook wait in a temporary file, so that memory does not grow with the file.
"""

from __future__ import annotations

import tempfile
import warnings
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from careloop.insight.errors import FileFormatError, InputError
from careloop.insight.tables.errors import BrokenStreamError, TooLargeError
from careloop.insight.tables.rows import (
    CellError,
    Fault,
    Limits,
    Row,
    cell_text,
    is_blank,
    place,
    row_of_cells,
    tidy_columns,
)
from careloop.insight.tables.sources import Source

WORKBOOK_PART = "xl/workbook.xml"
MOST_ENTRIES = 10_000
MOST_ROWS = 1_048_576
STRING_TAG = f"{{{SHEET_MAIN_NS}}}si"
TEXT_TAG = f"{{{SHEET_MAIN_NS}}}t"
NOT_COMPUTED = object()
BROKEN = (
    ParseError,
    DefusedXmlException,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    NotImplementedError,
)  # what openpyxl raises on broken parts


class WorkbookReader:
    """Reads one sheet of a workbook; `columns`, `notes` and `sheets` are those of `Table`.

    Parameters
    ----------
    source : Source
    sheet : str or None
        Name of the sheet; the first visible one when None.
    limits : Limits

    Raises
    ------
    TooLargeError
        When the workbook unpacks beyond the limits, as a zip bomb does.
    FileFormatError
        When it is damaged, uses XML entities, or its sheet is empty.
    InputError
        When it has no such sheet.
    """

    encoding: str | None = None

    def __init__(self, source: Source, sheet: str | None, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        check_archive(source, limits)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that do not matter here
                self._book = _SpillingReader(str(source.path), read_only=True, data_only=True, keep_links=False)
                self._book.read()
        except BROKEN as error:
            raise FileFormatError(f"{source.name} cannot be read as a workbook: {_reason(error)}.", field="file") from error
        sheets = [one for one in self._book.wb.worksheets if hasattr(one, "_worksheet_path")]
        self.sheets = tuple(one.title for one in sheets)
        self._sheet = self._chosen(sheets, sheet)
        self._header_row, header = next(((line, cells) for line, cells in self._cells() if any(map(_is_filled, cells))), (0, []))
        if not header:
            raise FileFormatError(
                f"The sheet “{self._sheet.title}” of {source.name} is empty; its first row should name the columns.",
                field="file",
            )
        if len(header) > limits.columns:
            raise FileFormatError(f"{source.name} has {len(header):,} columns, at most {limits.columns:,} are read.")
        self.columns, self.notes = tidy_columns([_name(cell) for cell in header])

    def rows(self, start_after: int) -> Iterator[Row | None]:
        """Yield the rows with a number above `start_after`; None stands for blank ones."""
        try:
            for line, cells in self._cells():
                number = line - self._header_row
                if number > start_after:
                    yield self._row(number, line, cells)
        except BROKEN as error:
            raise BrokenStreamError(f"The workbook {self._source.name} is damaged: {_reason(error)}.") from error

    def _chosen(self, sheets: list[Any], name: str | None) -> Any:
        if name is None:
            visible = [one for one in sheets if one.sheet_state == "visible"]
            if not visible:
                raise FileFormatError(f"{self._source.name} has no visible sheet.", field="file")
            return visible[0]
        for one in sheets:
            if one.title == name:
                return one
        names = ", ".join(f"“{title}”" for title in self.sheets)
        raise InputError(f"{self._source.name} has no sheet “{name}”; it has {names}.", field="sheet")

    def _cells(self) -> Iterator[tuple[int, list[object]]]:
        book = self._book.wb
        with self._book.archive.open(self._sheet._worksheet_path) as xml:
            parser = _SheetParser(
                xml,
                self._book.shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            last = 0
            for line, found in parser.parse_rows():
                if not last < line <= MOST_ROWS:
                    raise ValueError(f"row {line} follows row {last}")
                last = line
                cells: list[object] = []
                for cell in found:
                    column = cell["column"]
                    cells.extend([None] * (column - len(cells)))
                    cells[column - 1] = cell["value"]
                yield line, cells

    def _row(self, number: int, line: int, values: list[object]) -> Row | None:
        cells: list[str | None] = []
        error = None
        for position, value in enumerate(values):
            try:
                cells.append(_text(value))
            except CellError as found:
                cells.append(None)
                error = error or (
                    found,
                    self.columns[position] if position < len(self.columns) else f"cell {position + 1}",
                )
        cells.extend([None] * (len(self.columns) - len(cells)))
        if error is not None:
            fault, column = error
            kept = dict(zip(self.columns, cells, strict=False))
            return Row(number, kept, f"{place(number, line)}, column “{column}”: {fault}.", line, fault.fault, column)
        return None if is_blank(cells) else row_of_cells(cells, self.columns, number, line, self._limits)


def check_archive(source: Source, limits: Limits) -> None:
    """Refuse a zip archive that is no workbook, or that would unpack beyond the limits; nothing is unpacked.

    Raises
    ------
    FileFormatError, TooLargeError
    """
    try:
        with zipfile.ZipFile(source.path) as archive:
            entries = archive.infolist()
    except BROKEN as error:
        raise FileFormatError(f"{source.name} is damaged or cut off: {_reason(error)}; fetch or export it again.", field="file") from error
    if WORKBOOK_PART not in {entry.filename for entry in entries}:
        raise FileFormatError(f"{source.name} is a zip archive but no XLSX workbook; unpack it first.", field="file")
    packed = max(sum(entry.compress_size for entry in entries), 1)
    unpacked = sum(entry.file_size for entry in entries)
    is_bomb = unpacked > limits.ratio_from_bytes and unpacked > limits.expansion_ratio * packed
    if is_bomb or unpacked > limits.expanded_bytes or len(entries) > MOST_ENTRIES:
        raise TooLargeError(
            f"{source.name} would unpack from {packed:,} to {unpacked:,} bytes in {len(entries):,} parts, as a zip "
            f"bomb does; at most {limits.expanded_bytes:,} bytes, {limits.expansion_ratio}-fold, in {MOST_ENTRIES:,} parts "
            "are read."
        )


class _SpillingReader(ExcelReader):  # type: ignore[misc]
    """openpyxl's reader, with the shared texts in a temporary file instead of a list."""

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        self.shared_strings = SpilledTexts()
        if part is not None:
            with self.archive.open(part.PartName[1:]) as xml:
                for text in _shared_texts(xml):
                    self.shared_strings.append(text)

    def read_custom(self) -> None:
        """Leave custom document properties alone."""


def _shared_texts(xml: Any) -> Iterator[str]:
    parents: list[Any] = []
    for event, node in iterparse(xml, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            parents.append(node)
            continue
        parents.pop()
        if node.tag == STRING_TAG:
            yield _string_item(node)
            parents[-1].clear()


def _string_item(node: Any) -> str:
    if len(node) == 1 and node[0].tag == TEXT_TAG:  # nearly always; openpyxl's way takes ten times as long
        text = node[0].text
    else:
        text = Text.from_tree(node).content
    return (text or "").replace("x005F_", "")


class SpilledTexts:
    """A list of texts kept on disk: 8 bytes of memory each."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="careloop-")  # noqa: SIM115 - lives as long as the list
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, text: str) -> None:
        """Add a text at the end."""
        self._ends.append(self._ends[-1] + self._file.write(text.encode("utf-8", "surrogatepass")))

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self):
            raise IndexError(f"the workbook has no shared text {index}")
        self._file.seek(self._ends[index])
        return self._file.read(self._ends[index + 1] - self._ends[index]).decode("utf-8", "surrogatepass")


class _SheetParser(WorkSheetParser):  # type: ignore[misc]
    """openpyxl's cell parser; forgets finished rows and tells a formula never computed from an empty cell."""

    def parse_rows(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        parents: list[Any] = []
        for event, node in iterparse(self.source, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                parents.append(node)
                continue
            parents.pop()
            if node.tag == ROW_TAG:
                yield self.parse_row(node)
                parents[-1].clear()
                self.row_dimensions.clear()

    def parse_cell(self, element: Any) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None and element.get("t") != "str":
            cell["value"] = NOT_COMPUTED
        return cell


def _text(value: object) -> str | None:
    if value is NOT_COMPUTED:
        raise CellError(
            Fault.FORMULA_WITHOUT_VALUE,
            "the formula has no stored value; open the file in a spreadsheet program and save it",
        )
    return cell_text(value)


def _is_filled(value: object) -> bool:
    return value is not None and value != ""


def _name(value: object) -> str | None:
    try:
        return _text(value)
    except CellError:
        return None


def _reason(error: BaseException) -> str:
    if isinstance(error, DefusedXmlException):
        return "it declares XML entities, which are refused"
    cause = error.__cause__
    if isinstance(cause, DefusedXmlException | ParseError):
        return _reason(cause)
    return str(error).splitlines()[0].rstrip(".") or type(error).__name__
