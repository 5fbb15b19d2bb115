"""Jobs of imports; each may be killed at any moment and run again."""

from contextlib import suppress
from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.imports import actions, running
from careloop.desk.imports.models import ImportRun, State
from careloop.desk.jobs.current import report_progress


def clock() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@task(priority=-10)
def check_import(run_id: int) -> None:
    """Look at every row of an uploaded file; stores the report, not the rows."""
    actions.look_through(run_id, now=clock(), on_progress=lambda rows: None)


@task(priority=-10)
def run_import(run_id: int) -> int:
    """Bring the rows of a file in; returns how many rows were done. Cancelled or taken over: stops quietly."""
    run = ImportRun.objects.select_related("channel").filter(pk=run_id, state=State.RUNNING).first()
    if run is None:
        return 0
    with suppress(running.Superseded):
        running.run_all(run, clock=clock, on_progress=lambda rows: report_progress(done=rows, total=run.rows_total))
    return run.rows_done


@task()
def delete_old_files() -> int:
    """Once a day: files that nobody needs any more."""
    return actions.delete_old_files(now=clock())
