"""The texts of a workbook, which its cells name by number: kept on disk, read no further than needed."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from os import SEEK_END
from typing import Any
from xml.etree.ElementTree import iterparse

from openpyxl.cell.text import Text
from openpyxl.xml.constants import SHEET_MAIN_NS

from careloop.insight.tables.sources import ITEMS_A_LOOK, Source

STRING_TAG = f"{{{SHEET_MAIN_NS}}}si"
TEXT_TAG = f"{{{SHEET_MAIN_NS}}}t"


class SpilledTexts:
    """A list of texts kept on disk: 8 bytes of memory each.

    They are read when they are asked for: spreadsheet programs number them in order of use, so that the first rows of a
    workbook need only the first of perhaps a million texts.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._file = tempfile.TemporaryFile(prefix="careloop-")  # noqa: SIM115 - lives as long as the list
        self._ends = array("Q", [0])
        self._waiting: Iterator[str] = iter(())

    def __len__(self) -> int:
        return len(self._ends) - 1

    def fill_from(self, texts: Iterator[str]) -> None:
        """Take the texts from here, when they are asked for."""
        self._waiting = texts

    def __getitem__(self, index: int) -> str:
        if index >= len(self):
            self._read_to(index)
        if not 0 <= index < len(self):
            raise IndexError(f"the workbook has no shared text {index}")
        self._file.seek(self._ends[index])
        return self._file.read(self._ends[index + 1] - self._ends[index]).decode("utf-8", "surrogatepass")

    def _read_to(self, index: int) -> None:
        self._file.seek(0, SEEK_END)
        for text in self._waiting:
            self._ends.append(self._ends[-1] + self._file.write(text.encode("utf-8", "surrogatepass")))
            if len(self) > index:
                return
            if not len(self) % ITEMS_A_LOOK:
                self._source.check_time()


def shared_texts(xml: Any) -> Iterator[str]:
    """Yield the texts of the part that holds them."""
    parents: list[Any] = []
    for event, node in iterparse(xml, events=("start", "end")):  # noqa: S314 - after check_prolog
        if event == "start":
            parents.append(node)
            continue
        parents.pop()
        if node.tag == STRING_TAG:
            yield string_item(node)
            parents[-1].clear()


def string_item(node: Any) -> str:
    """Return the text of one item, its formats put aside."""
    if len(node) == 1 and node[0].tag == TEXT_TAG:  # nearly always; openpyxl's way takes ten times as long
        text = node[0].text
    else:
        text = Text.from_tree(node).content
    return (text or "").replace("x005F_", "")
