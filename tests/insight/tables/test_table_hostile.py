"""Bombs, damage and size: nothing is unpacked beyond the limits, and memory does not grow with the file."""

import gzip
import io
import random
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from table_files import with_part, write_parquet, write_shared_xlsx, write_xlsx

from careloop.insight.errors import FileFormatError
from careloop.insight.tables import DamagedFileError, Limits, TooLargeError, open_table

ROWS = 60_000
LIMITS = Limits(ratio_from_bytes=1_000_000)


def test_a_gzip_bomb_stops_at_the_ratio_and_says_what_was_read() -> None:
    content = gzip.compress(b"a,b\n" + b"1,%s\n" % (b"2" * 37) * 80_000)
    seen = 0
    with open_table(io.BytesIO(content), name="t.csv.gz", limits=LIMITS) as table, pytest.raises(TooLargeError) as caught:
        for row in table:
            seen = row.number
    assert caught.value.rows_read == seen > 20_000
    assert f"grows more than 200-fold when unpacked, as a gzip bomb does; unpack it yourself if you trust it. Rows 1 to {seen:,}" in str(
        caught.value
    )


def test_a_gzip_bomb_stops_at_the_size() -> None:
    content = gzip.compress(b"a,b\n" + b"1,%s\n" % (b"2" * 37) * 50_000)
    with (
        open_table(io.BytesIO(content), name="t.csv.gz", limits=Limits(expanded_bytes=1_000_000)) as table,
        pytest.raises(TooLargeError, match="unpacks to more than 1,000,000 bytes"),
    ):
        list(table)


def test_a_truncated_gzip_file_gives_its_rows_and_then_says_how_far_it_went() -> None:
    source = random.Random(7)
    lines = b"".join(b"%d,%d\n" % (number, source.getrandbits(60)) for number in range(50_000))
    content = gzip.compress(b"a,b\n" + lines)
    numbers = []
    with open_table(io.BytesIO(content[: len(content) // 2]), name="t.csv.gz") as table, pytest.raises(DamagedFileError) as caught:
        for row in table:
            assert row.error is None
            numbers.append(row.number)
    assert numbers == list(range(1, len(numbers) + 1))
    assert 20_000 < len(numbers) < 30_000
    assert str(caught.value) == (
        "t.csv.gz is cut off: its gzip data end in the middle; fetch or export it again. "
        f"Rows 1 to {len(numbers):,} were read; everything after that is missing."
    )


def test_a_gzip_file_with_a_wrong_checksum_is_damaged() -> None:
    content = bytearray(gzip.compress(b"a,b\n1,2\n"))
    content[-6] ^= 255
    with pytest.raises(DamagedFileError, match="No row was read"):
        open_table(io.BytesIO(bytes(content)), name="t.csv.gz")


def test_gzip_members_in_a_row_are_one_file() -> None:
    content = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n") + b"\0" * 100
    with open_table(io.BytesIO(content), name="t.csv.gz") as table:
        assert [row.values["a"] for row in table] == ["1", "3"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "small.xlsx", ("a",), [("x",)])
    bomb = with_part(tmp_path / "small.xlsx", tmp_path / "bomb.xlsx", "xl/worksheets/sheet1.xml", b" " * 60_000_000)
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="as a zip bomb does"):
        open_table(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
def test_xml_entities_are_refused(tmp_path: Path, part: str) -> None:
    write_xlsx(tmp_path / "small.xlsx", ("a",), [("x",)])
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    with pytest.raises(FileFormatError, match="XML entities"):
        open_table(with_part(tmp_path / "small.xlsx", tmp_path / "evil.xlsx", part, laughs))


def test_xml_entities_are_refused_among_the_shared_texts(tmp_path: Path) -> None:
    path = write_shared_xlsx(tmp_path / "t.xlsx", ("a",), [("x",)], shared_prolog='<!DOCTYPE x [<!ENTITY a "ha">]>')
    with pytest.raises(FileFormatError, match="XML entities"):
        open_table(path)


def test_zip_archives_and_damaged_workbooks_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("reviews.csv", "a,b\n")
    with pytest.raises(FileFormatError, match="is a zip archive but no XLSX workbook"):
        open_table(tmp_path / "t.xlsx")
    whole = write_xlsx(tmp_path / "whole.xlsx", ("a",), [("x",)]).read_bytes()
    with pytest.raises(FileFormatError, match="is damaged or cut off"):
        open_table(io.BytesIO(whole[:-100]), name="cut.xlsx")


def test_a_workbook_whose_sheet_breaks_off_says_how_far_it_was_read(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "small.xlsx", ("a",), [("x",)])
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 4))
    sheet = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}<row r="4"><c'
    path = with_part(tmp_path / "small.xlsx", tmp_path / "cut.xlsx", "xl/worksheets/sheet1.xml", sheet.encode())
    found = []
    with open_table(path) as table, pytest.raises(DamagedFileError, match="Rows 1 to 2 were read"):
        for row in table:
            found.append(row.values)
    assert found == [{"1": "2"}, {"1": "3"}]


def test_a_row_number_beyond_the_sheet_does_not_keep_the_reader_busy(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "small.xlsx", ("a",), [("x",)])
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="999999999999"><c><v>2</v></c></row></sheetData></worksheet>'
    )
    path = with_part(tmp_path / "small.xlsx", tmp_path / "far.xlsx", "xl/worksheets/sheet1.xml", sheet.encode())
    with open_table(path) as table, pytest.raises(DamagedFileError, match="row 999999999999 follows row 1"):
        list(table)


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    whole = write_parquet(tmp_path / "t.parquet", ("a",), [("x",)]).read_bytes()
    with pytest.raises(FileFormatError, match="is damaged or cut off"):
        open_table(io.BytesIO(whole[:-20]), name="t.parquet")


def test_a_file_beyond_the_size_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match="is larger than 10 bytes"):
        open_table(io.BytesIO(b"a,b\n1,2\n3,4\n"), name="t.csv", limits=Limits(file_bytes=10))
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n3,4\n")
    with pytest.raises(TooLargeError, match="is larger than 10 bytes"):
        open_table(tmp_path / "t.csv", limits=Limits(file_bytes=10))


MEASURE = """
import re, sys
from pathlib import Path
from careloop.insight.tables import Limits, open_table

def peak_kb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

with open_table(sys.argv[1], limits=Limits(expansion_ratio=1000)) as table:
    next(iter(table))
    before = peak_kb()
    count = sum(1 for row in table if row.error is None)
    print(count, peak_kb() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl"])
def test_rows_are_read_in_constant_memory(tmp_path: Path, name: str) -> None:
    review = "物流很快，包装完好，客服态度也不错，以后还会再来" * 4
    line = f'{{"id": %d, "text": "{review}"}}\n' if name == "t.jsonl" else f"%d,{review}\n"
    content = ("" if name == "t.jsonl" else "id,text\n") + "".join(line % number for number in range(ROWS))
    raw = content.encode()
    (tmp_path / name).write_bytes(gzip.compress(raw, 1) if name.endswith(".gz") else raw)
    run = subprocess.run([sys.executable, "-c", MEASURE, str(tmp_path / name)], capture_output=True, text=True, check=True)
    count, grown_kb = map(int, run.stdout.split())
    assert count == ROWS
    assert grown_kb < 6_000 < len(raw) / 2 / 1000


@pytest.mark.parametrize("write", [write_xlsx, write_shared_xlsx])
def test_the_memory_of_a_workbook_does_not_grow_with_its_rows(tmp_path: Path, write: Callable[..., Path]) -> None:
    peaks = []
    for count in (1_000, 3_000):
        rows = [(str(number), f"第{number}条评论，物流很快，包装完好" * 10) for number in range(count)]
        path = write(tmp_path / f"{count}.xlsx", ("id", "text"), rows)
        tracemalloc.start()
        with open_table(path) as table:
            assert sum(1 for _ in table) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 300_000 < 2_000 * 10 * 17 * 2
