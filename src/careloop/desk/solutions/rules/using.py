"""Whether a solution was really used in what was sent, and whether it helped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

INSERTED, AUTO, SHOWN = "INSERTED", "AUTO", "SHOWN"
QUIET_DAYS = 7  # without another word from the customer, a reply has helped
LEAST_KEPT = 0.3  # of a solution's reply that must be left in what was sent
_LETTERS = 4


def is_kept(reply: str, sent: str) -> bool:
    """Whether so much of a solution's reply stands in what was sent that it counts as used."""
    pieces = _pieces(reply)
    if not pieces:
        return False
    return len(pieces & _pieces(sent)) >= LEAST_KEPT * len(pieces)


def _pieces(text: str) -> set[str]:
    flat = "".join(text.lower().split())
    return {flat[place : place + _LETTERS] for place in range(len(flat) - _LETTERS + 1)} or ({flat} if flat else set())


@dataclass(frozen=True)
class Answer:
    """What the customer did after a reply: wrote again, thanked, or said whether it is solved."""

    at: datetime
    is_thanks: bool = False
    said_solved: bool | None = None


def has_helped(replied_at: datetime, answers: Sequence[Answer], now: datetime, *, is_automatic: bool = False) -> bool | None:
    """Whether a reply has helped; None while it is too early.

    The customer's own word first. Without one, an automatic reply has helped when they had to write nothing more but thanks; a person's
    reply, which may begin a conversation, when the last that they wrote within the week were thanks, or they wrote nothing.
    """
    said = [one.said_solved for one in sorted(answers, key=lambda one: one.at) if one.said_solved is not None]
    if said:
        return said[-1]
    until = replied_at + timedelta(days=QUIET_DAYS)
    within = [one for one in sorted(answers, key=lambda one: one.at) if replied_at < one.at <= until]
    counted = within if is_automatic else within[-1:]
    if any(not one.is_thanks for one in counted):
        return False
    return True if now >= until or any(one.is_thanks and replied_at < one.at for one in answers) else None
