"""The loop guard: what rules cause may set off rules again, but only so far."""

from collections.abc import Collection

MOST_DEEP = 3
MOST_REPLIES_A_DAY = 3
TOO_DEEP, TWICE, TOO_MANY_REPLIES = "TOO_DEEP", "TWICE", "TOO_MANY_REPLIES"


def why_stopped(*, depth: int, rule_id: int, fired: Collection[int], replies_today: int = 0) -> str:
    """Why a rule must not act on an event that is `depth` rules away from what a person or customer did; "" when it may.

    `fired` are the rules that acted on that root event already. Each acts at most once, so a chain has at most as many links as there
    are rules, and at most MOST_DEEP one below the other. Replies to one case are counted besides: a customer's machine may answer them.
    """
    if rule_id in fired:
        return TWICE
    if depth >= MOST_DEEP:
        return TOO_DEEP
    return TOO_MANY_REPLIES if replies_today >= MOST_REPLIES_A_DAY else ""
