"""Encodings, line ends, ragged and broken rows of text formats."""

import io
from pathlib import Path

import pytest
from table_files import csv_bytes

from careloop.insight.errors import EncodingError
from careloop.insight.tables import Fault, Limits, Row, open_table

CHINESE = [("物流很快，客服态度好", "5"), ("质量太差，要求退款", "1")]


def rows_of(content: bytes, name: str = "t.csv", **options: object) -> list[Row]:
    with open_table(io.BytesIO(content), name=name, **options) as table:  # type: ignore[arg-type]
        return list(table)


@pytest.mark.parametrize(
    ("written", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-32", "utf-32")]
    + [(name, "gb18030") for name in ("gb2312", "gbk", "gb18030")],
)
def test_encodings_are_detected(written: str, found: str) -> None:
    content = csv_bytes(("text", "rating"), CHINESE, encoding=written)
    with open_table(io.BytesIO(content), name="t.csv") as table:
        assert table.encoding == found
        assert [tuple(row.values.values()) for row in table] == CHINESE


def test_utf16_without_little_end_first_and_named_encodings() -> None:
    big_endian = b"\xfe\xff" + csv_bytes(("text", "rating"), CHINESE, encoding="utf-16-be")
    assert [tuple(row.values.values()) for row in rows_of(big_endian)] == CHINESE
    traditional = csv_bytes(("text", "rating"), [("客服態度很好，謝謝", "5")] * 20, encoding="big5")
    with pytest.raises(EncodingError, match="neither UTF-8, UTF-16 with a byte order mark, nor GB18030"):
        rows_of(traditional)
    assert rows_of(traditional, encoding="big5")[0].values["text"] == "客服態度很好，謝謝"
    with pytest.raises(EncodingError, match="“klingon” is no known text encoding"):
        rows_of(traditional, encoding="klingon")


def test_western_text_is_not_taken_for_chinese() -> None:
    with pytest.raises(EncodingError):
        rows_of("text\nle café était très bon\nservice médiocre, à éviter\n".encode("cp1252"))


def test_detection_waits_for_the_first_byte_beyond_ascii() -> None:
    content = b"text,rating\n" + b"fine,5\n" * 100_000 + csv_bytes(("物流", "1"), CHINESE, encoding="gb18030")
    with open_table(io.BytesIO(content), name="t.csv") as table:
        assert table.encoding == "gb18030"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_one_undecodable_row_is_an_error_and_its_neighbours_are_read(encoding: str) -> None:
    lines = [f"第{number}条很好,{number}".encode(encoding) for number in range(1, 6)]
    lines[2] = b"bad \xff\xff here,3"
    found = rows_of(b"text,rating\n" + b"\n".join(lines) + b"\n")
    assert [row.number for row in found if row.error is None] == [1, 2, 4, 5]
    assert found[2].fault is Fault.UNDECODABLE
    assert found[2].column == "text"
    assert found[2].error == (
        f"Row 3 (line 4), column “text”: the text cannot be decoded as {encoding.upper()} at its byte 5 (ff ff 20 68)."
    )
    assert found[2].values["rating"] == "3"


def test_half_a_character_of_utf16_is_an_error_row() -> None:
    content = "text\n好\n".encode("utf-16-le") + b"\x00\xd8" + "x\n好\n".encode("utf-16-le")
    found = rows_of(b"\xff\xfe" + content)
    assert [(row.number, row.fault) for row in found] == [(1, None), (2, Fault.UNDECODABLE), (3, None)]


def test_mixed_line_ends() -> None:
    found = rows_of(b'a,b\r1,2\n3,4\r\n"5\r\n6",7\r"8\r9",10')
    assert [(row.number, row.line, list(row.values.values())) for row in found] == [
        (1, 2, ["1", "2"]),
        (2, 3, ["3", "4"]),
        (3, 4, ["5\n6", "7"]),
        (4, 6, ["8\n9", "10"]),
    ]


def test_line_separators_of_unicode_do_not_split_rows() -> None:
    assert rows_of("a,b\none\u2028line\x0b\x0c\x85,2\n".encode())[0].values["a"] == "one\u2028line\x0b\x0c\x85"


def test_ragged_rows_are_errors_naming_row_and_column() -> None:
    found = rows_of(b"a,b,c\n1,2\n1,2,3,4\n1,2,3,,\n\n1,2,3\n")
    assert [(row.number, row.line, row.fault) for row in found] == [
        (1, 2, Fault.TOO_FEW_CELLS),
        (2, 3, Fault.TOO_MANY_CELLS),
        (3, 4, None),
        (5, 6, None),
    ]
    assert found[0].error == "Row 1 (line 2) has 2 cells where the header has 3; column “c” is the first that is missing."
    assert found[1].values == {"a": "1", "b": "2", "c": "3", "cell 4": "4"}


def test_nul_bytes_make_an_error_row_only() -> None:
    found = rows_of(b"a,b\n1,2\n3\0,4\n5,6\n")
    assert [(row.number, row.fault) for row in found] == [(1, None), (2, Fault.NUL), (3, None)]
    assert found[1].error == "Row 2 (line 3): the text holds a NUL character."
    assert found[1].values == {"a": "3", "b": "4"}


def test_a_forgotten_quote_costs_one_line() -> None:
    content = b'a,b\n1,ok\n2,"never closed\n3,ok\n4,"quoted, well"\n5,ok\n'
    found = rows_of(content)
    assert [(row.number, row.line, row.fault) for row in found] == [
        (1, 2, None),
        (2, 3, Fault.BROKEN_QUOTES),
        (3, 4, None),
        (4, 5, None),
        (5, 6, None),
    ]
    assert found[1].values == {"a": "2", "b": "never closed\n"}
    assert found[3].values == {"a": "4", "b": "quoted, well"}


def test_a_forgotten_quote_at_the_end_and_many_of_them() -> None:
    assert [row.fault for row in rows_of(b'a,b\n1,2\n3,"4')] == [None, Fault.BROKEN_QUOTES]
    lines = b"".join(b'%d,"open\n' % number for number in range(2001))
    assert {row.fault for row in rows_of(b"a,b\n" + lines)} == {Fault.BROKEN_QUOTES}


def test_a_cell_of_a_million_characters_is_read_and_one_more_is_refused() -> None:
    longest = "长" * 1_000_000
    found = rows_of(f'a,b\n1,{longest}\n2,{longest}x\n3,"{longest}\n"\n4,ok\n'.encode())
    assert [(row.number, row.fault, row.column) for row in found] == [
        (1, None, None),
        (2, Fault.CELL_TOO_LONG, "b"),
        (3, Fault.CELL_TOO_LONG, "b"),
        (4, None, None),
    ]
    assert found[0].values["b"] == longest
    assert found[1].error == "Row 2 (line 3), column “b”: the cell has 1,000,001 characters, at most 1,000,000 are read."
    assert len(found[1].values["b"] or "") == 1_000_000


def test_a_line_beyond_the_limit_is_an_error_and_reading_goes_on() -> None:
    limits = Limits(row_bytes=300_000)
    found = rows_of(b'a,b\n1,2\n"x' + b"y" * 3_000_000 + b"\n5,6\n", limits=limits)
    assert [(row.number, row.fault) for row in found] == [(1, None), (2, Fault.LINE_TOO_LONG), (3, None)]
    assert found[1].error == "Row 2 (line 3): the text is longer than 300,000 bytes; a line end may be missing."


def test_broken_json_lines_are_error_rows() -> None:
    lines = [
        b'{"a": "x", "b": 1}',
        b'{"a": "x", "b": ',
        b"[1, 2]",
        b"",
        b'{"a": 1, "a": 2}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b'{"a": ' + b"[" * 100_000 + b"}",
        b'{"a": "\xff"}',
        b'{"a": "last"}',
    ]
    found = rows_of(b"\n".join(lines), "t.jsonl")
    assert [(row.number, row.fault) for row in found] == [
        (1, None),
        (2, Fault.BROKEN_JSON),
        (3, Fault.BROKEN_JSON),
        (5, Fault.BROKEN_JSON),
        (6, Fault.UNDECODABLE),
        (7, Fault.NUL),
        (8, Fault.BROKEN_JSON),
        (9, Fault.UNDECODABLE),
        (10, None),
    ]
    assert found[1].error == "Row 2 (line 2): the JSON is broken at character 18 (Expecting value)."
    assert found[1].values == {"a": '{"a": "x", "b":'}
    assert found[3].error == "Row 5 (line 5): the object has the key “a” more than once."
    assert found[4].error == "Row 6 (line 6), column “a”: the cell holds half a character (a lone surrogate)."


def test_a_stream_that_cannot_seek_is_read(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, content: bytes) -> None:
            self.rest = io.BytesIO(content)

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return self.rest.read(min(size, 7))

    with open_table(Pipe(b"a,b\n1,2\n"), name="-") as table:  # type: ignore[arg-type]
        assert [row.values for row in table] == [{"a": "1", "b": "2"}] == [row.values for row in table]
