"""The same content gives the same rows, whatever the format; formats are recognised by content and name."""

import gzip
import io
import tempfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_files import csv_bytes, jsonl_bytes, with_part, write_all, write_parquet, write_xlsx

from careloop.insight.errors import FileFormatError, InputError
from careloop.insight.tables import Fault, open_table, preview

COLUMNS = ("评论", "rating", "by, whom")
ROWS = [
    ("很好，\"推荐\"", "5", "王小明"),
    ("two\nlines; and, separators\t", "4", None),
    ("=1+1 👍🏽", "", "O'Brien"),
]  # fmt: skip

letters = st.sampled_from([*"ab,;\t\"'\n 0=-|\\{}", "退", "款", "，", "。", "é", "👍", "𠮷", "\u2028", "\x85"])
cells = st.text(letters, max_size=12)
tables = st.lists(st.tuples(cells, cells, cells).filter(any), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(tables)
def test_every_format_gives_the_same_rows(rows: list[tuple[str, str, str]]) -> None:
    expected = [(number, {name: cell or None for name, cell in zip(COLUMNS, row, strict=True)}) for number, row in enumerate(rows, 1)]
    with tempfile.TemporaryDirectory() as folder:
        for path in write_all(Path(folder), COLUMNS, rows):
            with open_table(path) as table:
                found = list(table)
            assert [(row.number, row.values) for row in found] == expected, path.name
            assert [row.error for row in found] == [None] * len(rows), path.name


def test_format_encoding_and_columns_are_told(tmp_path: Path) -> None:
    told = {}
    for path in write_all(tmp_path, COLUMNS, ROWS):
        with open_table(path) as table:
            told[path.name] = (table.format, table.encoding, table.is_compressed)
            assert table.columns == COLUMNS
    assert told == {
        "t.csv": ("csv", "utf-8", False),
        "t.csv.gz": ("csv", "utf-8", True),
        "t.tsv": ("csv", "utf-8", False),
        "semicolon.csv": ("csv", "utf-8", False),
        "bom.csv": ("csv", "utf-8-sig", False),
        "utf16.csv": ("csv", "utf-16", False),
        "t.jsonl": ("jsonl", "utf-8", False),
        "t.jsonl.gz": ("jsonl", "utf-8", True),
        "shared.xlsx": ("xlsx", None, False),
        "t.xlsx": ("xlsx", None, False),
        "t.parquet": ("parquet", None, False),
    }


def test_resuming_after_any_row_gives_the_tail(tmp_path: Path) -> None:
    rows = [(f"row {number}\nwith two lines", str(number), None) for number in range(1, 26)]
    rows[6] = (None, None, None)
    for path in write_all(tmp_path, COLUMNS, rows):
        with open_table(path) as table:
            everything = list(table)
            assert table.blank_rows == 1, path.name
            assert [row.number for row in everything] == [n for n in range(1, 26) if n != 7]
            for start in (0, 1, 6, 7, 8, 24, 25, 99):
                assert list(table.rows(start_after=start)) == [row for row in everything if row.number > start], path.name


def test_typed_cells_become_the_same_text_in_workbooks_and_parquet(tmp_path: Path) -> None:
    values = [7, 2.5, True, date(2026, 3, 5), datetime(2026, 3, 5, 14, 2, 33), 5.0]
    book = openpyxl.Workbook()
    book.active.append(["int", "float", "bool", "date", "moment", "whole"])
    book.active.append(values)
    book.save(tmp_path / "t.xlsx")
    frame = pl.DataFrame([values], schema=["int", "float", "bool", "date", "moment", "whole"], orient="row")
    frame.write_parquet(tmp_path / "t.parquet")
    expected = {"int": "7", "float": "2.5", "bool": "true", "date": "2026-03-05", "moment": "2026-03-05 14:02:33", "whole": "5"}
    for name in ("t.xlsx", "t.parquet"):
        with open_table(tmp_path / name) as table:
            assert [row.values for row in table] == [expected], name


def test_parquet_lists_decimals_and_bytes(tmp_path: Path) -> None:
    frame = pl.DataFrame({"tags": [["物流", "b"], None], "price": [Decimal("1.50"), None], "raw": ["好".encode(), b"\xff"]})
    frame.write_parquet(tmp_path / "t.parquet")
    with open_table(tmp_path / "t.parquet") as table:
        first, second = table
    assert first.values == {"tags": '["物流", "b"]', "price": "1.50", "raw": "好"}
    assert second.fault is Fault.UNDECODABLE
    assert second.error == "Row 2, column “raw”: the cell holds bytes that are not UTF-8 text."


def test_json_numbers_keep_their_spelling_and_nested_values_stay_json() -> None:
    line = '{"id": 12345678901234567890, "score": 5.0, "ok": true, "none": null, "tags": ["好", 1.50], "nan": NaN}\n'
    with open_table(io.BytesIO(line.encode()), name="t.jsonl") as table:
        (row,) = table
    assert row.values == {"id": "12345678901234567890", "score": "5.0", "ok": "true", "none": None, "tags": '["好", 1.5]', "nan": None}


def test_a_key_that_json_lines_bring_later_is_not_lost() -> None:
    content = "".join('{"a": "x"}\n' for _ in range(1000)) + '{"a": "y", "late": "z"}\n'
    with open_table(io.BytesIO(content.encode()), name="t.jsonl") as table:
        assert table.columns == ("a",)
        *_, last = table
    assert last.values == {"a": "y", "late": "z"}


def test_a_workbook_sheet_is_chosen_by_name_and_hidden_sheets_are_passed_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "hidden"
    book.active.sheet_state = "hidden"
    for title in ("first", "second"):
        sheet = book.create_sheet(title)
        sheet["B3"], sheet["B5"] = "name", f"from {title}"
    book.save(tmp_path / "t.xlsx")
    with open_table(tmp_path / "t.xlsx") as table:
        assert table.sheets == ("hidden", "first", "second")
        assert table.columns == ("column 1", "name")
        assert [(row.number, row.line, row.values["name"]) for row in table] == [(2, 5, "from first")]
    with open_table(tmp_path / "t.xlsx", sheet="second") as table:
        assert [row.values["name"] for row in table] == ["from second"]
    with pytest.raises(InputError, match="has no sheet “third”; it has “hidden”, “first”, “second”"):
        open_table(tmp_path / "t.xlsx", sheet="third")


def test_formulas_give_their_stored_value_and_are_an_error_without_one(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "plain.xlsx", ("a", "b"), [("x", "1")])
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
        '<row r="2"><c r="A2"><f>1+2</f><v>3</v></c><c r="B2" t="str"><f>WEBSERVICE("http://x")</f><v>kept</v></c></row>'
        '<row r="3"><c r="A3" t="inlineStr"><is><t>y</t></is></c><c r="B3"><f>1+2</f></c></row>'
        "</sheetData></worksheet>"
    )
    path = with_part(tmp_path / "plain.xlsx", tmp_path / "t.xlsx", "xl/worksheets/sheet1.xml", sheet.encode())
    with open_table(path) as table:
        first, second = table
    assert first.values == {"a": "3", "b": "kept"}
    assert second.fault is Fault.FORMULA_WITHOUT_VALUE
    assert second.column == "b"
    assert second.values == {"a": "y", "b": None}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xlsx", b"a,b\n1,2\n", "The name of t.xlsx says an XLSX workbook but its content is CSV text"),
        ("t.csv", b'{"a": 1}\n', "The name of t.csv says CSV text but its content is JSON lines"),
        ("t.jsonl", b"a,b\n1,2\n", "The name of t.jsonl says JSON lines but its content is CSV text"),
        ("t.csv.gz", b"a,b\n1,2\n", "The name of t.csv.gz says gzip but its content is not"),
        ("t.csv", gzip.compress(b"a,b\n", mtime=0), "The name of t.csv says CSV text but its content is gzip data"),
        ("t.csv", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Excel workbook"),
        ("t.json", b'[{"a": 1}, {"a": 2}]', "is a JSON array; write one object a line"),
        ("t.csv", b"", "t.csv is empty"),
        ("t.csv", b"\n\n \n"[:2], "t.csv is empty"),
        ("t.jsonl", b"", "holds no JSON object a line"),
        ("t.xlsx", b"", "t.xlsx is empty"),
        ("t.csv", b"\xef\xbb\xbf", "t.csv is empty"),
    ],
)
def test_what_is_not_what_it_says_is_refused_with_a_sentence(name: str, content: bytes, message: str) -> None:
    with pytest.raises(FileFormatError) as caught:
        open_table(io.BytesIO(content), name=name)
    assert message in str(caught.value)


def test_a_file_without_known_ending_is_recognised_by_its_content(tmp_path: Path) -> None:
    contents = {"csv": csv_bytes(("a", "b"), [("1", "2")]), "jsonl": jsonl_bytes(("a", "b"), [("1", "2")])}
    contents["xlsx"] = write_xlsx(tmp_path / "t.xlsx", ("a", "b"), [("1", "2")]).read_bytes()
    contents["parquet"] = write_parquet(tmp_path / "t.parquet", ("a", "b"), [("1", "2")]).read_bytes()
    for kind, content in contents.items():
        with open_table(io.BytesIO(content), name="-") as table:
            assert table.format == kind
            assert [row.values for row in table] == [{"a": "1", "b": "2"}]


def test_header_only_gives_no_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b")
    write_xlsx(tmp_path / "t.xlsx", ("a", "b"), [])
    write_parquet(tmp_path / "t.parquet", ("a", "b"), [])
    for path in tmp_path.iterdir():
        with open_table(path) as table:
            assert (table.columns, list(table)) == (("a", "b"), [])


def test_repeated_and_missing_names_are_made_unique_and_told() -> None:
    with open_table(io.BytesIO(b"name,, name ,name (2),\n1,2,3,4,\n"), name="t.csv") as table:
        assert table.columns == ("name", "column 2", "name (3)", "name (2)")
        assert table.notes == (
            "Column 2 has no name in the header; it is called “column 2”.",
            "Column 3 repeats the name “name”; it is called “name (3)”.",
        )
        assert [row.values for row in table] == [{"name": "1", "column 2": "2", "name (3)": "3", "name (2)": "4"}]


def test_preview_shows_the_first_rows_and_proposes_a_mapping() -> None:
    rows = [(f"第{number}条评论，质量很好", str(number % 5 + 1)) for number in range(60)]
    found = preview(io.BytesIO(csv_bytes(("评论内容", "评分"), rows)), n=3, name="reviews.csv")
    assert [row.number for row in found.rows] == [1, 2, 3]
    assert [(one.column, one.field) for one in found.suggestions] == [("评论内容", "text"), ("评分", "rating")]
    assert (found.name, found.format, found.encoding) == ("reviews.csv", "csv", "utf-8")
