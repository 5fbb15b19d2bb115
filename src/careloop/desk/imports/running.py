"""The run itself, chunk by chunk. One chunk is one transaction: its messages, its refused rows and how far the run is, or nothing of it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils import translation

from careloop.desk.imports import files
from careloop.desk.imports.judging import Judge
from careloop.desk.imports.models import ImportRun, State
from careloop.desk.imports.rules import Choices, looked_over
from careloop.desk.imports.wording import sentence_of
from careloop.desk.intake.actions import receive_messages
from careloop.desk.intake.rules import Inbound
from careloop.desk.purchases.actions import record_purchases
from careloop.desk.purchases.rules import NewPurchase
from careloop.insight.errors import InputError, Sentence
from careloop.insight.tables import DamagedFileError, Rejected, Table, open_table

CHUNK_ROWS = 500
Clock = Callable[[], datetime]
Progress = Callable[[int], object]


class Superseded(Exception):
    """The run was cancelled, or somebody else goes on with it: this process stops without writing anything more."""


@dataclass
class Chunk:
    """Rows on their way to the database."""

    last_row: int = 0
    accepted: list[Inbound | NewPurchase] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.accepted) + len(self.rejected)


@contextmanager
def opened(run: ImportRun) -> Iterator[Table]:
    """The run's file as a table, read in the encoding and sheet that were chosen."""
    choices = run.chosen
    encoding, sheet = (choices.encoding, choices.sheet) if choices else ("", "")
    if not Path(run.stored_path).is_file():
        raise InputError(
            Sentence("{file} is not where it was any more; import it again: rows already stored are not doubled.", file=run.file_name),
            field="file",
        )
    with open_table(Path(run.stored_path), name=run.file_name, encoding=encoding or run.encoding or None, sheet=sheet or None) as table:
        yield table


def judge_of(run: ImportRun, choices: Choices, now: datetime) -> Judge:
    """The judge of the run's rows."""
    slug = run.channel.slug if run.channel else ""
    return Judge(choices, run.what, channel_slug=slug, sha256=run.sha256, now=now)


def dry_run(run: ImportRun, *, now: datetime, on_progress: Progress) -> tuple[Choices, Judge]:
    """Look at every row and store nothing; returns the choices with the rating scale found and the judge with its report."""
    with opened(run) as table:
        choices, _ = looked_over(_chosen(run), table)
        judge = judge_of(run, choices, now)
        for judged in judge.judge_all(table):
            if judged.number % CHUNK_ROWS == 0:
                on_progress(judged.number)
    return choices, judge


def run_all(run: ImportRun, *, clock: Clock, on_progress: Progress) -> None:
    """Bring all rows that are still to do through the front door, and end the run as DONE, or as FAILED when its file is damaged.

    May be killed at any moment and called again: committed rows are passed over, and the front door knows the others by their external id.
    """
    judge = judge_of(run, _chosen(run), run.started_at or clock())
    try:
        with opened(run) as table:
            _store_rows(run, table, judge, clock, on_progress)
    except (InputError, OSError) as error:
        finish(run, State.FAILED, judge, now=clock(), error=sentence_of(error, run.file_name))
    else:
        finish(run, State.DONE, judge, now=clock())


def finish(run: ImportRun, state: str, judge: Judge, *, now: datetime, error: Sentence | None = None) -> None:
    """Write the end of a run with its report, and delete our copy of the file."""
    report = json.dumps(judge.report.to_json(), ensure_ascii=False)
    changes = {"state": state, "report_text": report, "finished_at": now, "rows_total": judge.report.rows}
    changes["error_sentence"] = error.to_json() if error else None
    if not ImportRun.objects.filter(pk=run.pk, state=State.RUNNING).update(**changes):
        raise Superseded(str(run))
    if run.is_stored_here:
        Path(run.stored_path).unlink(missing_ok=True)


def _store_rows(run: ImportRun, table: Table, judge: Judge, clock: Clock, on_progress: Progress) -> None:
    chunk = Chunk()
    try:
        for judged in judge.judge_all(table):
            if judged.number <= run.rows_done:
                continue
            chunk.last_row = judged.number
            if judged.accepted is not None:
                chunk.accepted.append(judged.accepted)
            elif judged.rejected is not None:
                chunk.rejected.append(judged.rejected)
            if len(chunk) >= CHUNK_ROWS:
                store_chunk(run, chunk, table.columns, clock())
                on_progress(run.rows_done)
                chunk = Chunk()
    except DamagedFileError:
        _store_last(run, chunk, table, clock, on_progress)
        raise
    _store_last(run, chunk, table, clock, on_progress)


def _store_last(run: ImportRun, chunk: Chunk, table: Table, clock: Clock, on_progress: Progress) -> None:
    if len(chunk):
        store_chunk(run, chunk, table.columns, clock())
    on_progress(run.rows_done)


def store_chunk(run: ImportRun, chunk: Chunk, columns: tuple[str, ...], now: datetime) -> None:
    """Commit one chunk. The row of the run is moved first: it is the lock that keeps a second process from storing the same rows."""
    with transaction.atomic():
        ours = ImportRun.objects.filter(pk=run.pk, state=State.RUNNING, rows_done=run.rows_done)
        if not ours.update(rows_done=chunk.last_row):
            raise Superseded(str(run))
        counts = dict(run.counts)
        if chunk.rejected:
            committed = counts.get("rejects_bytes", 0)
            with translation.override(run.language or "en"):
                counts["rejects_bytes"] = files.append_rejects(run.rejects_path, columns, chunk.rejected, committed_bytes=committed)
        added = _store_accepted(run, chunk.accepted, now)
        for name, more in (("added", added), ("known", len(chunk.accepted) - added), ("rejected", len(chunk.rejected))):
            counts[name] = counts.get(name, 0) + more
        ImportRun.objects.filter(pk=run.pk).update(counts=counts)
    run.rows_done, run.counts = chunk.last_row, counts


def _store_accepted(run: ImportRun, accepted: Sequence[Inbound | NewPurchase], now: datetime) -> int:
    """Messages go through the front door, purchases to their book; returns how many of them are new or say something new."""
    purchases = [one for one in accepted if isinstance(one, NewPurchase)]
    messages = [one for one in accepted if isinstance(one, Inbound)]
    added = sum(receipt.is_new for receipt in receive_messages(messages, now=now, is_urgent=False)) if messages else 0
    if purchases and run.channel is not None:
        recorded = record_purchases(purchases, team_id=run.channel.team_id, now=now)
        added += recorded.new + recorded.changed
    return added


def _chosen(run: ImportRun) -> Choices:
    choices = run.chosen
    if choices is None:
        told = Sentence("Import {number} has no column choices yet; choose what each column is first.", number=run.pk)
        raise InputError(told, field="choices")
    return choices
