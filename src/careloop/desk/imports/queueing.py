"""Asking for the work of an import: each verb changes the run and queues its job in one transaction."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.imports import actions, tasks
from careloop.desk.imports.models import ImportRun, State
from careloop.desk.imports.rules import Choices
from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.kernel.errors import Conflict

DAY_SECONDS = 86_400


def check(*, run_id: int, choices: Choices, destination: str, viewer: Viewer, now: datetime) -> ImportRun:
    """Keep the choices and have the whole file looked at, storing nothing of it."""
    with transaction.atomic():
        run = actions.choose(run_id=run_id, choices=choices, destination=destination, viewer=viewer, now=now)
        ensure_schedule("delete old import files", tasks.delete_old_files, DAY_SECONDS, now=now)
        tasks.check_import.enqueue(run.pk)
    return run


def start(*, run_id: int, viewer: Viewer, now: datetime) -> ImportRun:
    """Let a checked import run; starting twice is refused."""
    with transaction.atomic():
        run = actions.lock_run(run_id, viewer)
        if run.state != State.CHECKED:
            sentence = _("This import is %(state)s; only a checked one can be started. Load the page again.")
            raise Conflict(sentence % {"state": State(run.state).label})
        actions.begin(run, viewer=viewer, now=now)
        tasks.run_import.enqueue(run.pk)
    return run


def resume(*, run_id: int, viewer: Viewer) -> ImportRun:
    """Queue the work of a run whose job was given up; if a job is still at it, the slower of the two stops by itself."""
    with transaction.atomic():
        run = actions.lock_run(run_id, viewer)
        if run.state not in (State.CHECKING, State.RUNNING):
            sentence = _("This import is %(state)s; there is nothing to go on with.")
            raise Conflict(sentence % {"state": State(run.state).label})
        (tasks.run_import if run.state == State.RUNNING else tasks.check_import).enqueue(run.pk)
    return run
