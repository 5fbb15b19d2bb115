"""Quiet hours in somebody's own time zone; what falls into them is moved to their end."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

DAY_MINUTES, MOST_SHIFT = 1_440, 120
MINUTE = timedelta(minutes=1)


def is_quiet(moment: datetime, zone: tzinfo, quiet_from: int, quiet_until: int) -> bool:
    """Whether the clock on the wall stands between the two minutes of the day; equal ones mean no quiet hours."""
    wall = moment.astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    if quiet_from <= quiet_until:
        return quiet_from <= minute < quiet_until
    return minute >= quiet_from or minute < quiet_until


def after_quiet(moment: datetime, zone: tzinfo, quiet_from: int, quiet_until: int) -> datetime:
    """The moment itself, or the first whole minute after it that is not quiet, in UTC.

    Goes to two hours before the end at once (no clock is put further than that) and looks minute by minute from there, so that nights
    with 23 and 25 hours need no rule of their own.
    """
    found = moment.astimezone(UTC)
    if not is_quiet(found, zone, quiet_from, quiet_until):
        return found
    wall = found.astimezone(zone)
    left = (quiet_until - wall.hour * 60 - wall.minute) % DAY_MINUTES
    found = found.replace(second=0, microsecond=0) + max(0, left - MOST_SHIFT) * MINUTE
    for _minute in range(2 * DAY_MINUTES):
        found += MINUTE
        if not is_quiet(found, zone, quiet_from, quiet_until):
            break
    return found


def zone_of(name: object, otherwise: tzinfo) -> tzinfo:
    """The zone of this name; where there is none of that name, the other."""
    if not isinstance(name, str) or not name or name.startswith(("/", ".")):
        return otherwise
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return otherwise
