"""What stands beside a case: similar cases, the conversation in short, the language model's texts; fragments for htmx, pages without."""

from datetime import timedelta

import pytest

from careloop.desk.analysis.actions import understand
from careloop.desk.cases.models import Case, Message
from careloop.desk.customers.rules import AddressValue
from careloop.desk.drafting.models import MachineText
from careloop.desk.intake.actions import receive_message
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.web.views.beside import gap_in_words

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
OFFER = "Draft a reply"


@pytest.fixture
def case(cast, inbound, now) -> Case:
    receipt = receive_message(inbound(), now=now)
    understand([receipt.message_id], now=now)
    return Case.objects.get(pk=receipt.case_id)


@pytest.fixture
def twin(cast, inbound, now) -> Case:
    """Almost the same text of somebody else, three minutes before; solved."""
    at = now - timedelta(minutes=3)
    facts = {"external_id": "m-0", "text": "热水器漏水，我要求退款!订单 20418837", "sent_at": at, "sender_name": "Priya"}
    receipt = receive_message(inbound(**facts, addresses=(AddressValue("EMAIL", "p@example.com"),)), now=at)
    reply_to_case(case_id=receipt.case_id, body="师傅已换 <密封圈>。", viewer=cast.viewer(cast.agent), now=now, status="RESOLVED")
    return Case.objects.get(pk=receipt.case_id)


@pytest.fixture
def long_case(cast, case, inbound, now) -> Case:
    for place, text in enumerate(
        ["我们会在三天内给您退款。", "好的，那旧的怎么处理？", "师傅明天会上门取件。", "发票能重新开一张吗？"], start=1
    ):
        at = now + timedelta(minutes=place)
        if place % 2:
            reply_to_case(case_id=case.pk, body=text, viewer=cast.viewer(cast.agent), now=at)
        else:
            receive_message(inbound(external_id=f"l-{place}", text=text, sent_at=at), now=at)
    return case


@pytest.fixture
def connected(settings):
    settings.LANGUAGE_MODEL = {"url": "http://127.0.0.1:9/v1", "model": "small-1", "key": "", "timeout_seconds": 1.0}


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_case_page_asks_for_what_stands_beside_it_and_links_to_it(client, cast, case):
    client.force_login(cast.agent)
    page = words(client.get(f"/cases/{case.pk}/"))
    for part in ("similar", "summary"):
        assert f'hx-get="/cases/{case.pk}/{part}/"' in page
        assert f'href="/cases/{case.pk}/{part}/"' in page
    assert f"/cases/{case.pk}/draft/" not in page


def test_similar_cases_tell_what_repeats_how_it_ended_and_what_solved_it(client, cast, case, twin):
    client.force_login(cast.agent)
    part = words(client.get(f"/cases/{case.pk}/similar/", headers=HTMX))
    assert "Almost the same text, 3 minutes earlier" in part
    assert "师傅已换 &lt;密封圈&gt;。" in part
    assert "Priya" in part
    assert "Resolved" in part
    assert f'href="/cases/{twin.pk}/#message-{twin.messages.first().pk}"' in part
    assert "<html" not in part


def test_an_unread_case_asks_again_by_itself_until_it_is_read(client, cast, inbound, now):
    receipt = receive_message(inbound(), now=now)
    client.force_login(cast.agent)
    address = f"/cases/{receipt.case_id}/similar/"
    assert 'hx-trigger="load delay:3s"' in words(client.get(address, headers=HTMX))
    understand([receipt.message_id], now=now)
    part = words(client.get(address, headers=HTMX))
    assert "No earlier case is like this one." in part
    assert "hx-trigger" not in part


def test_without_scripts_each_is_a_page_that_leads_back(client, cast, long_case, twin):
    client.force_login(cast.agent)
    for name in ("similar", "summary"):
        page = words(client.get(f"/cases/{long_case.pk}/{name}/"))
        assert "<html" in page
        assert f'href="/cases/{long_case.pk}/"' in page


def test_the_conversation_in_short_leads_to_its_messages_and_says_who_made_it(client, cast, long_case):
    client.force_login(cast.agent)
    part = words(client.get(f"/cases/{long_case.pk}/summary/", headers=HTMX))
    newest = Message.objects.filter(case=long_case).order_by("-sent_at").first()
    assert f'href="/cases/{long_case.pk}/#message-{newest.pk}"' in part
    assert "发票能重新开一张吗？" in part
    assert "by 2026-05-07" in part
    assert "Made by the machine" in part
    assert "Summarise in words" not in part


def test_a_short_conversation_adds_nothing_to_the_page(client, cast, case):
    client.force_login(cast.agent)
    assert client.get(f"/cases/{case.pk}/summary/", headers=HTMX).content == b""
    assert "is read faster than its summary" in words(client.get(f"/cases/{case.pk}/summary/"))


def test_without_a_language_model_there_is_no_draft(client, cast, case):
    client.force_login(cast.agent)
    assert client.get(f"/cases/{case.pk}/draft/", headers=HTMX).status_code == 404
    assert client.post(f"/cases/{case.pk}/draft/", headers=HTMX).status_code == 404
    assert client.post(f"/cases/{case.pk}/summary/", headers=HTMX).status_code == 404
    assert MachineText.objects.count() == 0


def test_with_one_a_draft_is_offered_asked_for_and_awaited(client, cast, case, connected):
    client.force_login(cast.agent)
    assert f'hx-get="/cases/{case.pk}/draft/"' in words(client.get(f"/cases/{case.pk}/"))
    assert OFFER in words(client.get(f"/cases/{case.pk}/draft/", headers=HTMX))
    waiting = words(client.post(f"/cases/{case.pk}/draft/", headers=HTMX))
    assert "The language model is writing…" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    assert MachineText.objects.get().purpose == "REPLY"


def test_a_finished_draft_is_marked_as_machine_made_until_a_person_takes_it(client, cast, case, connected, now):
    client.post(f"/cases/{case.pk}/draft/")
    client.force_login(cast.agent)
    client.post(f"/cases/{case.pk}/draft/")
    MachineText.objects.update(state="DONE", text="您好 <b>", model="small-1", finished_at=now)
    part = words(client.get(f"/cases/{case.pk}/draft/", headers=HTMX))
    assert "您好 &lt;b&gt;" in part
    assert "Machine-made by small-1; nobody has checked it." in part
    assert "data-take-draft" in part
    alone = words(client.get(f"/cases/{case.pk}/draft/"))
    assert f'action="/cases/{case.pk}/reply/"' in alone
    assert Message.objects.filter(direction="OUTBOUND").count() == 0


def test_a_failed_draft_says_why(client, cast, case, connected, now):
    client.force_login(cast.agent)
    client.post(f"/cases/{case.pk}/draft/")
    values = {
        "state": "FAILED",
        "error": "The language model's server failed (HTTP %(status)s); try again, or ask the operator to look at it.",
    }
    MachineText.objects.update(**values, error_values={"status": 500}, finished_at=now)
    assert "failed (HTTP 500)" in words(client.get(f"/cases/{case.pk}/draft/", headers=HTMX))
    cast.agent.language = "zh-hans"
    cast.agent.save()
    assert "（HTTP 500）" in words(client.get(f"/cases/{case.pk}/draft/", headers=HTMX))


def test_a_summary_in_words_is_asked_for_by_those_who_work_on_cases(client, cast, long_case, connected):
    client.force_login(cast.analyst)
    assert "Summarise in words" not in words(client.get(f"/cases/{long_case.pk}/summary/", headers=HTMX))
    assert client.post(f"/cases/{long_case.pk}/summary/", headers=HTMX).status_code == 403
    client.force_login(cast.agent)
    assert "Summarise in words" in words(client.get(f"/cases/{long_case.pk}/summary/", headers=HTMX))
    assert "is writing" in words(client.post(f"/cases/{long_case.pk}/summary/", headers=HTMX))
    assert MachineText.objects.get().purpose == "SUMMARY"


@pytest.mark.parametrize("path", ["similar", "summary", "draft"])
def test_an_outsider_sees_nothing_of_it(client, cast, long_case, twin, connected, path):
    client.force_login(cast.outsider)
    for headers in ({}, HTMX):
        answer = client.get(f"/cases/{long_case.pk}/{path}/", headers=headers)
        assert answer.status_code == 404
        assert "漏水" not in answer.content.decode()
    if path != "similar":
        assert client.post(f"/cases/{long_case.pk}/{path}/").status_code == 404
    assert MachineText.objects.count() == 0


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (timedelta(seconds=-40), "at the same time"),
        (timedelta(minutes=-3), "3\xa0minutes earlier"),
        (timedelta(days=2, hours=5), "2\xa0days later"),
    ],
)
def test_gaps_are_told_in_words(gap, said):
    class One:
        pass

    One.gap = gap
    assert gap_in_words(One) == said
