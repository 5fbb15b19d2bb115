"""Looking imports up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Channel, ChannelKind
from careloop.desk.accounts.queries import check_may, list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.imports.models import ImportRun, State
from careloop.desk.imports.rules import PURCHASES, Choices, ColumnChoice, fields_of, suggested_choices
from careloop.desk.imports.wording import refusal
from careloop.desk.jobs.models import Job
from careloop.desk.jobs.queries import list_alive_workers
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.kernel.wording import in_words
from careloop.insight.errors import CareloopError
from careloop.insight.tables import Limits, Preview, preview

SHOWN_RUNS = 50
PREVIEW_ROWS = 8
PREVIEW_LIMITS = Limits(seconds=10)  # somebody waits for the page
SHOWN_SAMPLES = 3
SHOWN_EXAMPLES = 3
WORKING = (State.CHECKING, State.RUNNING)
JOBS = ("careloop.desk.imports.tasks.check_import", "careloop.desk.imports.tasks.run_import")
FIELD_NAMES: dict[str, Promise] = {
    "text": _("Text"),
    "rating": _("Rating"),
    "category": _("Category"),
    "product": _("Product"),
    "sent_at": _("Date and time"),
    "external_id": _("Unique number of the row"),
    "subject": _("Subject"),
    "customer_name": _("Customer's name"),
    "email": _("Customer's e-mail"),
    "phone": _("Customer's phone"),
    "customer_id": _("Customer number"),
    "language": _("Customer's language"),
    "amount": _("Amount paid"),
    "currency": _("Currency"),
}
NAMES_OF_PURCHASES: dict[str, Promise] = {
    "external_id": _("Order number"),
    "sent_at": _("Bought at"),
    "product": _("Products, with semicolons between them"),
}
REASON_NAMES: dict[str, Promise] = {
    "MISSING": _("A value is missing and the plan drops such rows"),
    "DUPLICATE": _("Repeats an earlier row"),
    "NOT_A_RATING": _("Not a rating"),
    "RATING_OUT_OF_RANGE": _("Rating outside its scale"),
    "NOT_A_DATE": _("Not a date"),
    "AMBIGUOUS_DATE": _("Day and month may be swapped"),
    "NOT_AN_EMAIL": _("Not an e-mail address"),
    "NOT_A_PHONE": _("Not a phone number"),
    "TEXT_REFUSED": _("No text and no rating"),
    "ID_REFUSED": _("Unique number too long"),
    "TIME_REFUSED": _("Time in the future or before 1970"),
    "NO_ADDRESS": _("No address to answer to"),
    "ADDRESS_REFUSED": _("Address cannot be used"),
    "AMOUNT_REFUSED": _("Amount cannot be read"),
    "PRODUCT_REFUSED": _("Products cannot be read"),
    "ROW_TOO_LARGE": _("Row too large"),
    "TOO_FEW_CELLS": _("Too few cells"),
    "TOO_MANY_CELLS": _("Too many cells"),
    "BROKEN_QUOTES": _("Broken quotes"),
    "BROKEN_JSON": _("Broken JSON"),
    "NUL": _("Holds a NUL character"),
    "UNDECODABLE": _("Wrong encoding"),
    "CELL_TOO_LONG": _("Cell too long"),
    "LINE_TOO_LONG": _("Line too long"),
    "FORMULA_WITHOUT_VALUE": _("Formula without a stored value"),
    "UNREADABLE_CELL": _("Cell cannot be read"),
}


@dataclass(frozen=True)
class MappingRow:
    """One column of the file as the mapping form shows it: some of its values, and what is chosen for it."""

    column: str
    samples: list[str]
    field: str
    missing: str
    fill: str


@dataclass(frozen=True)
class RunPage:
    """All that the page of one run needs; `preview` while its columns are chosen, `earlier` when the same file came before."""

    run: ImportRun
    preview: Preview | None
    earlier: ImportRun | None
    destinations: list[tuple[str, str]]
    job: Job | None
    has_worker: bool

    @property
    def is_working(self) -> bool:
        """Whether a job is at it."""
        return self.run.state in WORKING

    @property
    def refused(self) -> list[tuple[str | Promise, int, list[str]]]:
        """Reason, number of rows and some examples in words, the most frequent first."""
        report = self.run.report or {"rejected": {}, "examples": {}}
        found = [
            (REASON_NAMES.get(code, code), count, [_example(one) for one in report["examples"].get(code, [])[:SHOWN_EXAMPLES]])
            for code, count in report["rejected"].items()
        ]
        return sorted(found, key=lambda one: -one[1])

    @property
    def columns(self) -> list[dict[str, Any]]:
        """What was done in each column: field in words, missing values, values whose spelling changed."""
        columns = self.run.report["columns"] if self.run.report else []
        return [
            one | {"field_name": names_of_fields(self.run.what)[one["field"]], "missing_rows": sum(one["missing"].values())}
            for one in columns
        ]

    @property
    def refused_rows(self) -> int:
        """Rows refused for whatever reason."""
        return sum(count for _name, count, _examples in self.refused)

    @property
    def percent(self) -> int | None:
        """How far it is, in whole percent; None while the number of rows is unknown."""
        return min(100, 100 * self.run.rows_done // self.run.rows_total) if self.run.rows_total else None


def names_of_fields(what: str) -> dict[str, Promise]:
    """What the columns of a file of this kind can be, in words."""
    names = {**FIELD_NAMES, **(NAMES_OF_PURCHASES if what == PURCHASES else {})}
    return {field: names[field] for field in fields_of(what)}


def _example(stored: dict[str, Any]) -> str:
    """The sentence about one refused row; reports of earlier versions have it in English only."""
    return in_words(stored["sentence"]) if stored.get("sentence") else str(stored["reason"])


def list_runs(viewer: Viewer) -> list[ImportRun]:
    """The newest runs in the viewer's sight."""
    check_may(viewer, "import.run")
    runs = ImportRun.objects.visible_to(viewer).select_related("created_by", "channel").defer("report_text", "choices")
    return list(runs.order_by("-created_at", "-pk")[:SHOWN_RUNS])


def access_run(run_id: int, viewer: Viewer) -> ImportRun:
    """The run, if the viewer may import and has it in sight."""
    check_may(viewer, "import.run")
    run = ImportRun.objects.visible_to(viewer).select_related("created_by", "channel").filter(pk=run_id).distinct().first()
    if run is None:
        raise NotFound(gettext("There is no import %(number)s in your teams.") % {"number": run_id})
    return run


def page(run_id: int, viewer: Viewer, *, now: datetime, encoding: str = "", sheet: str = "") -> RunPage:
    """One run's page; its first rows are read from the file while the columns are to be chosen."""
    run = access_run(run_id, viewer)
    needs_preview = run.state in (State.UPLOADED, State.CHECKED)
    is_working = run.state in WORKING
    return RunPage(
        run,
        look_into(run, encoding=encoding, sheet=sheet) if needs_preview else None,
        find_earlier(run, viewer) if needs_preview else None,
        list_destinations(viewer) if needs_preview else [],
        Job.objects.filter(task__in=JOBS, args=[run.pk]).order_by("-pk").first() if is_working else None,
        bool(list_alive_workers(now=now)) if is_working else True,
    )


def proposed_choices(run: ImportRun, seen: Preview) -> Choices:
    """What was chosen before, or else what the file's header and values suggest."""
    return run.chosen or suggested_choices(seen.suggestions, run.what, time_zone=settings.TIME_ZONE)


def mapping_rows(seen: Preview, columns: Sequence[ColumnChoice]) -> list[MappingRow]:
    """One row for each column of the file, chosen or not."""
    chosen = {one.column: one for one in columns}
    rows = []
    for column in seen.columns:
        values = [value for row in seen.rows if row.error is None and (value := row.values.get(column))]
        one = chosen.get(column, ColumnChoice(column, ""))
        rows.append(MappingRow(column, list(dict.fromkeys(values))[:SHOWN_SAMPLES], one.field, one.missing, one.fill))
    return rows


def look_into(run: ImportRun, *, encoding: str = "", sheet: str = "", limits: Limits | None = PREVIEW_LIMITS) -> Preview:
    """The first rows of the run's file and a proposed mapping, in the chosen or detected encoding and sheet; given up after 10 seconds."""
    chosen = run.chosen
    if not Path(run.stored_path).is_file():
        raise InvalidInput(
            gettext("%(file)s is not in the upload folder any more; upload it again.") % {"file": run.file_name}, field="file"
        )
    encoding = encoding or (chosen.encoding if chosen else "") or run.encoding
    sheet = sheet or (chosen.sheet if chosen else "")
    try:
        options = {"name": run.file_name, "encoding": encoding or None, "sheet": sheet or None}
        return preview(Path(run.stored_path), PREVIEW_ROWS, limits=limits, **options)
    except CareloopError as error:
        raise refusal(error, run.file_name) from error


def find_earlier(run: ImportRun, viewer: Viewer) -> ImportRun | None:
    """The newest finished import of the same bytes in the viewer's sight, or None."""
    same = ImportRun.objects.visible_to(viewer).filter(sha256=run.sha256, state=State.DONE).exclude(pk=run.pk)
    return same.select_related("channel").defer("report_text").order_by("-finished_at").first()


def find_unfinished(*, sha256: str, what: str, channel_id: int, choices: dict[str, object]) -> ImportRun | None:
    """The run of the same file, channel and choices that was interrupted, or None: the command line goes on with it."""
    runs = ImportRun.objects.filter(sha256=sha256, what=what, channel_id=channel_id, state=State.RUNNING).order_by("-pk")
    return next((run for run in runs if run.choices == choices), None)


def list_destinations(viewer: Viewer) -> list[tuple[str, str]]:
    """(value, name) of where rows may go: the file channels in sight, and a new one for each team that has none."""
    channels = Channel.objects.filter(kind=ChannelKind.FILE, is_active=True).select_related("team").order_by("name")
    if viewer.team_ids is not None:
        channels = channels.filter(team_id__in=viewer.team_ids)
    found = list(channels)
    served = {channel.team_id for channel in found}
    new = [(f"team:{team.pk}", team.name) for team in list_teams(viewer) if team.pk not in served]
    return [(channel.slug, f"{channel.name} · {channel.team.name}") for channel in found] + new
