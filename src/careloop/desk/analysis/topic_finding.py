"""Finding topics: chosen texts are divided by language group, the result is built beside the live run and takes its place when whole.

Loaded by workers only. No step holds a transaction longer than a few thousand rows, and a run that is killed leaves the live one as it was.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from careloop.desk.analysis.models import Reading, State
from careloop.desk.analysis.topic_describing import Described, Earlier, describe
from careloop.desk.analysis.topic_files import pack
from careloop.desk.analysis.topic_models import FoundTopic, MessageTopic, RunState, Topic, TopicRun, TopicSpace
from careloop.desk.analysis.topic_rules import LEAST_TEXTS, MOST_TOPICS, SAME_SIZE_RATIO, first_slot, group_of, sample
from careloop.desk.analysis.topic_sorting import sort_texts
from careloop.desk.analysis.topic_watching import watch
from careloop.desk.cases.models import Message
from careloop.desk.jobs.models import Job
from careloop.desk.jobs.models import State as JobState
from careloop.insight.errors import InputError
from careloop.insight.topics import TopicModel
from careloop.insight.topics.hierarchy import join_topics

if TYPE_CHECKING:
    from careloop.desk.analysis.topic_sorting import Tell

ROWS_AT_ONCE = 2_000
TEXTS_AT_ONCE = 5_000
LONGEST_TEXT = 2_000  # characters; a topic model looks no further


@dataclass(frozen=True)
class Chosen:
    """Texts of one language group in a fixed order, with the team of each."""

    message_ids: list[int]
    team_ids: list[int]


def find_topics(
    *, span_days: int | None, clock: Callable[[], datetime], job_id: int | None = None, tell: "Tell | None" = None
) -> TopicRun | None:
    """Find the topics of a span and let them take the live ones' place; None when another run is at it or texts are too few."""
    run = begin_run(span_days=span_days, now=clock(), job_id=job_id)
    if run is None:
        return None
    say = tell or (lambda _done, _of: None)
    groups = choose_texts(run)
    worthwhile = {group: chosen for group, chosen in groups.items() if len(chosen.message_ids) >= LEAST_TEXTS}
    for group, chosen in worthwhile.items():
        _find_in_group(run, group, chosen, now=clock())
        run.fitted += len(chosen.message_ids)
        say(run.fitted, run.in_span)
    if not TopicSpace.objects.filter(run=run).exists():
        discard(run)
        return None
    TopicRun.objects.filter(pk=run.pk).update(fitted=run.fitted, in_span=run.in_span)
    sort_texts(run, tell=lambda done, _of: say(run.fitted + done, run.in_span))
    watch(run, now=clock())
    go_live(run, now=clock())
    sweep()
    return run


def begin_run(*, span_days: int | None, now: datetime, job_id: int | None) -> TopicRun | None:
    """A new run beside the live one; what an earlier, dead attempt left is thrown away. None while another job is at it."""
    left = TopicRun.objects.filter(state=RunState.BUILDING).first()
    if left is not None:
        is_busy = left.job_id is not None and left.job_id != job_id and _is_running(left.job_id, now)
        if is_busy:
            return None
        discard(left)
    start = first_slot(span_days, now, timezone.get_default_timezone())
    return TopicRun.objects.create(span_days=span_days, first_slot=start, started_at=now, job_id=job_id)


def choose_texts(run: TopicRun) -> dict[str, Chosen]:
    """The texts of the span by language group, at most 50,000 of them, oldest message first; sets how many there are."""
    rows = list(
        Reading.objects.filter(state=State.DONE, slot__gte=run.first_slot).order_by().values_list("message_id", "language", "team_id")
    )
    run.in_span = len(rows)
    kept = sample([row[0] for row in rows])
    groups: dict[str, Chosen] = defaultdict(lambda: Chosen([], []))
    for message_id, language, team_id in sorted(rows):
        if message_id in kept:
            groups[group_of(language)].message_ids.append(message_id)
            groups[group_of(language)].team_ids.append(team_id)
    return dict(groups)


def go_live(run: TopicRun, *, now: datetime) -> None:
    """Put the run in the live one's place, in one step."""
    with transaction.atomic():
        TopicRun.objects.filter(state=RunState.LIVE).update(state=RunState.PAST)
        TopicRun.objects.filter(pk=run.pk).update(state=RunState.LIVE, finished_at=now)
    run.refresh_from_db()


def sweep() -> None:
    """Give back the room that past runs take; their topics' names and words stay, as the history."""
    for run in TopicRun.objects.filter(state=RunState.PAST):
        _forget_messages(run)
        TopicSpace.objects.filter(run=run).exclude(archive=b"").update(archive=b"")


def discard(run: TopicRun) -> None:
    """Take an unfinished run away, with the topics that only it had found."""
    _forget_messages(run)
    with transaction.atomic():
        TopicRun.objects.filter(pk=run.pk).delete()
        Topic.objects.filter(found=None, given_name="").delete()


def _find_in_group(run: TopicRun, group: str, chosen: Chosen, *, now: datetime) -> None:
    texts = _load_texts(chosen.message_ids)
    before = TopicSpace.objects.filter(run__state=RunState.LIVE, group=group).first()
    earlier = [Earlier.of(found) for found in before.found.select_related("topic").order_by("place")] if before else []
    try:
        model, asked = _fit(texts, _number_to_keep(before, len(texts)))
    except InputError:  # no two of these texts share a content word
        return
    described = describe(model, chosen.team_ids, chosen.message_ids, earlier)
    branches = [[one.number, one.first, one.second, round(one.distance, 4)] for one in join_topics(model.vectors_, model.labels_)]
    with transaction.atomic():
        space = TopicSpace.objects.create(run=run, group=group, fitted=len(texts), asked=asked, branches=branches, archive=pack(model))
        topics = _store_topics(space, described, now)
    _store_messages(run, model, chosen.message_ids, topics)


def _is_running(job_id: int, now: datetime) -> bool:
    return Job.objects.filter(pk=job_id, state=JobState.RUNNING, lease_until__gt=now).exists()


def _fit(texts: Sequence[str], n_topics: int | None) -> tuple[TopicModel, int]:
    """A fitted model and the number of topics that it looked for: at most what one can look over."""
    model = TopicModel(n_topics, most=MOST_TOPICS).fit(texts)
    return model, n_topics or len(model.topics_)


def _number_to_keep(before: TopicSpace | None, n_texts: int) -> int | None:
    """About as many texts as last time have as many topics, so that numbers do not jump from night to night; else it is chosen anew."""
    if before is None:
        return None
    return before.asked if max(n_texts, before.fitted) <= SAME_SIZE_RATIO * min(n_texts, before.fitted) else None


def _load_texts(message_ids: Sequence[int]) -> list[str]:
    texts: list[str] = []
    for start in range(0, len(message_ids), TEXTS_AT_ONCE):
        part = message_ids[start : start + TEXTS_AT_ONCE]
        bodies = dict(Message.objects.filter(pk__in=part).values_list("pk", "body"))
        texts += [bodies.get(message_id, "")[:LONGEST_TEXT] for message_id in part]
    return texts


def _store_topics(space: TopicSpace, described: Sequence[Described], now: datetime) -> list[int]:
    """Topic numbers by place; a topic that continues none gets the next number, larger ones first."""
    numbers = []
    for one in described:
        number = one.continues or Topic.objects.create(created_at=now).pk
        numbers.append(number)
        FoundTopic.objects.create(space=space, topic_id=number, **one.columns)
    return numbers


def _store_messages(run: TopicRun, model: TopicModel, message_ids: Sequence[int], topics: Sequence[int]) -> None:
    for start in range(0, len(message_ids), ROWS_AT_ONCE):
        rows = []
        for place, message_id in enumerate(message_ids[start : start + ROWS_AT_ONCE], start):
            label = int(model.labels_[place])
            probability = float(model.probabilities_[place, label]) if label >= 0 else 0.0
            rows.append(
                MessageTopic(run=run, message_id=message_id, topic_id=topics[label] if label >= 0 else None, probability=probability)
            )
        MessageTopic.objects.bulk_create(rows, ignore_conflicts=True)


def _forget_messages(run: TopicRun) -> None:
    rows = MessageTopic.objects.filter(run=run)
    while ids := list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        MessageTopic.objects.filter(pk__in=ids).delete()
