"""Whether two solutions say nearly the same, so that neither customers nor the ranking can tell them apart."""

ALIKE = 0.6  # of the pieces of both that both have
_LETTERS = 3


def pieces_of(*texts: str) -> frozenset[str]:
    """Every run of three letters or digits of the texts, case, spaces and punctuation left out."""
    flat = "".join(letter for text in texts for letter in text.lower() if letter.isalnum())
    return frozenset(flat[place : place + _LETTERS] for place in range(max(1, len(flat) - _LETTERS + 1))) if flat else frozenset()


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of both texts' pieces that both have (Jaccard), 0–1."""
    return len(one & other) / len(one | other) if one and other else 0.0
