"""Telling of an alarm: people inside the desk, addresses by mail, other systems by webhook. Rows and jobs now, sending after commit."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.notices.actions import notify
from careloop.desk.outbox.webhook_tasks import send_webhook
from careloop.desk.teamwork.models import WebhookDelivery
from careloop.desk.teamwork.webhooks import ALARM, list_webhooks
from careloop.desk.watch.mailing import mail_alarm
from careloop.desk.watch.models import Alarm
from careloop.desk.watch.queries import find_setting, find_span
from careloop.desk.watch.words import sentence_of


def tell(alarm: Alarm, *, now: datetime) -> None:
    """Tell everybody who is to hear of a new alarm once, in the caller's transaction."""
    with translation.override(settings.LANGUAGE_CODE):
        text = sentence_of(alarm)
    facts = {"text": text, "alarm": alarm.pk}
    notify(user_ids=[person.pk for person in list_people(alarm)], kind="TASK", key=f"alarm:{alarm.pk}", facts=facts, now=now)
    for hook in list_webhooks():
        if ALARM in hook.events and (hook.team_id is None or hook.team_id == alarm.watched.team_id):
            row = WebhookDelivery.objects.create(webhook=hook, kind=ALARM, said=said_of(alarm), queued_at=now)
            send_webhook.enqueue(row.pk)
    if find_setting().mail_to:
        mail_alarm.enqueue(alarm.pk)


def list_people(alarm: Alarm) -> list[User]:
    """Who steers what is watched: people who see reports and the team, or the whole house."""
    people = User.objects.filter(is_active=True).prefetch_related("teams")
    team_id = alarm.watched.team_id
    return [
        person
        for person in people
        if (viewer := viewer_of(person)).may("report.view") and (viewer.team_ids is None if team_id is None else viewer.sees_team(team_id))
    ]


def said_of(alarm: Alarm) -> dict[str, Any]:
    """What another system is told: codes and numbers, no text and no customer."""
    watched, span = alarm.watched, find_span(alarm)
    return {
        "event": ALARM,
        "alarm": alarm.pk,
        "at": alarm.opened_at.isoformat(),
        "measure": watched.measure,
        "team": watched.team.name if watched.team else None,
        "category": watched.category or None,
        "period": watched.period,
        "start": alarm.start.isoformat(),
        "hours": span and {name: span[name].isoformat() for name in ("since", "until")},
        "sign": alarm.sign,
        "is_up": alarm.is_up,
        "value": alarm.value,
        "expected": alarm.expected,
        "low": alarm.low,
        "high": alarm.high,
        "n": alarm.n,
        "url": settings.BASE_URL + reverse("alarm", args=[alarm.pk]),
    }
