"""The feedback page's filter in its address: every chart, chip and page link is the same address with a change."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from django.utils.translation import gettext as _

from careloop.desk.analysis.feedback_queries import FeedbackFilter
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.reports.address import DAYS, Address, given_in

WORDS = ("source", "channel", "sentiment", "kind", "category", "language", "product", "topic", "aspect", "opinion", "keyword", "q")
STARS = ("stars_from", "stars_to")


class FeedbackAddress(Address):
    """The address of the feedback page. A period has no last day: texts that a wrong clock dated ahead are shown, too."""

    usual: ClassVar[str] = "90"

    def filter(self, today: date) -> FeedbackFilter:
        """The filter that the address means today."""
        values = self.values
        since, until = self.days(today)
        stars = {name: _star(values.get(name, ""), name) for name in STARS}
        words = {name: values.get(name, "") for name in WORDS if name != "q"}
        until = None if self.period else until
        return FeedbackFilter(since=since, until=until, query=values.get("q", ""), **words, **stars)  # type: ignore[arg-type]


def address_from(parameters: Mapping[str, str]) -> FeedbackAddress:
    """The address that a request's parameters spell; an unknown period is refused."""
    return FeedbackAddress(given_in(parameters, ("period", *DAYS, *WORDS, *STARS)))


def _star(given: str, field: str) -> int | None:
    if not given:
        return None
    if given not in {"1", "2", "3", "4", "5"}:
        raise InvalidInput(_("The rating is “%(given)s”; expected a number of stars from 1 to 5.") % {"given": given}, field=field)
    return int(given)
