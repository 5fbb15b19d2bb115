"""The feedback page's filter in its address: every chart, chip and page link is the same address with a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from careloop.desk.analysis.feedback_queries import FeedbackFilter
from careloop.desk.kernel.errors import InvalidInput

PERIODS = {"30": 30, "90": 90, "365": 365, "all": 0}
DEFAULT_PERIOD = "90"
WORDS = ("source", "channel", "sentiment", "kind", "category", "language", "product", "topic", "aspect", "opinion", "keyword", "q")
DAYS = ("since", "until")
STARS = ("stars_from", "stars_to")


@dataclass(frozen=True)
class FeedbackAddress:
    """What an address asks for: the parameters that count, cleaned, in a fixed order."""

    given: tuple[tuple[str, str], ...]

    @property
    def values(self) -> dict[str, str]:
        """Parameter → value."""
        return dict(self.given)

    @property
    def period(self) -> str:
        """The chosen period's code, "" when the days are given."""
        values = self.values
        return "" if "since" in values or "until" in values else values.get("period", DEFAULT_PERIOD)

    def link(self, **changes: str | int | date) -> str:
        """The query string with changes ("" takes a parameter away); days take the place of a period and the other way round."""
        values = {**self.values, **{name: str(value) for name, value in changes.items()}}
        for name in ("period",) if "since" in changes or "until" in changes else DAYS if "period" in changes else ():
            values.pop(name, None)
        kept = {name: value for name, value in values.items() if value and (name, value) != ("period", DEFAULT_PERIOD)}
        return "?" + urlencode(kept)

    def filter(self, today: date) -> FeedbackFilter:
        """The filter that the address means today."""
        values = self.values
        since, until = (_day(values.get(name, ""), name) for name in DAYS)
        if self.period and PERIODS[self.period]:
            since = today - timedelta(days=PERIODS[self.period] - 1)
        stars = {name: _star(values.get(name, ""), name) for name in STARS}
        words = {name: values.get(name, "") for name in WORDS if name != "q"}
        return FeedbackFilter(since=since, until=until, query=values.get("q", ""), **words, **stars)  # type: ignore[arg-type]


def address_from(parameters: Mapping[str, str]) -> FeedbackAddress:
    """The address that a request's parameters spell; an unknown period is refused."""
    cleaned = {name: parameters.get(name, "").replace("\0", "").strip()[:200] for name in ("period", *DAYS, *WORDS, *STARS)}
    if cleaned["period"] and cleaned["period"] not in PERIODS:
        raise InvalidInput(_("The period is “%(given)s”; choose one from the list.") % {"given": cleaned["period"]}, field="period")
    return FeedbackAddress(tuple((name, value) for name, value in cleaned.items() if value))


def _day(given: str, field: str) -> date | None:
    if not given:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise InvalidInput(_("“%(given)s” is not a day; write it as 2026-05-04.") % {"given": given}, field=field) from None
    if not 1970 <= day.year <= 2200:
        raise InvalidInput(_("The year %(year)s is out of range; choose a day between 1970 and 2200.") % {"year": day.year}, field=field)
    return day


def _star(given: str, field: str) -> int | None:
    if not given:
        return None
    if given not in {"1", "2", "3", "4", "5"}:
        raise InvalidInput(_("The rating is “%(given)s”; expected a number of stars from 1 to 5.") % {"given": given}, field=field)
    return int(given)
