"""A topic for people and systems outside: its words, counts and examples without personal data, as it stood when it was shared."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may, list_users
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.feedback_queries import FeedbackFilter
from careloop.desk.analysis.intervals import Rate
from careloop.desk.analysis.masking import Mask
from careloop.desk.analysis.topic_queries import NAME_WORDS, access_topic, topic_page
from careloop.desk.audit import actions as audit
from careloop.desk.cases.models import Message
from careloop.desk.customers.models import Customer
from careloop.desk.customers.queries import list_addresses
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.kernel.signed_numbers import read_numbers, sign_numbers
from careloop.desk.teamwork.models import SharedTopic

SALT = "careloop.shared.topic"
LONGEST_DAYS = 90
LONGEST_EXAMPLE = 400


def outside_facts(topic_id: int, viewer: Viewer, *, now: datetime) -> dict[str, Any]:
    """What may be told of a topic, counted over all texts in the viewer's sight: plain values without personal data."""
    found = topic_page(topic_id, FeedbackFilter(), viewer, zone=timezone.get_default_timezone())
    topic = found.topic
    mask = _mask_of(topic.examples)
    given, *examples = mask.hide([topic.given_name, *(one.body for one in topic.examples)])
    words = [word for word, hidden in zip(topic.words, mask.hide(topic.words), strict=True) if word == hidden]
    return {
        "topic": topic.number,
        "name": given or " · ".join(words[:NAME_WORDS]) or _("Topic %(number)s") % {"number": topic.number},
        "words": words,
        "texts": topic.texts,
        "of": found.total,
        "share": _plain(topic.share),
        "negative": _plain(topic.negative),
        "positive": _plain(topic.positive),
        "examples": [one if len(one) <= LONGEST_EXAMPLE else one[:LONGEST_EXAMPLE] + "…" for one in examples],
        "at": now.isoformat(),
    }


def share_topic(*, topic_id: int, days: int, purpose: str, viewer: Viewer, now: datetime) -> SharedTopic:
    """Show the topic as it stands to whoever has the page's address, for so many days."""
    check_may(viewer, "topic.edit")
    access_topic(topic_id, viewer)
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(_("Choose 1 to %(n)s days.") % {"n": LONGEST_DAYS}, field="days")
    facts = outside_facts(topic_id, viewer, now=now)
    with transaction.atomic():
        page = SharedTopic.objects.create(
            topic_id=topic_id, facts=facts, purpose=purpose.replace("\0", "").strip()[:120], made_by_id=viewer.person_id,
            made_by_name=viewer.name, made_at=now, expires_at=now + timedelta(days=days),
        )  # fmt: skip
        _audit("topic.share", page, viewer, now, {"page": page.pk, "days": days, "texts": facts["texts"]})
    return page


def take_topic_back(*, page_id: int, viewer: Viewer, now: datetime) -> SharedTopic:
    """Close a shared topic for good; closed twice is closed once."""
    check_may(viewer, "topic.edit")
    page = SharedTopic.objects.filter(pk=page_id).first()
    if page is None:
        raise NotFound(_("There is no shared page %(number)s in your teams.") % {"number": page_id})
    access_topic(page.topic_id, viewer)
    with transaction.atomic():
        if SharedTopic.objects.filter(pk=page_id, revoked_at=None).update(revoked_at=now):
            _audit("topic.take_back", page, viewer, now, {"page": page_id})
    return page


def list_shared_topics(topic_id: int) -> list[tuple[SharedTopic, str]]:
    """The pages of a topic with their addresses, newest first."""
    pages = SharedTopic.objects.filter(topic_id=topic_id).order_by("-pk")[:20]
    return [(page, settings.BASE_URL + reverse("shared-topic", args=[make_token(page)])) for page in pages]


def make_token(page: SharedTopic) -> str:
    """What opens a shared topic."""
    return sign_numbers(SALT, page.pk)


def open_topic(token: str, *, now: datetime) -> SharedTopic | None:
    """What a token shows, counted as opened; None when it is wrong, expired or taken back."""
    numbers = read_numbers(SALT, token)
    if numbers is None:
        return None
    page = SharedTopic.objects.filter(pk=numbers[0], revoked_at=None, expires_at__gt=now).first()
    if page is not None:
        SharedTopic.objects.filter(pk=page.pk).update(opened=F("opened") + 1, opened_at=now)
    return page


def _mask_of(examples: Sequence[Message]) -> Mask:
    """A mask that knows the customers of the examples and everybody at the desk."""
    mask = Mask()
    for customer in Customer.objects.filter(pk__in={one.customer_id for one in examples if one.customer_id}):
        mask.know([customer.name, customer.company])
        mask.know((address.value for address in list_addresses(customer)), "CONTACT")
    mask.know(person.display_name for person in list_users())
    return mask


def _plain(rate: Rate) -> dict[str, float | int | None]:
    """A share of 0–1 with its 95 % interval and what it was counted from."""
    return {"share": rate.share, "low": rate.low, "high": rate.high, "n": rate.n}


def _audit(action: str, page: SharedTopic, viewer: Viewer, now: datetime, details: dict[str, Any]) -> None:
    audit.record(actor=actor_of(viewer), action=action, object_type="topic", object_id=page.topic_id, now=now, details=details)
