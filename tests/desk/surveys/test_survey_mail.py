"""The mail that asks: the same words as text and HTML, links that wait to be confirmed, refusal by one click; a reminder at most once."""

import re
from datetime import timedelta
from email import message_from_bytes
from html.parser import HTMLParser

import pytest

from careloop.desk.accounts.models import Channel
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.customers.models import Customer
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.outbox.delivery import deliver
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.surveys import inviting
from careloop.desk.surveys.actions import forget, say_consent
from careloop.desk.surveys.answering import record_answer
from careloop.desk.surveys.models import Answer, Invitation, Survey, SurveyConsent, SurveySetting
from careloop.desk.surveys.reminding import remind_due
from careloop.desk.surveys.rules.questions import BEGINNINGS, Question
from tests.desk.surveys.conftest import HOUR, today

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def mail_of(now, mailoutbox):
    """The newest mail to a customer, and its HTML."""

    def get(invitation=None):
        deliver(OutboxItem.objects.latest("pk").pk, now=now + HOUR)
        mail = mailoutbox[-1]
        return mail, (mail.alternatives[0][0] if mail.alternatives else "")

    return get


@pytest.fixture
def english(make_case):
    def make(**facts) -> Case:
        case = make_case(**facts)
        Customer.objects.update(language="en")
        return Case.objects.get(pk=case.pk)

    return make


def links_in(page: str) -> list[str]:
    return [attrs["href"] for tag, attrs in Tags(page).found if tag == "a"]


def test_the_mail_says_the_same_as_text_and_as_html(asked, english, mail_of):
    asked(english())
    mail, page = mail_of()
    text = re.sub(r"<[^>]+>", " ", re.sub(r"<(style|title).*?</\1>", "", page, flags=re.S))
    for words in (
        "How satisfied are you with how we handled this?", "Very dissatisfied", "Very satisfied", "Click what fits; one click is enough.",
        "You are asked because you wrote to us.", "We ask at most once in 30 days.",
    ):  # fmt: skip
        assert words in mail.body and words in text
    assert mail.alternatives[0][1] == "text/html" and mail.subject.startswith("How was it? “")
    assert set(links_in(page)) == set(re.findall(r"http\S+", mail.body))


@pytest.mark.parametrize(
    ("kind", "scores"), [("CSAT", range(1, 6)), ("NPS", range(11)), ("CES", range(1, 8)), ("FORM", ())], ids=["CSAT", "NPS", "CES", "own"]
)
def test_each_score_is_a_link_with_words(asked, english, mail_of, kind, scores):
    asked(english(), kind=kind, questions=BEGINNINGS[kind])
    _mail, page = mail_of()
    marks = [attrs for tag, attrs in Tags(page).found if tag == "a" and "?score=" in attrs["href"]]
    assert [int(one["href"].rpartition("=")[2]) for one in marks] == list(scores)
    if scores:
        ends = BEGINNINGS[kind][0]
        assert marks[0]["aria-label"] == f"{ends.low} of {ends.high}: {ends.low_words['en']}"
        assert marks[-1]["aria-label"] == f"{ends.high} of {ends.high}: {ends.high_words['en']}"
    else:
        assert [url.endswith(("/", "no-more/")) for url in links_in(page)] == [True, True]


def test_an_own_form_asks_its_first_question_in_the_mail_only_where_it_is_a_scale(asked, english, mail_of):
    text, scale = (Question("a", "TEXT", {"en": "What?", "zh": "什么？"}), Question("b", "SCALE", {"en": "Well?", "zh": "好吗？"}))
    asked(english(), kind="FORM", questions=(text, scale))
    mail, page = mail_of()
    assert "?score=" not in page + mail.body and "What?" in page and "Well?" not in page
    Survey.objects.update(is_active=False)
    asked(english(), name="Scale first", kind="FORM", questions=(scale, text))
    mail, page = mail_of()
    assert page.count("?score=") == mail.body.count("?score=") == 5 and "Well?" in page


def test_the_mail_is_in_the_customers_language_and_fetches_nothing(asked, mail_of):
    asked()
    _mail, page = mail_of()
    tags = Tags(page).found
    assert tags[0] == ("html", {"lang": "zh-Hans"}) and "您对这次处理满意吗？" in page and "How satisfied" not in page
    assert not {"img", "script", "link", "iframe", "form"} & {tag for tag, _attrs in tags}
    assert "url(" not in page and "@import" not in page
    assert {attrs.get("role") for tag, attrs in tags if tag == "table"} == {"presentation"}
    assert "color-scheme" in page and "prefers-color-scheme: dark" in page and len(page.encode()) < 12_000


def test_what_a_customer_wrote_is_only_text_in_the_mail(asked, make_case, mail_of):
    asked(make_case(subject='<b onclick="x">Leak</b>'))
    mail, page = mail_of()
    assert "<b onclick" not in page and "&lt;b onclick" in page and '<b onclick="x">' in mail.body


def test_the_mail_can_be_refused_by_one_click_and_is_not_answered_by_machines(asked, client, mail_of, settings, monkeypatch):
    settings.BASE_URL = "https://desk.example"
    invitation = asked()
    monkeypatch.setattr("careloop.desk.web.views.survey_page.now", lambda: invitation.sent_at)
    mail, _page = mail_of()
    headers = mail.message()
    assert (headers["Auto-Submitted"], headers["X-Auto-Response-Suppress"]) == ("auto-generated", "OOF, AutoReply")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = headers["List-Unsubscribe"]
    assert re.fullmatch(r"<https://desk\.example/a/[^/<>\s]+/no-more/>", url)
    assert message_from_bytes(headers.as_bytes())["List-Unsubscribe"].strip() == url  # on one line, however long
    path = url[1:-1].removeprefix("https://desk.example")
    assert client.get(path).status_code == 200 and SurveyConsent.objects.count() == 0
    done = client.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert (done.status_code, SurveyConsent.objects.get().may_ask) == (200, False)


def test_over_http_one_click_is_not_promised(asked, mail_of, settings):
    settings.BASE_URL = "http://desk.example"
    asked()
    headers = mail_of()[0].message()
    assert headers["List-Unsubscribe"].startswith("<http://") and headers["List-Unsubscribe-Post"] is None


def test_following_every_link_of_the_mail_votes_for_nothing(asked, client, mail_of, settings, monkeypatch):
    invitation = asked()
    monkeypatch.setattr("careloop.desk.web.views.survey_page.now", lambda: invitation.sent_at)
    for url in links_in(mail_of()[1]):
        assert client.get(url.removeprefix(settings.BASE_URL)).status_code == 200
        assert client.head(url.removeprefix(settings.BASE_URL)).status_code == 200
    assert (Answer.objects.count(), SurveyConsent.objects.count(), Case.objects.get().status) == (0, 0, "RESOLVED")


def test_the_html_is_gone_once_the_mail_has_left(asked, mail_of):
    asked()
    assert "<html" in OutboxItem.objects.get().html
    mail_of()
    assert OutboxItem.objects.get().html == ""


def test_a_channel_without_mail_gets_one_plain_link(asked, make_case, mail_channel):
    Channel.objects.update(kind="API")
    invitation = asked(make_case())
    message = Message.objects.get(pk=invitation.message_id)
    assert (message.body.count("?score="), OutboxItem.objects.get().html) == (0, "")
    assert len(re.findall(r"http\S+/a/\S+", message.body)) == 2


def test_who_did_not_answer_is_reminded_once(asked, english, now, mail_of):
    invitation = asked(english(), remind_days=3)
    assert invitation.remind_at == now + HOUR + 3 * DAY
    assert remind_due(now=now + 3 * DAY) == 0
    at = now + HOUR + 3 * DAY
    assert remind_due(now=at) == 1
    invitation.refresh_from_db()
    assert (invitation.remind_at, invitation.reminded_at, invitation.sent_at, invitation.state) == (None, at, now + HOUR, "SENT")
    mail, page = mail_of()
    assert mail.subject.startswith("Reminder: ") and "We asked you a few days ago" in mail.body and "We asked you a few days ago" in page
    assert [remind_due(now=at + days * DAY) for days in (0, 1, 3, 30)] == [0, 0, 0, 0]
    assert (OutboxItem.objects.count(), AuditEntry.objects.filter(action="survey.remind").count()) == (2, 1)
    assert CaseEvent.objects.filter(kind="DELIVERY", after__survey="Was it good?").count() == 2
    assert Case.objects.get().status == "RESOLVED"


def test_a_survey_without_reminders_reminds_nobody(asked, now):
    assert asked().remind_at is None
    assert remind_due(now=now + 30 * DAY) == 0


REASONS = {
    "answered": lambda one, at: record_answer(invitation_id=one.pk, given={"score": "4"}, now=at),
    "does not want to be asked": lambda one, at: say_consent(customer_id=one.customer_id, may_ask=False, actor=SYSTEM, now=at),
    "the house asks for consent now": lambda one, at: SurveySetting.objects.create(pk=1, needs_consent=True),
    "switched off": lambda one, at: Survey.objects.update(is_active=False),
    "opened again": lambda one, at: Case.objects.update(status="OPEN"),
    "erased": lambda one, at: forget([one.pk], now=at),
    "taken back": lambda one, at: Invitation.objects.update(revision=2),
    "no address any more": lambda one, at: one.customer.addresses.all().delete(),
    "the letter did not arrive": lambda one, at: Message.objects.filter(pk=one.message_id).update(delivery="FAILED"),
    "long ago": lambda one, at: Invitation.objects.update(remind_at=at - 4 * DAY),
}


@pytest.mark.parametrize("happens", REASONS.values(), ids=REASONS)
def test_nobody_is_reminded_who_would_not_be_asked(asked, now, happens):
    invitation = asked(remind_days=3)
    at = now + HOUR + 3 * DAY
    happens(invitation, at)
    assert remind_due(now=at) == 0
    invitation.refresh_from_db()
    assert (invitation.remind_at, invitation.reminded_at, OutboxItem.objects.count()) == (None, None, 1)


def test_who_was_asked_something_else_since_is_not_reminded(asked, make_case, make_survey, cast, now):
    SurveySetting.objects.create(pk=1, pause_days=1)
    invitation = asked(remind_days=3)
    other = make_survey(name="Effort", kind="CES", questions=BEGINNINGS["CES"], sent_when="HAND")
    later = now + 2 * DAY
    inviting.send_by_hand(survey_id=other.pk, case_id=invitation.case_id, key="a", viewer=cast.viewer(cast.agent), now=later)
    assert inviting.send_due(now=later) == 1
    assert remind_due(now=now + HOUR + 3 * DAY) == 0


def test_a_reminder_waits_for_the_morning(asked, now):
    asked(remind_days=3)
    night = now + 3 * DAY + 8 * HOUR  # 22:00 in Shanghai
    assert remind_due(now=night) == 0
    assert Invitation.objects.get().remind_at == night + 11 * HOUR
    assert remind_due(now=night + 11 * HOUR) == 1


def test_the_editor_takes_days_for_reminders_and_refuses_too_many(client, cast, asked):
    from tests.desk.surveys.test_survey_pages import typed

    client.force_login(cast.supervisor)
    assert client.post("/surveys/new/", typed(remind="5")).status_code == 302
    assert Survey.objects.get(name="Good").remind_days == 5
    assert client.post("/surveys/new/", typed(name="Other", remind="31")).status_code == 422
    assert Survey.objects.count() == 1


def test_refusing_works_after_the_link_has_expired_or_was_taken_back(asked, client, cast):
    from careloop.desk.surveys.links import make_token

    invitation = asked()
    expired = f"/a/{make_token(invitation, now=today() - 60 * DAY)}/"
    inviting.revoke(invitation_id=invitation.pk, viewer=cast.viewer(cast.agent), now=today())
    assert client.get(expired).status_code == 404
    assert client.get(f"{expired}no-more/").status_code == 200
    assert client.post(f"{expired}no-more/").status_code == 200
    assert SurveyConsent.objects.get().may_ask is False
    SurveyConsent.objects.all().delete()
    Invitation.objects.update(customer=None)
    assert client.post(f"{expired}no-more/").status_code == 404
    assert client.post(f"{expired.replace('-', '9', 1)}no-more/").status_code == 404
    assert SurveyConsent.objects.count() == 0
