"""What people choose without a script: the language before they sign in, the message whose reading is shown; audit entries in words."""

import re

import pytest
from django.utils import translation

from careloop.desk.analysis.models import Reading
from careloop.desk.cases.models import Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.slots import slot_of
from careloop.desk.web.audit_words import action_in_words, details_in_words
from careloop.desk.web.templatetags.desk import job_error

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/accounts/login/", "/form/contact/"])
def test_strangers_choose_the_language_and_it_stays(client, cast, path):
    page = client.get(path, HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert '<html lang="en" data-theme="SYSTEM">' in page
    assert f'name="next" value="{path}"' in page
    answer = client.post("/language/", {"language": "zh-hans", "next": path})
    assert (answer.status_code, answer["Location"]) == (302, path)
    assert client.cookies["django_language"]["max-age"] == 31_536_000
    assert '<html lang="zh-Hans"' in client.get(path, HTTP_ACCEPT_LANGUAGE="en").content.decode()


def test_the_choice_leads_to_no_other_site(client):
    answer = client.post("/language/", {"language": "en", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/"


def test_people_who_are_signed_in_have_their_preferences_instead(client, cast):
    client.force_login(cast.agent)
    assert 'action="/language/"' not in client.get("/form/contact/").content.decode()


@pytest.fixture
def said(cast, inbound, now) -> list[Message]:
    """Two messages of one case, both read."""
    receipt = receive_message(inbound(), now=now)
    receive_message(inbound(external_id="2", text="谢谢，已经收到退款。", case_id=receipt.case_id), now=now)
    messages = list(Message.objects.filter(case_id=receipt.case_id).order_by("pk"))
    for message, word in zip(messages, ("漏水", "谢谢"), strict=True):
        facts = {"team_id": message.team_id, "channel_id": message.channel_id, "case_id": message.case_id}
        Reading.objects.create(
            message=message, state="DONE", slot=slot_of(now), read_at=now, keywords=[word], sentiment="NEGATIVE",
            sentiment_probability=0.1, kind="REFUND", kind_probability=0.9, details={}, model_versions={}, **facts,
        )  # fmt: skip
    return messages


def reading_shown(client, address: str) -> tuple[str, str]:
    """The keyword in the panel and the id of the message that is marked as shown."""
    page = client.get(address).content.decode()
    panel = page[page.index('id="side"') :]
    return re.findall(r'<span class="chip">(.*?)</span>', panel)[0], re.findall(r'id="reading-of-(\d+)"[^>]*aria-current="true"', page)[0]


def test_the_reading_of_any_message_is_shown_by_a_link(client, cast, said):
    client.force_login(cast.agent)
    address = f"/cases/{said[0].case_id}/"
    assert reading_shown(client, address) == ("谢谢", str(said[1].pk))
    page = client.get(f"{address}?view=all").content.decode()
    assert f'href="?view=all&amp;reading={said[0].pk}#message-{said[0].pk}"' in page
    assert reading_shown(client, f"{address}?reading={said[0].pk}") == ("漏水", str(said[0].pk))
    assert reading_shown(client, f"{address}parts/?reading={said[0].pk}") == ("漏水", str(said[0].pk))


@pytest.mark.parametrize("wanted", ["0", "x", "99999999999999999999"])
def test_a_reading_that_is_not_of_this_case_counts_as_none(client, cast, said, wanted):
    client.force_login(cast.agent)
    assert reading_shown(client, f"/cases/{said[0].case_id}/?reading={wanted}") == ("谢谢", str(said[1].pk))


def test_audit_entries_are_said_in_words():
    details = {"file": "a.csv", "before": {"status": "OPEN", "assignee_id": None}, "after": {"status": "RESOLVED", "assignee_id": None}}
    with translation.override("zh-hans"):
        assert details_in_words(details) == ["文件: a.csv", "状态: 待处理 → 已解决"]
        assert details_in_words({"role": "OWNER", "fields": ["company"]}) == ["角色: 所有者", "字段: 公司"]
        assert action_in_words("case.status") == "设置状态"
        assert job_error("careloop.desk.jobs.rules.WorkerLost: Worker w\n\ntrace") == "执行此作业时，工作进程被终止或机器停机。"
    assert action_in_words("x.unknown") == "x.unknown"
    assert job_error("builtins.ValueError: odd\n\ntrace") == "builtins.ValueError: odd"
