"""The customer's page: a signed link opens one case to its customer; what is sent there comes through the front door."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.actions import add_note, reply, set_status
from careloop.desk.cases.models import Case, CaseEvent, EventKind, Message, Status
from careloop.desk.customers.rules import AddressValue
from careloop.desk.feedback.models import Feedback
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import NotFound
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.outbox.delivery import deliver
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.surveys.models import Answer
from careloop.desk.teamwork.customer_links import fill_link, find_visit, make_token, revoke_links
from careloop.desk.teamwork.file_rules import GivenFile
from careloop.desk.teamwork.models import Attachment, CustomerLink

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def today() -> datetime:
    """The pages look at the clock themselves."""
    return datetime.now(UTC)


@pytest.fixture
def case(cast, inbound, now) -> Case:
    receipt = receive_message(inbound(channel_slug="contact"), now=now)
    return Case.objects.get(pk=receipt.case_id)


@pytest.fixture
def url(case) -> str:
    return f"/c/{make_token(case, now=today())}/"


def sent(client, url, **fields):
    return client.post(f"{url}write/", {"text": "还在漏", "once": "a" * 32, **fields})


def test_the_page_shows_how_the_case_stands_and_what_was_said_but_no_note(client, cast, case, url, now):
    message = reply(case_id=case.pk, body="我们明天派人来", viewer=cast.viewer(cast.agent), now=now)
    Message.objects.filter(pk=message.pk).update(delivery="SENT")
    add_note(case_id=case.pk, body="批次 B17 有问题", viewer=cast.viewer(cast.agent), now=now)
    page = client.get(url, headers={"Accept-Language": "zh-CN"})
    said = page.content.decode()
    assert page.status_code == 200
    assert "我们明天派人来" in said and "热水器漏水" in said
    assert "批次 B17" not in said and "Chen" not in said and "lin@example.com" not in said
    assert '<html lang="zh-Hans"' in said and '<html lang="en"' in client.get(url, headers={"Accept-Language": "en"}).content.decode()
    assert "We have answered and wait for you." in client.get(url, headers={"Accept-Language": "en"}).content.decode()


def test_the_page_has_no_script_is_not_indexed_and_not_kept(client, url):
    page = client.get(url)
    assert "<script" not in page.content.decode()
    assert page["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert "no-store" in page["Cache-Control"]
    assert "script-src 'none'" in page["Content-Security-Policy"] and "unsafe-inline" not in page["Content-Security-Policy"]


def test_a_reply_that_can_still_be_taken_back_is_not_shown(client, cast, case, url, now):
    reply(case_id=case.pk, body="我们明天派人来", viewer=cast.viewer(cast.agent), now=now)
    assert "我们明天派人来" not in client.get(url).content.decode()


def is_closed(client, url) -> bool:
    page = client.get(url)
    return page.status_code == 404 and "热水器漏水" not in page.content.decode()


def test_a_wrong_an_expired_and_a_revoked_link_show_nothing(client, cast, case, url):
    assert is_closed(client, url[:-3] + "x/")
    assert is_closed(client, f"/c/{make_token(case, now=today() - timedelta(days=91))}/")
    assert not is_closed(client, f"/c/{make_token(case, now=today() - timedelta(days=89))}/")
    assert revoke_links(case_id=case.pk, viewer=cast.viewer(cast.agent), now=today()) == 2
    assert is_closed(client, url)
    assert sent(client, url).status_code == 404
    assert Message.objects.count() == 1
    assert not is_closed(client, f"/c/{make_token(case, now=today())}/")


def test_a_link_made_for_one_case_does_not_open_another(client, cast, case, inbound, now):
    other = receive_message(inbound(external_id="m-2", addresses=(AddressValue("EMAIL", "wu@example.com"),), text="别人的事"), now=now)
    facts, signature = make_token(case, now=today()).rsplit(".", 1)
    forged = facts.replace(f"{case.pk}-", f"{other.case_id}-", 1)
    assert is_closed(client, f"/c/{forged}.{signature}/")
    assert "别人的事" not in client.get(f"/c/{make_token(case, now=today())}/").content.decode()


def test_a_case_that_became_another_customers_is_closed(client, case, url, inbound, now):
    other = receive_message(inbound(external_id="m-2", addresses=(AddressValue("EMAIL", "wu@example.com"),)), now=now)
    Case.objects.filter(pk=case.pk).update(customer_id=other.customer_id)
    assert is_closed(client, url)


def test_the_link_of_a_merged_case_leads_to_the_case_it_became(client, cast, case, url, inbound, now):
    other = Case.objects.get(pk=receive_message(inbound(external_id="m-2", text="漏得更厉害了"), now=now).case_id)
    assert other.pk != case.pk
    Case.objects.filter(pk=case.pk).update(status=Status.MERGED)
    CaseEvent.objects.create(case=case, team=case.team, kind=EventKind.MERGED, at=now, actor_kind="user", after={"into": other.pk})
    assert f"#{other.pk}" in client.get(url).content.decode()


def test_a_message_comes_through_the_front_door_once_and_opens_the_case_again(client, cast, case, url, now):
    set_status(case_id=case.pk, status="RESOLVED", expected_version=1, viewer=cast.viewer(cast.agent), now=now)
    assert sent(client, url).status_code == 302
    assert sent(client, url).status_code == 302
    message = Message.objects.exclude(pk=1).order_by("pk").last()
    assert (Message.objects.count(), message.case_id, message.body, message.direction) == (2, case.pk, "还在漏", "INBOUND")
    assert message.customer_id == case.customer_id
    assert Case.objects.get(pk=case.pk).status == "OPEN"


def test_an_empty_message_is_refused_and_changes_nothing(client, url):
    answer = sent(client, url, text="  ")
    assert answer.status_code == 422
    assert Message.objects.count() == 1


def test_a_file_is_kept_with_its_message_and_shown_to_the_agent_alone(client, cast, case, url):
    sent(client, url, text="", files=SimpleUploadedFile("漏水 <照片>.png", PNG))
    kept = Attachment.objects.get()
    assert (kept.case_id, kept.name, kept.content_type, bytes(kept.content)) == (case.pk, "漏水 <照片>.png", "image/png", PNG)
    assert Message.objects.get(pk=kept.message_id).body == "[漏水 <照片>.png]"
    given = client.get(f"{url}files/{kept.pk}/")
    assert (given.content, given["Content-Type"]) == (PNG, "image/png")
    assert given["Content-Disposition"].startswith("attachment")
    client.force_login(cast.agent)
    assert client.get(f"/cases/{case.pk}/files/{kept.pk}/").content == PNG
    assert "漏水 &lt;照片&gt;.png" in client.get(f"/cases/{case.pk}/together/").content.decode()
    client.force_login(cast.outsider)
    assert client.get(f"/cases/{case.pk}/files/{kept.pk}/").status_code == 404


@pytest.mark.parametrize("content", [b"MZ\x90\x00program", b"\x00" * 10, PNG + b"0" * 10_000_000], ids=["program", "zeros", "too large"])
def test_a_file_that_is_none_of_the_allowed_is_refused_with_its_message(client, url, content):
    answer = sent(client, url, files=SimpleUploadedFile("x.png", content))
    assert answer.status_code == 422
    assert "还在漏" in answer.content.decode()  # what was typed is given back
    assert (Message.objects.count(), Attachment.objects.count()) == (1, 0)


def test_the_customer_says_solved_and_opens_again(client, case, url):
    client.post(f"{url}status/", {"solved": "yes"})
    client.post(f"{url}status/", {"solved": "yes"})
    case.refresh_from_db()
    assert (case.status, case.resolved_at is not None) == ("RESOLVED", True)
    event = CaseEvent.objects.get(kind="STATUS")
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("customer", case.customer_id, "林晓彤")
    client.post(f"{url}status/", {"solved": "no"})
    case.refresh_from_db()
    assert (case.status, case.resolved_at) == ("OPEN", None)


def test_a_rating_is_the_answer_to_the_survey_and_may_be_changed(client, case, url):
    client.post(f"{url}rate/", {"rating": "4", "comment": "挺快的"})
    client.post(f"{url}rate/", {"rating": "4", "comment": "挺快的"})
    given = Feedback.objects.select_related("message").get()
    assert (given.rating, given.source, given.message.body, given.message.case_id) == (4, "SURVEY", "挺快的", None)
    assert CaseEvent.objects.get(kind="SURVEY").after["rating"] == 4
    client.post(f"{url}rate/", {"rating": "1", "comment": "又漏了"})
    given = Feedback.objects.select_related("message").get()
    assert (given.rating, given.message.body) == (1, "又漏了")
    answer = Answer.objects.get()
    assert (answer.score, answer.earlier.get().score, answer.invitation.origin, answer.invitation.sent_at) == (1, 4, "PAGE", None)
    assert client.post(f"{url}rate/", {"rating": "9"}).status_code == 422
    assert Feedback.objects.count() == 1


def test_twenty_times_an_hour_is_enough(client, case, url):
    for number in range(20):
        assert client.post(f"{url}status/", {"solved": "yes" if number % 2 else "no"}).status_code == 302
    before = Case.objects.get(pk=case.pk).version
    assert sent(client, url).status_code == 429
    assert (Message.objects.count(), Case.objects.get(pk=case.pk).version) == (1, before)


def test_an_outsider_takes_no_link_back(cast, case):
    with pytest.raises(NotFound):
        revoke_links(case_id=case.pk, viewer=cast.viewer(cast.outsider), now=today())
    assert CustomerLink.objects.count() == 0


def test_the_link_stands_where_the_reply_asks_for_it(cast, case, now):
    assert fill_link("Nothing here", case.pk, now=now) == "Nothing here"
    message = reply_to_case(case_id=case.pk, body="See {{ link }}.", viewer=cast.viewer(cast.agent), now=today())
    token = message.body.removeprefix("See http://127.0.0.1:8000/c/").removesuffix("/.")
    assert find_visit(token, now=today()).case == case


def test_mails_carry_the_link_when_the_house_wants_it(cast, case, mailoutbox, settings):
    settings.CUSTOMER_LINK_IN_MAIL = True
    for body in ("Tomorrow.", "See {{ link }}."):
        reply_to_case(case_id=case.pk, body=body, viewer=cast.viewer(cast.agent), now=today())
        deliver(OutboxItem.objects.order_by("-pk").first().pk, now=today())
    assert [mail.body.count("/c/") for mail in mailoutbox] == [1, 1]


def test_a_form_with_a_file_sent_twice_is_one_message_with_one_file(client, url):
    for _again in range(2):
        assert sent(client, url, files=SimpleUploadedFile("leak.png", PNG)).status_code == 302
    assert (Message.objects.count(), Attachment.objects.count()) == (2, 1)


@pytest.mark.parametrize("rating", ["0", "6", "-1", "4.5", "four", "", "５"])
def test_a_rating_out_of_range_is_refused_in_words_and_stores_nothing(client, case, url, rating):
    answer = client.post(f"{url}rate/", {"rating": rating}, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert "Please choose one to five." in answer.content.decode()
    assert (Feedback.objects.count(), Message.objects.count(), CaseEvent.objects.filter(kind="SURVEY").count()) == (0, 1, 0)


def test_a_file_of_another_case_is_not_given_through_this_link(client, cast, url, inbound, now):
    addresses = (AddressValue("EMAIL", "wu@example.com"),)
    receive_message(inbound(external_id="m-2", addresses=addresses, files=(GivenFile("secret.txt", b"x"),)), now=now)
    assert client.get(f"{url}files/{Attachment.objects.get().pk}/").status_code == 404
    assert not AuditEntry.objects.filter(action="file.view").exists()


@pytest.mark.parametrize("token", ["x", "1-1-1-99999.forged", "1-1-1-99999", "." * 119, "x" * 500, "１-1-1-99999.x"])
def test_a_forged_link_shows_and_changes_nothing_whatever_is_sent(client, case, token):
    for part, fields in (
        ("", None),
        ("write/", {"text": "x"}),
        ("status/", {"solved": "yes"}),
        ("rate/", {"rating": "5"}),
        ("files/1/", None),
    ):
        address = f"/c/{token}/{part}"
        answer = client.get(address) if fields is None else client.post(address, fields)
        assert answer.status_code == 404
    assert (Message.objects.count(), Case.objects.get(pk=case.pk).version) == (1, case.version)


def test_what_was_refused_is_typed_back_and_a_file_that_was_not_kept_says_why(client, url, inbound, now):
    receive_message(inbound(external_id="m-2", channel_slug="contact", files=(GivenFile("setup.exe", b"MZ\x00"),)), now=now)
    page = client.get(url, headers={"Accept-Language": "en"}).content.decode()
    assert "setup.exe" in page and "no picture, PDF, text or office document" in page and "/files/" not in page
    many = [SimpleUploadedFile(f"{number}.txt", b"x%d" % number) for number in range(6)]
    answer = client.post(f"{url}write/", {"text": "还在漏", "files": many}, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert "At most 5 files" in answer.content.decode() and "还在漏" in answer.content.decode()
    assert Message.objects.count() == 2
