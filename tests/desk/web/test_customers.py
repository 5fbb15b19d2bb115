"""The customer list and page: who sees whom, what a look-up leaves behind, and edits that do not overwrite each other."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases import actions as cases
from careloop.desk.cases.customer_queries import story
from careloop.desk.customers.models import Customer
from careloop.desk.customers.queries import directory
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message, receive_messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def lin(cast, inbound, now):
    """A customer of the team with an e-mail address, a phone number, a case, a reply, a note and a review."""
    addresses = (AddressValue("EMAIL", "lin@example.com"), AddressValue("PHONE", "13800138000"))
    receipt = receive_message(inbound(addresses=addresses, subject="漏水"), now=now)
    viewer = cast.viewer(cast.agent)
    cases.reply(case_id=receipt.case_id, body="We are sorry.", viewer=viewer, now=now + timedelta(minutes=1))
    cases.add_note(case_id=receipt.case_id, body="Batch B17", viewer=viewer, now=now + timedelta(minutes=2))
    review = inbound(external_id="r-1", text="两颗星", rating=2.0, opens_case=False, sent_at=now + timedelta(minutes=3))
    receive_message(review, now=now + timedelta(minutes=3))
    return Customer.objects.get(pk=receipt.customer_id)


def test_the_list_masks_addresses_and_records_no_look_up(cast, client, lin):
    client.force_login(cast.agent)
    before = AuditEntry.objects.count()
    html = client.get("/customers/").content.decode()
    assert "林晓彤" in html
    assert "li***@example.com" in html
    assert "+861****8000" in html or "138****8000" in html
    assert "lin@example.com" not in html
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("query", ["林晓彤", "晓彤", "lin@example.com", "LIN@example.com", "138 0013 8000", "+86 13800138000"])
def test_a_customer_is_found_by_name_and_by_exact_address(cast, lin, query):
    assert [one.pk for one in directory(query, cast.viewer(cast.agent)).customers] == [lin.pk]
    assert directory(query, cast.viewer(cast.outsider)).total == 0


@pytest.mark.parametrize("query", ["lin@example", "1380013", "陈"])
def test_part_of_an_address_finds_nobody(cast, lin, query):
    assert directory(query, cast.viewer(cast.agent)).total == 0


def test_a_handle_is_found_whatever_its_channel(cast, inbound, now):
    receive_message(inbound(sender_name="", addresses=(AddressValue("HANDLE", "wx_7", "shop"),)), now=now)
    assert directory("wx_7", cast.viewer(cast.agent)).total == 1


def test_the_page_shows_addresses_in_full_and_records_the_look_up(cast, client, lin):
    client.force_login(cast.agent)
    html = client.get(f"/customers/{lin.pk}/").content.decode()
    assert "lin@example.com" in html
    assert "13800138000" in html
    entry = AuditEntry.objects.get(action="customer.view")
    assert (entry.actor_id, entry.object_type, entry.object_id) == (cast.agent.pk, "customer", lin.pk)


def test_the_story_holds_messages_notes_ratings_and_events_newest_first(cast, client, lin):
    told = story(lin, cast.viewer(cast.agent))
    assert [getattr(entry, "body", "") or entry.kind for entry in told.entries] == [
        "两颗星",
        "Batch B17",
        "We are sorry.",
        "热水器漏水，我要求退款。订单 20418837",
        "OPENED",
    ]
    client.force_login(cast.agent)
    html = client.get(f"/customers/{lin.pk}/").content.decode()
    assert "2 / 5" in html
    assert "Internal note" in html
    assert "Case opened: 漏水" in html


def test_another_team_sees_neither_the_customer_nor_their_story(cast, client, lin):
    client.force_login(cast.outsider)
    before = AuditEntry.objects.count()
    assert client.get(f"/customers/{lin.pk}/").status_code == 404
    assert "林晓彤" not in client.get("/customers/").content.decode()
    assert story(lin, cast.viewer(cast.outsider)).entries == []
    assert AuditEntry.objects.count() == before


def test_a_customer_of_two_teams_shows_each_team_its_own_story(cast, inbound, now, lin):
    receive_message(inbound(channel_slug="wholesale", text="Bulk order"), now=now)
    assert [entry.body for entry in story(lin, cast.viewer(cast.outsider)).messages] == ["Bulk order"]
    assert "Bulk order" not in [entry.body for entry in story(lin, cast.viewer(cast.agent)).messages]


def test_a_long_story_has_pages(cast, lin, inbound, now):
    later = now + timedelta(hours=1)
    receive_messages(
        [inbound(external_id=f"p{i}", text=f"{i}", sent_at=later + timedelta(seconds=i)) for i in range(60)],
        now=later + timedelta(minutes=2),
    )
    first, second = (story(lin, cast.viewer(cast.agent), page=page) for page in (1, 2))
    assert (first.total, first.pages, len(first.entries), len(second.entries)) == (65, 2, 50, 15)
    assert (first.entries[0].body, first.entries[-1].body, second.entries[0].body) == ("59", "10", "9")
    assert story(lin, cast.viewer(cast.agent), page=99).page == 2


def test_the_pages_take_as_many_queries_for_much_as_for_little(cast, client, lin, inbound, now):
    client.force_login(cast.agent)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as made:
            assert client.get(path).status_code == 200
        return len(made)

    few = [queries("/customers/"), queries(f"/customers/{lin.pk}/")]
    later = now + timedelta(hours=1)
    receive_messages([inbound(external_id=f"p{i}", text=f"{i}") for i in range(30)], now=later)
    receive_messages([inbound(external_id=f"q{i}", addresses=(AddressValue("EMAIL", f"{i}@x.example"),)) for i in range(30)], now=later)
    assert [queries("/customers/"), queries(f"/customers/{lin.pk}/")] == few == [7, 22]


def edit(client, lin, **facts):
    given = {"name": "林晓彤", "company": "", "language": "", "notes": "", "version": lin.version}
    return client.post(f"/customers/{lin.pk}/edit/", {**given, **facts})


def test_a_supervisor_edits_the_profile_and_the_change_is_audited(cast, client, lin):
    client.force_login(cast.supervisor)
    answer = edit(client, lin, name="林小彤", company="百货", language="zh-Hans", notes="VIP")
    assert (answer.status_code, answer["Location"]) == (302, f"/customers/{lin.pk}/")
    lin.refresh_from_db()
    assert (lin.name, lin.company, lin.language, lin.notes, lin.version) == ("林小彤", "百货", "zh-Hans", "VIP", 2)
    assert AuditEntry.objects.get(action="customer.change").details == {"fields": ["company", "language", "name", "notes"]}
    assert [one.pk for one in directory("百货", cast.viewer(cast.agent)).customers] == [lin.pk]


def test_an_edit_of_an_old_version_is_refused_and_what_was_typed_is_kept(cast, client, lin):
    client.force_login(cast.supervisor)
    edit(client, lin, company="first")
    answer = edit(client, lin, company="second")
    lin.refresh_from_db()
    assert (answer.status_code, lin.company, lin.version) == (409, "first", 2)
    html = answer.content.decode()
    assert 'value="second"' in html
    assert "<td>first</td><td>second</td>" in html


@pytest.mark.parametrize(
    ("facts", "status"), [({"name": "x" * 201}, 422), ({"notes": "x" * 10_001}, 422), ({"version": "x"}, 422), ({"version": ""}, 422)]
)
def test_a_wrong_edit_changes_nothing(cast, client, lin, facts, status):
    client.force_login(cast.supervisor)
    assert edit(client, lin, **facts).status_code == status
    lin.refresh_from_db()
    assert (lin.name, lin.version) == ("林晓彤", 1)


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("analyst", 403), ("outsider", 403)])
def test_those_who_may_not_edit_change_nothing(cast, client, lin, who, status):
    client.force_login(getattr(cast, who))
    assert edit(client, lin, name="changed").status_code == status
    assert client.get(f"/customers/{lin.pk}/edit/").status_code == status
    lin.refresh_from_db()
    assert (lin.name, lin.version) == ("林晓彤", 1)


def test_strangers_are_sent_to_sign_in(client, lin):
    for path in ("/customers/", f"/customers/{lin.pk}/", f"/customers/{lin.pk}/edit/"):
        assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


def test_hostile_names_are_shown_escaped_and_long_numbers_are_not_found(cast, client, inbound, now):
    receive_message(inbound(sender_name="<img src=x onerror=alert(1)>", addresses=(AddressValue("EMAIL", "h@x.example"),)), now=now)
    client.force_login(cast.agent)
    html = client.get("/customers/").content.decode()
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
    assert client.get("/customers/99999999999999999999/").status_code == 404
    assert client.get("/customers/?q=%00&page=x").status_code == 200
