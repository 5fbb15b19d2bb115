"""Telling other systems of a topic: those that a webhook connects and that want topics, each in the sight of its team."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.topic_queries import access_topic
from careloop.desk.analysis.topic_sharing import outside_facts
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.outbox.webhook_tasks import send_webhook
from careloop.desk.teamwork.models import Webhook, WebhookDelivery
from careloop.desk.teamwork.webhooks import TOPIC, list_webhooks


def list_takers(viewer: Viewer) -> list[Webhook]:
    """The webhooks to which the viewer may send topics: of the viewer's teams, or of the house for those who see every team."""
    hooks = (one for one in list_webhooks() if TOPIC in one.events)
    return [one for one in hooks if (viewer.team_ids is None if one.team_id is None else viewer.sees_team(one.team_id))]


def send_topic(*, topic_id: int, viewer: Viewer, now: datetime) -> int:
    """Queue what may be told of a topic for every system that takes topics; returns for how many."""
    check_may(viewer, "topic.edit")
    access_topic(topic_id, viewer)
    hooks = list_takers(viewer)
    if not hooks:
        raise InvalidInput(_("No other system takes topics; an owner connects one under Settings, Webhooks."))
    told = {}
    for hook in hooks:
        sight = viewer if hook.team_id is None else replace(viewer, team_ids=frozenset({hook.team_id}))
        told[hook.pk] = outside_facts(topic_id, sight, now=now)
    with transaction.atomic():
        for hook in hooks:
            row = WebhookDelivery.objects.create(webhook=hook, kind=TOPIC, said={"event": TOPIC, **told[hook.pk]}, queued_at=now)
            send_webhook.enqueue(row.pk)
        details = {"systems": [hook.url for hook in hooks]}
        audit.record(actor=actor_of(viewer), action="topic.send", object_type="topic", object_id=topic_id, now=now, details=details)
    return len(hooks)
