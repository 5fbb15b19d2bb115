"""Which other systems are told of events, and what became of it; sending is the outbox's part."""

import secrets
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Team
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.models import EventKind
from careloop.desk.cases.queries import newest_event_id
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.teamwork.models import Webhook, WebhookDelivery

OFFERED = ("OPENED", "RECEIVED", "REPLIED", "STATUS", "ASSIGNED", "TEAM", "PRIORITY", "ESCALATED", "TASK", "TAGGED", "SURVEY")
ALARM = "ALARM"  # of a watched figure; no event of a case
TOPIC = "TOPIC"  # told when somebody sends a topic
DELIVERIES_SHOWN = 100


def event_kinds() -> list[tuple[str, str]]:
    """Codes and words of the events that can be chosen."""
    return [
        *((code, str(EventKind(code).label)) for code in OFFERED),
        (ALARM, _("Alarm of a watched figure")),
        (TOPIC, _("Topics that somebody sends")),
    ]


def list_webhooks() -> list[Webhook]:
    """Those that are told, newest first."""
    return list(Webhook.objects.filter(is_active=True).select_related("team").order_by("-pk"))


def list_deliveries() -> list[WebhookDelivery]:
    """The newest deliveries of all webhooks."""
    return list(WebhookDelivery.objects.select_related("webhook").order_by("-pk")[:DELIVERIES_SHOWN])


def add_webhook(*, url: str, events: list[str], team_id: int | None, viewer: Viewer, now: datetime) -> Webhook:
    """Tell this address, which the caller checked, of these events of a team's cases or of all; the secret is made here."""
    check_may(viewer, "key.edit")
    chosen = [code for code in (*OFFERED, ALARM, TOPIC) if code in events]
    if not chosen:
        raise InvalidInput(_("Choose at least one event."), field="events")
    if team_id is not None and not Team.objects.filter(pk=team_id).exists():
        raise InvalidInput(_("There is no such team; choose one from the list."), field="team")
    with transaction.atomic():
        facts = {"secret": secrets.token_urlsafe(32), "first_event_id": newest_event_id(), "made_by_name": viewer.name, "made_at": now}
        made = Webhook.objects.create(url=url, events=chosen, team_id=team_id, **facts)
        _audit("webhook.create", made, viewer, now)
    return made


def remove_webhook(*, webhook_id: int, viewer: Viewer, now: datetime) -> None:
    """Tell it nothing more; what was delivered stays in the log."""
    check_may(viewer, "key.edit")
    with transaction.atomic():
        found = Webhook.objects.select_for_update().filter(pk=webhook_id, is_active=True).first()
        if found is None:
            raise NotFound(_("There is no webhook %(number)s.") % {"number": webhook_id})
        found.is_active = False
        found.save(update_fields=["is_active"])
        _audit("webhook.delete", found, viewer, now)


def _audit(action: str, webhook: Webhook, viewer: Viewer, now: datetime) -> None:
    details = {"address": webhook.url, "events": webhook.events}
    audit.record(actor=actor_of(viewer), action=action, object_type="webhook", object_id=webhook.pk, now=now, details=details)
