"""What customers say, as rows for a spreadsheet: the rows that the feedback page counts, in its order."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from django.db import transaction

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.feedback_queries import FeedbackFilter, check_filter, iterate_rows
from careloop.desk.analysis.models import Reading
from careloop.desk.audit import actions as audit
from careloop.insight.tables import escape_formula

__all__ = ["COLUMNS", "escape_formula", "export_feedback"]  # reports write files, too, and reach the core through here
COLUMNS = (
    "message",
    "sent_at",
    "channel",
    "text",
    "rating",
    "rating_min",
    "rating_max",
    "product",
    "category",
    "language",
    "sentiment",
    "sentiment_probability",
    "kind",
    "kind_probability",
    "aspects",
    "keywords",
    "case",
    "customer",
)


def export_feedback(wanted: FeedbackFilter, viewer: Viewer, *, zone: tzinfo, now: datetime) -> Iterator[list[Any]]:
    """The header, then a row for each text; the export itself is audited before the first row leaves."""
    check_may(viewer, "feedback.view")
    check_filter(wanted)
    asked = {name: str(value) for name, value in vars(wanted).items() if value}
    with transaction.atomic():
        audit.record(actor=actor_of(viewer), action="feedback.export", object_type="feedback", object_id=None, now=now, details=asked)
    return _rows(wanted, viewer, zone)


def _rows(wanted: FeedbackFilter, viewer: Viewer, zone: tzinfo) -> Iterator[list[Any]]:
    yield list(COLUMNS)
    for reading in iterate_rows(wanted, viewer, zone=zone):
        yield _row(reading, zone)


def _row(reading: Reading, zone: tzinfo) -> list[Any]:
    message, feedback = reading.message, getattr(reading.message, "feedback", None)
    return [
        message.pk,
        message.sent_at.astimezone(zone).isoformat(timespec="seconds"),
        escape_formula(reading.channel.name),
        escape_formula(message.body),
        feedback.rating if feedback else None,
        feedback.rating_min if feedback else None,
        feedback.rating_max if feedback else None,
        escape_formula(feedback.product) if feedback else "",
        escape_formula(reading.category),
        reading.language,
        reading.sentiment,
        reading.sentiment_probability,
        reading.kind,
        reading.kind_probability,
        escape_formula(_aspects(reading)),
        escape_formula(" ".join(map(str, reading.keywords))),
        reading.case_id,
        message.customer_id,
    ]


def _aspects(reading: Reading) -> str:
    """delivery negative 0.12; service positive 0.97: each aspect with the probability that the opinion is positive."""
    said = reading.details.get("aspects", [])
    return "; ".join(f"{aspect} {sentiment} {probability:.2f}" for aspect, sentiment, probability, _start, _end in said)
