"""Topics that more is written about than their history explains: found by analysis, told here once in four weeks."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.topic_models import TopicAlarm
from careloop.desk.analysis.topic_queries import find_live_run, name_of
from careloop.desk.analysis.topic_rules import scope_of
from careloop.desk.notices.actions import notify
from careloop.desk.outbox.webhook_tasks import send_webhook
from careloop.desk.teamwork.models import WebhookDelivery
from careloop.desk.teamwork.webhooks import ALARM, list_webhooks
from careloop.desk.watch.mailing import mail_topic
from careloop.desk.watch.models import ToldTopic
from careloop.desk.watch.queries import find_setting
from careloop.desk.watch.words import sentence_of_topic

AGAIN_DAYS = 28
NEW_DAYS = 7


@dataclass(frozen=True)
class Emerged:
    """A topic told lately, as the viewer may call it."""

    topic_id: int
    name: str
    told_on: date
    count: int
    expected: float


def tell_topics(*, now: datetime) -> int:
    """Tell of topics that emerged in the last seven days, once in four weeks to those who see the same teams; returns how many."""
    run, today = find_live_run(), timezone.localdate(now)
    if run is None:
        return 0
    found = TopicAlarm.objects.filter(run=run, until__gt=today - timedelta(days=NEW_DAYS)).order_by("scope", "topic_id", "-until")
    told = 0
    for alarm in found:
        lately = ToldTopic.objects.filter(topic_id=alarm.topic_id, scope=alarm.scope, told_on__gt=today - timedelta(days=AGAIN_DAYS))
        if not lately.exists():
            _tell(alarm, today, now)
            told += 1
    return told


def list_emerged(viewer: Viewer, *, today: date) -> list[Emerged]:
    """Topics told in the last four weeks to those who see the same teams, newest first."""
    lately = ToldTopic.objects.filter(scope=scope_of(viewer.team_ids), told_on__gt=today - timedelta(days=AGAIN_DAYS))
    rows = lately.order_by("-told_on", "-pk")[:10]
    return [Emerged(one.topic_id, name_of(one.topic_id, viewer), one.told_on, one.count, one.expected) for one in rows]


def _tell(alarm: TopicAlarm, today: date, now: datetime) -> None:
    """A row, and notices, deliveries and a mail, in one transaction."""
    with transaction.atomic():
        facts = {"count": alarm.count, "expected": alarm.expected}
        row = ToldTopic.objects.create(topic_id=alarm.topic_id, scope=alarm.scope, told_on=today, **facts)
        for person, viewer in _list_people(alarm.scope):
            with translation.override(settings.LANGUAGE_CODE):
                text = sentence_of_topic(name_of(alarm.topic_id, viewer), alarm.count, alarm.expected)
            told = {"text": text, "topic": alarm.topic_id}
            notify(user_ids=[person.pk], kind="TASK", key=f"topic-told:{row.pk}", facts=told, now=now)
        if alarm.scope:
            return
        for hook in list_webhooks():
            if ALARM in hook.events and hook.team_id is None:
                delivery = WebhookDelivery.objects.create(webhook=hook, kind=ALARM, said=_said(alarm, now), queued_at=now)
                send_webhook.enqueue(delivery.pk)
        if find_setting().mail_to:
            mail_topic.enqueue(row.pk)


def _list_people(scope: str) -> list[tuple[User, Viewer]]:
    """People who see reports and just these teams."""
    people = [(person, viewer_of(person)) for person in User.objects.filter(is_active=True).prefetch_related("teams").order_by("pk")]
    return [(person, viewer) for person, viewer in people if viewer.may("report.view") and scope_of(viewer.team_ids) == scope]


def _said(alarm: TopicAlarm, now: datetime) -> dict[str, Any]:
    """Codes and numbers; no words of customers."""
    return {
        "event": ALARM,
        "measure": "topic",
        "topic": alarm.topic_id,
        "at": now.isoformat(),
        "since": alarm.since.isoformat(),
        "until": alarm.until.isoformat(),
        "value": alarm.count,
        "expected": alarm.expected,
        "p_value": alarm.p_value,
        "url": settings.BASE_URL + reverse("topic", args=[alarm.topic_id]),
    }
