"""`careloop topics`: a file's texts divided into named topics; the same rows with their topic out, and a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from careloop.batch.sinks import open_sink
from careloop.batch.sources import Record, open_source
from careloop.insight.errors import InputError, MissingColumnError
from careloop.insight.topics import TopicModel
from careloop.insight.topics.hierarchy import Branch, join_topics
from careloop.insight.topics.trends import Emerging, Period, Trend, count_over_time, find_emerging

COLUMNS = ("topic", "topic_probability")
_ROWS_PER_STEP = 2_000


@dataclass(frozen=True, slots=True)
class TopicsOfFile:
    """What was found in a file: its rows, the fitted model, and the topics over time when the rows have one."""

    columns: tuple[str, ...]
    format: str
    rows: Sequence[Record]
    texts: Sequence[str]
    model: TopicModel
    branches: Sequence[Branch]
    trend: Trend | None
    emerging: Sequence[Emerging]
    n_undated: int

    def to_json(self) -> dict[str, Any]:
        """Return topics with words, sizes, coherence and examples, the tree, and the trend, ready for `json.dumps`."""
        report: dict[str, Any] = {
            "rows": len(self.texts),
            "without_topic": int((self.model.labels_ < 0).sum()),
            "method": self.model.method,
            "topics": [asdict(topic) | {"examples": [self.texts[row] for row in topic.examples]} for topic in self.model.topics_],
            "branches": [asdict(branch) for branch in self.branches],
        }
        if self.trend is not None:
            report["trend"] = {
                "periods": [day.isoformat() for day in self.trend.periods],
                "counts": self.trend.counts.tolist(),
                "totals": self.trend.totals.tolist(),
                "undated_rows": self.n_undated,
            }
            report["emerging"] = [asdict(one) for one in self.emerging]
        return report


def find_topics_of_file(
    path: str | Path, model: TopicModel, *, text_column: str, time_column: str | None = None, period: Period = "week"
) -> TopicsOfFile:
    """Read a file whole and fit the model to its texts.

    Parameters
    ----------
    path : str or Path
        CSV (also .gz), XLSX, JSON lines (also .gz) or Parquet; “-” is standard input.
    model : TopicModel
        Not yet fitted.
    text_column, time_column : str
        Times are ISO 8601, or whatever Parquet holds as dates; rows without one are left out of the trend and counted.

    Raises
    ------
    MissingColumnError, InputError
        When the file is not there, cannot be read, has no such column, or no time at all in the column of times.
    """
    with open_source(path) as source:
        for column in (text_column, *([time_column] if time_column else [])):
            if column not in source.columns:
                raise MissingColumnError(column, source.columns)
        rows = list(source.records())
        columns, form = source.columns, source.format
    texts = ["" if (text := row.get(text_column)) is None else str(text) for row in rows]
    model.fit(texts)
    branches = join_topics(model.vectors_, model.labels_)
    if time_column is None:
        return TopicsOfFile(columns, form, rows, texts, model, branches, None, (), 0)
    times = [_to_time(row.get(time_column)) for row in rows]
    dated = [place for place, time in enumerate(times) if time is not None]
    if not dated:
        raise InputError(f"No row has a date in “{time_column}”; write dates as 2026-03-05 or 2026-03-05T09:30.", field=time_column)
    trend = count_over_time(model.labels_[dated], [time for time in times if time], n_topics=len(model.topics_), period=period)
    return TopicsOfFile(columns, form, rows, texts, model, branches, trend, find_emerging(trend), len(rows) - len(dated))


def write_rows(found: TopicsOfFile, out: str | Path) -> None:
    """Write all rows in order, with `topic` (−1: none) and `topic_probability`; a column of such a name becomes NAME_given."""
    given = [f"{name}_given" if name in COLUMNS else name for name in found.columns]
    labels, probabilities = found.model.labels_, found.model.probabilities_
    with open_sink(out, like=found.format, columns=[*given, *COLUMNS]) as sink:
        for start in range(0, len(found.rows), _ROWS_PER_STEP):
            sink.write(
                [
                    [*row.values, int(labels[place]), _round(probabilities[place, labels[place]], labels[place])]
                    for place, row in enumerate(found.rows[start : start + _ROWS_PER_STEP], start)
                ]
            )


def _round(probability: float, label: int) -> float:
    return round(float(probability), 4) if label >= 0 else 0.0


def _to_time(value: Any) -> datetime | date | None:
    if isinstance(value, date):  # a datetime is one, too
        return value
    try:
        return datetime.fromisoformat(str(value).strip().replace("/", "-"))
    except ValueError:
        return None
