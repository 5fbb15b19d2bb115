"""Jobs of topics; what learns from texts is loaded when a job runs, not before."""

from datetime import UTC, datetime

from django.utils import timezone
from django_tasks import task

from careloop.desk.analysis.topic_models import RunState, TopicRun
from careloop.desk.analysis.topic_rules import DEFAULT_SPAN_DAYS
from careloop.desk.jobs.current import current_job, report_progress
from careloop.desk.jobs.rules import RetryPolicy, retries

SORTED_AT_MOST = 20_000  # in one job; the next goes on


def clock() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@task(priority=-40)
@retries(RetryPolicy(max_attempts=3))
def find_topics(span_days: int | None = DEFAULT_SPAN_DAYS) -> int | None:
    """Find the topics of a span anew; the earlier ones stay until it is done. Running it again does it again."""
    from careloop.desk.analysis import topic_finding

    job = current_job.get()
    run = topic_finding.find_topics(span_days=span_days, clock=clock, job_id=job.pk if job else None, tell=_tell)
    return run.pk if run else None


@task(priority=-40)
@retries(RetryPolicy(max_attempts=3))
def find_topics_again() -> int | None:
    """Every night: the span that was chosen last."""
    live = TopicRun.objects.filter(state=RunState.LIVE).first()
    return find_topics.func(live.span_days if live else DEFAULT_SPAN_DAYS)


@task(priority=-20)
@retries(RetryPolicy(max_attempts=2))
def sort_new_texts() -> int:
    """Count what arrived since into the topics that are there, and look whether one is emerging."""
    live = TopicRun.objects.filter(state=RunState.LIVE).first()
    if live is None:
        return 0
    from careloop.desk.analysis import topic_sorting, topic_watching

    now = clock()
    n_sorted = topic_sorting.sort_texts(live, most=SORTED_AT_MOST)
    if n_sorted or live.watched_on != now.astimezone(timezone.get_default_timezone()).date():
        topic_watching.watch(live, now=now)
    return n_sorted


def _tell(done: int, of: int) -> None:
    report_progress(done=done, total=of)
