"""What may be chosen for an import, and which scale ratings have."""

import io

import pytest

from careloop.desk.imports.rules import (
    FEEDBACK,
    MESSAGES,
    Choices,
    ColumnChoice,
    check_choices,
    cleaning_plan,
    looked_over,
    missing_choice,
    suggested_choices,
    usual_scale,
)
from careloop.insight.errors import InputError
from careloop.insight.tables import PlanError, open_table, suggest_mapping


@pytest.mark.parametrize(
    ("cells", "scale"),
    [
        (["0", "1", "1"], (0, 1)),
        (["1", "5", "3"], (1, 5)),
        (["0", "4"], (0, 5)),
        (["2", "10"], (0, 10)),
        (["55", "100"], (0, 100)),
        (["-1", "0", "1"], (-1, 1)),
        (["7", "250"], (0, 250)),
        (["4/10", "3/10"], (0, 10)),
        (["★★★", "四星"], (1, 5)),
        (["good", None, ""], (1, 5)),
        ([], (1, 5)),
    ],
)
def test_the_scale_is_the_narrowest_usual_one(cells, scale):
    assert usual_scale(cells) == scale


def test_the_whole_file_decides_the_scale_not_its_beginning():
    content = "label\n" + "1\n" * 500 + "5\n"
    with open_table(io.BytesIO(content.encode()), name="a.csv") as table:
        choices, last = looked_over(Choices((ColumnChoice("label", "rating"),)), table)
    assert (choices.rating_min, choices.rating_max, last) == (1, 5, 501)


def test_a_given_scale_stays():
    with open_table(io.BytesIO(b"label\n1\n"), name="a.csv") as table:
        choices, _ = looked_over(Choices((ColumnChoice("label", "rating"),), rating_min=0, rating_max=10), table)
    assert (choices.rating_min, choices.rating_max) == (0, 10)


@pytest.mark.parametrize(
    ("columns", "what", "field", "word"),
    [
        ([("a", "category")], FEEDBACK, "text", "feedback needs at least one"),
        ([("a", "rating"), ("b", "email")], MESSAGES, "text", "messages need one"),
        ([("a", "text"), ("b", "customer_name")], MESSAGES, "email", "a sender to answer to"),
        ([("a", "text"), ("b", "text")], FEEDBACK, "text", "Two columns are mapped"),
        ([("a", "texts")], FEEDBACK, "texts", "is no field"),
        ([("a", "text")], "CUSTOMERS", "what", "expected FEEDBACK, MESSAGES"),
        ([], FEEDBACK, "text", "feedback needs at least one"),
    ],
)
def test_choices_from_which_nothing_can_come_are_refused(columns, what, field, word):
    choices = Choices(tuple(ColumnChoice(*one) for one in columns))
    with pytest.raises(PlanError, match=word) as refused:
        check_choices(choices, what)
    assert refused.value.field == field


def test_half_a_scale_is_refused():
    with pytest.raises(PlanError, match="Only one end"):
        check_choices(Choices((ColumnChoice("a", "rating"),), rating_min=1), FEEDBACK)


def test_a_reversed_scale_is_refused():
    with pytest.raises(PlanError, match="its end must be above its beginning"):
        check_choices(Choices((ColumnChoice("a", "rating"),), rating_min=5, rating_max=1), FEEDBACK)


def test_choices_survive_storage():
    choices = Choices(
        (ColumnChoice("a", "text", "FILL", "–"), ColumnChoice("b", "rating")), 0, 1, False, True, "DE", "Europe/Berlin", "gb18030", "S"
    )
    assert Choices.from_json(choices.to_json()) == choices


def test_suggestions_become_choices_with_our_fields():
    rows = [{"评论内容": "很好用的产品", "评论时间": "2026-03-05", "title": "谢谢", "x": "1"}]
    columns = ["评论内容", "评论时间", "title", "x"]
    choices = suggested_choices(suggest_mapping(columns, rows), FEEDBACK, time_zone="UTC")
    assert {one.column: (one.field, one.missing) for one in choices.columns} == {
        "评论内容": ("text", "DROP"),
        "评论时间": ("sent_at", "KEEP"),
        "title": ("subject", "KEEP"),
    }


def test_the_unique_number_finds_duplicates_else_the_whole_row_if_wished():
    with_id = Choices((ColumnChoice("a", "text"), ColumnChoice("b", "external_id")))
    assert cleaning_plan(with_id).duplicate_keys == ("external_id",)
    assert cleaning_plan(Choices((ColumnChoice("a", "text"), ColumnChoice("b", "rating")), drops_repeated=True)).duplicate_keys == (
        "text",
        "rating",
    )
    assert cleaning_plan(Choices((ColumnChoice("a", "text"),))).duplicate_keys == ()


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("label=drop", ("label", "DROP", "")),
        ("a=b=keep", ("a=b", "KEEP", "")),
        ("cat=fill:其他=x", ("cat", "FILL", "其他=x")),
        ("cat=fill:", ("cat", "FILL", "")),
    ],
)
def test_missing_options_are_read(text, meaning):
    assert missing_choice(text) == meaning


@pytest.mark.parametrize("text", ["label", "label=", "=drop", "label=zero"])
def test_missing_options_that_say_nothing_are_refused(text):
    with pytest.raises(InputError, match="write COLUMN=drop"):
        missing_choice(text)
