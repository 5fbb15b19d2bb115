"""Shared pages show chosen messages until they expire or are taken back."""

from datetime import UTC, datetime, timedelta

import pytest

from careloop.desk.cases.actions import add_note
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.teamwork.models import SharedPage
from careloop.desk.teamwork.sharing import address_of, open_shared, share, take_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, inbound, now) -> Case:
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


def shared(cast, case, now, who=None, messages=None, days=7) -> SharedPage:
    chosen = list(case.messages.values_list("pk", flat=True)) if messages is None else messages
    viewer = cast.viewer(who or cast.agent)
    return share(case_id=case.pk, message_ids=chosen, days=days, purpose="Supplier", viewer=viewer, now=now)


def test_a_shared_page_shows_the_chosen_messages_alone_and_counts(client, cast, case):
    now = datetime.now(UTC)
    chosen = list(case.messages.values_list("pk", flat=True))
    add_note(case_id=case.pk, body="批次 B17", viewer=cast.viewer(cast.agent), now=now)
    page = shared(cast, case, now, messages=chosen)
    answer = client.get(address_of(page).removeprefix("http://127.0.0.1:8000"))
    said = answer.content.decode()
    assert "热水器漏水" in said and "Supplier" in said
    assert "批次 B17" not in said and "林晓彤" not in said and "<script" not in said
    assert answer["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert SharedPage.objects.get().opened == 1
    assert CaseEvent.objects.get(kind="SHARED").after == {"page": page.pk, "messages": 1, "days": 7}


def test_a_wrong_expired_or_revoked_address_shows_nothing(cast, case, now):
    page = shared(cast, case, now)
    token = address_of(page).rstrip("/").rsplit("/", 1)[1]
    assert open_shared(token, now=now).page == page
    assert open_shared(token[:-1] + "!", now=now) is None
    assert open_shared(token, now=now + timedelta(days=7)) is None
    take_back(page_id=page.pk, viewer=cast.viewer(cast.agent), now=now)
    assert open_shared(token, now=now) is None
    assert SharedPage.objects.get().opened == 1


def test_messages_of_other_cases_and_by_outsiders_are_not_shared(cast, case, inbound, now):
    other = receive_message(inbound(external_id="m-2", channel_slug="wholesale"), now=now)
    for facts in ({"messages": [other.message_id]}, {"messages": []}, {"days": 91}, {"days": 0}):
        with pytest.raises(InvalidInput):
            shared(cast, case, now, **facts)
    with pytest.raises(NotFound):
        shared(cast, case, now, who=cast.outsider)
    page = shared(cast, case, now)
    with pytest.raises(NotFound):
        take_back(page_id=page.pk, viewer=cast.viewer(cast.outsider), now=now)
    assert (SharedPage.objects.count(), SharedPage.objects.get().revoked_at) == (1, None)


def test_sharing_is_done_on_its_page(client, cast, case):
    client.force_login(cast.agent)
    message = case.messages.get()
    assert client.post(f"/cases/{case.pk}/share/", {"message": message.pk, "days": "3", "purpose": "Supplier"}).status_code == 302
    page = client.get(f"/cases/{case.pk}/share/").content.decode()
    assert "/s/" in page and "Supplier" in page
    client.post(f"/shared/{SharedPage.objects.get().pk}/revoke/")
    assert SharedPage.objects.get().revoked_at is not None
