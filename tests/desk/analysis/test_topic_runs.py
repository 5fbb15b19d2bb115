"""Topics: found by language, kept from run to run, counted for each viewer from what they may see, never half replaced."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from careloop.desk.analysis import topic_finding, topic_tasks
from careloop.desk.analysis.feedback_queries import FeedbackFilter, feedback_page
from careloop.desk.analysis.models import Reading
from careloop.desk.analysis.topic_actions import rename_topic
from careloop.desk.analysis.topic_files import open_space, pack, unpack
from careloop.desk.analysis.topic_layout import lay_out
from careloop.desk.analysis.topic_models import FoundTopic, MessageTopic, Topic, TopicAlarm, TopicRun, TopicSpace
from careloop.desk.analysis.topic_queries import name_of, topic_page, topics_page
from careloop.desk.analysis.topic_queueing import ask_for_topics, ensure_schedules
from careloop.desk.analysis.topic_rules import first_slot, group_of, sample, scope_of, weeks_until
from careloop.desk.analysis.topic_sorting import sort_texts
from careloop.desk.analysis.topic_watching import watch
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Message
from careloop.desk.jobs.models import Job, Schedule
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound
from careloop.desk.kernel.slots import slot_of
from careloop.insight.topics import TopicModel

pytestmark = pytest.mark.django_db

PARCEL = ("快递太慢，物流没有更新", "物流快递破损，包裹压坏", "包裹还在快递站，物流停了", "快递员不送包裹，物流不动")
SCREEN = ("手机屏幕清晰，亮度足", "手机屏幕划痕，亮度不足", "屏幕坏点，手机亮度低", "手机亮度足，屏幕流畅")
OTHERS = (
    "发票抬头开错，税号不对",
    "发票税号和抬头要改",
    "抬头税号没收到发票",
    "菜品味道好，餐厅干净",
    "餐厅菜品太咸，味道差",
    "味道一般，餐厅菜品少",
)
ENGLISH = (
    "refund of the invoice is late", "send invoice and refund", "battery drains, charger broke", "new charger, weak battery",
    "hotel room was noisy", "clean room, quiet hotel", "flight delayed, luggage lost", "luggage missing after the flight",
)  # fmt: skip
NOON = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)


@pytest.fixture
def say(cast):
    """Stores texts with readings, one after another; returns the messages' ids."""

    def store(texts, *, channel=None, at=NOON, language="zh-Hans", sentiment="NEGATIVE"):
        channel = channel or cast.channel
        messages = Message.objects.bulk_create(
            [
                Message(team=channel.team, channel=channel, direction="INBOUND", body=body, sent_at=at, received_at=at, customer=None)
                for body in texts
            ]
        )
        Reading.objects.bulk_create(
            [
                Reading(
                    message=message, team=channel.team, channel=channel, slot=slot_of(at), state="DONE", language=language,
                    sentiment=sentiment, sentiment_probability=0.1, kind="COMPLAINT", read_at=at,
                )
                for message in messages
            ]
        )  # fmt: skip
        return [message.pk for message in messages]

    return store


@pytest.fixture(autouse=True)
def few_topics(monkeypatch):
    """Few texts are enough here, and four topics a language are looked for."""
    monkeypatch.setattr(topic_finding, "LEAST_TEXTS", 20)
    monkeypatch.setattr(topic_finding, "_fit", lambda texts, _n: (TopicModel(4).fit(texts), 4))
    open_space.cache_clear()


@pytest.fixture
def said(say):
    """Seventy Chinese texts about four matters, forty English ones, a lonely French one."""
    say([*PARCEL * 5, *SCREEN * 5, *OTHERS * 5])
    say(ENGLISH * 5, language="en")
    say(["où est mon colis"], language="fr")


def find(at=NOON, **facts):
    return topic_finding.find_topics(span_days=365, clock=lambda: at, **facts)


def shown(cast, user=None, **facts):
    return topics_page(FeedbackFilter(**facts), cast.viewer(user or cast.owner), zone=UTC)


def test_each_language_has_topics_of_its_own_and_every_text_counts_once(cast, said):
    run = find()
    page = shown(cast)
    assert (run.state, run.fitted, run.in_span) == ("LIVE", 110, 111)
    assert sorted((one.group, one.texts) for one in page.topics) == [*[("en", 10)] * 4, ("zh", 15), ("zh", 15), ("zh", 20), ("zh", 20)]
    assert (page.total, page.without) == (111, 1)
    parcels = next(one for one in page.topics if "快递" in one.words)
    assert {message.body for message in parcels.examples} <= set(PARCEL)
    assert (parcels.share.hits, parcels.share.n, round(parcels.share.low, 4), round(parcels.share.high, 4)) == (20, 111, 0.1198, 0.262)


def test_the_texts_behind_a_number_are_those_that_it_counts(cast, said):
    find()
    for topic in shown(cast).topics:
        behind = feedback_page(FeedbackFilter(topic=str(topic.number)), cast.viewer(cast.owner), zone=UTC)
        assert behind.total == topic.texts
        assert topic_page(topic.number, FeedbackFilter(), cast.viewer(cast.owner), zone=UTC).texts.total == topic.texts


def test_a_viewer_counts_and_reads_only_what_their_teams_received(cast, say):
    say([*PARCEL * 6, *OTHERS * 8])
    say([*SCREEN * 6, *["手机屏幕的机密型号"] * 3], channel=cast.other_channel)
    find()
    page = shown(cast, cast.agent)
    assert (page.total, [one.texts for one in page.topics]) == (72, [24, 24, 24])
    words = {word for one in page.topics for word in (*one.words, *one.name.split(" · "))}
    assert not words & {"手机", "屏幕", "机密", "型号", "清晰", "亮度"}
    assert {message.team for one in page.topics for message in one.examples} == {cast.team}
    screens = next(one.number for one in shown(cast).topics if "屏幕" in one.words)
    assert name_of(screens, cast.viewer(cast.agent)) == f"Topic {screens}"
    for act in (
        lambda: topic_page(screens, FeedbackFilter(), cast.viewer(cast.agent), zone=UTC),
        lambda: rename_topic(topic_id=screens, name="x", viewer=cast.viewer(cast.supervisor), now=NOON),
    ):
        with pytest.raises(NotFound):
            act()
    assert Topic.objects.exclude(given_name="").count() == 0


def test_a_topic_keeps_its_number_its_words_and_the_name_that_somebody_gave(cast, said, say):
    find()
    before = {one.number: one.name for one in shown(cast).topics}
    parcels = next(one.number for one in shown(cast).topics if "快递" in one.words)
    rename_topic(topic_id=parcels, name="  Late   parcels ", viewer=cast.viewer(cast.supervisor), now=NOON)
    say([*PARCEL, *SCREEN], at=NOON + timedelta(days=1))
    find(NOON + timedelta(days=1))
    after = {one.number: one.name for one in shown(cast).topics}
    assert after == before | {parcels: "Late parcels"}
    rename_topic(topic_id=parcels, name="", viewer=cast.viewer(cast.supervisor), now=NOON)
    assert {one.number: one.name for one in shown(cast).topics} == before
    entries = AuditEntry.objects.filter(action="topic.rename", object_id=parcels).order_by("pk")
    assert [entry.details["after"]["name"] for entry in entries] == ["Late parcels", ""]


def test_naming_is_refused_without_the_right_or_with_too_long_a_name(cast, said):
    find()
    number = Topic.objects.first().pk
    with pytest.raises(NotAllowed):
        rename_topic(topic_id=number, name="x", viewer=cast.viewer(cast.agent), now=NOON)
    with pytest.raises(InvalidInput, match=r"has 81 characters; a topic's name has at most 80\."):
        rename_topic(topic_id=number, name="x" * 81, viewer=cast.viewer(cast.owner), now=NOON)
    assert (Topic.objects.exclude(given_name="").count(), AuditEntry.objects.count()) == (0, 0)


@pytest.mark.parametrize("place", ["_store_messages", "sort_texts", "watch", "go_live"])
def test_a_run_that_dies_leaves_the_earlier_one_and_the_next_one_clears_up(cast, said, monkeypatch, place):
    first = find()
    before = shown(cast)

    def die(*_args, **_facts):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(topic_finding, place, die)
        with pytest.raises(KeyboardInterrupt):
            find()
    assert TopicRun.objects.get(state="LIVE") == first
    assert shown(cast) == before
    third = find()
    assert list(TopicRun.objects.order_by("pk").values_list("pk", "state")) == [(first.pk, "PAST"), (third.pk, "LIVE")]
    assert (MessageTopic.objects.exclude(run=third).count(), MessageTopic.objects.filter(run=third).count()) == (0, 111)
    assert [one.texts for one in shown(cast).topics] == [one.texts for one in before.topics]
    assert Topic.objects.count() == 8


def test_only_one_run_is_built_at_a_time_and_a_dead_job_s_run_is_taken_over(cast, said):
    job = Job.objects.create(task="x", state="RUNNING", enqueued_at=NOON, run_after=NOON, lease_until=NOON + timedelta(seconds=20))
    left = TopicRun.objects.create(started_at=NOON, job_id=job.pk)
    assert find(job_id=job.pk + 1) is None
    assert TopicRun.objects.get() == left
    assert find(NOON + timedelta(minutes=1), job_id=job.pk + 1).state == "LIVE"
    assert not TopicRun.objects.filter(pk=left.pk).exists()


def test_too_few_texts_give_no_topics_and_the_page_says_how_many_there_are(cast, say):
    say(PARCEL)
    say(ENGLISH[:1], language="en", channel=cast.other_channel)
    assert find() is None
    page = shown(cast, cast.agent)
    assert (page.run, page.waiting, page.least) == (None, {"zh": 4}, 100)
    assert TopicRun.objects.count() == 0


def test_new_texts_join_the_topics_that_are_there(cast, said, say, monkeypatch):
    run = find()
    parcels = next(one.number for one in shown(cast).topics if "快递" in one.words)
    new = say(["物流快递又慢了", "嗯"], at=NOON + timedelta(minutes=5))
    monkeypatch.setattr(topic_tasks, "clock", lambda: NOON + timedelta(minutes=6))
    assert topic_tasks.sort_new_texts.func() == 2
    assert topic_tasks.sort_new_texts.func() == 0
    assert list(MessageTopic.objects.filter(run=run, message_id__in=new).order_by("message_id").values_list("topic_id", flat=True)) == [
        parcels,
        None,
    ]


def test_readings_that_commit_late_are_sorted_too(cast, said, say):
    run = find()
    late = say(["物流快递又慢了"])
    TopicRun.objects.filter(pk=run.pk).update(sorted_to=run.sorted_to + 500)
    run.refresh_from_db()
    assert sort_texts(run) == 1
    assert MessageTopic.objects.filter(run=run, message_id__in=late).count() == 1


def test_a_topic_that_swells_is_told_of_with_count_and_expectation_to_each_set_of_teams(cast, say):
    for week in range(12):
        at = NOON - timedelta(days=7 * (12 - week))
        say([*PARCEL[:2], *SCREEN * 2, *OTHERS * 2], at=at)
        say(SCREEN, at=at, channel=cast.other_channel)
    say([*PARCEL * 6, *SCREEN * 2, *OTHERS * 2], at=NOON)
    find()
    alarm = TopicAlarm.objects.get(scope="")
    parcels = next(one for one in shown(cast).topics if one.alarm)
    assert (alarm.topic_id, alarm.until) == (parcels.number, NOON.date())
    behind = FeedbackFilter(topic=str(parcels.number), since=alarm.since, until=alarm.until)
    assert feedback_page(behind, cast.viewer(cast.owner), zone=UTC).total == alarm.count
    assert "快递" in parcels.words and alarm.expected < alarm.count / 2 and alarm.p_value < 0.01
    assert set(TopicAlarm.objects.values_list("scope", flat=True)) == {"", str(cast.team.pk)}
    assert [one.alarm.count for one in shown(cast, cast.agent).topics if one.alarm] == [alarm.count]
    assert [one for one in shown(cast, cast.outsider).topics if one.alarm] == []


def test_steady_weeks_raise_no_alarm(cast, say):
    for week in range(13):
        say([*PARCEL * 2, *SCREEN * 2, *OTHERS * 2], at=NOON - timedelta(days=7 * week))
    run = find()
    assert (TopicAlarm.objects.count(), run.watched_on) == (0, NOON.date())
    assert watch(run, now=NOON + timedelta(days=1)) == 0
    assert run.watched_on.isoformat() == "2026-05-05"


def test_the_page_takes_as_many_queries_for_many_topics_as_for_few(cast, said, say, client):
    find()
    client.force_login(cast.supervisor)
    number = Topic.objects.order_by("pk").first().pk

    def queries(path):
        with CaptureQueriesContext(connection) as made:
            assert client.get(path).status_code == 200
        return len(made)

    paths = ("/topics/?period=all", f"/topics/{number}/?period=all", f"/feedback/?topic={number}&period=all")
    few = [queries(path) for path in paths]
    say([*PARCEL * 20, *SCREEN * 20], at=NOON - timedelta(days=20))
    say(ENGLISH * 10, language="en", channel=cast.form)
    for topic in range(8):
        found = FoundTopic.objects.first()
        FoundTopic.objects.create(
            space=found.space, topic=Topic.objects.create(created_at=NOON), place=10 + topic, name_words=[], words=[], size=1, coherence=0,
            x=0, y=0, examples=found.examples,
        )  # fmt: skip
    sort_texts(TopicRun.objects.get(state="LIVE"))
    assert [queries(path) for path in paths] == few


def test_asking_queues_one_search_and_is_written_down(cast):
    assert ask_for_topics(span="90", viewer=cast.viewer(cast.analyst), now=NOON)
    assert not ask_for_topics(span="90", viewer=cast.viewer(cast.analyst), now=NOON)
    assert list(Job.objects.values_list("task", "args")) == [("careloop.desk.analysis.topic_tasks.find_topics", [90])]
    assert list(AuditEntry.objects.values_list("action", "details")) == [("topic.find", {"span": "90"})]
    with pytest.raises(NotAllowed):
        ask_for_topics(span="90", viewer=cast.viewer(cast.agent), now=NOON)
    with pytest.raises(InvalidInput, match="The span is “7”"):
        ask_for_topics(span="7", viewer=cast.viewer(cast.owner), now=NOON)


def test_every_night_the_span_that_was_chosen_last_is_searched(cast, said, monkeypatch):
    monkeypatch.setattr(topic_tasks, "clock", lambda: NOON)
    TopicRun.objects.create(state="LIVE", span_days=90, started_at=NOON, finished_at=NOON)
    topic_tasks.find_topics_again.func()
    assert TopicRun.objects.get(state="LIVE").span_days == 90
    ensure_schedules(now=NOON)
    assert list(Schedule.objects.order_by("name").values_list("name", "every_seconds")) == [
        ("find topics", None),
        ("sort new texts into topics", 180),
    ]


def test_what_is_packed_reads_as_the_model_does():
    texts = [*PARCEL * 5, *SCREEN * 5, *OTHERS * 5]
    model = TopicModel(4).fit(texts)
    archive = pack(model)
    kept = unpack(archive).read([*texts, "嗯", "物流"])
    own = model.read([*texts, "嗯", "物流"])
    assert [one.topic for one in kept] == [one.topic for one in own]
    assert max(abs(one.probability - other.probability) for one, other in zip(kept, own, strict=True)) < 0.01
    assert len(archive) < 6_000


def test_a_sample_holds_tomorrow_what_it_holds_today():
    today = sample(range(1_000), most=300)
    tomorrow = sample(range(1_100), most=300)
    assert (len(today), sample([5, 3], most=2)) == (270, {3, 5})
    assert today <= tomorrow


def test_languages_spans_scopes_and_weeks():
    assert [group_of(one) for one in ("zh-Hans", "zh-Hant", "mixed", "en", "fr", "und", "")] == [
        "zh",
        "zh",
        "zh",
        "en",
        "other",
        "other",
        "other",
    ]
    assert (first_slot(None, NOON, UTC), first_slot(1, NOON, UTC)) == (0, slot_of(datetime(2026, 5, 4, tzinfo=UTC)))
    assert [scope_of(teams) for teams in (None, {3, 1}, set())] == ["", "1,3", "-"]
    weeks = weeks_until(NOON.date())
    assert (len(weeks), [day.isoformat() for day in weeks[-1]], weeks[0][0].isoformat()) == (13, ["2026-04-28", "2026-05-04"], "2026-02-03")


def test_a_map_is_the_same_each_time_and_keeps_places_when_it_is_mirrored():
    generator = np.random.default_rng(3)
    vectors = generator.normal(size=(60, 5)).astype(np.float32)
    labels = np.arange(60) % 6
    places = lay_out(vectors, labels, {})
    assert np.array_equal(places, lay_out(vectors, labels, {}))
    assert (places.min(axis=0).tolist(), places.max(axis=0).tolist()) == ([-1.0, -1.0], [1.0, 1.0])
    mirrored = {topic: (-float(x), float(y)) for topic, (x, y) in enumerate(places)}
    again = lay_out(vectors, labels, mirrored)
    assert np.abs(again - np.array([mirrored[topic] for topic in range(6)])).max() < np.abs(places - again).max()
    assert lay_out(vectors, np.zeros(60, dtype=np.int64), {}).tolist() == [[0.0, 0.0]]


def test_spaces_of_past_runs_give_their_room_back_and_keep_their_words(cast, said):
    first = find()
    find()
    assert [bytes(space.archive) for space in TopicSpace.objects.filter(run=first)] == [b"", b""]
    assert FoundTopic.objects.filter(space__run=first).exclude(words=[]).count() == 8
