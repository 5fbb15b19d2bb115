"""Saving with what follows: the worker makes the vectors that screens compare the library with."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from careloop.desk.jobs.actions import enqueue_once
from careloop.desk.solutions import actions, automatic, tasks
from careloop.desk.solutions.models import AutomaticReplies, Solution

PAUSE = timedelta(seconds=3)  # several saves are one job


def save_solution(*, now: datetime, **facts: Any) -> Solution:
    """See actions.save_solution."""
    with transaction.atomic():
        solution = actions.save_solution(now=now, **facts)
        vectors_soon(now)
    return solution


def restore_version(*, now: datetime, **facts: Any) -> Solution:
    """See actions.restore_version."""
    with transaction.atomic():
        solution = actions.restore_version(now=now, **facts)
        vectors_soon(now)
    return solution


def set_promise(*, now: datetime, **facts: Any) -> AutomaticReplies:
    """See automatic.set_promise; the worker derives the threshold at once."""
    with transaction.atomic():
        policy = automatic.set_promise(now=now, **facts)
        enqueue_once(tasks.derive_threshold, "solution threshold")
    return policy


def vectors_soon(now: datetime) -> None:
    """Ask for the vectors of the library's texts, once for changes that come together, and for the threshold that then holds."""
    enqueue_once(tasks.keep_vectors.using(run_after=now + PAUSE), "solution vectors")
    if automatic.get_policy().is_on:
        enqueue_once(tasks.derive_threshold.using(run_after=now + PAUSE), "solution threshold")
