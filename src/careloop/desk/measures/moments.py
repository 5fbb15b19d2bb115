"""Moments as people type them, to ask for figures as they were shown."""

from datetime import UTC, date, datetime, time

from django.utils.translation import gettext as _

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.actions import house_zone


def moment_of(text: str) -> datetime | None:
    """A moment; a day means its last moment in the house's zone; None for nothing."""
    if not text:
        return None
    try:
        if len(text) == len("2026-05-04"):
            return datetime.combine(date.fromisoformat(text), time.max, house_zone())
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        sentence = _("“%(given)s” is neither a day as 2026-05-04 nor a moment as 2026-05-04T18:00:00+08:00.")
        raise InvalidInput(sentence % {"given": text}, field="as_of") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
