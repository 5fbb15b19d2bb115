"""Telling other systems of events: a row and a job for each, sent after commit and tried again until it is taken."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings

from careloop.desk.cases.models import CaseEvent, EventKind
from careloop.desk.channels import webhook as channel
from careloop.desk.channels.outgoing import CannotDeliver
from careloop.desk.teamwork.event_reading import each_new_event
from careloop.desk.teamwork.models import Webhook, WebhookDelivery
from careloop.desk.teamwork.webhooks import OFFERED, list_webhooks


def queue_events(enqueue: Callable[[int], Any], *, now: datetime) -> int:
    """Queue a delivery for each new event and webhook that wants it, once; returns how many events were read."""
    hooks = list_webhooks()
    return each_new_event("webhooks", OFFERED, lambda event: _queue(event, hooks, enqueue, now))


def deliver(delivery_id: int, *, now: datetime) -> None:
    """Send one delivery unless it was sent; what can never be taken is marked so, anything else is raised and tried again."""
    found = WebhookDelivery.objects.select_related("webhook").get(pk=delivery_id)
    if found.state != WebhookDelivery.State.QUEUED:
        return
    if not found.webhook.is_active:
        _note(found, WebhookDelivery.State.FAILED, "", now)
        return
    hook = found.webhook
    request = channel.Delivery(hook.url, hook.secret, found.pk, found.kind, int(now.timestamp()), _body(found))
    try:
        status = channel.post(request, allows_private=settings.WEBHOOKS_TO_PRIVATE)
    except CannotDeliver as error:
        _note(found, WebhookDelivery.State.FAILED, str(error), now)
    except channel.NotTaken as error:
        _note(found, WebhookDelivery.State.QUEUED, str(error), now)
        raise
    else:
        _note(found, WebhookDelivery.State.SENT, f"HTTP {status}", now)


def _body(found: WebhookDelivery) -> bytes:
    """What was said when it was queued; of an event of a case how the case stands now."""
    if found.said is not None:
        return json.dumps({"id": found.pk, **found.said}, ensure_ascii=False).encode()
    return body_of(CaseEvent.objects.select_related("case", "team").get(pk=found.event_id))


def body_of(event: CaseEvent) -> bytes:
    """What another system is told: the event and how the case stands, no text and no customer."""
    case = event.case
    said: dict[str, Any] = {
        "id": event.pk,
        "event": event.kind,
        "at": event.at.isoformat(),
        "actor": {"kind": event.actor_kind, "id": event.actor_id},
        "message_id": event.message_id,
        "case": {
            "id": case.pk, "team": event.team.name, "status": case.status, "priority": case.priority, "kind": case.kind,
            "sentiment": case.sentiment, "category": case.category, "version": case.version,
        },
    }  # fmt: skip
    if event.kind == EventKind.SURVEY:
        said["survey"] = {name: event.after.get(name) for name in ("survey_id", "kind", "rating", "low", "high", "changes")}
    return json.dumps(said, ensure_ascii=False).encode()


def _queue(event: CaseEvent, hooks: list[Webhook], enqueue: Callable[[int], Any], now: datetime) -> None:
    for hook in hooks:
        if event.kind in hook.events and event.pk > hook.first_event_id and hook.team_id in (None, event.team_id):
            facts = {"case_id": event.case_id, "kind": event.kind, "queued_at": now}
            row, is_new = WebhookDelivery.objects.get_or_create(webhook=hook, event_id=event.pk, defaults=facts)
            if is_new:
                enqueue(row.pk)


def _note(row: WebhookDelivery, state: str, answer: str, now: datetime) -> None:
    row.state, row.answer, row.attempts = state, answer[:200], row.attempts + 1
    row.sent_at = now if state == WebhookDelivery.State.SENT else None
    row.save(update_fields=["state", "answer", "attempts", "sent_at"])
