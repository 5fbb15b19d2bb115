"""The pages of topics: what they say before there are any, in plain words, and to whom they offer what."""

import pytest

from careloop.desk.analysis.topic_models import TopicRun
from careloop.desk.jobs.models import Job
from careloop.desk.web.topic_charts import spark
from careloop.desk.web.views.topics import chance_in_words

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("p_value", "weeks"), [(0.01, "100"), (0.0013, "760"), (0.004, "250"), (0.00012, "8,300"), (1e-9, "10,000"), (0.0, "10,000")]
)
def test_a_p_value_is_said_as_a_number_of_weeks_rounded_down(p_value, weeks):
    assert chance_in_words(p_value) == f"fewer than 1 in {weeks} weeks would show this by chance"


def test_before_there_are_topics_the_page_says_what_is_needed_and_offers_to_look(cast, client):
    client.force_login(cast.supervisor)
    said = client.get("/topics/").content.decode()
    assert "Topics need at least 100 texts in one language." in said
    assert "Find topics" in said
    answer = client.post("/topics/find/", {"span": "365"}, follow=True)
    assert "Topics are being looked for; the page shows them as soon as they are found." in answer.content.decode()
    jobs = Job.objects.filter(task__endswith="find_topics")
    assert jobs.count() == 1
    asked = {"HX-Request": "true"}  # as the page does every few seconds
    assert client.get("/topics/", headers=asked).status_code == 204
    jobs.update(state="SUCCEEDED")
    assert client.get("/topics/", headers=asked)["HX-Refresh"] == "true"


def test_an_agent_sees_topics_but_neither_looks_for_them_nor_names_them(cast, client):
    client.force_login(cast.agent)
    assert "Find topics" not in client.get("/topics/").content.decode()
    assert client.post("/topics/find/", {"span": "365"}).status_code == 403
    assert client.post("/topics/1/rename/", {"name": "x"}).status_code == 403
    assert Job.objects.count() == 0


def test_a_filter_that_makes_no_sense_is_refused_with_a_sentence(cast, client, now):
    TopicRun.objects.create(state="LIVE", started_at=now, finished_at=now)
    client.force_login(cast.owner)
    for query, sentence in (
        ("since=2026-05-04&until=2026-05-01", "before that; swap them"),
        ("period=8", "The period is “8”"),
        ("since=yesterday", "is not a day"),
    ):
        answer = client.get(f"/topics/?{query}")
        assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    answer = client.get("/feedback/?topic=x")
    assert (answer.status_code, "expected a topic&#x27;s number" in answer.content.decode()) == (422, True)


def test_a_course_is_drawn_within_its_frame():
    assert spark([0, 2, 4, 1]) == [(0.0, 24.0, 20.0, 0.0), (25.0, 12.0, 20.0, 12.0), (50.0, 0.0, 20.0, 24.0), (75.0, 18.0, 20.0, 6.0)]
    assert (spark([]), spark([0, 0])) == ([], [])
