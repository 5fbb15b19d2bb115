"""`careloop topics`: rows with their topic, the printed topics, the report, and what it refuses."""

import csv
import json
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from careloop.cli import main

SUBJECTS = [
    (("快递", "物流", "包裹"), ("延误", "丢失", "破损"), ("派送", "签收", "仓库")),
    (("酒店", "房间", "早餐"), ("前台", "空调", "床单"), ("浴室", "隔音", "窗户")),
]
TEXTS = [" ".join(words) for parts in SUBJECTS for words in product(*parts)]


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    rows = [f"{place},{text},2026-{1 + place % 9:02d}-05" for place, text in enumerate([*TEXTS, "", "<b>x</b>"])]
    path.write_text("\n".join(["topic,text,day", *rows]) + "\n", encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["topics", *map(str, arguments)])


def test_every_row_comes_out_in_order_with_its_topic(reviews: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = run(reviews, "--text", "text", "--topics", 2, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["topic_given"] for row in rows] == [str(place) for place in range(56)]
    assert {row["topic"] for row in rows[:27]} | {row["topic"] for row in rows[27:54]} == {"0", "1"}
    assert len({row["topic"] for row in rows[:27]}) == 1
    assert (rows[54]["topic"], rows[54]["topic_probability"]) == ("-1", "0.0")
    report = json.loads(result.stdout)
    assert (report["rows"], report["without_topic"], [topic["size"] for topic in report["topics"]]) == (56, 2, [27, 27])
    assert set(report["topics"][0]) == {"number", "name", "words", "scores", "size", "coherence", "examples"}


def test_the_report_stands_alone_and_escapes_texts(reviews: Path, tmp_path: Path) -> None:
    page = tmp_path / "topics.html"
    reviews.write_text(
        reviews.read_text(encoding="utf-8").replace("快递 延误 派送", "<script>alert(1)</script> 快递 延误 派送"), encoding="utf-8"
    )
    result = run(reviews, "--text", "text", "--topics", 2, "--time", "day", "--html", page, "--language", "zh")
    assert result.exit_code == 0, result.output
    html = page.read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in html
    assert "典型文本" in html
    assert "<script>alert(1)" not in html
    assert "src=" not in html.split("<body>")[0]


def test_the_trend_counts_every_dated_row(reviews: Path) -> None:
    result = run(reviews, "--text", "text", "--topics", 2, "--time", "day", "--by", "day", "--json")
    report = json.loads(result.stdout)
    assert sum(report["trend"]["totals"]) == 56
    assert sum(map(sum, report["trend"]["counts"])) == 54
    assert report["emerging"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--text", "nothing"], 1, "There is no column “nothing”"),
        (["--text", "text", "--time", "never"], 1, "There is no column “never”"),
        (["--text", "text", "--time", "text"], 1, "No row has a date in “text”"),
        (["--text", "text", "--topics", "many"], 2, "“many” is not a number of topics"),
        (["--text", "text", "--topics", "0"], 1, "The number of topics is 1 to 500"),
        (["--text", "topic"], 1, "share no content words"),
        (["--text", "text", "--out", "-", "--json"], 2, "give --out a file"),
    ],
)
def test_what_cannot_be_done_is_said(reviews: Path, arguments: list[str], code: int, sentence: str) -> None:
    result = run(reviews, *arguments)
    assert (result.exit_code, sentence in " ".join(result.output.split())) == (code, True), result.output
