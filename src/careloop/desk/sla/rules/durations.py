"""Working time as people write it: “90”, “1h 30m”, “2 小时”."""

import re

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence

HOUR = 60
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(h|hours?|小时|时|m|min|minutes?|分钟|分)?", re.IGNORECASE)


def read_minutes(text: str, field: str) -> int | None:
    """Minutes from “90”, “1h 30m”, “1.5h”, “2小时30分”, with a sign in front or not; None when blank."""
    stripped = text.strip().replace("−", "-")
    if not stripped:
        return None
    sign, rest = (-1, stripped[1:]) if stripped[0] == "-" else (1, stripped.removeprefix("+"))
    total, end = 0.0, 0
    for found in _PART.finditer(rest):
        if rest[end : found.start()].strip():
            break
        unit = (found[2] or "m").lower()
        total += float(found[1]) * (HOUR if unit[0] in "h小时" else 1)
        end = found.end()
    if not end or rest[end:].strip() or total != int(total) or total > 10**7:
        sentence = Sentence("“{given}” is no length of time; write minutes such as 90, or 1h 30m.", given=text.strip()[:40])
        raise InvalidInput(sentence, field=field)
    return sign * int(total)


def show_minutes(minutes: int | None) -> str:
    """“1h 30m” from minutes; blank for None."""
    if minutes is None:
        return ""
    hours, rest = divmod(abs(minutes), HOUR)
    parts = [f"{hours}h"] if hours else []
    parts += [f"{rest}m"] if rest or not hours else []
    return ("-" if minutes < 0 else "") + " ".join(parts)
