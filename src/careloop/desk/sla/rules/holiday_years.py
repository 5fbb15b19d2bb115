"""Which days of a year a country takes off or makes up for, and whether that year has been announced.

China announces each year's holidays and make-up working days (调休) in the autumn before. The package `holidays` answers later years as if
there were none; `chinese-calendar` refuses them. Both are asked, and a day on which they differ is named. Weekend days inside an announced
holiday, which `holidays` leaves out, are closed as well: a shop that works on Saturdays rests on that one.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar
import holidays
from chinese_calendar import constants

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence

CHINA = "CN"


@dataclass(frozen=True)
class HolidayYear:
    """A country's year: closed days by name, working days on weekends, whether it is announced, and days on which the sources differ."""

    closed: dict[date, str]
    make_up: frozenset[date]
    is_published: bool
    disputed: tuple[date, ...] = ()


NO_HOLIDAYS = HolidayYear({}, frozenset(), is_published=True)


@lru_cache(maxsize=256)
def find_holidays(country: str, subdivision: str, year: int) -> HolidayYear:
    """The year of a country (ISO 3166 code) and perhaps a part of it; none for an empty code."""
    if not country:
        return NO_HOLIDAYS
    try:
        found = holidays.country_holidays(country, subdiv=subdivision or None, years=[year - 1, year, year + 1])
    except NotImplementedError as error:
        given = f"{country} {subdivision}".strip()
        sentence = Sentence("No holidays are known for “{given}”; choose a country of the list and one of its parts, or none.", given=given)
        raise InvalidInput(sentence, field="country") from error
    closed = {day: found[day] for day in found if day.year == year}
    make_up = frozenset(day for day in found.weekend_workdays if day.year == year)
    if country != CHINA or subdivision:
        return HolidayYear(closed, make_up, is_published=True)
    try:
        disputed = _compare_china(closed, make_up, year)
    except NotImplementedError:
        return HolidayYear(closed, make_up, is_published=False)
    weekends = {day: name for day, name in constants.holidays.items() if day.year == year}
    return HolidayYear(weekends | closed, make_up, is_published=True, disputed=disputed)


def list_countries() -> dict[str, list[str]]:
    """Codes of the countries whose holidays are known, each with the codes of its parts."""
    return dict(sorted(holidays.list_supported_countries().items()))


def _compare_china(closed: dict[date, str], make_up: frozenset[date], year: int) -> tuple[date, ...]:
    """Days that one source calls a working day and the other does not; NotImplementedError when the year is not announced."""
    days = [date(year, 1, 1) + timedelta(days) for days in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    theirs = [chinese_calendar.is_workday(day) for day in days]
    ours = [day in make_up or (day.weekday() < 5 and day not in closed) for day in days]
    return tuple(day for day, mine, other in zip(days, ours, theirs, strict=True) if mine != other)
