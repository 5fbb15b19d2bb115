"""Asking for topics: by hand, every night, and every few minutes for what arrived since."""

from datetime import datetime, time

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import topic_tasks
from careloop.desk.analysis.topic_rules import SPANS
from careloop.desk.audit import actions as audit
from careloop.desk.jobs.actions import enqueue_once, ensure_schedule
from careloop.desk.kernel.errors import InvalidInput

KEY = "find topics"
EVERY_SECONDS = 180
NIGHTLY_AT = time(3, 20)


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("find topics", topic_tasks.find_topics_again, daily_at=NIGHTLY_AT, priority=-40, now=now)
    ensure_schedule("sort new texts into topics", topic_tasks.sort_new_texts, EVERY_SECONDS, priority=-20, now=now)


def ask_for_topics(*, span: str, viewer: Viewer, now: datetime) -> bool:
    """Queue a search for the topics of a span ("90", "365", "all"); False when one waits already."""
    check_may(viewer, "topic.edit")
    if span not in SPANS:
        raise InvalidInput(_("The span is “%(given)s”; choose one from the list.") % {"given": span}, field="span")
    with transaction.atomic():
        is_new = enqueue_once(topic_tasks.find_topics, KEY, SPANS[span])
        if is_new:
            audit.record(actor=actor_of(viewer), action="topic.find", object_type="topic", object_id=None, now=now, details={"span": span})
    return is_new


def find_soon() -> bool:
    """Queue a search of the usual span, for a desk that was just filled; False when one waits already."""
    return enqueue_once(topic_tasks.find_topics, KEY)
