"""The inbox of one topic: from the topic's page to its cases, each once, and back."""

import pytest

from careloop.desk.analysis.models import Reading
from careloop.desk.analysis.topic_models import FoundTopic, MessageTopic, Topic, TopicRun, TopicSpace
from careloop.desk.cases.models import Case, Message
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_messages
from careloop.desk.kernel.slots import slot_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def leaks(cast, inbound, now):
    """A topic spoken of twice in one case, once in a second, in a review without a case, and in another team's case; a third case is about
    something else, and an earlier run sorted it under the topic."""
    people = [AddressValue("EMAIL", f"c{number}@example.com") for number in range(4)]
    said = [
        inbound(external_id="a", text="leak one", addresses=(people[0],)),
        inbound(external_id="b", text="leak again", addresses=(people[0],)),
        inbound(external_id="c", text="leak two", addresses=(people[1],)),
        inbound(external_id="d", text="invoice", addresses=(people[2],)),
        inbound(external_id="e", text="leak, a review", opens_case=False, addresses=()),
        inbound(external_id="f", text="leak elsewhere", channel_slug=cast.other_channel.slug, addresses=(people[3],)),
    ]
    receive_messages(said, now=now)
    live, past = (TopicRun.objects.create(state=state, started_at=now, finished_at=now) for state in ("LIVE", "PAST"))
    topic = Topic.objects.create(given_name="Leaks", created_at=now)
    space = TopicSpace.objects.create(run=live, group="en", fitted=5, asked=1, archive=b"")
    FoundTopic.objects.create(space=space, topic=topic, place=0, name_words=["leak"], size=5, coherence=0.1, x=0, y=0)
    for message in Message.objects.all():
        facts = {"state": "DONE", "language": "en", "sentiment": "NEGATIVE", "kind": "COMPLAINT", "read_at": now}
        Reading.objects.create(
            message=message, team=message.team, channel=message.channel, case=message.case, slot=slot_of(message.sent_at), **facts
        )
        is_about = "leak" in message.body
        MessageTopic.objects.create(run=live if is_about else past, message=message, topic=topic, probability=0.9)
    return topic


def listed(answer) -> list[str]:
    """The bodies with which the cases of the list began, oldest case first."""
    page = answer.content.decode()
    return [case.messages.earliest("pk").body for case in Case.objects.order_by("pk") if f'id="row-{case.pk}"' in page]


def test_a_topic_holds_the_cases_in_which_it_is_spoken_of_each_once(cast, leaks, client):
    client.force_login(cast.agent)
    answer = client.get(f"/?view=all&topic={leaks.pk}")
    assert listed(answer) == ["leak one", "leak two"]
    assert answer.context["total"] == 2


def test_the_topics_page_says_how_many_and_leads_there(cast, leaks, client):
    client.force_login(cast.agent)
    page = client.get(f"/topics/{leaks.pk}/?period=all").content.decode()
    assert f'href="/?view=all&amp;topic={leaks.pk}"' in page
    assert "Open 2 cases" in page
    client.force_login(cast.owner)
    assert "Open 3 cases" in client.get(f"/topics/{leaks.pk}/?period=all").content.decode()


def test_the_topic_stands_above_the_list_goes_with_one_click_and_stays_through_a_search(cast, leaks, client):
    client.force_login(cast.agent)
    page = client.get(f"/?view=all&topic={leaks.pk}").content.decode()
    assert 'href="/?view=all" hx-get="/?view=all"' in page
    assert "Topic: Leaks" in page
    assert f'<input type="hidden" name="topic" value="{leaks.pk}" form="filters">' in page
    assert listed(client.get(f"/?view=all&topic={leaks.pk}&q=two")) == ["leak two"]


def test_an_outsider_sees_neither_name_nor_cases_of_the_other_team(cast, leaks, client):
    client.force_login(cast.outsider)
    assert listed(client.get(f"/?view=all&topic={leaks.pk}")) == ["leak elsewhere"]
    MessageTopic.objects.filter(message__body="leak elsewhere").delete()
    answer = client.get(f"/?view=all&topic={leaks.pk}")
    assert (listed(answer), "Leaks" in answer.content.decode()) == ([], False)


@pytest.mark.parametrize("given", ["x", "-1", "１", "1" * 13])
def test_a_topic_that_is_no_number_is_refused(cast, client, given):
    client.force_login(cast.agent)
    answer = client.get("/", {"topic": given})
    assert (answer.status_code, "expected a topic&#x27;s number" in answer.content.decode()) == (422, True)
