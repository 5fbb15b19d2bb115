"""Every sentence about a table is a template with values, so that a screen can say it in another language."""

import ast
import copy
import pickle
from io import BytesIO
from pathlib import Path

import pytest

from careloop.insight import tables
from careloop.insight.errors import InputError, MissingColumnError, Sentence
from careloop.insight.tables import DamagedFileError, open_table

SAYING = {
    "BrokenStreamError", "CellError", "DamagedFileError", "EncodingError", "FileFormatError", "InputError", "PlanError", "TooLargeError",
    "ValueProblem",
}  # fmt: skip


def test_a_sentence_is_its_english_text_and_keeps_its_parts():
    sentence = Sentence("{file} has {count:,} rows.", file="a.csv", count=12000, detail="Error -3")
    assert sentence == "a.csv has 12,000 rows (Error -3)."
    assert sentence.to_json() == {
        "template": "{file} has {count:,} rows.",
        "values": {"file": "a.csv", "count": 12000},
        "detail": "Error -3",
    }
    for twin in (pickle.loads(pickle.dumps(sentence)), copy.deepcopy(sentence)):
        assert (twin, twin.to_json()) == (sentence, sentence.to_json())


def test_sentences_inside_a_sentence_keep_their_parts():
    outer = Sentence("{what}, again", what=Sentence("“{text}” is no date", text="{x}"))
    assert outer == "“{x}” is no date, again"
    assert outer.to_json()["values"]["what"]["values"] == {"text": "{x}"}


def test_errors_hand_out_their_sentence():
    assert MissingColumnError("c", ["a", "b"]).sentence.values == {"column": "c", "names": "“a”, “b”"}
    assert InputError("of a caller's own").sentence == "of a caller's own"
    assert DamagedFileError(Sentence("{file} is cut off.", file="a"), rows_read=7).sentence.values["rows"] == 7


def test_whatever_is_raised_about_a_table_has_a_template():
    """A text put together on the spot would stay English on a Chinese screen."""
    wrong = []
    for path in sorted(Path(tables.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING:
                texts = [one for one in node.args if isinstance(one, ast.JoinedStr) or (isinstance(one, ast.Constant) and one.value)]
                wrong += [f"{path.name}:{node.lineno}"] * len(texts)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Sentence":
                first = node.args[0]
                wrong += [f"{path.name}:{node.lineno} has no literal"] * (not isinstance(first, ast.Constant))
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("blank.csv", b"\n\n"),
        ("a.xlsx", b"PK\x03\x04 nothing"),
        ("a.xlsx", b"text"),
        ("a.xlsx", b""),
        ("old.xls", b"\xd0\xcf\x11\xe0 an old workbook"),
        ("a.csv.gz", b"plain"),
        ("a.csv.gz", b"\x1f\x8b cut off"),
        ("a.csv", b"\x80\x81\xfe\n\xff\xfe\xfd\n" * 9),
        ("a.jsonl", b"{broken\n"),
        ("a.jsonl", b'["a list"]\n'),
        ("a.json", b'[{"a": 1}]'),
        ("a.parquet", b"PAR1 nothing PAR1"),
    ],
)
def test_files_that_cannot_be_read_are_refused_with_a_template(name, content):
    with pytest.raises(InputError) as caught, open_table(BytesIO(content), name=name) as table:
        list(table)
    assert caught.value.sentence.template != "{message}"
    assert caught.value.sentence.values
