"""`careloop similar` as its users run it."""

import csv
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from careloop.cli import main

ROWS = ["怎么申请退款", "物流太慢了", "退款什么时候到账", "", "Where is my parcel?", "怎么申请退款呢"]


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(ROWS)])
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["similar", *map(str, arguments)])


def test_rows_are_written_best_first_and_count_from_0(rows, tmp_path):
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"text": "退款几天到账"}\n{"text": ""}\n{"text": "parcel"}\n', encoding="utf-8")
    done = run(rows, "--text", "text", "--queries", queries, "--top", 2, "--no-semantic", "--out", tmp_path / "out.csv")
    assert done.exit_code == 0, done.output
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == ["query_row", "found_row", "score", "rank"]
    assert [(row["query_row"], row["found_row"], row["rank"]) for row in found] == [("0", "2", "0"), ("0", "0", "1"), ("2", "4", "0")]
    assert 0 < float(found[1]["score"]) < float(found[0]["score"]) <= 1


def test_no_row_finds_itself_when_the_queries_are_the_same_file(rows):
    done = run(rows, "--text", "text", "--queries", rows, "--top", 1, "--no-semantic", "--json")
    results = json.loads(done.output)["results"]
    assert [(row["query_row"], row["found_row"]) for row in results] == [(0, 5), (2, 0), (5, 0)]


def test_one_query_is_answered_by_meaning_too(rows):
    found = json.loads(run(rows, "--text", "text", "--query", "How do I get my money back", "--top", 3, "--json").output)
    assert (found["mode"], found["rows"], found["queries"]) == ("fused", 6, 1)
    assert {row["text"] for row in found["results"]} >= {"怎么申请退款", "怎么申请退款呢"}


def test_rows_may_come_from_standard_input(rows):
    command = [sys.executable, "-m", "careloop.cli", "similar", "-", "--text", "text", "--query", "物流", "--no-semantic"]
    lines = subprocess.run(command, input=rows.read_bytes(), capture_output=True, check=True).stdout.decode().splitlines()
    assert lines[0] == "query_row,found_row,score,rank"
    assert [line[:4] for line in lines[1:]] == ["0,1,"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--text", "text"], 2, "Give either --query TEXT or --queries FILE"),
        (["--text", "text", "--query", "a", "--queries", "b.csv"], 2, "Give either --query TEXT or --queries FILE"),
        (["--text", "body", "--query", "a"], 1, "There is no column “body”"),
        (["--text", "text", "--queries", "nothing.csv"], 1, "There is no file “nothing.csv”"),
        (["--text", "text", "--query", "a", "--top", "0"], 2, "0 is not in the range"),
    ],
)
def test_a_wrong_call_is_answered_with_a_sentence(rows, arguments, code, sentence):
    done = run(rows, *arguments, "--no-semantic")
    assert done.exit_code == code
    assert sentence in done.output


def test_both_from_standard_input_is_refused():
    done = run("-", "--text", "text", "--queries", "-")
    assert done.exit_code == 1
    assert "cannot both come from standard input" in done.output
