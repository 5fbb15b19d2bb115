"""Topics as screens show them: counted from the texts in the viewer's sight, named by words that stand in these."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.feedback_queries import FeedbackFilter, FeedbackPage, check_filter, choose, feedback_page
from careloop.desk.analysis.intervals import Rate, rate_of
from careloop.desk.analysis.models import Reading, State
from careloop.desk.analysis.topic_models import FoundTopic, MessageTopic, RunState, Topic, TopicAlarm, TopicRun
from careloop.desk.analysis.topic_rules import LEAST_TEXTS, group_of, scope_of
from careloop.desk.cases.models import Message
from careloop.desk.jobs.models import Job
from careloop.desk.jobs.models import State as JobState
from careloop.desk.kernel.errors import NotFound
from careloop.desk.kernel.slots import slot_of, slot_start

JOBS = ("careloop.desk.analysis.topic_tasks.find_topics", "careloop.desk.analysis.topic_tasks.find_topics_again")
DAYS_BY_DAY = 31  # a longer span is shown by week
DAYS_BY_WEEK = 800
EXAMPLES_SHOWN = 3
WORDS_SHOWN = 8
NAME_WORDS = 3
NEAR_SHOWN = 3
SENTIMENTS = ("NEGATIVE", "NEUTRAL", "POSITIVE")

Counts = Counter[tuple[int, int, str]]  # (slot, topic; 0 for none, sentiment) -> texts


@dataclass(frozen=True)
class Alarm:
    """More texts than the topic's history explains; `p_value` is the chance of any such alarm in a week in which nothing changed."""

    since: date
    until: date
    count: int
    expected: float
    p_value: float


@dataclass(frozen=True)
class TopicFacts:
    """A topic as a viewer sees it; `bars` are its texts in each period of the page."""

    number: int
    name: str
    given_name: str
    group: str
    words: list[str]
    texts: int
    share: Rate
    negative: Rate
    positive: Rate
    bars: list[int]
    examples: list[Message]
    alarm: Alarm | None
    place: tuple[float, float]
    coherence: float
    near: list[int]


@dataclass(frozen=True)
class Bar:
    """One period: its first and last day."""

    first: date
    last: date


@dataclass(frozen=True)
class TopicsPage:
    """All that the topics page shows. Without a run, `waiting` says how many texts of each language there are."""

    run: TopicRun | None
    is_searching: bool
    total: int = 0
    without: int = 0
    unit: str = "week"
    bars: list[Bar] = field(default_factory=list)
    topics: list[TopicFacts] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    least: int = LEAST_TEXTS


@dataclass(frozen=True)
class TopicPage:
    """One topic, and its texts as the feedback page counts them."""

    topic: TopicFacts
    near: list[tuple[int, str]]
    run: TopicRun
    total: int
    texts: FeedbackPage


def topics_page(wanted: FeedbackFilter, viewer: Viewer, *, zone: tzinfo) -> TopicsPage:
    """The topics of the texts that a filter chooses, most frequent first, in a fixed number of queries."""
    check_filter(wanted)
    is_under_way = is_searching()
    run = find_live_run()
    if run is None:
        return TopicsPage(None, is_under_way, waiting=_count_waiting(viewer))
    counts = _count(wanted, viewer, zone, run)
    unit, bars, by_bar = _fold(counts, zone)
    topics = _describe(run, viewer, counts, by_bar)
    by_topic = _sum_by_topic(counts)
    total = sum(sum(each.values()) for each in by_topic.values())
    return TopicsPage(run, is_under_way, total, sum(by_topic[0].values()), unit, bars, topics)


def is_searching() -> bool:
    """Whether topics are being looked for, or are about to be."""
    return bool(Job.objects.filter(task__in=JOBS, state__in=(JobState.READY, JobState.RUNNING)).exists())


def topic_page(topic_id: int, wanted: FeedbackFilter, viewer: Viewer, *, zone: tzinfo, page: int = 1) -> TopicPage:
    """One topic among the texts that a filter chooses, with one page of its texts."""
    access_topic(topic_id, viewer)
    check_filter(wanted)
    run = get_live_run()
    counts = _count(wanted, viewer, zone, run)
    facts = {one.number: one for one in _describe(run, viewer, counts, {}, keep=topic_id)}
    topic = facts.get(topic_id)
    if topic is None:
        raise NotFound(_("Topic %(number)s was not found again when topics were last looked for.") % {"number": topic_id})
    near = [(number, facts[number].name) for number in topic.near if number in facts]
    texts = feedback_page(_with_topic(wanted, topic_id), viewer, zone=zone, page=page)
    return TopicPage(topic, near, run, sum(counts.values()), texts)


def access_topic(topic_id: int, viewer: Viewer, *, is_locked: bool = False) -> Topic:
    """The topic, if a text of it is in the viewer's sight."""
    seen = Reading.objects.visible_to(viewer).filter(message_id__in=MessageTopic.objects.filter(topic_id=topic_id).values("message_id"))
    topics = Topic.objects.select_for_update() if is_locked else Topic.objects.all()
    topic = topics.filter(pk=topic_id).first() if seen.exists() else None
    if topic is None:
        raise NotFound(_("There is no topic %(number)s in your teams' texts.") % {"number": topic_id})
    return topic


def name_of(topic_id: int, viewer: Viewer) -> str:
    """What the viewer may call a topic of the live run: its own name, else those of its words that they may see, else its number."""
    found = FoundTopic.objects.filter(space__run__state=RunState.LIVE, topic_id=topic_id).select_related("topic").first()
    is_seen = found is not None and Reading.objects.visible_to(viewer).filter(
        message_id__in=MessageTopic.objects.filter(topic_id=topic_id).values("message_id")
    )
    return _name(found, viewer) if found is not None and is_seen and is_seen.exists() else _number(topic_id)


def cases_about(topic_id: int, viewer: Viewer) -> QuerySet[Any]:
    """The numbers of the cases in the viewer's teams in which a customer speaks of a topic of the live run, as one column, each once."""
    sorted_here = MessageTopic.objects.filter(topic_id=topic_id, run__state=RunState.LIVE)
    said = Message.objects.visible_to(viewer).filter(pk__in=sorted_here.values("message_id"), case__isnull=False)
    return said.order_by().values("case_id").distinct()


def find_live_run() -> TopicRun | None:
    """The run that screens show."""
    return TopicRun.objects.filter(state=RunState.LIVE).first()


def get_live_run() -> TopicRun:
    """The run that screens show, or a sentence."""
    run = find_live_run()
    if run is None:
        raise NotFound(_("Topics have not been looked for yet."))
    return run


def _with_topic(wanted: FeedbackFilter, topic_id: int) -> FeedbackFilter:
    return FeedbackFilter(**{**vars(wanted), "topic": str(topic_id)})


def _count_waiting(viewer: Viewer) -> dict[str, int]:
    rows = Reading.objects.visible_to(viewer).filter(state=State.DONE).order_by().values_list("language").annotate(n=Count("pk"))
    found: Counter[str] = Counter()
    for language, n in rows:
        found[group_of(language)] += n
    return dict(found)


def _count(wanted: FeedbackFilter, viewer: Viewer, zone: tzinfo, run: TopicRun) -> Counts:
    """Texts that have been sorted, by slot, topic and sentiment: the charts' index, and for each text a look into the topics' index."""
    topic = MessageTopic.objects.filter(run=run, message_id=OuterRef("message_id")).values(number=Coalesce("topic_id", 0))
    chosen: QuerySet[Any] = choose(wanted, viewer, zone).filter(state=State.DONE).order_by()
    try:
        query, parameters = (
            chosen.annotate(found=Subquery(topic)).values_list("slot", "found", "sentiment").annotate(n=Count("pk")).query.sql_with_params()
        )
    except EmptyResultSet:
        return Counter()
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows = cursor.fetchall()
    return Counter({(slot, number, sentiment): n for slot, number, sentiment, n in rows if number is not None})


def _sum_by_topic(counts: Counts) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for (_slot, number, sentiment), n in counts.items():
        found[number][sentiment] += n
    return found


def _fold(counts: Counts, zone: tzinfo) -> tuple[str, list[Bar], dict[int, list[int]]]:
    """The unit, the periods without gaps, and the texts of each topic in each."""
    if not counts:
        return "week", [], {}
    slots = [slot for slot, _number, _sentiment in counts]
    first, last = (slot_start(slot, zone).date() for slot in (min(slots), max(slots)))
    length = (last - first).days + 1
    unit = "day" if length <= DAYS_BY_DAY else "week" if length <= DAYS_BY_WEEK else "month"
    bars = _bars(first, last, unit)
    starts = [slot_of(datetime.combine(bar.first, datetime.min.time(), zone)) for bar in bars]
    by_topic: dict[int, list[int]] = defaultdict(lambda: [0] * len(bars))
    for (slot, number, _sentiment), n in counts.items():
        by_topic[number][bisect_right(starts, slot) - 1] += n
    return unit, bars, by_topic


def _bars(first: date, last: date, unit: str) -> list[Bar]:
    start = first - timedelta(days=first.weekday()) if unit == "week" else first.replace(day=1) if unit == "month" else first
    bars = []
    while start <= last:
        following = (start + timedelta(days=32)).replace(day=1) if unit == "month" else start + timedelta(days=7 if unit == "week" else 1)
        bars.append(Bar(start, following - timedelta(days=1)))
        start = following
    return bars


def _describe(
    run: TopicRun, viewer: Viewer, counts: Counts, by_bar: Mapping[int, list[int]], *, keep: int | None = None
) -> list[TopicFacts]:
    """The topics with texts in sight, and the one to keep, most frequent first; three queries."""
    by_topic = _sum_by_topic(counts)
    total = sum(counts.values())
    rows = FoundTopic.objects.filter(space__run=run).select_related("topic", "space").order_by("pk")
    found = [one for one in rows if one.topic_id in by_topic or one.topic_id == keep]
    messages = _examples(found, viewer)
    alarms = {one.topic_id: one for one in TopicAlarm.objects.filter(run=run, scope=scope_of(viewer.team_ids)).order_by("since")}
    facts = []
    for one in found:
        sentiments = by_topic.get(one.topic_id, Counter())
        texts = sum(sentiments.values())
        alarm = alarms.get(one.topic_id)
        facts.append(
            TopicFacts(
                number=one.topic_id,
                name=_name(one, viewer),
                given_name=one.topic.given_name,
                group=one.space.group,
                words=_words_seen(one, viewer)[:WORDS_SHOWN],
                texts=texts,
                share=rate_of(texts, total),
                negative=rate_of(sentiments["NEGATIVE"], texts),
                positive=rate_of(sentiments["POSITIVE"], texts),
                bars=by_bar.get(one.topic_id, []),
                examples=[messages[pk] for pk in _example_ids(one, viewer) if pk in messages],
                alarm=Alarm(alarm.since, alarm.until, alarm.count, alarm.expected, alarm.p_value) if alarm else None,
                place=(one.x, one.y),
                coherence=one.coherence,
                near=_near(one, found),
            )
        )
    return sorted(facts, key=lambda one: (-one.texts, one.number))


def _examples(found: Sequence[FoundTopic], viewer: Viewer) -> dict[int, Message]:
    """The typical messages in sight, by id."""
    wanted = {pk for one in found for pk in _example_ids(one, viewer)}
    return {message.pk: message for message in Message.objects.visible_to(viewer).filter(pk__in=wanted)}


def _example_ids(one: FoundTopic, viewer: Viewer) -> list[int]:
    keys: Iterable[str] = [""] if viewer.team_ids is None else map(str, sorted(viewer.team_ids))
    per_key = [one.examples.get(key, []) for key in keys]
    in_turn = [ids[place] for place in range(EXAMPLES_SHOWN) for ids in per_key if place < len(ids)]
    return in_turn[:EXAMPLES_SHOWN]


def _words_seen(one: FoundTopic, viewer: Viewer) -> list[str]:
    """The telling words that stand in texts of the viewer's teams, most telling first."""
    return [word for word, score, teams in one.words if score > 0 and _stands_in_sight(teams, viewer)]


def _name(one: FoundTopic, viewer: Viewer) -> str:
    """The given name; else the words that name it, if the viewer may see them all; else those telling words that they may."""
    if one.topic.given_name:
        return one.topic.given_name
    in_sight = {word for word, _score, teams in one.words if _stands_in_sight(teams, viewer)}
    named = one.name_words if in_sight.issuperset(one.name_words) else _words_seen(one, viewer)[:NAME_WORDS]
    return " · ".join(named) or _number(one.topic_id)


def _stands_in_sight(teams: Iterable[int], viewer: Viewer) -> bool:
    return viewer.team_ids is None or not viewer.team_ids.isdisjoint(teams)


def _number(topic_id: int) -> str:
    return _("Topic %(number)s") % {"number": topic_id}


def _near(one: FoundTopic, found: Sequence[FoundTopic]) -> list[int]:
    """The numbers of the largest topics that hang on the same branch."""
    by_place = {other.place: other for other in found if other.space_id == one.space_id}
    below = {number: (first, second) for number, first, second, _distance in one.space.branches}

    def leaves(number: int) -> list[int]:
        return [number] if number not in below else [leaf for child in below[number] for leaf in leaves(child)]

    if one.parent is None or one.parent not in below:
        return []
    beside = [by_place[place] for place in leaves(one.parent) if place != one.place and place in by_place]
    return [other.topic_id for other in sorted(beside, key=lambda other: -other.size)[:NEAR_SHOWN]]
