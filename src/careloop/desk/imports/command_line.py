"""What `careloop import` does: choices from options, dry run, run or resume, and the report in words. cli.py declares the options."""

import json
import shutil
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from tqdm import tqdm

from careloop.desk.accounts.models import Channel, ChannelKind
from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import OWNER, PERMISSIONS, Viewer
from careloop.desk.imports import actions, files, running
from careloop.desk.imports.models import ImportRun, State
from careloop.desk.imports.queries import REASON_NAMES, find_unfinished
from careloop.desk.imports.rules import PURCHASES, Choices, ColumnChoice, check_choices, cleaning_plan, looked_over, missing_choice
from careloop.desk.jobs import worker
from careloop.insight.errors import InputError
from careloop.insight.tables import PlanError

TERMINAL = Viewer(0, "Command line", OWNER, None, PERMISSIONS[OWNER])
DATE_ORDERS = {"refuse": None, "day-first": True, "month-first": False}


def now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def import_file(given: str, *, what: str, options: dict[str, Any]) -> int:
    """Import or try one file and print its report; the exit code is 0 when it was done, 1 when it failed."""
    choices = choices_from(options, what)
    stored = files.store(_blocks_of_standard_input(), "standard input") if given == "-" else files.look_at(_existing(given))
    run = ImportRun(what=what, file_name=stored.name, stored_path=str(stored.path), sha256=stored.sha256, size_bytes=stored.size_bytes)
    run.choices = choices.to_json()
    started = time.monotonic()
    try:
        if options["dry_run"]:
            _try(run, Path(options["rejects"]) if options["rejects"] else None)
        else:
            run = _bring_in(run, stored, choices, options["channel"])
    finally:
        if options["dry_run"] and run.is_stored_here:
            stored.path.unlink(missing_ok=True)
    if not options["dry_run"] and options["rejects"] and run.counts.get("rejected"):
        shutil.copyfile(run.rejects_path, options["rejects"])
    _print(run, options, seconds=time.monotonic() - started)
    if options["wait"] and not options["dry_run"]:
        worker.main(once=True)
    return 1 if run.state == State.FAILED else 0


def choices_from(options: dict[str, Any], what: str) -> Choices:
    """The choices that the options express; what they leave impossible is a usage error."""
    try:
        missing = {column: (policy, fill) for column, policy, fill in map(missing_choice, options["missing"])}
        columns = [ColumnChoice(column, field, *missing.pop(column, ())) for field, column in options["columns"].items() if column]
        if missing:
            raise PlanError(f"--missing names the column “{next(iter(missing))}”, which no other option uses; name it there too.")
        choices = Choices(
            tuple(_with_default(one, what, options["columns"]) if one.column not in _named(options) else one for one in columns),
            rating_min=options["rating_min"],
            rating_max=options["rating_max"],
            is_day_first=DATE_ORDERS[options["dates"]],
            drops_repeated=options["drop_repeated"],
            region=options["region"],
            time_zone=settings.TIME_ZONE,
            encoding=options["encoding"] or "",
            sheet=options["sheet"] or "",
        )
        check_choices(choices, what)
    except InputError as error:
        raise click.UsageError(str(error)) from error
    return choices


def _named(options: dict[str, Any]) -> set[str]:
    return {missing_choice(text)[0] for text in options["missing"]}


def _with_default(one: ColumnChoice, what: str, columns: dict[str, str | None]) -> ColumnChoice:
    """Rows without text are dropped, unless a rating can stand alone."""
    if one.field == "text" and (what == "MESSAGES" or not columns.get("rating")):
        return replace(one, missing="DROP")
    return one


def _existing(given: str) -> Path:
    path = Path(given)
    if not path.is_file():
        raise click.ClickException(f"There is no file {given}; give the path of a table, or - for standard input.")
    return path


def _blocks_of_standard_input() -> Any:
    return iter(lambda: sys.stdin.buffer.read(files.BLOCK_BYTES), b"")


def _try(run: ImportRun, rejects: Path | None) -> None:
    """Look at every row; nothing is stored, and no database is needed."""
    collected: list[Any] = []

    with running.opened(run) as table, _bar(None) as bar:
        choices, total = looked_over(run.chosen or Choices(()), table)
        bar.reset(total=total)
        judge = running.judge_of(run, choices, now())
        length = 0
        for judged in judge.judge_all(table):
            if judged.number % running.CHUNK_ROWS == 0:
                bar.update(judged.number - bar.n)
            if judged.rejected is not None and rejects is not None:
                collected.append(judged.rejected)
                if len(collected) == running.CHUNK_ROWS:
                    length, collected = files.append_rejects(rejects, table.columns, collected, committed_bytes=length), []
        if rejects is not None:
            files.append_rejects(rejects, table.columns, collected, committed_bytes=length)
        run.format, run.encoding = table.format, table.encoding or ""
    run.choices, run.rows_total = choices.to_json(), judge.report.rows
    run.report_text = json.dumps(judge.report.to_json(), ensure_ascii=False)


def _bring_in(run: ImportRun, stored: files.StoredFile, choices: Choices, slug: str | None) -> ImportRun:
    """Run the import, or go on with one that was interrupted; prepares the database first."""
    call_command("migrate", verbosity=0, interactive=False)
    with running.opened(run) as table, _bar(None) as bar:
        bar.set_description("counting rows")
        cleaning_plan(choices).check_columns(table.columns)
        choices, total = looked_over(choices, table)
    channel = _channel(slug)
    found = find_unfinished(sha256=stored.sha256, what=run.what, channel_id=channel.pk, choices=choices.to_json())
    if found is not None:
        click.echo(f"Going on with import {found.pk} after row {found.rows_done:,}.", err=True)
        if found.stored_path != str(stored.path):
            ImportRun.objects.filter(pk=found.pk).update(stored_path=str(stored.path))
    else:
        with transaction.atomic():
            found = actions.new_run(stored, what=run.what, encoding=choices.encoding, viewer=TERMINAL, now=now())
            found.channel, found.choices, found.rows_total = channel, choices.to_json(), total
            found.save(update_fields=["channel", "choices", "rows_total"])
            actions.begin(found, viewer=TERMINAL, now=now())
    run = ImportRun.objects.select_related("channel").get(pk=found.pk)
    try:
        with _bar(total, done=run.rows_done) as bar:
            running.run_all(run, clock=now, on_progress=lambda rows: bar.update(rows - bar.n))
    except running.Superseded:
        raise click.ClickException(
            f"Import {run.pk} was cancelled, or another process goes on with it; this one stopped after row {run.rows_done:,}."
        ) from None
    except KeyboardInterrupt:
        raise click.ClickException(
            f"Interrupted after row {run.rows_done:,}. The same command goes on from there and doubles nothing."
        ) from None
    return ImportRun.objects.select_related("channel").get(pk=run.pk)


def _channel(slug: str | None) -> Channel:
    if slug is None:
        return actions.default_channel(actor=actor_of(TERMINAL), now=now())
    channel = Channel.objects.filter(slug=slug, is_active=True).first()
    if channel is None:
        names = ", ".join(Channel.objects.filter(kind=ChannelKind.FILE, is_active=True).values_list("slug", flat=True)) or "none yet"
        raise click.ClickException(f"There is no active channel {slug!r}; file channels: {names}. Without --channel one is made.")
    return channel


def _bar(total: int | None, *, done: int = 0) -> Any:
    """On a terminal only; the one for counting vanishes when it is done."""
    looks = {"unit": " rows", "file": sys.stderr, "disable": not sys.stderr.isatty(), "dynamic_ncols": True}
    return tqdm(total=total, initial=done, leave=total is not None, **looks)


def _print(run: ImportRun, options: dict[str, Any], *, seconds: float) -> None:
    report = run.report or {}
    if options["as_json"]:
        facts = {"import": run.pk, "state": run.state if run.pk else "DRY_RUN", "file": run.file_name, "sha256": run.sha256}
        facts |= {"counts": run.counts, "choices": run.choices, "report": report, "seconds": round(seconds, 2), "error": run.error}
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for line in sentences(run, report, seconds):
        click.echo(line)
    if run.state == State.FAILED:
        click.echo(f"Error: {run.error}", err=True)


def sentences(run: ImportRun, report: dict[str, Any], seconds: float) -> list[str]:
    """The report in words."""
    rejected = sum(report.get("rejected", {}).values())
    source = " · ".join(filter(None, [run.file_name, run.format, run.encoding, f"{run.size_bytes:,} bytes"]))
    lines = [source]
    if run.pk is None:
        lines.append(f"Dry run, nothing stored: {report['rows']:,} rows, {report['accepted']:,} acceptable, {rejected:,} refused.")
    else:
        added, known = run.counts.get("added", 0), run.counts.get("known", 0)
        lines.append(f"{report['rows']:,} rows: {added:,} stored, {known:,} already known, {rejected:,} refused. {seconds:.1f} s.")
        if known and not added:
            lines.append("Every acceptable row of this file was stored before: nothing was added.")
    lines += [f"  refused {count:>8,}  {REASON_NAMES.get(code, code)}" for code, count in sorted(report.get("rejected", {}).items())]
    for column in report.get("columns", []):
        missing = ", ".join(f"{count:,} {done}" for done, count in column["missing"].items() if count)
        if missing:
            lines.append(f"  missing in “{column['column']}”: {missing}")
    if report.get("blank_rows"):
        lines.append(f"  {report['blank_rows']:,} blank rows passed over")
    chosen = run.chosen
    if chosen and chosen.column_of("rating"):
        lines.append(f"  ratings run from {chosen.rating_min:g} to {chosen.rating_max:g}")
    if run.pk and rejected:
        lines.append(f"  refused rows: {run.rejects_path}")
    if run.pk and run.counts.get("added") and run.what != PURCHASES:
        lines.append("The texts are read by the worker: careloop worker, or careloop import … --wait.")
    return lines
