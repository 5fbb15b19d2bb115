"""What the jobs page shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from careloop.desk.jobs.claims import CLAIM_ORDER
from careloop.desk.jobs.models import Heartbeat, Job, Schedule, State

PAGE_SIZE = 50
ALIVE_SECONDS = 45
ORDERS = {State.READY: CLAIM_ORDER, State.RUNNING: ("started_at", "id")}
NEWEST_END_FIRST = ("-finished_at", "-id")


@dataclass(frozen=True)
class JobsPage:
    """Everything on the jobs page; `workers` are those alive, `oldest_due_seconds` is how long the queue lags (0: not at all)."""

    state: str
    task: str
    counts: dict[str, int]
    jobs: list[Job]
    page: int
    pages: int
    tasks: list[str]
    workers: list[Heartbeat]
    schedules: list[Schedule]
    oldest_due_seconds: float


def page(*, now: datetime, state: str = State.DEAD, task: str = "", page: int = 1) -> JobsPage:
    """One page of the jobs in one state, perhaps of one task: seven queries, whatever the number of jobs.

    Waiting jobs come in the order in which they will run, running ones longest first, ended ones newest first. `tasks`
    lists those with unfinished or dead jobs. An unknown state or page number shows the default rather than an error.
    """
    state = state if state in State.values else State.DEAD.value
    rows = Job.objects.filter(state=state)
    if task:
        rows = rows.filter(task=task)
    total = rows.count()
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, page), pages)
    rows = rows.order_by(*ORDERS.get(State(state), NEWEST_END_FIRST))
    return JobsPage(
        state=state,
        task=task,
        counts=count_by_state(),
        jobs=list(rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]),
        page=page,
        pages=pages,
        tasks=list(Job.objects.exclude(state=State.SUCCEEDED).order_by("task").values_list("task", flat=True).distinct()),
        workers=list_alive_workers(now=now),
        schedules=list(Schedule.objects.order_by("next_run_at", "name")),
        oldest_due_seconds=oldest_due_seconds(now=now),
    )


def count_by_state() -> dict[str, int]:
    """Number of jobs in each state, zeros included."""
    found = dict(Job.objects.order_by().values_list("state").annotate(number=Count("id")))
    return {str(state): found.get(state, 0) for state in State.values}


def list_alive_workers(*, now: datetime) -> list[Heartbeat]:
    """Workers that gave a sign of life lately, the oldest first."""
    return list(Heartbeat.objects.filter(seen_at__gte=now - timedelta(seconds=ALIVE_SECONDS)).order_by("started_at", "id"))


def oldest_due_seconds(*, now: datetime) -> float:
    """How long the longest-waiting due job has been due; 0 if none is."""
    due = Job.objects.filter(state=State.READY, run_after__lte=now).aggregate(first=Min("run_after"))["first"]
    return (now - due).total_seconds() if due else 0.0
