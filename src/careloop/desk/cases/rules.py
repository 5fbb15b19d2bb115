"""Which changes of a case make sense: plain Python."""

from datetime import datetime, timedelta

OPEN, WAITING, RESOLVED = "OPEN", "WAITING", "RESOLVED"
UNRESOLVED = (OPEN, WAITING)
LOW, NORMAL, HIGH, URGENT = 10, 20, 30, 40
KINDS = ("CONSULTATION", "COMPLAINT", "REFUND", "SUGGESTION", "PRAISE", "OTHER")
JOIN_WITHIN = timedelta(days=7)
SUBJECT_LENGTH = 200
SNIPPET_LENGTH = 160
UNHAPPY_BELOW = 0.15


def joins_case(*, status: str, last_message_at: datetime, now: datetime) -> bool:
    """Whether a new message of the same customer in the same channel joins this case instead of opening one."""
    return status in UNRESOLVED and now - last_message_at <= JOIN_WITHIN


def subject_from(text: str) -> str:
    """A subject for a message without one: its first line, cut at a word or sentence end."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    for end in "。！？!?":
        if 6 <= line.find(end) < 60:
            return line[: line.find(end) + (end in "！？!?")]
    if len(line) <= 60:
        return line
    cut = line[:60]
    return (cut.rsplit(" ", 1)[0] if " " in cut[30:] else cut) + "…"


def snippet_from(text: str) -> str:
    """The beginning of a text on one line, for lists."""
    flat = " ".join(text[: SNIPPET_LENGTH * 3].split())
    return flat if len(flat) <= SNIPPET_LENGTH else flat[: SNIPPET_LENGTH - 1] + "…"


def priority_after_triage(kind: str, positive_probability: float, current: int) -> int:
    """Complaints and refunds of clearly unhappy customers come before the rest; a priority is never lowered by a reading."""
    if kind in {"COMPLAINT", "REFUND"} and positive_probability < UNHAPPY_BELOW:
        return max(current, HIGH)
    return current
