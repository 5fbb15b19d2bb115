"""Who goes into which group: by hash, so that it is the same whenever and wherever it is asked; plain Python."""

import hashlib
import math
from collections.abc import Sequence

RANDOMISED, BEFORE_AFTER = "RANDOMISED", "BEFORE_AFTER"
CASE, CUSTOMER = "CASE", "CUSTOMER"
RULE, MACRO, SOLUTION, AUTOMATIC, OTHER = "RULE", "MACRO", "SOLUTION", "AUTOMATIC", "OTHER"
BEFORE_AFTER_OUTCOMES = {"SATISFACTION", "REOPENED", "RESOLUTION", "RESPONSE"}  # what can be told of all cases of a day
EVERYTHING = 0  # as the number of what is tried: all automatic replies, whatever their solution
LEAST_RATIO = 0.05
MOST_ARMS = 5
MOST_DAYS = 366


def place_of(salt: str, unit_id: int) -> float:
    """Where a case or customer lies between 0 and 1, evenly spread and unrelated from one salt to another."""
    digest = hashlib.sha256(f"{salt}:{unit_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def choose_arm(ratios: Sequence[float], place: float) -> int:
    """Which group holds a place; the groups lie one after the other, as long as their parts."""
    total = 0.0
    for number, ratio in enumerate(ratios):
        total += ratio
        if place < total:
            return number
    return len(ratios) - 1  # parts add up to 1 but for rounding


def problem_of(ratios: Sequence[float]) -> str:
    """What is wrong with the parts: "few", "many", "small", "sum"; "" when nothing is."""
    if len(ratios) < 2:
        return "few"
    if len(ratios) > MOST_ARMS:
        return "many"
    if any(not math.isfinite(one) or one < LEAST_RATIO for one in ratios):
        return "small"
    return "" if math.isclose(sum(ratios), 1, abs_tol=1e-9) else "sum"
