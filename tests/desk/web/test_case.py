"""The case page: what it tells, what can be done on it, and what happens when two people do it at once."""

import json
import re

import pytest

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.analysis.models import Reading
from careloop.desk.cases import actions
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.slots import slot_of
from careloop.desk.outbox.models import OutboxItem

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def case(cast, inbound, now) -> Case:
    """One case of the first team: a leaking heater."""
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


@pytest.fixture
def read(now):
    """Stores a reading of a message."""

    def store(message: Message, **facts) -> Reading:
        details = {
            "sentiment_abstained": False,
            "sentiment_evidence": [[3, 5, -1.5]],
            "kind_abstained": False,
            "kind_evidence": [[9, 11, 1.0]],
            "entities": [{"type": "order", "text": "20418837", "start": 15, "end": 23, "value": "20418837"}],
            "summary": "热水器漏水，要求退款。",
            "truncated_at": None,
        }
        given = {
            "message": message,
            "team": message.team,
            "channel": message.channel,
            "case": message.case,
            "slot": slot_of(message.sent_at),
            "state": "DONE",
            "language": "zh-Hans",
            "sentiment": "NEGATIVE",
            "sentiment_probability": 0.06,
            "kind": "REFUND",
            "kind_probability": 0.97,
            "keywords": ["漏水", "退款"],
            "details": details,
            "model_versions": {"sentiment": "3"},
            "read_at": now,
        }
        return Reading.objects.create(**{**given, **facts})

    return store


def words(response) -> str:
    """The page with its white space folded."""
    return " ".join(response.content.decode().split())


def everything(case: Case) -> tuple:
    return (
        list(Case.objects.filter(pk=case.pk).values()),
        Message.objects.count(),
        CaseEvent.objects.count(),
        OutboxItem.objects.count(),
    )


# ---------- what it tells


def test_the_words_that_decided_are_marked_in_the_text(client, cast, case, read):
    read(case.messages.get())
    client.force_login(cast.agent)
    page = words(client.get(f"/cases/{case.pk}/"))
    assert '热水器<mark class="neg" title="Speaks for negative">漏水</mark>，我要求' in page
    assert '我要求<mark class="kind" title="Decided the kind">退款</mark>。订单 ' in page
    assert '订单 <mark class="ent" title="Order number">20418837</mark></div>' in page


def test_the_reading_panel_says_what_was_understood_and_how_surely(client, cast, case, read):
    read(case.messages.get())
    client.force_login(cast.agent)
    panel = client.get(f"/cases/{case.pk}/").context["panel"]
    assert (panel.sentiment.label, panel.sentiment.probability, panel.sentiment.tone) == ("Negative", 0.94, "bad")
    assert (panel.kind.label, panel.kind.probability, panel.kind.is_unsure) == ("Refund", 0.97, False)
    assert (panel.language, panel.keywords, panel.entities) == (
        "Chinese (simplified)",
        ["漏水", "退款"],
        [{"label": "Order number", "text": "20418837"}],
    )


def test_an_abstained_reading_says_so(client, cast, case, read):
    read(case.messages.get(), details={"sentiment_abstained": True, "kind_abstained": True}, sentiment_probability=0.5)
    client.force_login(cast.agent)
    page = words(client.get(f"/cases/{case.pk}/"))
    assert "Abstained: not sure enough to say positive or negative." in page
    assert "Abstained: not sure enough what the customer came for." in page
    assert "<mark" not in page


def test_a_failed_reading_shows_its_sentence(client, cast, case, read):
    read(case.messages.get(), state="FAILED", error="The text holds no <readable> words.", details={})
    client.force_login(cast.agent)
    assert "The text holds no &lt;readable&gt; words." in words(client.get(f"/cases/{case.pk}/"))


def test_a_message_that_waits_to_be_read_says_so(client, cast, case):
    client.force_login(cast.agent)
    assert "The newest message is being read" in words(client.get(f"/cases/{case.pk}/"))


def test_addresses_are_masked(client, cast, case):
    client.force_login(cast.agent)
    page = words(client.get(f"/cases/{case.pk}/"))
    assert "li***@example.com" in page
    assert "lin@example.com" not in page


def test_events_are_told_in_words_with_who(client, cast, case, now):
    viewer = viewer_of(cast.supervisor)
    actions.assign(case_id=case.pk, assignee_id=cast.agent.pk, expected_version=1, viewer=viewer, now=now)
    actions.set_priority(case_id=case.pk, priority=40, expected_version=2, viewer=viewer_of(cast.agent), now=now)
    actions.assign(case_id=case.pk, assignee_id=None, expected_version=3, viewer=viewer, now=now)
    actions.set_status(case_id=case.pk, status="RESOLVED", expected_version=4, viewer=viewer, now=now)
    client.force_login(cast.agent)
    told = [entry.sentence for entry in client.get(f"/cases/{case.pk}/").context["entries"] if entry.sentence]
    assert told == [
        "Sun gave the case to Chen",
        "Chen set the priority to Urgent",
        "Sun gave the case back; nobody has it",
        "Sun resolved the case",
    ]


def test_hostile_words_are_shown_as_text_everywhere(client, cast, inbound, now):
    hostile = "<script>alert(1)</script>"
    number = receive_message(inbound(text=hostile, subject=hostile, sender_name=hostile), now=now).case_id
    client.force_login(cast.agent)
    page = client.get(f"/cases/{number}/").content.decode()
    assert hostile not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5


def test_white_space_and_addresses_of_pages_stay_as_written(client, cast, inbound, now):
    text = "first\n\n   second http://evil.example/pixel.gif"
    number = receive_message(inbound(text=text), now=now).case_id
    client.force_login(cast.agent)
    page = client.get(f"/cases/{number}/").content.decode()
    assert f'<div class="body" dir="auto">{text}</div>' in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_a_word_of_a_million_letters_is_shown_in_part_and_whole_on_demand(client, cast, inbound, now):
    receipt = receive_message(inbound(text="x" * 1_000_000), now=now)
    client.force_login(cast.agent)
    page = client.get(f"/cases/{receipt.case_id}/").content.decode()
    assert len(page) < 60_000
    assert "Open all 1000000 characters" in page
    whole = client.get(f"/cases/{receipt.case_id}/messages/{receipt.message_id}/")
    assert (whole["Content-Type"], whole.content) == ("text/plain; charset=utf-8", b"x" * 1_000_000)


def test_earlier_messages_come_page_by_page(client, cast, case, now):
    viewer = viewer_of(cast.agent)
    for number in range(210):
        actions.add_note(case_id=case.pk, body=f"note {number}", viewer=viewer, now=now)
    client.force_login(cast.agent)
    page = client.get(f"/cases/{case.pk}/")
    assert page.context["earlier"] == 11
    first = page.context["first_message_id"]
    earlier = client.get(f"/cases/{case.pk}/earlier/?before={first}")
    assert [entry.message.body for entry in earlier.context["entries"]][1:] == [f"note {number}" for number in range(10)]
    assert earlier.context["earlier"] == 0


def test_a_message_of_another_case_is_not_found_through_this_one(client, cast, case, inbound, now):
    from careloop.desk.customers.rules import AddressValue

    other = receive_message(inbound(external_id="m-2", addresses=(AddressValue("EMAIL", "b@example.com"),)), now=now)
    client.force_login(cast.agent)
    assert client.get(f"/cases/{case.pk}/messages/{other.message_id}/").status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_conversation(client, cast, case, now, django_assert_num_queries):
    client.force_login(cast.agent)
    with django_assert_num_queries(21):
        client.get(f"/cases/{case.pk}/")
    for number in range(30):
        actions.add_note(case_id=case.pk, body=f"note {number}", viewer=viewer_of(cast.agent), now=now)
    with django_assert_num_queries(21):
        client.get(f"/cases/{case.pk}/")


# ---------- what can be done


def test_a_reply_waits_for_the_customer_and_is_queued(client, cast, case):
    client.force_login(cast.agent)
    response = client.post(f"/cases/{case.pk}/reply/", {"body": "Sorry!", "status": "WAITING"}, headers=HTMX)
    assert (response.status_code, json.loads(response["HX-Trigger-After-Swap"])) == (
        200,
        {"careloop:done": {"case": case.pk, "sent": "reply"}},
    )
    case.refresh_from_db()
    assert (case.status, case.assignee, case.snippet) == ("WAITING", cast.agent, "Sorry!")
    message = Message.objects.get(direction="OUTBOUND")
    assert (message.body, message.delivery, OutboxItem.objects.get().message) == ("Sorry!", "QUEUED", message)
    assert "Queued" in words(response)


def test_a_reply_may_resolve_the_case(client, cast, case):
    client.force_login(cast.agent)
    client.post(f"/cases/{case.pk}/reply/", {"body": "Done.", "status": "RESOLVED"}, headers=HTMX)
    case.refresh_from_db()
    assert case.status == "RESOLVED"


def test_without_scripts_an_action_leads_back_to_the_case(client, cast, case):
    client.force_login(cast.agent)
    assert client.post(f"/cases/{case.pk}/note/", {"body": "x"})["Location"] == f"/cases/{case.pk}/"


def test_a_failed_delivery_shows_its_reason(client, cast, case, now):
    message = actions.reply(case_id=case.pk, body="Hello", viewer=viewer_of(cast.agent), now=now)
    actions.record_delivery(message_id=message.pk, delivery="FAILED", error="The customer has no e-mail address.", now=now)
    client.force_login(cast.agent)
    page = words(client.get(f"/cases/{case.pk}/"))
    assert "Not delivered" in page
    assert "The customer has no e-mail address." in page


@pytest.mark.parametrize(
    ("action", "form", "expected"),
    [
        ("priority", {"priority": "30"}, {"priority": 30, "version": 2}),
        ("status", {"status": "WAITING"}, {"status": "WAITING", "version": 2}),
        ("assign", {"assignee": ""}, {"assignee_id": None, "version": 1}),
    ],
)
def test_changes_are_stored_and_shown_afresh(client, cast, case, action, form, expected):
    client.force_login(cast.agent)
    response = client.post(f"/cases/{case.pk}/{action}/", {**form, "version": "1"}, headers=HTMX)
    assert response.status_code == 200
    assert {name: Case.objects.values().get(pk=case.pk)[name] for name in expected} == expected
    assert set(re.findall(r'id="([\w-]+)"[^>]*hx-swap-oob="true"', response.content.decode())) == {"case-head", "thread", "side"}


def test_a_part_that_is_refreshed_never_holds_the_text_field(client, cast, case):
    client.force_login(cast.agent)
    assert "<textarea" not in client.get(f"/cases/{case.pk}/parts/", headers=HTMX).content.decode()


# ---------- two people at once


def test_a_change_on_an_old_page_shows_both_sides_and_changes_nothing(client, cast, case, now):
    actions.set_priority(case_id=case.pk, priority=40, expected_version=1, viewer=viewer_of(cast.supervisor), now=now)
    before = everything(case)
    client.force_login(cast.agent)
    response = client.post(f"/cases/{case.pk}/priority/", {"priority": "10", "version": "1"}, headers=HTMX)
    assert (response.status_code, response["HX-Retarget"]) == (409, "#case-refusals")
    (side,) = response.context["sides"]
    assert (response.context["theirs"], side.theirs, side.mine) == ("Sun set the priority to Urgent", "Urgent", "Low")
    assert everything(case) == before
    again = client.post(f"/cases/{case.pk}/priority/", {"priority": "10", "version": "2"}, headers=HTMX)
    assert (again.status_code, Case.objects.get(pk=case.pk).priority) == (200, 10)


def test_a_reply_past_an_unread_message_shows_it_and_sends_nothing(client, cast, case, inbound, now):
    seen = case.messages.get().pk
    receive_message(inbound(external_id="m-2", text="It works again, never mind!"), now=now)
    before = everything(case)
    client.force_login(cast.agent)
    response = client.post(f"/cases/{case.pk}/reply/", {"body": "We send a new one.", "seen": str(seen)}, headers=HTMX)
    assert response.status_code == 409
    assert "It works again, never mind!" in words(response)
    assert everything(case) == before
    newest = Message.objects.latest("pk").pk
    assert f'name="seen" value="{newest}"' in response.content.decode()
    assert client.post(f"/cases/{case.pk}/reply/", {"body": "Fine!", "seen": str(newest)}, headers=HTMX).status_code == 200


def test_without_scripts_a_conflict_gives_the_typed_text_back(client, cast, case, inbound, now):
    receive_message(inbound(external_id="m-2", text="Wait"), now=now)
    client.force_login(cast.agent)
    response = client.post(f"/cases/{case.pk}/reply/", {"body": "My long <text>", "seen": "0"})
    assert response.status_code == 409
    assert "My long &lt;text&gt;</textarea>" in response.content.decode()


# ---------- refusals


ACTIONS = [
    ("reply", {"body": "x"}),
    ("note", {"body": "x"}),
    ("assign", {"assignee": "", "version": "1"}),
    ("priority", {"priority": "40", "version": "1"}),
    ("status", {"status": "RESOLVED", "version": "1"}),
]


@pytest.mark.parametrize("path", ["", "parts/", "row/", "earlier/?before=1", "messages/1/"])
def test_an_outsider_finds_no_case(client, cast, case, path):
    client.force_login(cast.outsider)
    response = client.get(f"/cases/{case.pk}/{path}")
    assert response.status_code == 404
    assert "漏水" not in response.content.decode()


@pytest.mark.parametrize(("action", "form"), ACTIONS)
def test_an_outsider_changes_nothing(client, cast, case, action, form):
    before = everything(case)
    client.force_login(cast.outsider)
    assert client.post(f"/cases/{case.pk}/{action}/", form).status_code == 404
    assert everything(case) == before


@pytest.mark.parametrize(("action", "form"), ACTIONS)
def test_an_analyst_may_look_but_not_act(client, cast, case, action, form):
    client.force_login(cast.analyst)
    page = client.get(f"/cases/{case.pk}/").content.decode()
    assert "your role does not answer customers" in page
    assert "<textarea" not in page
    before = everything(case)
    assert client.post(f"/cases/{case.pk}/{action}/", form).status_code == 403
    assert everything(case) == before


@pytest.mark.parametrize(("action", "form"), ACTIONS)
def test_actions_are_not_taken_by_links(client, cast, case, action, form):
    client.force_login(cast.agent)
    assert client.get(f"/cases/{case.pk}/{action}/", form).status_code == 405


def test_actions_need_the_csrf_token(cast, case):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.agent)
    before = everything(case)
    assert client.post(f"/cases/{case.pk}/note/", {"body": "x"}).status_code == 403
    assert everything(case) == before


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("reply", {"body": "  "}),
        ("reply", {"body": "x", "status": "NONSENSE"}),
        ("reply", {"body": "x" * 100_001}),
        ("reply", {"body": "x", "seen": "many"}),
        ("note", {"body": "\0"}),
        ("assign", {"assignee": "999999", "version": "1"}),
        ("assign", {"assignee": "x", "version": "1"}),
        ("priority", {"priority": "41", "version": "1"}),
        ("status", {"status": "GONE", "version": "1"}),
        ("status", {"status": "OPEN", "version": ""}),
    ],
)
def test_what_makes_no_sense_is_refused_in_words_beside_the_page(client, cast, case, action, form):
    before = everything(case)
    client.force_login(cast.agent)
    response = client.post(f"/cases/{case.pk}/{action}/", form, headers=HTMX)
    assert (response.status_code, response["HX-Retarget"]) == (422, "#refusals")
    assert 'role="alert"' in response.content.decode()
    assert everything(case) == before


def test_a_case_that_does_not_exist_is_a_page_in_words(client, cast):
    client.force_login(cast.agent)
    response = client.get("/cases/999/")
    assert response.status_code == 404
    assert "There is no case #999 in your teams." in response.content.decode()
