"""A topic for people and systems outside: words, counts, examples without personal data; for those who may, as long as said."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.topic_models import FoundTopic, MessageTopic, Topic, TopicRun, TopicSpace
from careloop.desk.analysis.topic_sharing import make_token, outside_facts, share_topic, take_topic_back
from careloop.desk.audit.models import AuditEntry
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound
from careloop.desk.outbox import webhooks
from careloop.desk.outbox.topic_sending import send_topic
from careloop.desk.teamwork.models import SharedTopic, WebhookDelivery
from careloop.desk.teamwork.webhooks import add_webhook

pytestmark = pytest.mark.django_db
TEXT = "热水器漏水，我是林晓彤，电话13812345678，lin@example.com，Chen 没有回电。"
PERSONAL = ("林晓彤", "13812345678", "lin@example.com", "Chen")


@pytest.fixture
def topic(cast, inbound, now) -> Topic:
    receipt = receive_message(inbound(text=TEXT), now=now)
    understand([receipt.message_id], now=now)
    run = TopicRun.objects.create(state="LIVE", started_at=now, finished_at=now)
    space = TopicSpace.objects.create(run=run, group="zh", fitted=1, asked=1, archive=b"")
    topic = Topic.objects.create(created_at=now)
    words = [[word, 3.0, [cast.team.pk]] for word in ("热水器", "林晓彤", "漏水")]
    examples = {"": [receipt.message_id], str(cast.team.pk): [receipt.message_id]}
    FoundTopic.objects.create(
        space=space, topic=topic, place=0, name_words=["热水器", "林晓彤"], words=words, size=1, coherence=0, x=0, y=0, examples=examples
    )
    MessageTopic.objects.create(run=run, message_id=receipt.message_id, topic=topic, probability=1)
    return topic


@pytest.fixture
def supervisor(cast):
    return cast.viewer(cast.supervisor)


@pytest.fixture
def rival(cast, now):
    """A supervisor of the other team."""
    person = User.objects.create(email="rival@desk.example", display_name="Rival", role="SUPERVISOR", date_joined=now)
    person.teams.set([cast.other_team])
    return viewer_of(person)


def today() -> datetime:
    """The pages look at the clock themselves."""
    return datetime.now(UTC)


def test_what_is_told_are_words_counts_and_masked_examples(topic, supervisor, now):
    facts = outside_facts(topic.pk, supervisor, now=now)
    assert (facts["name"], facts["words"], facts["texts"], facts["of"]) == ("热水器 · 漏水", ["热水器", "漏水"], 1, 1)
    assert facts["examples"][0].startswith("热水器漏水")
    assert (facts["share"]["share"], facts["share"]["n"]) == (1.0, 1)
    assert not [one for one in PERSONAL if one in json.dumps(facts, ensure_ascii=False)]


def test_a_name_by_hand_is_masked_too(topic, supervisor, now):
    Topic.objects.filter(pk=topic.pk).update(given_name="林晓彤 complains")
    assert outside_facts(topic.pk, supervisor, now=now)["name"] == "[NAME_1] complains"


def test_the_page_shows_the_topic_as_it_stood_until_it_expires(client, topic, supervisor, cast):
    page = share_topic(topic_id=topic.pk, days=1, purpose="Product", viewer=supervisor, now=today())
    Topic.objects.filter(pk=topic.pk).update(given_name="Renamed later")
    client.logout()
    said = client.get(f"/t/{make_token(page)}/")
    text = said.content.decode()
    assert said.status_code == 200 and "热水器 · 漏水" in text and "Product" in text and "Renamed later" not in text
    assert not [one for one in PERSONAL if one in text] and "<script" not in text
    assert said["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    page.refresh_from_db()
    assert page.opened == 1
    SharedTopic.objects.update(expires_at=today() - timedelta(seconds=1))
    assert client.get(f"/t/{make_token(page)}/").status_code == 404


def test_a_page_that_was_taken_back_and_a_forged_address_show_nothing(client, topic, supervisor):
    page = share_topic(topic_id=topic.pk, days=1, purpose="", viewer=supervisor, now=today())
    assert client.get(f"/t/{make_token(page)[:-2]}xx/").status_code == 404
    take_topic_back(page_id=page.pk, viewer=supervisor, now=today())
    take_topic_back(page_id=page.pk, viewer=supervisor, now=today())
    assert client.get(f"/t/{make_token(page)}/").status_code == 404
    assert list(AuditEntry.objects.filter(object_type="topic").values_list("action", flat=True)) == ["topic.share", "topic.take_back"]


def test_nobody_shares_sends_or_closes_what_is_not_theirs(cast, topic, supervisor, rival, now):
    page = share_topic(topic_id=topic.pk, days=1, purpose="", viewer=supervisor, now=now)
    with pytest.raises(NotFound):
        share_topic(topic_id=topic.pk, days=1, purpose="", viewer=rival, now=now)
    with pytest.raises(NotFound):
        take_topic_back(page_id=page.pk, viewer=rival, now=now)
    with pytest.raises(NotFound):
        send_topic(topic_id=topic.pk, viewer=rival, now=now)
    with pytest.raises(NotAllowed):
        share_topic(topic_id=topic.pk, days=1, purpose="", viewer=cast.viewer(cast.agent), now=now)
    for days in (0, 91):
        with pytest.raises(InvalidInput):
            share_topic(topic_id=topic.pk, days=days, purpose="", viewer=supervisor, now=now)
    assert (SharedTopic.objects.count(), SharedTopic.objects.get().revoked_at) == (1, None)


def test_other_systems_get_it_in_the_sight_of_their_team_once_sent(cast, topic, supervisor, now, monkeypatch):
    owner = cast.viewer(cast.owner)
    with pytest.raises(InvalidInput, match="No other system takes topics"):
        send_topic(topic_id=topic.pk, viewer=supervisor, now=now)
    mine = add_webhook(url="https://erp.example/", events=["TOPIC"], team_id=cast.team.pk, viewer=owner, now=now)
    add_webhook(url="https://all.example/", events=["TOPIC"], team_id=None, viewer=owner, now=now)
    add_webhook(url="https://events.example/", events=["OPENED"], team_id=cast.team.pk, viewer=owner, now=now)
    assert send_topic(topic_id=topic.pk, viewer=supervisor, now=now) == 1  # who sees one team tells no system of the whole house
    row = WebhookDelivery.objects.get()
    sent = []
    monkeypatch.setattr(webhooks.channel, "post", lambda request, **_: sent.append(request) or 200)
    webhooks.deliver(row.pk, now=now)
    webhooks.deliver(row.pk, now=now)
    told = json.loads(sent[0].body)
    assert (len(sent), row.webhook_id, told["id"], told["event"], told["name"]) == (1, mine.pk, row.pk, "TOPIC", "热水器 · 漏水")
    assert WebhookDelivery.objects.get().state == "SENT"
    assert not [one for one in PERSONAL if one in json.dumps(told, ensure_ascii=False)]
    assert send_topic(topic_id=topic.pk, viewer=owner, now=now) == 2
    assert AuditEntry.objects.filter(action="topic.send").count() == 2


def test_the_pages_of_sharing_a_topic(client, cast, topic, supervisor, now):
    add_webhook(url="https://erp.example/", events=["TOPIC"], team_id=cast.team.pk, viewer=cast.viewer(cast.owner), now=now)
    client.force_login(cast.supervisor)
    assert client.post(f"/topics/{topic.pk}/share/", {"days": "7", "purpose": "Product"}).status_code == 302
    page = client.get(f"/topics/{topic.pk}/share/").content.decode()
    assert "/t/" in page and "https://erp.example/" in page and "Product" in page
    assert not [one for one in ("13812345678", "lin@example.com") if one in page]
    assert client.post(f"/topics/{topic.pk}/send/").status_code == 302
    assert f"/topics/{topic.pk}/share/" in client.get(f"/topics/{topic.pk}/").content.decode()
    client.force_login(cast.owner)
    assert "热水器" in client.get("/settings/webhooks/").content.decode()
