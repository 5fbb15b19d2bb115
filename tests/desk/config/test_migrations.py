"""The migrations make what the models say, and know a database of before they were brought together."""

from collections import Counter

import pytest
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ModelState, ProjectState

from careloop.desk.kernel.tables import CreateTable


def missing() -> list[str]:
    """Names of what `migrate` would run now."""
    executor = MigrationExecutor(connection)
    return [f"{step.app_label}.{step.name}" for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_a_database_of_before_has_nothing_to_run():
    recorder = MigrationRecorder(connection)
    renamed = [("cases", "0001_initial", 7), ("sla", "0001_initial", 1), ("automation", "0001_initial", 3)]
    steps = MigrationExecutor(connection).loader.disk_migrations
    assert [(app, name, len(steps[app, name].replaces)) for app, name, _ in renamed] == renamed
    for app in ("sla", "automation"):  # their first step had a name of its own
        recorder.record_unapplied(app, "0001_initial")
    assert missing() == []


def test_a_new_table_leaves_the_models_before_it_as_they_are(monkeypatch):
    rendered = Counter()
    render = ModelState.render
    monkeypatch.setattr(ModelState, "render", lambda state, apps: rendered.update([state.name]) or render(state, apps))
    key = ("id", models.BigAutoField(primary_key=True))
    state = ProjectState()
    CreateTable("Case", [key]).state_forwards("cases", state)
    assert "apps" not in state.__dict__
    first = state.apps.get_model("cases", "Case")
    CreateTable("Message", [key, ("case", models.ForeignKey("cases.Case", models.CASCADE))]).state_forwards("cases", state)
    assert rendered == {"Case": 1, "Message": 1}
    assert state.apps.get_model("cases", "Case") is first
    assert state.apps.get_model("cases", "Message")._meta.get_field("case").related_model is first
    migrations.AddField("case", "subject", models.TextField()).state_forwards("cases", state)
    assert rendered == {"Case": 2, "Message": 2}
    assert [field.name for field in state.apps.get_model("cases", "Case")._meta.fields] == ["id", "subject"]
