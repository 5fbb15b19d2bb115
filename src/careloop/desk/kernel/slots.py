"""Time slots of 15 minutes since 1970 (UTC): integers that group fast and fold into days of any time zone."""

from datetime import UTC, datetime, tzinfo

SLOT_SECONDS = 900


def slot_of(moment: datetime) -> int:
    """The slot that holds an aware moment."""
    return int(moment.timestamp()) // SLOT_SECONDS


def slot_start(slot: int, zone: tzinfo = UTC) -> datetime:
    """The moment at which a slot begins, told in `zone`; every zone's offset is a multiple of 15 minutes."""
    return datetime.fromtimestamp(slot * SLOT_SECONDS, zone)
