"""The topic of texts that a run did not learn from: those outside its sample, and those that arrive later."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef

from careloop.desk.analysis.models import Reading, State
from careloop.desk.analysis.topic_files import open_space
from careloop.desk.analysis.topic_models import FoundTopic, MessageTopic, TopicRun, TopicSpace
from careloop.desk.analysis.topic_rules import group_of
from careloop.insight.topics.clusters import NO_TOPIC

AT_ONCE = 2_000
LATE = 1_000  # readings whose transactions may end after those of younger ones
LONGEST_TEXT = 2_000

Tell = Callable[[int, int], None]
Unsorted = tuple[int, int, str, str]  # reading, message, language, text


def sort_texts(run: TopicRun, *, most: int | None = None, tell: Tell | None = None) -> int:
    """Give each reading of the run's span that has none its topic, at most about so many; returns how many. Two may be at it."""
    n_sorted = 0
    while most is None or n_sorted < most:
        rows = _list_unsorted(run)
        if not rows:
            break
        MessageTopic.objects.bulk_create(_read(run, rows), ignore_conflicts=True)
        run.sorted_to = max(run.sorted_to, rows[-1][0])
        TopicRun.objects.filter(pk=run.pk, sorted_to__lt=run.sorted_to).update(sorted_to=run.sorted_to)
        n_sorted += len(rows)
        if tell:
            tell(n_sorted, n_sorted)
    return n_sorted


def _list_unsorted(run: TopicRun) -> list[Unsorted]:
    has_topic = Exists(MessageTopic.objects.filter(run=run, message_id=OuterRef("message_id")))
    rows = Reading.objects.filter(~has_topic, pk__gt=run.sorted_to - LATE, state=State.DONE, slot__gte=run.first_slot)
    return list(rows.order_by("pk").values_list("pk", "message_id", "language", "message__body")[:AT_ONCE])


def _read(run: TopicRun, rows: Sequence[Unsorted]) -> list[MessageTopic]:
    by_group: dict[str, list[Unsorted]] = defaultdict(list)
    for row in rows:
        by_group[group_of(row[2])].append(row)
    spaces = {space.group: space for space in TopicSpace.objects.filter(run=run).defer("archive")}
    found: list[MessageTopic] = []
    for group, texts in by_group.items():
        space = spaces.get(group)
        answers: list[Any] = (
            [(NO_TOPIC, 0.0)] * len(texts) if space is None else open_space(space.pk).read([row[3][:LONGEST_TEXT] for row in texts])
        )
        topics = dict(FoundTopic.objects.filter(space=space).values_list("place", "topic_id")) if space else {}
        found += [
            MessageTopic(run=run, message_id=row[1], topic_id=None if place == NO_TOPIC else topics[place], probability=probability)
            for row, (place, probability) in zip(texts, answers, strict=True)
        ]
    return found
