"""A look at the first rows costs little, however large the file is."""

from io import BytesIO

import pytest
from table_files import csv_bytes, write_shared_xlsx

from careloop.insight.tables import Limits, TooLargeError, open_table, preview
from careloop.insight.tables.workbook_texts import SpilledTexts


@pytest.fixture
def texts_read(monkeypatch) -> list[int]:
    """The highest number of texts that any workbook had read."""
    counts: list[int] = []
    original = SpilledTexts.__getitem__

    def counted(texts: SpilledTexts, index: int) -> str:
        text = original(texts, index)
        counts.append(len(texts))
        return text

    monkeypatch.setattr(SpilledTexts, "__getitem__", counted)
    return counts


def test_the_first_rows_of_a_workbook_need_only_their_own_texts(tmp_path, texts_read):
    path = write_shared_xlsx(tmp_path / "a.xlsx", ["text"], [[f"row {number}"] for number in range(1, 1001)])
    seen = preview(path, 3)
    assert [row.values["text"] for row in seen.rows] == ["row 1", "row 2", "row 3"]
    assert max(texts_read) == 201
    with open_table(path) as table:
        assert sum(1 for _row in table) == 1000
    assert max(texts_read) == 1001


def test_very_long_rows_are_shown_in_smaller_number():
    rows = [["长" * 900_000] for _ in range(9)]
    seen = preview(BytesIO(csv_bytes(["text"], rows)), 8, name="a.csv")
    assert len(seen.rows) == 3


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_look_that_takes_too_long_is_given_up_with_a_sentence(tmp_path, name):
    path = tmp_path / name
    rows = [[f"row {number}"] for number in range(2_000, 0, -1)]
    if name == "a.csv":
        path.write_bytes(csv_bytes(["text"], rows))
    else:
        write_shared_xlsx(path, ["text"], rows)
    with (
        pytest.raises(TooLargeError, match=f"^The first rows of {name} could not be read within -1 seconds; split it"),
        open_table(path, limits=Limits(seconds=-1)) as table,
    ):
        list(table)
