"""Recording feedback, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass

from careloop.desk.cases.models import Message
from careloop.desk.feedback.models import Feedback
from careloop.desk.kernel.rows import insert_rows


@dataclass(frozen=True)
class NewFeedback:
    """A rating and what it is about."""

    message: Message
    rating: float | None
    rating_min: float
    rating_max: float
    category: str = ""
    product: str = ""
    source: str = "REVIEW"


def record_feedback(given: Iterable[NewFeedback]) -> list[Feedback]:
    """Store the ratings beside their messages."""
    return insert_rows(
        [
            Feedback(
                message=one.message,
                team_id=one.message.team_id,
                source=one.source,
                rating=one.rating,
                rating_min=one.rating_min,
                rating_max=one.rating_max,
                category=one.category[:80],
                product=one.product[:120],
            )
            for one in given
        ]
    )
