"""A page's choice in its address: period, filters and split; every link on the page is the same address with a change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.definitions import GROUPS

PERIODS = {"7": 7, "30": 30, "90": 90, "365": 365, "all": 0}
DEFAULT_PERIOD = "30"
NUMBERS = frozenset({"team", "channel", "agent", "priority"})
MOST_LENGTH = 200
DAYS = ("since", "until")
OWN = {"times": ("target",), "retention": ("within",)}  # what can be chosen of one report alone


@dataclass(frozen=True)
class Address:
    """What an address asks for: the parameters that count, cleaned, in a fixed order; `usual` is the period of a page without one."""

    given: tuple[tuple[str, str], ...]
    usual: ClassVar[str] = DEFAULT_PERIOD

    @property
    def values(self) -> dict[str, str]:
        """Parameter → value."""
        return dict(self.given)

    @property
    def period(self) -> str:
        """The chosen period's code, "" when the days are given."""
        return "" if self.values.keys() & set(DAYS) else self.values.get("period", self.usual)

    def link(self, **changes: Any) -> str:
        """The query string with changes ("" takes a parameter away); days take the place of a period and the other way round."""
        values = {**self.values, **{name: str(value) for name, value in changes.items()}}
        for name in ("period",) if changes.keys() & set(DAYS) else DAYS if "period" in changes else ():
            values.pop(name, None)
        return "?" + urlencode({name: value for name, value in values.items() if value and (name, value) != ("period", self.usual)})

    def days(self, today: date) -> tuple[date | None, date | None]:
        """The first and the last day; None where there is no limit."""
        if self.period and PERIODS[self.period]:
            return today - timedelta(days=PERIODS[self.period] - 1), today
        since, until = (day_of(self.values.get(name, ""), name) for name in DAYS)
        return since, until


class ReportAddress(Address):
    """The address of a report."""

    def question(self, today: date, measures: tuple[str, ...] = ()) -> Question:
        """What the address asks today."""
        values = self.values
        chosen = {name: _facet(name, values[name]) for name in GROUPS if name in values}
        return Question(measures, values.get("by", ""), values.get("per", ""), *self.days(today), chosen, _moment(values.get("as_of", "")))


def address_from(parameters: Mapping[str, str], report: str = "") -> ReportAddress:
    """The address that a request's parameters spell; an unknown period is refused. "-" chooses what has no value."""
    return ReportAddress(given_in(parameters, ("period", *DAYS, *GROUPS, "by", "per", "as_of", *OWN.get(report, ()))))


def given_in(parameters: Mapping[str, str], names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The parameters of these names, cleaned."""
    cleaned = {name: parameters.get(name, "").replace("\0", "").strip()[:MOST_LENGTH] for name in names}
    if cleaned["period"] and cleaned["period"] not in PERIODS:
        raise InvalidInput(_("The period is “%(given)s”; choose one from the list.") % {"given": cleaned["period"]}, field="period")
    return tuple((name, value) for name, value in cleaned.items() if value)


def spell(value: Any) -> str:
    """A facet's value as it stands in an address."""
    return str(value) if value not in {"", 0, None} else "-"


def _facet(name: str, given: str) -> Any:
    if given == "-":
        return 0 if name in NUMBERS else ""
    if name not in NUMBERS:
        return given
    if not (given.isascii() and given.isdigit() and len(given) < 13):
        raise InvalidInput(_("“%(given)s” is not a number; choose from the list.") % {"given": given}, field=name)
    return int(given)


def day_of(given: str, field: str) -> date | None:
    """A day as it stands in an address; None for none."""
    if not given:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise InvalidInput(_("“%(given)s” is not a day; write it as 2026-05-04.") % {"given": given}, field=field) from None
    if not 1970 <= day.year <= 2200:
        raise InvalidInput(_("The year %(year)s is out of range; choose a day between 1970 and 2200.") % {"year": day.year}, field=field)
    return day


def _moment(given: str) -> datetime | None:
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError:
        sentence = _("“%(given)s” is not a moment; write it as 2026-05-04T18:00:00+08:00.")
        raise InvalidInput(sentence % {"given": given}, field="as_of") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
