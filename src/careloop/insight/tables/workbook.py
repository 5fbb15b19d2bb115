"""Rows of XLSX workbooks, one sheet, read as a stream.

Formulas are never evaluated: the value that the spreadsheet program stored last is taken, and a formula without one
makes its row an error row. XML with a document type is refused, and with it entities; sizes are checked before anything is unpacked, and
the shared texts of the workbook wait in a temporary file, so that memory does not grow with the file.
"""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError, iterparse
from xml.parsers import expat

from defusedxml.common import DefusedXmlException, DTDForbidden
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.worksheet._reader import FORMULA_TAG, INLINE_STRING, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS

from careloop.insight.errors import FileFormatError, InputError, Sentence
from careloop.insight.tables.errors import BrokenStreamError, TooLargeError
from careloop.insight.tables.rows import (
    CellError,
    Fault,
    Limits,
    Row,
    cell_text,
    in_column,
    is_blank,
    row_of_cells,
    tidy_columns,
)
from careloop.insight.tables.sources import ITEMS_A_LOOK, Source
from careloop.insight.tables.workbook_texts import SpilledTexts, shared_texts, string_item

WORKBOOK_PART = "xl/workbook.xml"
MOST_ENTRIES = 10_000
MOST_ROWS = 1_048_576
PROLOG_BYTES = 4096
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
            self._book = _BookReader(source.path.open("rb"), read_only=True, data_only=True, keep_links=False)
            self._book.texts = SpilledTexts(source)
            self._book.read()
        except BROKEN as error:
            raise FileFormatError(_unreadable(source.name, error), field="file") from error
        self.sheets = tuple(sheet.name for sheet in self._book.sheets)
        self._sheet = self._chosen(sheet)
        try:
            self._header_row, header = next(((line, cells) for line, cells in self._cells() if any(map(_is_filled, cells))), (0, []))
        except BROKEN as error:
            raise FileFormatError(_unreadable(source.name, error), field="file") from error
        if not header:
            raise FileFormatError(
                Sentence(
                    "The sheet “{sheet}” of {file} is empty; its first row should name the columns.",
                    sheet=self._sheet.name,
                    file=source.name,
                ),
                field="file",
            )
        if len(header) > limits.columns:
            raise FileFormatError(
                Sentence(
                    "{file} has {count:,} columns, at most {most:,} are read.", file=source.name, count=len(header), most=limits.columns
                )
            )
        self.columns, self.notes = tidy_columns([_name(cell) for cell in header])

    def rows(self, start_after: int) -> Iterator[Row | None]:
        """Yield the rows with a number above `start_after`; None stands for blank ones."""
        try:
            for line, cells in self._cells():
                number = line - self._header_row
                if number > start_after:
                    yield self._row(number, line, cells)
        except BROKEN as error:
            told = Sentence("The workbook {file} is damaged.", file=self._source.name, detail=_reason(error))
            raise BrokenStreamError(told) from error

    def _chosen(self, name: str | None) -> Sheet:
        for sheet in self._book.sheets:
            if sheet.name == name or (name is None and sheet.is_visible):
                return sheet
        if name is None:
            raise FileFormatError(Sentence("{file} has no visible sheet.", file=self._source.name), field="file")
        names = ", ".join(f"“{title}”" for title in self.sheets)
        told = Sentence("{file} has no sheet “{sheet}”; it has {names}.", file=self._source.name, sheet=name, names=names)
        raise InputError(told, field="sheet")

    def _cells(self) -> Iterator[tuple[int, list[object]]]:
        book = self._book.wb
        check_prolog(self._book.archive, self._sheet.part)
        with self._book.archive.open(self._sheet.part) as xml:
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
                if not line % ITEMS_A_LOOK:
                    self._source.check_time()
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
            return Row(number, kept, in_column(number, line, column, fault.sentence), line, fault.fault, column)
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
        told = Sentence("{file} is damaged or cut off; fetch or export it again.", file=source.name, detail=_reason(error))
        raise FileFormatError(told, field="file") from error
    if WORKBOOK_PART not in {entry.filename for entry in entries}:
        told = Sentence("{file} is a zip archive but no XLSX workbook; unpack it first.", file=source.name)
        raise FileFormatError(told, field="file")
    packed = max(sum(entry.compress_size for entry in entries), 1)
    unpacked = sum(entry.file_size for entry in entries)
    is_bomb = unpacked > limits.ratio_from_bytes and unpacked > limits.expansion_ratio * packed
    if is_bomb or unpacked > limits.expanded_bytes or len(entries) > MOST_ENTRIES:
        raise TooLargeError(
            Sentence(
                "{file} would unpack from {packed:,} to {unpacked:,} bytes in {parts:,} parts, as a zip bomb does; "
                "at most {most:,} bytes, {fold}-fold, in {most_parts:,} parts are read.",
                file=source.name,
                packed=packed,
                unpacked=unpacked,
                parts=len(entries),
                most=limits.expanded_bytes,
                fold=limits.expansion_ratio,
                most_parts=MOST_ENTRIES,
            )
        )


def check_prolog(archive: zipfile.ZipFile, part: str) -> None:
    """Refuse an XML part that has a document type declaration, the only place where entities can be declared.

    It stands before the first element or nowhere, so a part that passes is safe for the standard parser, which reads
    the two large parts of a workbook several times as fast as defusedxml; openpyxl reads all others with defusedxml.

    Raises
    ------
    DTDForbidden
    ParseError
        When the part does not begin as XML.
    """
    parser = expat.ParserCreate()
    found: list[str] = []

    def refuse(name: str, system_id: str | None, public_id: str | None, _has_subset: bool) -> None:
        raise DTDForbidden(name, system_id, public_id)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, _attributes: found.append(name)
    with archive.open(part) as xml:
        while not found and (block := xml.read(PROLOG_BYTES)):
            try:
                parser.Parse(block)
            except expat.ExpatError as error:
                raise ParseError(str(error)) from None


class Sheet(NamedTuple):
    """A sheet of the workbook and the archive's part that holds it."""

    name: str
    part: str
    is_visible: bool


class _BookReader(ExcelReader):  # type: ignore[misc]
    """openpyxl's reader without all that a table does not need, the shared texts in a temporary file."""

    sheets: tuple[Sheet, ...] = ()
    texts: SpilledTexts

    def read(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that do not matter here
            self.read_manifest()
            self.read_strings()
            self.read_workbook()
            apply_stylesheet(self.archive, self.wb)
        self.sheets = tuple(
            Sheet(sheet.name, relation.target, sheet.state == "visible")
            for sheet, relation in self.parser.find_sheets()
            if relation.target in self.valid_files and "worksheet" in relation.Type
        )

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        self.shared_strings = self.texts
        if part is not None:
            check_prolog(self.archive, part.PartName[1:])
            self.texts.fill_from(shared_texts(self.archive.open(part.PartName[1:])))


class _SheetParser(WorkSheetParser):  # type: ignore[misc]
    """openpyxl's cell parser; forgets finished rows and tells a formula never computed from an empty cell."""

    def parse_rows(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        parents: list[Any] = []
        for event, node in iterparse(self.source, events=("start", "end")):  # noqa: S314 - after check_prolog
            if event == "start":
                parents.append(node)
                continue
            parents.pop()
            if node.tag == ROW_TAG:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of date cells out of range; their text becomes #VALUE!
                    row = self.parse_row(node)
                yield row
                parents[-1].clear()
                self.row_dimensions.clear()

    def parse_cell(self, element: Any) -> dict[str, Any]:
        inline = element.find(INLINE_STRING) if element.get("t") == "inlineStr" else None
        if inline is not None and element.get("r") and len(inline) == 1:
            row, column = coordinate_to_tuple(element.get("r"))
            self.col_counter = column
            return {"row": row, "column": column, "value": string_item(inline)}
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None and element.get("t") != "str":
            cell["value"] = NOT_COMPUTED
        return cell


def _text(value: object) -> str | None:
    if value is NOT_COMPUTED:
        raise CellError(
            Fault.FORMULA_WITHOUT_VALUE,
            Sentence("the formula has no stored value; open the file in a spreadsheet program and save it"),
        )
    return cell_text(value)


def _is_filled(value: object) -> bool:
    return value is not None and value != ""


def _name(value: object) -> str | None:
    try:
        return _text(value)
    except CellError:
        return None


def _unreadable(name: str, error: BaseException) -> Sentence:
    if isinstance(error, DefusedXmlException) or isinstance(error.__cause__, DefusedXmlException):
        return Sentence("{file} cannot be read as a workbook: it declares XML entities, which are refused.", file=name)
    return Sentence("{file} cannot be read as a workbook.", file=name, detail=_reason(error))


def _reason(error: BaseException) -> str:
    cause = error.__cause__
    if isinstance(cause, DefusedXmlException | ParseError):
        return _reason(cause)
    if isinstance(error, DefusedXmlException):
        return "it declares XML entities"
    return str(error).splitlines()[0].rstrip(".") or type(error).__name__
