"""Topics that emerge are told once in four weeks to those who see the same teams."""

from datetime import timedelta

import pytest
from django.core import mail

from careloop.desk.analysis.topic_models import Topic, TopicAlarm, TopicRun
from careloop.desk.notices.models import Notice
from careloop.desk.teamwork.models import Webhook, WebhookDelivery
from careloop.desk.watch.emerging import list_emerged, tell_topics
from careloop.desk.watch.mailing import mail_topic
from careloop.desk.watch.models import ToldTopic, WatchSetting
from tests.desk.watch.conftest import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def emerged(cast, now, settings):
    """A topic with 12 texts where 3.2 were expected, for the whole house and for the first team."""
    settings.TIME_ZONE = "UTC"
    run = TopicRun.objects.create(state="LIVE", started_at=now, finished_at=now)
    topic = Topic.objects.create(created_at=now, given_name="Leaks")
    for scope in ("", str(cast.team.pk)):
        TopicAlarm.objects.create(
            run=run, topic=topic, scope=scope, since=TODAY - timedelta(days=6), until=TODAY, count=12, expected=3.2, p_value=0.001
        )
    return topic


def test_each_is_told_once_to_those_who_see_the_same_teams(emerged, cast, now):
    assert tell_topics(now=now) == 2
    told = Notice.objects.filter(kind="TASK")
    assert set(told.values_list("user_id", flat=True)) == {cast.owner.pk, cast.analyst.pk, cast.supervisor.pk}
    assert {one.facts["topic"] for one in told} == {emerged.pk}
    assert tell_topics(now=now + timedelta(days=3)) == 0
    assert told.count() == 3


def test_after_four_weeks_it_is_told_again_and_what_is_old_never(emerged, now):
    tell_topics(now=now)
    assert tell_topics(now=now + timedelta(days=29)) == 0  # nothing emerged lately
    TopicAlarm.objects.update(until=TODAY + timedelta(days=29))
    assert tell_topics(now=now + timedelta(days=29)) == 2


def test_other_systems_and_addresses_are_told_without_words_of_customers(emerged, cast, now):
    WatchSetting.objects.create(pk=1, mail_to="boss@desk.example")
    Webhook.objects.create(url="https://erp.example/", secret="x", events=["ALARM"], made_by_name="Olga", made_at=now)
    tell_topics(now=now)
    said = WebhookDelivery.objects.get().said
    assert (said["measure"], said["topic"], said["value"], said["expected"]) == ("topic", emerged.pk, 12, 3.2)
    mail_topic.func(ToldTopic.objects.get(scope="").pk)
    assert "Leaks" not in mail.outbox[0].body
    assert f"#{emerged.pk}" in mail.outbox[0].subject


def test_the_page_shows_what_the_viewer_may_see(client, emerged, cast, now):
    tell_topics(now=now)
    assert [one.topic_id for one in list_emerged(cast.viewer(cast.owner), today=TODAY)] == [emerged.pk]
    assert list_emerged(cast.viewer(cast.outsider), today=TODAY) == []


def test_nothing_was_looked_for_yet(now):
    assert tell_topics(now=now) == 0
