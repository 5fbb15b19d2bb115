"""Taking files in, checking, beginning, cancelling; who did it is audited. Jobs are queued by queueing.py, rows stored by running.py."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from careloop.desk.accounts import actions as accounts
from careloop.desk.accounts.models import Channel, ChannelKind, Team
from careloop.desk.accounts.queries import actor_of, check_may, list_channels, list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.imports import files, running
from careloop.desk.imports.files import StoredFile
from careloop.desk.imports.models import ImportRun, State, What
from careloop.desk.imports.queries import PREVIEW_LIMITS, access_run, look_into
from careloop.desk.imports.rules import Choices, check_choices
from careloop.desk.imports.wording import refusal, sentence_of
from careloop.desk.kernel.actor import Actor
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.insight.errors import CareloopError, InputError

TEAM_NAME = "Customer service"
KEEP_DAYS = 30


def upload(*, chunks: Iterable[bytes], name: str, what: str, encoding: str = "", viewer: Viewer, now: datetime) -> ImportRun:
    """Take a file in, streamed to disk; one that cannot be read as a table is refused at once and nothing stays."""
    check_may(viewer, "import.run")
    if what not in What.values:
        raise InvalidInput(_("Choose what each row is: feedback, a message or a purchase."), field="what")
    stored = files.store(chunks, name)
    try:
        return new_run(stored, what=what, encoding=encoding, viewer=viewer, now=now)
    except BaseException:
        stored.path.unlink(missing_ok=True)
        raise


def new_run(stored: StoredFile, *, what: str, encoding: str = "", viewer: Viewer, now: datetime) -> ImportRun:
    """A run for a file that lies on disk, its format and, unless given, its encoding looked at."""
    run = ImportRun(
        created_by_id=viewer.user_id or None,
        what=what,
        file_name=stored.name,
        stored_path=str(stored.path),
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        created_at=now,
        language=get_language() or "",
    )
    seen = look_into(run, encoding=encoding, limits=PREVIEW_LIMITS if viewer.user_id else None)
    run.format, run.encoding = seen.format, seen.encoding or ""
    details = {"file": stored.name, "sha256": stored.sha256, "what": what}
    with transaction.atomic():
        run.save(force_insert=True)
        audit.record(actor=actor_of(viewer), action="import.upload", object_type="import", object_id=run.pk, now=now, details=details)
    return run


def choose(*, run_id: int, choices: Choices, destination: str, viewer: Viewer, now: datetime) -> ImportRun:
    """Keep what was chosen and mark the run for its check, in the caller's transaction; choices that cannot work are refused."""
    run = lock_run(run_id, viewer)
    if run.state not in (State.UPLOADED, State.CHECKED):
        sentence = _("This import is %(state)s; columns are chosen before it starts. Load the page again.")
        raise Conflict(sentence % {"state": State(run.state).label})
    _check_fits(run, choices)
    run.channel = channel_for(destination, viewer=viewer, now=now)
    run.choices, run.state, run.rows_done, run.rows_total = choices.to_json(), State.CHECKING, 0, None
    run.error_sentence = None
    run.save(update_fields=["channel", "choices", "state", "rows_done", "rows_total", "error_sentence"])
    return run


def look_through(run_id: int, *, now: datetime, on_progress: running.Progress) -> None:
    """The cleaning report of the whole file; a file that breaks off fails the run with its sentence."""
    run = ImportRun.objects.select_related("channel").filter(pk=run_id, state=State.CHECKING).first()
    if run is None:
        return

    def show(rows: int) -> None:
        on_progress(rows)
        if rows % 5_000 == 0:
            ImportRun.objects.filter(pk=run_id, state=State.CHECKING).update(rows_done=rows)

    try:
        choices, judge = running.dry_run(run, now=now, on_progress=show)
    except (InputError, OSError) as error:
        _move(run, State.CHECKING, state=State.UPLOADED, rows_done=0, error_sentence=sentence_of(error, run.file_name).to_json())
        return
    report = json.dumps(judge.report.to_json(), ensure_ascii=False)
    total = judge.report.rows
    _move(run, State.CHECKING, state=State.CHECKED, choices=choices.to_json(), report_text=report, rows_done=0, rows_total=total)


def begin(run: ImportRun, *, viewer: Viewer, now: datetime) -> None:
    """Mark the run as running, in the caller's transaction; the moment decides what counts as the future."""
    run.state, run.started_at = State.RUNNING, now
    run.save(update_fields=["state", "started_at"])
    details = {"file": run.file_name, "channel": run.channel.slug if run.channel else ""}
    audit.record(actor=actor_of(viewer), action="import.start", object_type="import", object_id=run.pk, now=now, details=details)


def cancel(*, run_id: int, viewer: Viewer, now: datetime) -> ImportRun:
    """Stop a run after its current chunk, or forget an upload; rows already stored stay."""
    with transaction.atomic():
        run = lock_run(run_id, viewer)
        if run.state in (State.DONE, State.FAILED, State.CANCELLED):
            raise Conflict(_("This import is %(state)s; there is nothing to cancel.") % {"state": State(run.state).label})
        run.state, run.finished_at = State.CANCELLED, now
        run.save(update_fields=["state", "finished_at"])
        details = {"rows_done": run.rows_done}
        audit.record(actor=actor_of(viewer), action="import.cancel", object_type="import", object_id=run.pk, now=now, details=details)
        if run.is_stored_here:
            transaction.on_commit(lambda: Path(run.stored_path).unlink(missing_ok=True))
    return run


def open_rejects(*, run_id: int, viewer: Viewer, now: datetime) -> tuple[ImportRun, Path]:
    """The file of refused rows, for download; the look-up is audited, as the rows hold personal data."""
    with transaction.atomic():
        run = access_run(run_id, viewer)
        if not run.counts.get("rejected") or not run.rejects_path.exists():
            raise InvalidInput(_("This import has no file of refused rows; it had none, or it was deleted after 30 days."), field="rejects")
        audit.record(actor=actor_of(viewer), action="import.rejects", object_type="import", object_id=run.pk, now=now)
    return run, run.rejects_path


def channel_for(destination: str, *, viewer: Viewer, now: datetime) -> Channel:
    """The channel that a destination names: the slug of a file channel in sight, or "team:ID" for a new one of that team."""
    kind, _colon, team_id = destination.partition(":")
    if kind == "team" and team_id.isdecimal():
        team = next((one for one in list_teams(viewer) if one.pk == int(team_id)), None)
        if team is not None:
            return _file_channel(team, actor=actor_of(viewer), now=now)
    for channel in list_channels(viewer):
        if channel.slug == destination and channel.kind == ChannelKind.FILE and channel.is_active:
            return channel
    sentence = _("There is no file channel “%(name)s” in your teams; choose one of the list.")
    raise InvalidInput(sentence % {"name": destination}, field="destination")


def default_channel(*, actor: Actor, now: datetime) -> Channel:
    """The file channel of the first team; team and channel are made when they are missing."""
    team = Team.objects.order_by("pk").first() or accounts.create_team(name=TEAM_NAME, actor=actor, now=now)
    return _file_channel(team, actor=actor, now=now)


def delete_old_files(*, now: datetime) -> int:
    """Delete reject files and forgotten uploads of runs that ended, or came, more than 30 days ago; returns how many files."""
    deleted = 0
    for path in files.upload_folder().glob("*"):
        if path.is_file() and (now.timestamp() - path.stat().st_mtime) > KEEP_DAYS * 86_400:
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted


def lock_run(run_id: int, viewer: Viewer) -> ImportRun:
    """The run in the viewer's sight, unchanged by others until the transaction ends."""
    access_run(run_id, viewer)
    return ImportRun.objects.select_for_update(of=("self",)).select_related("channel").get(pk=run_id)


def _file_channel(team: Team, *, actor: Actor, now: datetime) -> Channel:
    channel = Channel.objects.filter(team=team, kind=ChannelKind.FILE, is_active=True).order_by("pk").first()
    if channel is not None:
        return channel
    slug = f"file-{team.pk}"
    while Channel.objects.filter(slug=slug).exists():
        slug += "-new"
    return accounts.create_channel(kind=ChannelKind.FILE, name=_("File import"), slug=slug, team_id=team.pk, actor=actor, now=now)


def _move(run: ImportRun, expected: str, **changes: object) -> None:
    ImportRun.objects.filter(pk=run.pk, state=expected).update(**changes)


def _check_fits(run: ImportRun, choices: Choices) -> None:
    try:
        check_choices(choices, run.what)
        run.choices = choices.to_json()
        with running.opened(run) as table:
            running.judge_of(run, choices, run.created_at).check_columns(table)
    except (CareloopError, OSError) as error:
        raise refusal(error, run.file_name) from error
