"""Asking for the work of models: each verb changes what it changes and queues its job in one transaction."""

from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import corrections, doubts, switching, tasks, taxonomy_actions
from careloop.desk.analysis.models import Category, Correction, LabelDoubt, LearntModel, Taxonomy
from careloop.desk.jobs.actions import enqueue_once, ensure_schedule

PAUSE = timedelta(seconds=3)  # several changes of a taxonomy are one new model
NIGHTLY_AT = time(3, 50)
FIT_SECONDS = 600


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("forget vectors of texts that are gone", tasks.trim_vectors, daily_at=NIGHTLY_AT, priority=-50, now=now)
    ensure_schedule("how long promises took", tasks.fit_times, FIT_SECONDS, priority=-10, now=now)


def correct(**facts: Any) -> Correction:
    """A person's word on a message (see corrections.correct); after enough of them a training starts by itself."""
    with transaction.atomic():
        correction = corrections.correct(**facts)
        _train_if_due(correction.scope, facts["now"])
    return correction


def decide_doubt(**facts: Any) -> LabelDoubt:
    """A person's word on a doubted label (see doubts.decide_doubt)."""
    with transaction.atomic():
        doubt = doubts.decide_doubt(**facts)
        _train_if_due(corrections.scope_of(doubt.taxonomy_id), facts["now"])
    return doubt


def _train_if_due(scope: str, now: datetime) -> None:
    candidate = switching.begin_if_due(scope, now=now)
    if candidate is not None:
        tasks.train.enqueue(candidate.pk)


def start_training(*, taxonomy_id: int, viewer: Viewer, now: datetime) -> LearntModel:
    """Learn from the corrections so far."""
    with transaction.atomic():
        candidate = switching.begin_training(taxonomy_id=taxonomy_id, viewer=viewer, now=now)
        tasks.train.enqueue(candidate.pk)
    return candidate


def start_house_training(*, task: str, viewer: Viewer, now: datetime) -> LearntModel:
    """Learn kind or sentiment from the corrections so far."""
    with transaction.atomic():
        candidate = switching.begin_house_training(task=task, viewer=viewer, now=now)
        tasks.train.enqueue(candidate.pk)
    return candidate


def return_to_shipped(*, task: str, viewer: Viewer, now: datetime) -> LearntModel:
    """Let the shipped model read again, and read the newest messages with it."""
    with transaction.atomic():
        model = switching.return_to_shipped(task=task, viewer=viewer, now=now)
        tasks.read_house_again.enqueue()
    return model


def switch_back(*, model_id: int, viewer: Viewer, now: datetime) -> LearntModel:
    """Let an earlier model be live again, and read the newest messages with it."""
    with transaction.atomic():
        model = switching.switch_back(model_id=model_id, viewer=viewer, now=now)
        tasks.read_again.enqueue(model.pk)
    return model


def create_taxonomy(**facts: Any) -> Taxonomy:
    """A new, empty taxonomy."""
    return taxonomy_actions.create_taxonomy(**facts)


def archive_taxonomy(**facts: Any) -> Taxonomy:
    """Take a taxonomy out of use."""
    return taxonomy_actions.archive_taxonomy(**facts)


def add_category(*, now: datetime, **facts: Any) -> Category:
    """A new category, and soon a model that knows it."""
    with transaction.atomic():
        category = taxonomy_actions.add_category(now=now, **facts)
        describe_soon(category.taxonomy_id, now)
    return category


def change_category(*, now: datetime, **facts: Any) -> Category:
    """A changed category, and soon a model that knows the change."""
    with transaction.atomic():
        category = taxonomy_actions.change_category(now=now, **facts)
        describe_soon(category.taxonomy_id, now)
    return category


def describe_soon(taxonomy_id: int, now: datetime) -> None:
    """Make a model from names and descriptions in a moment, once for changes that come together."""
    enqueue_once(tasks.describe.using(run_after=now + PAUSE), f"describe:{taxonomy_id}", taxonomy_id)
