"""Writes the same table in every format, for the tests of reading."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import polars as pl
from openpyxl.cell import WriteOnlyCell

Cells = Sequence[Sequence[str | None]]


def csv_bytes(columns: Sequence[str], rows: Cells, *, encoding: str = "utf-8", separator: str = ",", line_end: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([columns, *[["" if cell is None else cell for cell in row] for row in rows]])
    return text.getvalue().encode(encoding)


def jsonl_bytes(columns: Sequence[str], rows: Cells) -> bytes:
    return "".join(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n" for row in rows).encode()


def write_xlsx(path: Path, columns: Sequence[str], rows: Cells) -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("one")
    for row in [columns, *rows]:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value)
            if value is not None:
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    book.save(path)
    return path


def write_shared_xlsx(path: Path, columns: Sequence[str], rows: Cells, *, shared_prolog: str = "") -> Path:
    """Write a workbook as spreadsheet programs do, with its texts in one shared table."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    texts: dict[str, int] = {}
    lines = [[texts.setdefault(cell or "", len(texts)) for cell in row] for row in [columns, *rows]]
    sheet = "".join("<row>" + "".join(f'<c t="s"><v>{index}</v></c>' for index in line) + "</row>" for line in lines)
    items = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in texts)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kinds}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kinds}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Target="xl/workbook.xml" '
        f'Type="{relations}/officeDocument"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="one" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Target="worksheets/sheet1.xml" Type="{relations}/worksheet"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'{shared_prolog}<sst xmlns="{main}">{items}</sst>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def write_parquet(path: Path, columns: Sequence[str], rows: Cells) -> Path:
    pl.DataFrame([list(row) for row in rows], schema=dict.fromkeys(columns, pl.String), orient="row").write_parquet(path)
    return path


def write_all(folder: Path, columns: Sequence[str], rows: Cells) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    plain, lines = csv_bytes(columns, rows), jsonl_bytes(columns, rows)
    contents = {
        "t.csv": plain,
        "t.csv.gz": gzip.compress(plain),
        "t.tsv": csv_bytes(columns, rows, separator="\t", line_end="\n"),
        "semicolon.csv": csv_bytes(columns, rows, separator=";"),
        "bom.csv": csv_bytes(columns, rows, encoding="utf-8-sig"),
        "utf16.csv": csv_bytes(columns, rows, encoding="utf-16"),
        "t.jsonl": lines,
        "t.jsonl.gz": gzip.compress(lines),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    paths = [folder / name for name in contents]
    paths.append(write_shared_xlsx(folder / "shared.xlsx", columns, rows))
    return [*paths, write_xlsx(folder / "t.xlsx", columns, rows), write_parquet(folder / "t.parquet", columns, rows)]


def with_part(path: Path, target: Path, part: str, content: bytes) -> Path:
    """Copy a zip archive with one part replaced."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return target
