"""Cleaning by a plan: exact results, every row accounted for, resumed runs like uninterrupted ones."""

import csv
import io
from pathlib import Path

import pytest

from careloop.insight.errors import MissingColumnError
from careloop.insight.tables import (
    CleaningPlan,
    CleaningReport,
    CleanRow,
    ColumnPlan,
    Fault,
    Kind,
    Missing,
    PlanError,
    Reason,
    Rejected,
    RejectWriter,
    Row,
    clean_row,
    clean_table,
    open_table,
    suggest_mapping,
)
from careloop.insight.tables.duplicates import SeenKeys

PLAN = CleaningPlan(
    (
        ColumnPlan("评论", "text", missing=Missing.DROP),
        ColumnPlan("评分", "rating", Kind.RATING, missing=Missing.FILL, fill="3", scale=(1, 5)),
        ColumnPlan("手机", "phone", Kind.PHONE),
    ),
    duplicate_keys=("text", "phone"),
)
CONTENT = """评论,评分,手机
很好,5,138 0013 8000
 很好 ,４,+8613800138000
很好,NULL,
,5,13800138001
坏了,9,13800138001
缺列,1
,,
坏了,1,n/a
坏了,1,无
=1+1,1,123
"""


def cleaned(content: str = CONTENT, plan: CleaningPlan = PLAN, start_after: int = 0) -> tuple[list[CleanRow | Rejected], CleaningReport]:
    report = CleaningReport(plan)
    with open_table(io.BytesIO(content.encode()), name="t.csv") as table:
        return list(clean_table(table, plan, report, start_after=start_after)), report


def test_rows_are_cleaned_or_rejected_with_row_column_and_reason() -> None:
    results, _ = cleaned()
    assert [result for result in results if isinstance(result, CleanRow)] == [
        CleanRow(1, {"text": "很好", "rating": 5.0, "phone": "+8613800138000"}, (), (), ("phone",)),
        CleanRow(3, {"text": "很好", "rating": 3.0, "phone": None}, ("rating",), ("phone",), ()),
        CleanRow(8, {"text": "坏了", "rating": 1.0, "phone": None}, (), ("phone",), ()),
    ]
    assert [(result.row_number, result.column, result.code, result.reason) for result in results if isinstance(result, Rejected)] == [
        (2, None, Reason.DUPLICATE, "Row 2 (line 3): an earlier row has the same “text”, “phone”."),
        (4, "评论", Reason.MISSING, "Row 4 (line 5), column “评论”: the value is missing and the plan drops such rows."),
        (5, "评分", Reason.RATING_OUT_OF_RANGE, "Row 5 (line 6), column “评分”: “9” is outside the scale 1 to 5."),
        (
            6,
            "手机",
            Fault.TOO_FEW_CELLS,
            "Row 6 (line 7) has 2 cells where the header has 3; column “手机” is the first that is missing.",
        ),
        (9, None, Reason.DUPLICATE, "Row 9 (line 10): an earlier row has the same “text”, “phone”."),
        (10, "手机", Reason.NOT_A_PHONE, "Row 10 (line 11), column “手机”: “123” is no Chinese phone number."),
    ]


def test_the_report_accounts_for_every_row() -> None:
    _, report = cleaned()
    told = report.to_json()
    assert (told["rows"], told["blank_rows"], told["accepted"], told["duplicates"]) == (9, 1, 3, 2)
    assert told["rejected"] == {"DUPLICATE": 2, "MISSING": 1, "NOT_A_PHONE": 1, "RATING_OUT_OF_RANGE": 1, "TOO_FEW_CELLS": 1}
    assert told["rows"] == told["accepted"] + sum(told["rejected"].values())
    assert [(one["column"], one["missing_policy"], one["missing"], one["normalised"]) for one in told["columns"]] == [
        ("评论", "DROP", {"dropped": 1, "filled": 0, "kept": 0}, 0),
        ("评分", "FILL", {"dropped": 0, "filled": 1, "kept": 0}, 0),
        ("手机", "KEEP", {"dropped": 0, "filled": 0, "kept": 2}, 1),
    ]
    assert told["examples"]["MISSING"] == [
        {
            "row": 4,
            "line": 5,
            "column": "评论",
            "reason": "Row 4 (line 5), column “评论”: the value is missing and the plan drops such rows.",
            "sentence": {
                "template": "{place}, column “{column}”: {problem}.",
                "values": {
                    "place": {"template": "Row {row:,} (line {line:,})", "values": {"row": 4, "line": 5}, "detail": ""},
                    "column": "评论",
                    "problem": {"template": "the value is missing and the plan drops such rows", "values": {}, "detail": ""},
                },
                "detail": "",
            },
            "values": {"评论": None, "评分": "5", "手机": "13800138001"},
        }
    ]


def test_only_the_first_twenty_examples_are_kept() -> None:
    _, report = cleaned("评论,评分,手机\n" + "好,9,\n" * 50)
    assert report.rejected == {"RATING_OUT_OF_RANGE": 50}
    assert [example["row"] for example in report.examples["RATING_OUT_OF_RANGE"]] == list(range(1, 21))


@pytest.mark.parametrize("start", range(12))
def test_a_resumed_run_ends_like_an_uninterrupted_one(start: int) -> None:
    everything, whole_report = cleaned()
    rest, report = cleaned(start_after=start)
    assert rest == [one for one in everything if (one.number if isinstance(one, CleanRow) else one.row_number) > start]
    assert report.to_json() == whole_report.to_json()


def test_clean_row_is_pure_and_leaves_duplicates_alone() -> None:
    row = Row(7, {"评论": "好", "评分": "5", "手机": None})
    assert clean_row(row, PLAN) == clean_row(row, PLAN) == CleanRow(7, {"text": "好", "rating": 5.0, "phone": None}, (), ("phone",), ())


def test_rows_without_any_key_are_never_duplicates() -> None:
    plan = CleaningPlan((ColumnPlan("a", "a"), ColumnPlan("b", "b")), duplicate_keys=("a",))
    results, _ = cleaned("a,b\n,1\n,1\nx,1\nx,2\n", plan)
    assert [type(result) for result in results] == [CleanRow, CleanRow, CleanRow, Rejected]


@pytest.mark.parametrize("word", ["", " ", "NA", "n/a", "NULL", "None", "nan", "无", "-", "\\N", "#N/A", "#REF!"])
def test_words_that_count_as_missing(word: str) -> None:
    plan = CleaningPlan((ColumnPlan("a", "a"),))
    assert clean_row(Row(1, {"a": word}), plan) == CleanRow(1, {"a": None}, (), ("a",), ())
    literal = CleaningPlan((ColumnPlan("a", "a"),), missing_words=frozenset())
    assert clean_row(Row(1, {"a": "无"}), literal).values == {"a": "无"}


def test_plans_that_contradict_themselves_are_refused() -> None:
    text = ColumnPlan("a", "text")
    for make, message in (
        (lambda: CleaningPlan(()), "names no column"),
        (lambda: CleaningPlan((text, ColumnPlan("b", "text"))), "Two columns are mapped to the field “text”"),
        (lambda: CleaningPlan((text,), duplicate_keys=("id",)), "Duplicates cannot be found by “id”"),
        (lambda: CleaningPlan((text,), region="XX"), "“XX” is no known region"),
        (lambda: CleaningPlan((text,), time_zone="Mars/Base"), "“Mars/Base” is no time zone"),
        (lambda: ColumnPlan("a", "a", missing=Missing.FILL), "without a value"),
        (lambda: ColumnPlan("a", "a", fill="x"), "and gives a value"),
        (lambda: ColumnPlan("a", "a", Kind.RATING, scale=(5, 1)), "its end must be above its beginning"),
        (
            lambda: CleaningPlan((ColumnPlan("a", "a", Kind.INTEGER, Missing.FILL, "x"),)),
            "The value to fill into “a” cannot be used: “x” is no",
        ),
    ):
        with pytest.raises(PlanError, match=message):
            make()
    with pytest.raises(MissingColumnError, match="There is no column “评论” in this table"):
        cleaned("a,b\n1,2\n")


def test_seen_keys_grow_and_tell_parts_apart() -> None:
    seen = SeenKeys()
    assert all(seen.add(str(number)) for number in range(20_000))
    assert not any(seen.add(str(number)) for number in range(20_000))
    assert len(seen) == 20_000
    assert (seen.add("a", "bc"), seen.add("ab", "c"), seen.add("a", "bc")) == (True, True, False)


def test_rejected_rows_are_written_with_their_cells_and_without_live_formulas(tmp_path: Path) -> None:
    content = 'a,b\n=HYPERLINK("http://x"),1,@SUM(A1)\n-5,"+1\n"\n'
    plan = CleaningPlan((ColumnPlan("a", "a"), ColumnPlan("b", "b", Kind.INTEGER)))
    with open_table(io.BytesIO(content.encode()), name="t.csv") as table, (tmp_path / "rejects.csv").open("w", newline="") as file:
        writer = RejectWriter(file, table.columns)
        for row in table:
            found = clean_row(row, plan)
            writer.write(found if isinstance(found, Rejected) else Rejected(row.number, "a", "X", "Row 2: shown.", row.values, row.line))
    with (tmp_path / "rejects.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["row", "line", "column", "reason", "a", "b", "(other cells)"],
            ["1", "2", "", "Row 1 (line 2) has 3 cells where the header has 2; a separator inside a cell may lack its quotes.",
             "'=HYPERLINK(\"http://x\")", "1", "'@SUM(A1)"],
            ["2", "3", "a", "Row 2: shown.", "'-5", "'+1\n", ""],
        ]  # fmt: skip
    assert (writer.rows, writer.escaped_cells) == (2, 4)


def test_columns_are_recognised_by_english_and_chinese_headers() -> None:
    for columns, fields in (
        (("Review Text", "Stars", "category", "Customer Name", "E-mail", "phone_number", "createdAt", "Order No", "lang"),
         ["text", "rating", "category", "customer_name", "email", "phone", "created_at", "order_number", "language"]),
        (("内容", "评分", "类别", "客户姓名", "邮箱", "手机号", "时间", "订单号", "语言", "编号"),
         ["text", "rating", "category", "customer_name", "email", "phone", "created_at", "order_number", "language", "external_id"]),
    ):  # fmt: skip
        assert [one.field for one in suggest_mapping(columns, [])] == fields


def test_columns_are_recognised_by_their_values() -> None:
    rows = [
        {
            "c1": f"物流很快，第{n}次购买，非常满意",
            "c2": str(n % 5 + 1),
            "c3": f"u{n}@qq.com",
            "c4": f"1380013{n:04}",
            "c5": f"2026-03-{n + 1:02}",
            "c6": "x",
        }
        for n in range(25)
    ]
    found = suggest_mapping(("c1", "c2", "c3", "c4", "c5", "c6"), rows)
    assert [one.field for one in found] == ["text", "rating", "email", "phone", "created_at", "category"]
    assert [one.why for one in found] == ["values"] * 6
    assert (found[1].scale, found[2].kind) == ((1.0, 5.0), Kind.EMAIL)


def test_values_overrule_a_misleading_header() -> None:
    rows = [{"email": f"第{n}条很长很长的评论内容", "text": f"a{n}@b.cn"} for n in range(10)]
    assert [one.field for one in suggest_mapping(("email", "text"), rows)] == ["text", "email"]


SHOP_REVIEWS = Path(__file__).parents[4] / "shared" / "data" / "shop_reviews.csv.gz"


@pytest.mark.skipif(not SHOP_REVIEWS.exists(), reason="the measured data are not on this machine")
def test_real_reviews_are_all_accepted() -> None:
    plan = CleaningPlan(
        (
            ColumnPlan("review", "text", missing=Missing.DROP),
            ColumnPlan("label", "rating", Kind.RATING, scale=(0, 1)),
            ColumnPlan("cat", "category"),
        )
    )
    report = CleaningReport(plan)
    with open_table(SHOP_REVIEWS) as table:
        assert sum(isinstance(result, CleanRow) for result in clean_table(table, plan, report)) == 50_178
    assert report.rejected == {}
