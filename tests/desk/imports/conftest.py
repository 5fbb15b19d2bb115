"""Files on their way in."""

import pytest

from careloop.desk.imports import actions, queueing
from careloop.desk.imports.rules import Choices, ColumnChoice


@pytest.fixture(autouse=True)
def upload_dir(settings, tmp_path):
    """An upload folder of the test's own."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    return settings.UPLOAD_DIR


@pytest.fixture
def taken_in(cast, now):
    """Uploads a file as the supervisor; returns the run."""

    def upload(content: str | bytes, name: str = "reviews.csv", what: str = "FEEDBACK", user=None):
        given = content.encode() if isinstance(content, str) else content
        viewer = cast.viewer(user or cast.supervisor)
        return actions.upload(chunks=[given], name=name, what=what, viewer=viewer, now=now)

    return upload


@pytest.fixture
def choices_of():
    """Choices from column=field pairs."""

    def build(columns: dict[str, str], **facts) -> Choices:
        return Choices(tuple(ColumnChoice(column, field) for column, field in columns.items()), **facts)

    return build


@pytest.fixture
def checked(cast, now, taken_in, choices_of):
    """Uploads a file and runs its check; returns the run as stored."""

    def check(content: str | bytes, columns: dict[str, str], *, what: str = "FEEDBACK", name: str = "reviews.csv", **facts):
        run = taken_in(content, name, what)
        destination = f"team:{cast.team.pk}"
        viewer = cast.viewer(cast.supervisor)
        queueing.check(run_id=run.pk, choices=choices_of(columns, **facts), destination=destination, viewer=viewer, now=now)
        actions.look_through(run.pk, now=now, on_progress=lambda rows: None)
        run.refresh_from_db()
        return run

    return check


@pytest.fixture
def brought_in(cast, now, checked):
    """Uploads, checks and imports a file; returns the run as stored."""
    from careloop.desk.imports import running
    from careloop.desk.imports.models import ImportRun

    def bring(content: str | bytes, columns: dict[str, str], **facts):
        run = checked(content, columns, **facts)
        queueing.start(run_id=run.pk, viewer=cast.viewer(cast.supervisor), now=now)
        run = ImportRun.objects.select_related("channel").get(pk=run.pk)
        running.run_all(run, clock=lambda: now, on_progress=lambda rows: None)
        run.refresh_from_db()
        return run

    return bring
