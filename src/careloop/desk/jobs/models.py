"""The tables of the job queue. One row is one piece of work; nothing happens by saving."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where a job stands; a job that failed and will be tried again is READY with a later run_after."""

    READY = "READY", _("Waiting")
    RUNNING = "RUNNING", _("Running")
    SUCCEEDED = "SUCCEEDED", _("Done")
    DEAD = "DEAD", _("Given up")


class Job(models.Model):
    """One call of a task, from enqueueing to its end.

    RUNNING means claimed: `started_at` is null until a worker begins the attempt, and `fence` grows with every claim, so
    that a worker that lost its lease cannot write an outcome any more.
    """

    task = models.CharField(max_length=300)
    args = models.JSONField(default=list)
    kwargs = models.JSONField(default=dict)
    queue = models.CharField(max_length=64, default="default")
    priority = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=9, choices=State.choices, default=State.READY)
    dedupe_key = models.CharField(max_length=200, null=True)
    enqueued_at = models.DateTimeField()
    run_after = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=8)
    lease_until = models.DateTimeField(null=True)
    worker_id = models.CharField(max_length=64, blank=True)
    fence = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    result = models.JSONField(null=True)
    progress = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "-priority", "run_after", "id"], name="job_claim"),
            models.Index(fields=["state", "finished_at"], name="job_finished"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["dedupe_key"], condition=Q(state="READY"), name="job_dedupe_ready"),
            models.CheckConstraint(condition=Q(state__in=["READY", "RUNNING", "SUCCEEDED", "DEAD"]), name="job_state_known"),
            models.CheckConstraint(condition=Q(priority__gte=-100, priority__lte=100), name="job_priority_range"),
        ]

    def __str__(self) -> str:
        return f"{self.task} #{self.pk} {self.state}"


class Schedule(models.Model):
    """A task that any worker enqueues at its due times, each due time once."""

    name = models.CharField(max_length=100, unique=True)
    task = models.CharField(max_length=300)
    args = models.JSONField(default=list)
    priority = models.SmallIntegerField(default=0)
    every_seconds = models.PositiveIntegerField(null=True)
    daily_at = models.TimeField(null=True)
    next_run_at = models.DateTimeField(db_index=True)
    last_run_at = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(every_seconds__isnull=True, daily_at__isnull=False) | Q(every_seconds__gte=1, daily_at__isnull=True),
                name="schedule_interval_or_daily",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """The sign of life of one worker process."""

    worker_id = models.CharField(max_length=64, unique=True)
    threads = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker_id
