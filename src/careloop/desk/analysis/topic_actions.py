"""Naming topics by hand."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.topic_models import Topic
from careloop.desk.analysis.topic_queries import access_topic
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import InvalidInput

LONGEST_NAME = 80


def rename_topic(*, topic_id: int, name: str, viewer: Viewer, now: datetime) -> Topic:
    """Give a topic a name of its own, which later runs keep; an empty one gives the name of its words back."""
    check_may(viewer, "topic.edit")
    name = " ".join(name.replace("\0", "").split())
    if len(name) > LONGEST_NAME:
        sentence = _("The name has %(given)d characters; a topic's name has at most %(most)d.")
        raise InvalidInput(sentence % {"given": len(name), "most": LONGEST_NAME}, field="name")
    with transaction.atomic():
        topic = access_topic(topic_id, viewer, is_locked=True)
        if topic.given_name == name:
            return topic
        change = {"before": {"name": topic.given_name}, "after": {"name": name}}
        topic.given_name, topic.named_by_id = name, viewer.user_id
        topic.save(update_fields=["given_name", "named_by"])
        audit.record(actor=actor_of(viewer), action="topic.rename", object_type="topic", object_id=topic.pk, now=now, details=change)
    return topic
