"""`careloop learn`: labelled rows of a file, or a file of labels, into a model of categories, entities or aspects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from careloop.batch.sources import open_source
from careloop.insight.errors import InputError, MissingColumnError
from careloop.insight.text.categories import Classifier, learn_categories
from careloop.insight.text.encoder import Encoder
from careloop.insight.text.encoder_choice import BUNDLED, WordsAlone, choose_encoder

DESCRIPTION = "description"


class Model(Protocol):
    """What was learnt, ready to be stored."""

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to learn: the columns, the file of labels if any, the algorithm, and the encoder by name; without one, words alone count."""

    text_column: str
    label_column: str
    labels_file: Path | None = None
    algorithm: str = "auto"
    encoder: str | None = BUNDLED
    encoder_key: str = ""

    def choose_encoder(self) -> Encoder | None:
        """Return the encoder that is named."""
        return None if self.encoder is None else choose_encoder(self.encoder, key=self.encoder_key)


def learn_file(path: Path | None, task: Task, *, progress: bool = False) -> Classifier:
    """Return a model of the labelled rows of a file; without a file, one made of the labels' names and descriptions.

    Raises
    ------
    MissingColumnError, InputError
        When a file has no such column or cannot be learnt from.
    """
    descriptions = None if task.labels_file is None else _read_labels(task.labels_file, task.label_column)
    encoder = task.choose_encoder()
    if path is None:
        return _describe(descriptions or {}, encoder or WordsAlone())
    texts, labels = _read_rows(path, task, progress=progress)
    return learn_categories(texts, labels, descriptions=descriptions, algorithm=task.algorithm, encoder=encoder, progress=progress)


def _describe(descriptions: dict[str, str], encoder: Encoder) -> Classifier:
    from careloop.insight.text.descriptions import describe_categories

    return describe_categories(descriptions, encoder=encoder)


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


def learn_entities_of_file(path: Path) -> tuple[Model, dict[str, Any]]:
    """Return a model of the types of entities in annotated JSON lines, and its report on rows held back.

    Raises
    ------
    InputError
        When a row is not annotated as expected, or there is too little to learn from.
    """
    from careloop.insight.text.entities.annotations import read_annotations
    from careloop.insight.text.entities.learning import learn_entities

    with open_source(path) as source:
        rows = read_annotations(dict(zip(record.columns, record.values, strict=True)) for record in source.records())
    model = learn_entities([row.text for row in rows], [row.spans for row in rows])
    return model, {"task": "entities", **model.card}


def learn_aspects_of_file(path: Path, task: Task, polarity_column: str | None) -> tuple[Model, dict[str, Any]]:
    """Return a model of what texts speak of, and how, and its report on texts held back.

    Raises
    ------
    MissingColumnError, InputError
        When the file has no such column or cannot be learnt from.
    """
    from careloop.insight.text.aspects import learn_aspects

    columns = [task.text_column, task.label_column, *([polarity_column] if polarity_column else [])]
    with open_source(path) as source:
        for column in columns:
            if column not in source.columns:
                raise MissingColumnError(column, source.columns)
        rows = [["" if (value := record.get(column)) is None else str(value) for column in columns] for record in source.records()]
    texts, aspects, *polarities = zip(*rows, strict=True) if rows else ([], [], *([[]] if polarity_column else []))
    model, report = learn_aspects(texts, aspects, *polarities)
    return model, {"task": "aspects", **asdict(report)}
