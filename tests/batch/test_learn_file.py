"""`careloop learn` and the categories of `careloop read`, from file to file."""

import csv
import json

import pytest
from click.testing import CliRunner

from careloop.cli import main

ROWS = [
    (text + ending, label)
    for label, texts in {
        "delivery": ["where is my parcel", "物流太慢了", "快递到哪里了"],
        "invoice": ["send me an invoice", "可以开发票吗", "发票抬头错了"],
        "refund": ["I want my money back", "我要退款", "申请退款没有人理"],
    }.items()
    for text in texts
    for ending in ("", "!", " please", " 谢谢", " today")
]


def write(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def run(*arguments, expected=0):
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == expected, done.output
    return done


@pytest.fixture
def labelled(tmp_path):
    return write(tmp_path / "labelled.csv", ["text", "topic"], [*ROWS, ("", "refund")])


def learn(labelled, model, *more, expected=0):
    options = ("--text", "text", "--label", "topic", "--model", model, "--algorithm", "ridge", "--no-semantic")
    return run("learn", labelled, *options, *more, expected=expected)


def test_the_report_is_of_rows_not_trained_on(labelled, tmp_path):
    report = json.loads(learn(labelled, tmp_path / "model", "--json").stdout)
    names = ["algorithm", "rows", "labels", "accuracy", "macro_f1", "expected_calibration_error", "per_label", "threshold_table"]
    assert list(report)[:8] == names
    assert (report["algorithm"], report["rows"], report["labels"]) == ("ridge", 45, ["delivery", "invoice", "refund"])
    assert report["tested_rows"] == 18
    assert set(report["threshold_table"][0]) == {"threshold", "accuracy", "answered", "accuracy_interval"}


def test_the_report_in_words(labelled, tmp_path):
    said = learn(labelled, tmp_path / "model").stdout
    assert "A model of 3 labels (ridge) is in" in said
    assert "Tested on 18 rows that it had not seen, of 45:" in said


def test_what_was_learnt_fills_the_columns_of_every_row(labelled, tmp_path):
    learn(labelled, tmp_path / "model")
    texts = write(tmp_path / "new.csv", ["id", "text"], [("1", "我要退款"), ("2", ""), ("3", "invoice please"), ("4", "😀")])
    for workers in (1, 2):
        run(
            "read",
            texts,
            "--text",
            "text",
            "--category",
            tmp_path / "model",
            "--top",
            2,
            "--workers",
            workers,
            "--out",
            tmp_path / "out.csv",
        )
        with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["id"], row["category"], row["abstained"]) for row in rows][::2] == [
            ("1", "refund", "false"),
            ("3", "invoice", "false"),
        ]
        assert [row["abstained"] for row in rows][1::2] == ["true", "true"]
        best, second = json.loads(rows[0]["category_ranked"])
        assert best == ["refund", float(rows[0]["category_probability"])]
        assert best[1] > second[1]


def test_without_top_nothing_is_ranked(labelled, tmp_path):
    learn(labelled, tmp_path / "model")
    run("read", labelled, "--text", "text", "--category", tmp_path / "model", "--no-kind", "--workers", 1, "--out", tmp_path / "out.jsonl")
    first = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert "category_ranked" not in first
    assert "kind" not in first
    assert first["abstained"] in {"true", "false"}


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--text", "review", "--label", "topic"), 1, "There is no column “review” in this table, which has “text”, “topic”"),
        (("--text", "text", "--label", "kind"), 1, "There is no column “kind” in this table"),
        (("--label", "topic"), 2, "Name the column of the texts with --text."),
        (("--text", "text"), 2, "Name the column of the labels with --label."),
    ],
)
def test_wrong_calls_are_refused_and_leave_no_model(labelled, tmp_path, arguments, code, sentence):
    done = run("learn", labelled, "--model", tmp_path / "model", "--no-semantic", *arguments, expected=code)
    assert sentence in done.stderr
    assert not (tmp_path / "model").exists()


def test_one_label_only_is_refused(tmp_path):
    path = write(tmp_path / "one.csv", ["text", "topic"], [("a", "x"), ("b", "x")])
    assert "All 2 rows have the same label, “x”" in learn(path, tmp_path / "model", expected=1).stderr


def test_neither_rows_nor_labels_is_a_wrong_call(tmp_path):
    assert "Give FILE with labelled rows" in run("learn", "--label", "topic", "--model", tmp_path / "model", expected=2).stderr


def test_a_label_named_twice_is_refused(tmp_path):
    labels = write(tmp_path / "labels.csv", ["topic"], [("a",), ("b",), ("a",)])
    done = run("learn", "--labels", labels, "--label", "topic", "--model", tmp_path / "model", expected=1)
    assert "The label “a” stands twice in the file of labels; name each once." in done.stderr


def test_a_file_of_labels_without_the_column_is_refused(tmp_path):
    labels = write(tmp_path / "labels.csv", ["name"], [("a",), ("b",)])
    assert (
        "There is no column “topic”"
        in run("learn", "--labels", labels, "--label", "topic", "--model", tmp_path / "model", expected=1).stderr
    )


def test_labels_without_rows_are_said(labelled, tmp_path):
    labels = write(tmp_path / "labels.csv", ["topic", "description"], [("refund", "money back"), ("praise", "thanks")])
    report = json.loads(learn(labelled, tmp_path / "model", "--labels", labels, "--json").stdout)
    assert report["labels_without_rows"] == ["praise"]


def test_reading_with_a_model_that_is_not_there_writes_nothing(labelled, tmp_path):
    done = run("read", labelled, "--text", "text", "--category", tmp_path / "none", "--out", tmp_path / "out.csv", expected=1)
    assert "There is no model in" in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_options_of_categories_need_a_model(labelled):
    assert "name a model with --category" in run("read", labelled, "--text", "text", "--top", 3, expected=2).stderr


def test_entities_are_learnt_from_annotated_lines_and_read(tmp_path):
    brands = ["小米", "华为", "联想", "格力", "海尔", "美的"]
    lines = [
        {"text": f"我买了{brand}手机{number}台", "label": {"brand": {brand: [[3, 4]]}}} for brand in brands for number in ("一", "两", "三")
    ]
    path = tmp_path / "annotated.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    report = json.loads(run("learn", path, "--task", "entities", "--model", tmp_path / "model", "--json").stdout)
    assert (report["task"], report["types"], report["rows"]) == ("entities", ["brand"], 18)
    texts = write(tmp_path / "new.csv", ["text"], [("我买了华为手机两台，电话13812345678",)])
    run("read", texts, "--text", "text", "--entities", tmp_path / "model", "--workers", 1, "--out", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        found = json.loads(next(csv.DictReader(file))["entities"])
    assert {"type": "brand", "text": "华为", "start": 3, "end": 5} in found
    assert {"type": "phone", "text": "13812345678", "start": 12, "end": 23} in found


def test_aspects_are_learnt_with_their_polarity_and_read(tmp_path):
    rows = [
        (f"{subject}{adverb}{opinion}", aspect, polarity)
        for aspect, subject in (("物流", "物流"), ("客服", "客服态度"), ("价格", "价格"))
        for adverb in ("真", "很", "太", "非常", "特别")
        for opinion, polarity in (("好", "1"), ("差", "-1"))
    ]
    path = write(tmp_path / "aspects.csv", ["text", "aspect", "polarity"], rows)
    options = ("--task", "aspects", "--text", "text", "--label", "aspect", "--polarity", "polarity")
    report = json.loads(run("learn", path, *options, "--model", tmp_path / "model", "--json").stdout)
    assert (report["task"], report["rows"], report["labels"]) == ("aspects", 30, 3)
    run("read", path, "--text", "text", "--aspects", tmp_path / "model", "--workers", 1, "--out", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        found = [json.loads(row["aspects"]) for row in csv.DictReader(file)]
    assert [one[0]["aspect"] for one in found] == [aspect for _, aspect, _ in rows]
    assert set(found[0][0]) == {"aspect", "sentiment", "probability"}
