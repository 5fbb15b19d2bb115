"""`careloop learn`: labelled rows of a file, or a file of labels, into a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from careloop.batch.sources import open_source
from careloop.insight.errors import InputError, MissingColumnError
from careloop.insight.text.categories import Classifier, learn_categories
from careloop.insight.text.encoder import get_bundled_encoder

DESCRIPTION = "description"


@dataclass(frozen=True, slots=True)
class Task:
    """What to learn: the columns, the file of labels if any, the algorithm, and whether meanings count beside words."""

    text_column: str
    label_column: str
    labels_file: Path | None = None
    algorithm: str = "auto"
    is_semantic: bool = True


def learn_file(path: Path | None, task: Task, *, progress: bool = False) -> Classifier:
    """Return a model of the labelled rows of a file; without a file, one made of the labels' names and descriptions.

    Raises
    ------
    MissingColumnError, InputError
        When a file has no such column or cannot be learnt from.
    """
    descriptions = None if task.labels_file is None else _read_labels(task.labels_file, task.label_column)
    encoder = get_bundled_encoder() if task.is_semantic else None
    if path is None:
        return _describe(descriptions or {}, task)
    texts, labels = _read_rows(path, task, progress=progress)
    return learn_categories(texts, labels, descriptions=descriptions, algorithm=task.algorithm, encoder=encoder, progress=progress)


def _describe(descriptions: dict[str, str], task: Task) -> Classifier:
    from careloop.insight.text.descriptions import describe_categories

    if not task.is_semantic:
        raise InputError("Names and descriptions are understood by the encoder alone; leave out --no-semantic, or give labelled rows.")
    return describe_categories(descriptions, encoder=get_bundled_encoder())


def _read_labels(path: Path, column: str) -> dict[str, str]:
    """Return the description of every label, “” without one; the order is the file's."""
    found: dict[str, str] = {}
    with open_source(path) as source:
        if column not in source.columns:
            raise MissingColumnError(column, source.columns)
        has_descriptions = DESCRIPTION in source.columns
        for number, record in enumerate(source.records(), start=1):
            name = str(record.get(column) or "").strip()
            if name in found:
                raise InputError(f"The label “{name}” stands twice in the file of labels; name each once.", field=column, row=number)
            if name:
                found[name] = str(record.get(DESCRIPTION) or "").strip() if has_descriptions else ""
    if len(found) < 2:
        raise InputError(f"The file of labels names {len(found)}; there must be at least two to tell apart.", field=column)
    return found


def _read_rows(path: Path, task: Task, *, progress: bool) -> tuple[list[str], list[str]]:
    texts, labels = [], []
    with open_source(path) as source, tqdm(disable=not progress, unit=" rows") as bar:
        for column in (task.text_column, task.label_column):
            if column not in source.columns:
                raise MissingColumnError(column, source.columns)
        for record in source.records():
            text, label = record.get(task.text_column), record.get(task.label_column)
            texts.append("" if text is None else str(text))
            labels.append("" if label is None else str(label))
            bar.update()
    return texts, labels
