"""Whether the desk can work, for load balancers and monitoring: no secrets, no key."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest
from ninja import Router, Status

from careloop.desk.api.answers import HealthAnswer
from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.jobs.queries import list_alive_workers

router = Router(tags=["health"])


@router.get("/health", auth=None, response={200: HealthAnswer, 503: HealthAnswer, **refusals(422)}, summary="Health")
def health(request: HttpRequest) -> Any:
    """`down` (503) without database or with migrations to run; `degraded` when messages are stored but no worker reads them."""
    check_parameters(request)
    database = can_query()
    migrations = database and is_migrated()
    worker = migrations and bool(list_alive_workers(now=datetime.now(UTC)))
    status = "down" if not migrations else "ok" if worker else "degraded"
    body = {"status": status, "database": database, "migrations": migrations, "worker": worker}
    return Status(200 if migrations else 503, body)


def can_query() -> bool:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def is_migrated() -> bool:
    """Whether every migration ran; once true it stays true for this process, so the files are read once."""
    try:
        _check_migrated()
    except (_NotMigrated, DatabaseError):
        return False
    return True


class _NotMigrated(Exception):
    """There are migrations to run."""


@cache
def _check_migrated() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _NotMigrated
