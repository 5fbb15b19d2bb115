"""Why the front door refuses a message: English for programs, the reader's language for people."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from careloop.desk.channels import form
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.rules import problems_of
from careloop.desk.kernel.wording import spoken
from careloop.desk.web.views.form import new_token


@pytest.mark.parametrize(
    ("facts", "field", "english", "chinese"),
    [
        ({"text": " "}, "text", "The text is empty; a message needs a text or a rating.", "正文为空；消息须有正文或评分。"),
        (
            {"text": "x" * 1_000_001},
            "text",
            "The text has 1,000,001 characters; at most 1,000,000 are accepted.",
            "正文有 1,000,001 个字符；最多接受 1,000,000 个。",
        ),
        (
            {"external_id": ""},
            "external_id",
            "The external id has 0 characters; expected 1 to 200, without NUL.",
            "外部编号有 0 个字符；应为 1 至 200 个，且不含空字符。",
        ),
        ({"rating": 9.5}, "rating", "The rating is 9.5; expected 1 to 5.", "评分是 9.5；应在 1 到 5 之间。"),
        (
            {"addresses": (AddressValue("PHONE", "12"),)},
            "addresses.phone",
            "“12” is not a phone number; expected 5 to 15 digits.",
            "“12”不是电话号码；应为 5 至 15 位数字。",
        ),
        (
            {"addresses": (AddressValue("EMAIL", "{x}"),)},
            "addresses.email",
            "“{x}” is not an e-mail address; expected name@host.",
            "“{x}”不是邮箱地址；格式应为 name@host。",
        ),
    ],
)
def test_each_reason_is_english_as_a_text_and_chinese_for_a_chinese_reader(inbound, now, facts, field, english, chinese):
    ((given, sentence),) = problems_of(inbound(**facts), now)
    assert (given, sentence) == (field, english)
    with translation.override("zh-hans"):
        assert spoken(sentence) == chinese


def test_a_time_in_the_future_and_one_without_zone_are_told_apart(inbound, now):
    assert [field for field, _ in problems_of(inbound(sent_at=now + timedelta(minutes=6)), now)] == ["sent_at"]
    ((_, sentence),) = problems_of(inbound(sent_at=now.replace(tzinfo=None)), now)
    assert sentence == "The time has no zone; give one such as 2026-05-02T14:03:00+08:00."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "reason"), [("zh-CN", "“12”不是电话号码；应为 5 至 15 位数字。"), ("en", "“12” is not a phone number")]
)
def test_the_public_form_gives_the_front_doors_reason_in_the_customers_language(cast, client, monkeypatch, now, language, reason):
    monkeypatch.setattr(form, "problems_of", lambda _values: {})  # as if the form were more lenient than the front door
    monkeypatch.setattr("careloop.desk.web.views.form.FASTEST_SECONDS", -60)
    given = {"token": new_token(cast.form.slug, datetime.now(UTC)), "name": "Lin", "phone": "12", "text": "漏水"}
    answer = client.post(f"/form/{cast.form.slug}/", given, headers={"Accept-Language": language})
    assert answer.status_code == 422
    assert reason in answer.content.decode().split('id="id_phone-error"')[1].split("</p>")[0]
