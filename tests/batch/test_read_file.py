"""Files in, files out: same rows, same order, the reading's columns beside them."""

import csv
import gzip
import io
import json

import polars as pl
import pytest
from click.testing import CliRunner

from careloop.batch.read import READING_COLUMNS, Wanted, read_file
from careloop.cli import main
from careloop.insight.errors import FileFormatError, InputError, MissingColumnError

ROWS = [("1", "物流很慢，我要退款，电话13812345678"), ("2", ""), ("3", "I love it, great service"), ("4", "第一行\n第二行")]


@pytest.fixture
def reviews(tmp_path):
    path = tmp_path / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "review"])
        writer.writerows(ROWS)
    return path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_keeps_its_rows_and_gains_the_reading(reviews, tmp_path):
    assert read_file(reviews, text_column="review", out=tmp_path / "out.csv") == 4
    rows = rows_of(tmp_path / "out.csv")
    assert list(rows[0]) == ["id", "review", *READING_COLUMNS]
    assert [(row["id"], row["review"]) for row in rows] == ROWS
    assert [row["language"] for row in rows] == ["zh-Hans", "und", "en", "zh-Hans"]
    assert (rows[0]["sentiment"], rows[0]["kind"], rows[2]["sentiment"]) == ("negative", "refund", "positive")
    assert json.loads(rows[0]["entities"]) == [{"type": "phone", "text": "13812345678", "start": 12, "end": 23}]
    assert {row["abstained"] for row in rows} <= {"true", "false"}
    assert 0 <= float(rows[0]["sentiment_probability"]) < 0.5


def test_two_workers_write_what_one_writes(reviews, tmp_path):
    read_file(reviews, text_column="review", out=tmp_path / "one.csv", workers=1)
    assert read_file(reviews, text_column="review", out=tmp_path / "two.csv", workers=2) == 4
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_without_kind_its_columns_are_left_out(reviews, tmp_path):
    read_file(reviews, text_column="review", out=tmp_path / "out.csv", wanted=Wanted(with_kind=False))
    left_out = {"kind", "kind_probability", "abstained"}
    assert list(rows_of(tmp_path / "out.csv")[0]) == ["id", "review", *(name for name in READING_COLUMNS if name not in left_out)]


def test_progress_goes_to_standard_error(reviews, tmp_path, capsys):
    read_file(reviews, text_column="review", out=tmp_path / "out.csv", progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "4 texts" in shown.err


def test_gzip_jsonl_and_parquet_keep_types(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"n": 1, "text": "很好"}\n\n{"n": 2, "text": null}\n', encoding="utf-8")
    read_file(path, text_column="text", out=tmp_path / "out.jsonl.gz")
    with gzip.open(tmp_path / "out.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert [(row["n"], row["text"]) for row in rows] == [(1, "很好"), (2, None)]
    pl.DataFrame({"n": [1, 2, 3], "text": ["很好", None, "bad"]}).write_parquet(tmp_path / "in.parquet")
    assert read_file(tmp_path / "in.parquet", text_column="text", out=tmp_path / "out.parquet") == 3
    frame = pl.read_parquet(tmp_path / "out.parquet")
    assert frame["n"].to_list() == [1, 2, 3]
    assert frame["sentiment_probability"].dtype == pl.Float64


def test_standard_input_and_output(monkeypatch, capsysbinary):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO("review\n很好\n".encode()))))
    assert read_file("-", text_column="review", out="-") == 1
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines[0] == ",".join(["review", *READING_COLUMNS])
    assert lines[1].startswith("很好,zh-Hans,positive,")


def test_a_column_of_the_file_with_a_readings_name_is_kept(tmp_path):
    (tmp_path / "in.csv").write_text("text,category\nhello,greeting\n", encoding="utf-8")
    read_file(tmp_path / "in.csv", text_column="text", out=tmp_path / "out.csv")
    (row,) = rows_of(tmp_path / "out.csv")
    assert (row["category_given"], row["category"]) == ("greeting", "")


def test_missing_column_is_named_with_those_present(reviews, tmp_path):
    with pytest.raises(MissingColumnError) as caught:
        read_file(reviews, text_column="text", out=tmp_path / "out.csv")
    assert str(caught.value) == "There is no column “text” in this table, which has “id”, “review”; name one of these."
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("file", "out", "workers", "error"),
    [
        ("absent.csv", "out.csv", 1, InputError),
        ("reviews.csv", "out.docx", 1, FileFormatError),
        ("reviews.csv", "out.csv", 0, InputError),
    ],
)
def test_wrong_wishes_are_refused(reviews, tmp_path, file, out, workers, error):
    with pytest.raises(error):
        read_file(tmp_path / file, text_column="review", out=tmp_path / out, workers=workers)
    assert not (tmp_path / out).exists()


def test_broken_json_line_is_named(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\nnot json\n', encoding="utf-8")
    with pytest.raises(FileFormatError, match="Line 2 is not JSON"):
        read_file(tmp_path / "in.jsonl", text_column="text", out=tmp_path / "out.csv")


def test_sentiment_may_compare_meanings_but_not_while_they_are_forbidden(reviews, tmp_path):
    wanted = Wanted(is_adapted=False, is_sentiment_semantic=True)
    assert read_file(reviews, text_column="review", out=tmp_path / "out.csv", wanted=wanted) == 4
    assert [row["sentiment"] for row in rows_of(tmp_path / "out.csv")][::2] == ["negative", "positive"]
    refused = CliRunner().invoke(main, ["read", str(reviews), "--text", "review", "--no-semantic", "--semantic-sentiment"])
    assert refused.exit_code == 2
    assert "--no-semantic forbids what --semantic-sentiment asks for" in refused.output
