"""Jobs of the reading engine."""

from datetime import UTC, datetime, timedelta

from django_tasks import task

from careloop.desk.analysis import actions, breach, case_vectors, categorising, house_rereading, switching, training
from careloop.desk.analysis.models import LearntModel, Status
from careloop.desk.jobs.actions import enqueue_many, enqueue_once
from careloop.desk.jobs.current import report_progress
from careloop.desk.jobs.rules import GiveUp
from careloop.insight.errors import Sentence

VECTORS_AFTER = timedelta(seconds=2)


def clock() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@task()
def understand(message_ids: list[int]) -> int:
    """Read new messages; running it again reads only what is still unread."""
    read = actions.understand(message_ids, now=clock())
    if categorising.is_any_live():
        categorise.enqueue(message_ids)
    if read:
        enqueue_once(keep_vectors.using(run_after=clock() + VECTORS_AFTER), "vectors")
    return read


@task(priority=-60)
def keep_vectors() -> int:
    """Make what "similar cases" compares, a few texts at a time; comes again while more wait."""
    made, is_more = case_vectors.keep_newest()
    if is_more:
        enqueue_once(keep_vectors.using(run_after=clock() + VECTORS_AFTER), "vectors")
    return made


@task()
def categorise(message_ids: list[int]) -> int:
    """Read the categories of messages; running it again reads only what the live model has not read."""
    return categorising.categorise(message_ids, now=clock())


@task(priority=-20)
def describe(taxonomy_id: int) -> str:
    """Make a model from the names and descriptions of categories, unless a better one is live."""
    candidate = switching.describe_if_due(taxonomy_id, now=clock())
    return "" if candidate is None else _train(candidate.pk)


@task(priority=-20)
def train(model_id: int) -> str:
    """Learn from corrections; the live model stays whatever goes wrong."""
    return _train(model_id)


@task(priority=-20)
def read_again(model_id: int) -> int:
    """Queue the newest messages for a model that went live."""
    model = LearntModel.objects.select_related("taxonomy").filter(pk=model_id, status=Status.LIVE).first()
    if model is None:
        return 0
    if model.taxonomy is None:
        return int(read_house_again.func())
    ids = categorising.list_to_categorise(model.taxonomy.pk, model.taxonomy.team_id)
    parts = [ids[start : start + categorising.AT_ONCE] for start in range(0, len(ids), categorising.AT_ONCE)]
    enqueue_many(categorise.using(priority=-30), [[part] for part in parts])
    return len(ids)


@task(priority=-20)
def read_house_again() -> int:
    """Queue the newest messages, whose kind and sentiment another model reads now."""
    ids = house_rereading.list_to_read_again()
    parts = [ids[start : start + house_rereading.AT_ONCE] for start in range(0, len(ids), house_rereading.AT_ONCE)]
    enqueue_many(read_part_again.using(priority=-30), [[part] for part in parts])
    return len(ids)


@task()
def read_part_again(message_ids: list[int]) -> int:
    """Read kind and sentiment of these messages again; running it again changes nothing."""
    return house_rereading.read_again(message_ids, now=clock())


@task(priority=-50)
def trim_vectors() -> int:
    """Every night: forget the vectors of texts that are nowhere any more."""
    from careloop.desk.analysis import vector_trimming

    return vector_trimming.trim_vectors()


def _train(model_id: int) -> str:
    try:
        model = training.train(model_id, clock=clock, on_progress=_tell)
    except Exception as error:
        failed = LearntModel.objects.get(pk=model_id)
        what = f"{type(error).__name__}: {error}"[:300]
        reason = Sentence("The training failed; the live model stays. What the program said: {what}", what=what)
        training.reject(failed, reason, now=clock())
        raise GiveUp(f"The training of model {model_id} failed; what is live stays live.") from error
    if model is None:
        return ""
    if model.status == Status.LIVE:
        read_again.enqueue(model.pk)
        if following := switching.begin_if_due(model.scope, now=clock()):  # corrections may have waited for this one
            train.enqueue(following.pk)
    return str(model.status)


def _tell(done: int, of: int) -> None:
    report_progress(done=done, total=of)


@task(priority=-10)
def fit_times() -> int:
    """Look anew at how long promises took before, from which the chance of a missed deadline is told."""
    return breach.fit_times(now=clock())
