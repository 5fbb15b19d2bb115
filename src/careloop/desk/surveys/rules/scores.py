"""What a score counts as; the same ends as in the measures of the whole house."""

TOP_QUARTER = 0.75  # of the way from the lowest to the highest: 4 and 5 of 5
PROMOTERS, DETRACTORS = 9, 6


def is_top(score: int, low: int, high: int) -> bool:
    """Whether a score lies in the top quarter of its scale: satisfied, or easy."""
    return score - low >= TOP_QUARTER * (high - low)


def points_of(score: int) -> float:
    """What a recommendation from 0 to 10 counts in the net promoter score: 100, 0 or −100."""
    return 100.0 if score >= PROMOTERS else -100.0 if score <= DETRACTORS else 0.0
