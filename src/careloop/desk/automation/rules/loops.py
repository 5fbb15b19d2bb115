"""The loop guard: what rules cause may set off rules again, but only so far."""

from collections.abc import Collection

MOST_DEEP = 3
MOST_REPLIES_A_DAY = 3
MOST_A_DAY = 100
TOO_DEEP, TWICE, TOO_MANY_REPLIES, TOO_OFTEN = "TOO_DEEP", "TWICE", "TOO_MANY_REPLIES", "TOO_OFTEN"


def why_stopped(*, depth: int, rule_id: int, fired: Collection[int], replies_today: int = 0, today: int = 0) -> str:
    """Why a rule must not act on an event that is `depth` rules away from what a person or customer did; "" when it may.

    `fired` are the rules that acted on that root event already. Each acts at most once, so a chain has at most as many links as there
    are rules, and at most MOST_DEEP one below the other. How often a rule acts in one case within a day, and replies, is counted besides:
    a customer's machine, a system that is told by webhook or the end of a snooze may answer it with a new root.
    """
    if rule_id in fired:
        return TWICE
    if depth >= MOST_DEEP:
        return TOO_DEEP
    if today >= MOST_A_DAY:
        return TOO_OFTEN
    return TOO_MANY_REPLIES if replies_today >= MOST_REPLIES_A_DAY else ""
