"""People are told once, see their own, and go from there to the case."""

import pytest

from careloop.desk.notices.actions import mark_read, notify
from careloop.desk.notices.models import Notice
from careloop.desk.notices.queries import count_unread

pytestmark = pytest.mark.django_db


def tell(cast, now, key="mention 1", **facts):
    notify(
        user_ids=[cast.agent.pk, cast.agent.pk, cast.outsider.pk], kind="MENTIONED", key=key, now=now, facts={"text": "看一下这个", **facts}
    )


def test_the_same_key_tells_the_same_person_once(cast, now):
    tell(cast, now)
    tell(cast, now)
    assert list(Notice.objects.order_by("user_id").values_list("user_id", flat=True)) == sorted([cast.agent.pk, cast.outsider.pk])


def test_reading_is_each_persons_own(cast, now):
    tell(cast, now)
    tell(cast, now, key="mention 2")
    assert mark_read(viewer=cast.viewer(cast.agent), now=now) == 2
    assert (count_unread(cast.viewer(cast.agent)), count_unread(cast.viewer(cast.outsider))) == (0, 2)


def test_the_page_and_the_bell_show_them(client, cast, now):
    tell(cast, now, who="Sun")
    client.force_login(cast.agent)
    assert "You were mentioned, by Sun" in client.get("/notices/").content.decode()
    assert '<span class="count">1</span>' in client.get("/notices/count/").content.decode()


def test_a_step_of_a_flow_is_not_told_as_a_rule(client, cast, now):
    facts = {"who": "Sun", "subject": "热水器漏水", "step": {"en": "Share with the team", "zh": "分享给团队"}}
    notify(user_ids=[cast.agent.pk], kind="RULE", key="step SHARE 7", case_id=7, now=now, facts=facts)
    client.force_login(cast.agent)
    page = client.get("/notices/").content.decode()
    told = [words in page for words in ("A step was taken, by Sun", "Share with the team · 热水器漏水", "A rule tells you")]
    assert told == [True, True, False]


def test_a_notice_leads_to_its_case_and_is_read_then(client, cast, now):
    notify(user_ids=[cast.agent.pk], kind="OVERDUE", key="k", now=now, case_id=7, facts={"target": "RESOLUTION", "due_at": now.isoformat()})
    client.force_login(cast.agent)
    response = client.post(f"/notices/{Notice.objects.get().pk}/")
    assert (response.status_code, response["Location"]) == (302, "/cases/7/")
    assert Notice.objects.get().read_at is not None


def test_somebody_elses_notice_is_not_found_and_stays_unread(client, cast, now):
    tell(cast, now)
    theirs = Notice.objects.get(user=cast.outsider)
    client.force_login(cast.agent)
    assert client.post(f"/notices/{theirs.pk}/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.read_at is None
