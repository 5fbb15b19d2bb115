"""`careloop read`: a file of texts in, the same rows with their readings out; streaming, in order, with worker processes."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm import tqdm

from careloop.batch.sinks import open_sink
from careloop.batch.sources import Record, open_source
from careloop.batch.workers import forget_young_objects, map_in_order, open_pool
from careloop.insight.errors import InputError, MissingColumnError
from careloop.insight.text.adaptation import LEAST_TEXTS, MOST_TEXTS, SHIPPED, Adaptation, adapt
from careloop.insight.text.encoder_choice import BUNDLED, WordsAlone, choose_encoder, name_encoder
from careloop.insight.types import Category, Entity, Reading

if TYPE_CHECKING:
    from careloop.insight.text.aspects import AspectModel
    from careloop.insight.text.categories import Classifier
    from careloop.insight.text.encoder import Encoder
    from careloop.insight.text.entities.model import EntityModel

READING_COLUMNS = (
    "language",
    "sentiment",
    "sentiment_probability",
    "kind",
    "kind_probability",
    "category",
    "category_probability",
    "abstained",
    "keywords",
    "entities",
    "summary",
    "reading_error",
)
KIND_COLUMNS = ("kind", "kind_probability", "abstained")
RANKED, ASPECTS = "category_ranked", "aspects"
_to_json = json.JSONEncoder(ensure_ascii=False).encode
_ROWS_PER_TASK = 2_000


class Models(NamedTuple):
    """The house's own models that take part, None where it has none."""

    categories: Classifier | None
    entities: EntityModel | None
    aspects: AspectModel | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to add to the rows of a file.

    Attributes
    ----------
    with_kind : bool
        False leaves out the columns about the kind of contact.
    category : Path or None
        Folder of the model that fills the columns about the category.
    top : int
        Above 0, `category_ranked` lists so many labels with their probabilities.
    is_semantic : bool or None
        False forbids the encoder, True asks for it, None leaves it to the model.
    workers : int
        How many processes share the machine.
    is_adapted : bool
        Whether sentiment learns the words of the first 8,000 rows; see `careloop.insight.text.adaptation`.
    is_sentiment_semantic : bool or None
        Whether sentiment compares meanings, too; every text is then encoded. None: in files of fewer than 1,000 rows, which are too few to
        learn words from and soon encoded, unless `is_semantic` is False.
    entities : Path or None
        Folder of a model of entities; what it finds is listed beside what patterns find of other types.
    aspects : Path or None
        Folder of a model of aspects; fills the column `aspects`.
    encoder : str
        The encoder by name, see `careloop.insight.text.encoder_choice`; a model refuses another than the one that it learnt with.
    encoder_key : str
        Sent to an embedding service.
    """

    with_kind: bool = True
    category: Path | None = None
    top: int = 0
    is_semantic: bool | None = None
    workers: int = 1
    entities: Path | None = None
    aspects: Path | None = None
    is_adapted: bool = True
    is_sentiment_semantic: bool | None = False
    encoder: str = BUNDLED
    encoder_key: str = ""

    def list_columns(self) -> list[str]:
        """Return the names of the columns, in order; the last is `reading_error`."""
        dropped = set() if self.with_kind else set(KIND_COLUMNS)
        if self.category is not None:
            dropped.discard("abstained")
        columns = [name for name in READING_COLUMNS if name not in dropped]
        if self.category is not None and self.top:
            columns.insert(columns.index("abstained") + 1, RANKED)
        if self.aspects is not None:
            columns.insert(columns.index("entities") + 1, ASPECTS)
        return columns

    def load(self) -> Models:
        """Return the models that are named, each loaded once a process."""
        if self.is_sentiment_semantic is not False:
            _check_meaning()
        return Models(
            None if self.category is None else _load_categories(self.category),
            None if self.entities is None else _load_entities(self.entities),
            None if self.aspects is None else _load_aspects(self.aspects),
        )


def read_file(
    path: str | Path,
    *,
    text_column: str,
    out: str | Path | None = None,
    workers: int = 1,
    progress: bool = False,
    wanted: Wanted | None = None,
) -> int:
    """Read every text of a file and write its rows, in order and none dropped, with the reading's columns added.

    Parameters
    ----------
    path : str or Path
        CSV (also .gz), XLSX, JSON lines (also .gz) or Parquet; “-” is standard input.
    text_column : str
        The column that holds the texts. An empty cell is an empty text.
    out : str, Path or None
        CSV (also .gz), JSON lines (also .gz) or Parquet by its ending; “-” or None is standard output, in the input's format (CSV for
        XLSX and Parquet).
    workers : int
        Number of processes, at least 1; with 1 everything happens in this process.
    progress : bool
        Show a bar on standard error.
    wanted : Wanted, optional
        Which columns, and what fills them; left out, everything but categories.

    Returns
    -------
    int
        Number of rows written. A column of the file that has a reading's name is kept as NAME_given.

    Raises
    ------
    MissingColumnError, InputError
        When the file has no such column, is not there or is in no known format, or `workers` is below 1.
    ModelError
        When the model of categories is not there, is damaged, or is for something else.
    """
    wanted = wanted or Wanted()
    if workers < 1:
        raise InputError(f"There must be at least 1 worker; {workers} were asked for.", field="workers")
    wanted.load()  # a model that cannot be read is refused before a worker starts or a file is made
    name_encoder(wanted.encoder)  # so is a choice that is none
    with open_source(path) as source:
        if text_column not in source.columns:
            raise MissingColumnError(text_column, source.columns)
        written = 0
        added = wanted.list_columns()
        given_names = [f"{name}_given" if name in added else name for name in source.columns]
        names = [*given_names, *added]
        with open_sink(out, like=source.format, columns=names) as sink, tqdm(disable=not progress, unit=" texts") as bar:
            for records, rows in _read_in_order(source.records(), source.columns.index(text_column), workers, wanted):
                for record, row in zip(records, rows, strict=True):
                    if record.error:
                        row[-1] = record.error
                sink.write([[*record.values, *row] for record, row in zip(records, rows, strict=True)])
                written += len(rows)
                bar.update(len(rows))
    return written


def describe(reading: Reading) -> dict[str, Any]:
    """Return a reading as the values of `READING_COLUMNS`; `abstained` speaks of the kind as long as there is no category."""
    return {
        "language": reading.language,
        "sentiment": reading.sentiment,
        "sentiment_probability": reading.sentiment_probability,
        "kind": reading.kind,
        "kind_probability": reading.kind_probability,
        "category": "",
        "category_probability": None,
        "abstained": "true" if reading.kind_abstained else "false",
        "keywords": _to_json(reading.keywords),
        "entities": _list_entities(reading.entities),
        "summary": reading.summary,
        "reading_error": reading.error or "",
    }


def describe_category(category: Category) -> dict[str, Any]:
    """Return a category as the values of its columns; `abstained` then speaks of it."""
    return {
        "category": category.label,
        "category_probability": category.probability,
        "abstained": "true" if category.abstained else "false",
        RANKED: _to_json(category.ranked),
    }


def _list_entities(entities: Iterable[Entity]) -> str:
    listed = [{"type": one.type, "text": one.text, "start": one.start, "end": one.end} for one in entities]
    return _to_json(listed) if listed else "[]"


def _read_texts(texts: list[str], wanted: Wanted, adaptation: Adaptation | None) -> list[list[Any]]:
    """Return the values of the wanted columns for each text."""
    from careloop.insight import read

    models, readings = wanted.load(), read(texts, adaptation=adaptation, is_explained=False)
    rows = [describe(reading) for reading in readings]
    if models.categories is not None:
        encoder = _choose_encoder(models.categories, wanted)
        for row, category in zip(
            rows, models.categories.read(texts, top=wanted.top, encoder=encoder, is_semantic=wanted.is_semantic), strict=True
        ):
            row.update(describe_category(category))
    if models.entities is not None:
        types = set(models.entities.types)
        for row, reading, learnt in zip(rows, readings, models.entities.read(texts), strict=True):
            row["entities"] = _list_entities(_join(learnt, [one for one in reading.entities if one.type not in types]))
    if models.aspects is not None:
        for row, found in zip(rows, models.aspects.read(texts), strict=True):
            listed = [{"aspect": one.aspect, "sentiment": one.sentiment, "probability": one.probability} for one in found]
            row[ASPECTS] = _to_json(listed)
    names = wanted.list_columns()
    return [[row[name] for name in names] for row in rows]


def _join(learnt: Iterable[Entity], others: Iterable[Entity]) -> tuple[Entity, ...]:
    from careloop.insight.text.entities import join_entities

    return join_entities(learnt, others)


def _check_meaning() -> None:
    """Refuse weights of meanings that are for another encoder than the installed one."""
    from careloop.insight.text import sentiment
    from careloop.insight.text.sentiment_meaning import load_meaning

    for name in (sentiment.CHINESE, sentiment.ENGLISH):
        load_meaning(name)


@cache
def _load_categories(folder: Path) -> Classifier:
    from careloop.insight.text.categories import load_categories

    return load_categories(folder)


@cache
def _load_entities(folder: Path) -> EntityModel:
    from careloop.insight.text.entities.model import load_entities

    return load_entities(folder)


@cache
def _load_aspects(folder: Path) -> AspectModel:
    from careloop.insight.text.aspects import load_aspects

    return load_aspects(folder)


def _choose_encoder(categories: Classifier, wanted: Wanted) -> Encoder | None:
    """Return the encoder that is named, the same for all texts of a process; many workers take one core each.

    A model that learnt words alone gets what it learnt with, one that is told to look at words alone gets none.
    """
    if categories.card["encoder"] == WordsAlone.name and wanted.encoder == BUNDLED:
        return WordsAlone()
    if wanted.is_semantic is False:
        return None
    return choose_encoder(wanted.encoder, key=wanted.encoder_key, threads=_count_threads(wanted))


def _read_settled(texts: list[str], wanted: Wanted, learnt: Path | None) -> list[list[Any]]:
    """`_read_texts` in a worker."""
    rows = _read_texts(texts, wanted, None if learnt is None else _load_adaptation(learnt))
    forget_young_objects()
    return rows


@lru_cache(maxsize=1)
def _load_adaptation(path: Path) -> Adaptation:
    adaptation: Adaptation = pickle.loads(path.read_bytes())  # noqa: S301 – written by `_read_in_order`, in a folder of its own
    return adaptation


def _read_in_order(
    records: Iterator[Record], place: int, workers: int, wanted: Wanted
) -> Iterator[tuple[Sequence[Record], list[list[Any]]]]:
    """Yield records with what was read in them; `place` is that of the column of texts."""
    if workers == 1:
        records, adaptation = _adapt(records, place, wanted)
        for chunk in _cut(records):
            yield chunk, _read_texts(_texts(chunk, place), wanted, adaptation)
        return
    wanted = replace(wanted, workers=workers)
    with open_pool(workers) as pool, TemporaryDirectory(prefix="careloop-") as folder:
        records, adaptation = _adapt(records, place, wanted)
        learnt = None if adaptation is None else Path(folder) / "adaptation"
        if learnt is not None:
            learnt.write_bytes(pickle.dumps(adaptation))  # once, as it is a hundred times larger than a task
        yield from map_in_order(
            pool, workers, _cut(records), lambda chunk: pool.submit(_read_settled, _texts(chunk, place), wanted, learnt)
        )


def _cut(records: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(records, _ROWS_PER_TASK)):
        yield chunk


def _texts(records: Iterable[Record], place: int) -> list[str]:
    return ["" if (text := record.values[place]) is None else str(text) for record in records]


def _adapt(records: Iterator[Record], place: int, wanted: Wanted) -> tuple[Iterator[Record], Adaptation | None]:
    """Return the records, all of them, and how sentiment is to read them: with what it learnt from the first, and by meanings."""
    head = list(islice(records, MOST_TEXTS)) if wanted.is_adapted else list(islice(records, LEAST_TEXTS))
    adaptation = adapt(_texts(head, place)) if wanted.is_adapted else None
    is_small = len(head) < LEAST_TEXTS and wanted.is_semantic is not False
    if wanted.is_sentiment_semantic or (wanted.is_sentiment_semantic is None and is_small):
        adaptation = replace(adaptation or SHIPPED, compares_meanings=True, threads=_count_threads(wanted))
    return chain(head, records), adaptation


def _count_threads(wanted: Wanted) -> int | None:
    """Return the encoder's threads: all there are when one process reads, else one for each process."""
    return None if wanted.workers == 1 else 1
