"""What customers say: readings chosen by a filter, counted for the feedback page; scoped to the viewer's teams.

Charts read one covering index (`reading_charts`), never the texts; the number of queries does not depend on the number of rows.
"""

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Count, F, Q, QuerySet, TextField
from django.db.models.expressions import Combinable, RawSQL
from django.db.models.functions import Cast
from django.db.models.lookups import In
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.distinctive import Word, distinctive_words
from careloop.desk.analysis.intervals import Mean, Rate, mean_of, rate_of
from careloop.desk.analysis.models import MessageAspect, Reading, State
from careloop.desk.analysis.topic_models import MessageTopic, RunState
from careloop.desk.feedback.models import Feedback
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.slots import slot_of, slot_start
from careloop.desk.search.queries import find_messages, one_of

PAGE_SIZE = 25
CATEGORIES_SHOWN = 15
KEYWORDS_FROM = 5_000
FREQUENT = 2_000  # more texts than this are not looked up one by one: the charts' index is read through and asks whether each is among them
KEYWORDS_SHOWN = 10
STARS = (1, 2, 3, 4, 5)
SENTIMENTS = ("NEGATIVE", "NEUTRAL", "POSITIVE")
SOURCES = ("", "review", "message")
EXPORT_FIRST, EXPORT_CHUNK = 25, 500  # rows a query: few at first, so that a file begins at once


@dataclass(frozen=True)
class FeedbackFilter:
    """Which texts; "" and None mean no restriction. Days are those of the house's time zone, both included.

    `stars_from` and `stars_to` are ratings on a scale of five, whatever the scale on which they were given.
    """

    since: date | None = None
    until: date | None = None
    source: str = ""
    channel: str = ""
    sentiment: str = ""
    kind: str = ""
    category: str = ""
    language: str = ""
    product: str = ""
    topic: str = ""
    aspect: str = ""
    opinion: str = ""  # of the aspect; "" is any, and means nothing without an aspect
    keyword: str = ""
    query: str = ""
    stars_from: int | None = None
    stars_to: int | None = None


@dataclass(frozen=True)
class Day:
    """One bar of the chart over time: its first and last day and the texts of each sentiment."""

    first: date
    last: date
    counts: dict[str, int]


@dataclass(frozen=True)
class CategoryShare:
    """How many of a category's texts are negative."""

    category: str
    negative: Rate


@dataclass(frozen=True)
class Keywords:
    """What sets negative and positive texts apart, from the newest `n` texts."""

    n: int
    negative: list[Word]
    positive: list[Word]


@dataclass(frozen=True)
class FeedbackPage:
    """All that the feedback page shows; `total` is the number of rows and of every chart's texts together."""

    total: int
    failed: int
    negative: Rate
    rating: Mean
    stars: dict[int, int]
    unit: str
    days: list[Day]
    categories: list[CategoryShare]
    uncategorised: int
    keywords: Keywords
    rows: list[Reading]
    page: int
    pages: int


def check_filter(wanted: FeedbackFilter) -> None:
    """Refuse a filter that contradicts itself or names an unknown source or sentiment."""
    if wanted.source not in SOURCES:
        raise InvalidInput(_("The source is %(given)r; expected review, message or nothing.") % {"given": wanted.source}, field="source")
    for name in ("sentiment", "opinion"):
        if (given := getattr(wanted, name)) and given not in SENTIMENTS:
            facts = {"name": name, "given": given, "known": ", ".join(SENTIMENTS)}
            raise InvalidInput(_("The %(name)s is %(given)r; expected one of %(known)s.") % facts, field=name)
    if wanted.topic and not (wanted.topic.isascii() and wanted.topic.isdigit() and len(wanted.topic) < 13):
        raise InvalidInput(_("The topic is “%(given)s”; expected a topic's number.") % {"given": wanted.topic}, field="topic")
    if wanted.since and wanted.until and wanted.since > wanted.until:
        sentence = _("The period begins on %(since)s and ends on %(until)s, before that; swap them.")
        raise InvalidInput(sentence % {"since": wanted.since, "until": wanted.until}, field="since")
    if wanted.stars_from and wanted.stars_to and wanted.stars_from > wanted.stars_to:
        raise InvalidInput(_("The lowest rating is above the highest; swap the two."), field="stars_from")


def feedback_page(wanted: FeedbackFilter, viewer: Viewer, *, zone: tzinfo, page: int = 1) -> FeedbackPage:
    """Tiles, charts and one page of rows for a filter, in four queries, of which three search the texts if the filter does."""
    check_filter(wanted)
    chosen = choose(wanted, viewer, zone)
    read = chosen.filter(state=State.DONE)
    by_slot, failed = _count_by_slot(chosen)
    unit, days = fold_by_day(by_slot, zone)
    total = sum(sum(counts) for _slot, *counts in by_slot)
    newest = _list_newest(read)
    by_category = _count_by_category(read)
    categories, uncategorised = _categories(by_category)
    ratings = [(ratio, n) for _category, ratio, n, _negative in by_category if ratio is not None]
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    return FeedbackPage(
        total=total,
        failed=failed,
        negative=rate_of(sum(negative for _slot, negative, _neutral, _positive in by_slot), total),
        rating=mean_of(((1 + 4 * ratio, n) for ratio, n in ratings), lowest=1, highest=5),
        stars=fold_by_star(ratings),
        unit=unit,
        days=days,
        categories=categories,
        uncategorised=uncategorised,
        keywords=_keywords(newest),
        rows=_with_texts(read, [pk for pk, _sentiment, _words in newest], (page - 1) * PAGE_SIZE),
        page=page,
        pages=pages,
    )


def iterate_rows(wanted: FeedbackFilter, viewer: Viewer, *, zone: tzinfo) -> Iterator[Reading]:
    """Every row of a filter with its text, newest first, in constant memory; those that the page counts, no others."""
    check_filter(wanted)
    rows = _newest_first(choose(wanted, viewer, zone).filter(state=State.DONE))
    last: Reading | None = None
    size = EXPORT_FIRST
    while True:
        after = rows if last is None else rows.filter(Q(slot__lt=last.slot) | Q(slot=last.slot, pk__lt=last.pk))
        chunk = list(after.select_related("message__feedback", "message__customer", "channel")[:size])
        yield from chunk
        if len(chunk) < size:
            return
        last, size = chunk[-1], EXPORT_CHUNK


def choose(wanted: FeedbackFilter, viewer: Viewer, zone: tzinfo) -> QuerySet[Reading]:
    """The readings that a filter wants, failed ones among them."""
    rows: QuerySet[Reading] = Reading.objects.visible_to(viewer)
    if wanted.since:
        rows = rows.filter(slot__gte=_slot_of_day(wanted.since, zone))
    if wanted.until:
        rows = rows.filter(slot__lt=_slot_of_day(wanted.until + timedelta(days=1), zone))
    if wanted.source:
        rows = rows.filter(case__isnull=wanted.source == "review")
    if wanted.channel:
        rows = rows.filter(channel__slug=wanted.channel)
    equal = {name: value for name in ("sentiment", "kind", "category", "language") if (value := getattr(wanted, name))}
    rows = rows.filter(**equal)
    if wanted.stars_from:
        rows = rows.filter(rating_ratio__gte=(wanted.stars_from - 1.5) / 4)
    if wanted.stars_to:
        rows = rows.filter(rating_ratio__lt=(wanted.stars_to - 0.5) / 4)
    if wanted.product:
        rows = rows.filter(message_id__in=Feedback.objects.filter(product=wanted.product).values("message_id"))
    if wanted.topic:
        sorted_here = MessageTopic.objects.filter(topic_id=int(wanted.topic), run__state=RunState.LIVE)
        rows = rows.filter(message_id__in=sorted_here.values("message_id"))
    if wanted.aspect:
        speaking = MessageAspect.objects.filter(aspect=wanted.aspect, **({"sentiment": wanted.opinion} if wanted.opinion else {}))
        rows = rows.filter(message_id__in=speaking.values("message_id"))
    if wanted.keyword:
        rows = rows.filter(_mentions(wanted.keyword), _has_keyword(wanted.keyword))  # the index leaves few lists of keywords to open
    if wanted.query.strip():
        rows = rows.filter(_mentions(wanted.query))
    return rows


def _list_newest(read: QuerySet[Reading]) -> list[tuple[int, str, list[str]]]:
    """(id, sentiment, keywords) of the newest texts; all lists of keywords are parsed as one, which is ten times faster than one by one."""
    written = Cast("keywords", TextField())
    rows = list(_newest_first(read).values_list("pk", "sentiment", written)[:KEYWORDS_FROM])
    keywords = json.loads(f"[{','.join(row[2] for row in rows)}]")
    return [(pk, sentiment, words) for (pk, sentiment, _written), words in zip(rows, keywords, strict=True)]


def _count_by_slot(chosen: QuerySet[Reading]) -> tuple[list[tuple[int, int, int, int]], int]:
    """(slot, negative, neutral, positive), and how many could not be read.

    Grouped by the index's first column alone, the rows come without being sorted; Django would convert each of thousands of integers.
    """
    counts = {name.lower(): Count("pk", filter=Q(state=State.DONE, sentiment=name)) for name in SENTIMENTS}
    failed = Count("pk", filter=Q(state=State.FAILED))
    try:
        query, parameters = chosen.order_by().values_list("slot").annotate(**counts, failed=failed).query.sql_with_params()
    except EmptyResultSet:
        return [], 0
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows = cursor.fetchall()
    return [row[:4] for row in rows if any(row[1:4])], sum(row[4] for row in rows)


def _count_by_category(read: QuerySet[Reading]) -> list[tuple[str, float | None, int, int]]:
    """(category, rating ratio, texts, negative texts)."""
    negative = Count("pk", filter=Q(sentiment="NEGATIVE"))
    return list(read.order_by().values_list("category", "rating_ratio").annotate(n=Count("pk"), negative=negative))


def fold_by_day(by_slot: list[tuple[int, int, int, int]], zone: tzinfo) -> tuple[str, list[Day]]:
    """Counts by slot → the unit ("day", "week" or "month") and a bar for each, empty ones between them included."""
    if not by_slot:
        return "day", []
    midnights, dates = _days_between(min(row[0] for row in by_slot), max(row[0] for row in by_slot), zone)
    totals: dict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
    for slot, negative, neutral, positive in by_slot:
        day_total = totals[dates[bisect_right(midnights, slot) - 1]]
        day_total[0] += negative
        day_total[1] += neutral
        day_total[2] += positive
    days = {day: Counter(dict(zip(SENTIMENTS, counts, strict=True))) for day, counts in totals.items()}
    first, last = min(days), max(days)
    length = (last - first).days + 1
    unit = "day" if length <= 100 else "week" if length <= 800 else "month"
    bars: dict[date, Counter[str]] = {}
    start = _begin_of(first, unit)
    while start <= last:
        bars[start] = Counter()
        start = _next_of(start, unit)
    for day, found in days.items():
        bars[_begin_of(day, unit)].update(found)
    return unit, [Day(start, _next_of(start, unit) - timedelta(days=1), dict(found)) for start, found in bars.items()]


def _days_between(first_slot: int, last_slot: int, zone: tzinfo) -> tuple[list[int], list[date]]:
    """The first slot of each day from the first slot's to the last one's, and the days: a calendar asked once a day, not once a slot."""
    first, last = (slot_start(slot, zone).date() for slot in (first_slot, last_slot))
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [_slot_of_day(day, zone) for day in dates], dates


def fold_by_star(ratings: list[tuple[float, int]]) -> dict[int, int]:
    """Counts by rating ratio → counts by star, each rating to its nearest star (halves up), as the filter chooses them."""
    stars = dict.fromkeys(STARS, 0)
    for ratio, n in ratings:
        stars[next((star for star in STARS if ratio < (star - 0.5) / 4), 5)] += n
    return stars


def _categories(by_category: list[tuple[str, float | None, int, int]]) -> tuple[list[CategoryShare], int]:
    """The categories that are most surely negative: ranked by the interval's lower end, so that small ones do not rise by chance."""
    texts: Counter[str] = Counter()
    negative: Counter[str] = Counter()
    for category, _ratio, n, hits in by_category:
        texts[category] += n
        negative[category] += hits
    uncategorised = texts.pop("", 0)
    shares = [CategoryShare(category, rate_of(negative[category], n)) for category, n in texts.items()]
    return sorted(shares, key=lambda one: (-(one.negative.low or 0), -one.negative.n, one.category))[:CATEGORIES_SHOWN], uncategorised


def _keywords(newest: list[tuple[int, str, list[str]]]) -> Keywords:
    negative = [words for _pk, sentiment, words in newest if sentiment == "NEGATIVE"]
    positive = [words for _pk, sentiment, words in newest if sentiment == "POSITIVE"]
    return Keywords(
        n=len(newest),
        negative=distinctive_words(negative, positive, most=KEYWORDS_SHOWN),
        positive=distinctive_words(positive, negative, most=KEYWORDS_SHOWN),
    )


def _with_texts(read: QuerySet[Reading], newest: list[int], start: int) -> list[Reading]:
    """One page of rows; those among the newest, whose ids are known, are not searched for again."""
    rows = _newest_first(Reading.objects.filter(pk__in=newest[start : start + PAGE_SIZE]))
    if start + PAGE_SIZE > len(newest) == KEYWORDS_FROM:
        rows = _newest_first(read)[start : start + PAGE_SIZE]
    return list(rows.select_related("message__feedback", "message__customer", "message__case", "channel"))


def _newest_first(rows: QuerySet[Reading]) -> QuerySet[Reading]:
    return rows.order_by("-slot", "-pk")


def _mentions(words: str) -> Q:
    """Whether the search index finds the words in the text; it is asked once, however many queries use the answer."""
    found = find_messages(words)
    left: Combinable = F("message_id") + 0 if found.count > FREQUENT else F("message_id")
    return Q(In(left, one_of(found)))


def _has_keyword(word: str) -> Any:
    """Whether the reading's list of keywords holds this very word."""
    if connection.vendor == "sqlite":
        clause = "EXISTS (SELECT 1 FROM json_each(analysis_reading.keywords) WHERE json_each.value = %s)"
    else:
        clause = "analysis_reading.keywords @> to_jsonb(%s::text)"
    return RawSQL(clause, (word,), output_field=BooleanField())  # noqa: S611  (the clause is a constant; the word is a parameter)


def _slot_of_day(day: date, zone: tzinfo) -> int:
    return slot_of(datetime.combine(day, time.min, zone))


def _begin_of(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _next_of(start: date, unit: str) -> date:
    if unit == "month":
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=7 if unit == "week" else 1)
