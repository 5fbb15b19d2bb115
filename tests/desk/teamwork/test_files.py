"""Files that people at the desk send or put beside a note: chosen, held, sent, shown, taken back, moved by a merge, and audited."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound
from careloop.desk.merging.actions import merge_cases, undo
from careloop.desk.outbox.delivery import deliver
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.teamwork.customer_links import make_token
from careloop.desk.teamwork.file_rules import GivenFile
from careloop.desk.teamwork.models import Attachment
from careloop.desk.writing.actions import send_held_reply, undo_reply, write_note
from careloop.desk.writing.files import choose_files, leave_out, list_chosen
from careloop.desk.writing.holding import hold_reply
from careloop.desk.writing.models import HeldReply, WaitingFile

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
LETTER = GivenFile("换货单.pdf", b"%PDF-1.7 x")
NOTICE = GivenFile("notice.txt", "已寄出".encode())


@pytest.fixture
def case(cast, inbound, now) -> Case:
    return Case.objects.get(pk=receive_message(inbound(channel_slug="contact"), now=now).case_id)


@pytest.fixture
def agent(cast):
    return cast.viewer(cast.agent)


def choose(case, viewer, now, *files, kind="REPLY"):
    choose_files(case_id=case.pk, kind=kind, files=files, viewer=viewer, now=now)


def chosen(case, viewer, kind="REPLY") -> list[str]:
    return [one.name for one in list_chosen(case.pk, viewer)[kind]]


def kept() -> list[tuple[str, str]]:
    return list(Attachment.objects.order_by("pk").values_list("name", "message__direction"))


def test_chosen_files_are_held_with_the_reply_and_leave_with_its_mail(case, agent, now, settings, mailoutbox):
    settings.UNDO_SEND_SECONDS = 10
    choose(case, agent, now, LETTER, NOTICE)
    held = hold_reply(case_id=case.pk, body="请看附件", viewer=agent, now=now, status="WAITING")
    assert (chosen(case, agent), kept(), held.files.count()) == ([], [], 2)
    send_held_reply(held_id=held.pk, now=now)
    send_held_reply(held_id=held.pk, now=now)
    assert (kept(), WaitingFile.objects.count()) == ([("换货单.pdf", "OUTBOUND"), ("notice.txt", "OUTBOUND")], 0)
    deliver(OutboxItem.objects.get().pk, now=now)
    mail = message_from_bytes(mailoutbox[0].message().as_bytes(), policy=policy.default)
    sent = [(one.get_filename(), one.get_content_type(), one.get_payload(decode=True)) for one in mail.iter_attachments()]
    assert sent == [("换货单.pdf", "application/pdf", LETTER.content), ("notice.txt", "text/plain", NOTICE.content)]


def test_a_reply_that_is_taken_back_gives_its_files_back(case, agent, now, settings):
    settings.UNDO_SEND_SECONDS = 10
    choose(case, agent, now, LETTER)
    held = hold_reply(case_id=case.pk, body="x", viewer=agent, now=now, status="WAITING")
    choose(case, agent, now, NOTICE)
    undo_reply(held_id=held.pk, viewer=agent, now=now)
    assert (chosen(case, agent), kept()) == (["换货单.pdf", "notice.txt"], [])


def test_a_reply_that_can_no_longer_be_sent_gives_its_files_back(cast, case, agent, now, settings):
    settings.UNDO_SEND_SECONDS = 10
    choose(case, agent, now, LETTER)
    held = hold_reply(case_id=case.pk, body="x", viewer=agent, now=now, status="WAITING")
    Case.objects.filter(pk=case.pk).update(status="MERGED")
    send_held_reply(held_id=held.pk, now=now)
    assert (HeldReply.objects.get().state, kept(), WaitingFile.objects.get().held_id) == ("REFUSED", [], None)


def test_without_a_moment_for_second_thoughts_the_files_go_at_once(case, agent, now, settings):
    settings.UNDO_SEND_SECONDS = 0
    choose(case, agent, now, LETTER)
    hold_reply(case_id=case.pk, body="x", viewer=agent, now=now, status="WAITING")
    assert (kept(), chosen(case, agent)) == ([("换货单.pdf", "OUTBOUND")], [])


def test_a_note_takes_its_own_files_and_the_customer_never_sees_them(client, cast, case, agent, now):
    choose(case, agent, now, LETTER, kind="NOTE")
    choose(case, agent, now, NOTICE)
    write_note(case_id=case.pk, body="批次 B17", viewer=agent, now=now)
    assert (kept(), chosen(case, agent)) == ([("换货单.pdf", "NOTE")], ["notice.txt"])
    url = f"/c/{make_token(case, now=datetime.now(UTC))}/"
    assert "换货单" not in client.get(url).content.decode()
    assert client.get(f"{url}files/{Attachment.objects.get().pk}/").status_code == 404
    assert not AuditEntry.objects.filter(action="file.view").exists()


def test_what_the_house_sent_stands_on_the_customers_page_once_it_has_left(client, case, agent, now, settings, mailoutbox):
    settings.UNDO_SEND_SECONDS = 0
    choose(case, agent, now, LETTER)
    hold_reply(case_id=case.pk, body="请看附件", viewer=agent, now=now, status="WAITING")
    url = f"/c/{make_token(case, now=datetime.now(UTC))}/"
    file = f"{url}files/{Attachment.objects.get().pk}/"
    assert client.get(file).status_code == 404
    deliver(OutboxItem.objects.get().pk, now=now)
    assert "换货单.pdf" in client.get(url).content.decode()
    assert client.get(file).content == LETTER.content
    entry = AuditEntry.objects.get(action="file.view")
    assert (entry.actor_kind, entry.actor_id, entry.object_id, entry.details["name"]) == (
        "customer",
        case.customer_id,
        case.pk,
        "换货单.pdf",
    )


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([GivenFile("a.exe", b"MZ\x00")], "“a.exe” is no picture"),
        ([GivenFile("a.pdf", b"%PDF-" + b"0" * 10_000_000)], "“a.pdf” is too large; at most 10 MB fit"),
        ([GivenFile(f"{n}.txt", b"x%d" % n) for n in range(6)], "At most 5 files"),
        ([GivenFile(f"{n}.pdf", b"%PDF-" + b"0" * 7_000_000) for n in range(3)], "at most 20 MB together"),
        ([LETTER, GivenFile("a.exe", b"MZ\x00")], "“a.exe” is no picture"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words_and_nothing_is_chosen(case, agent, now, files, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        choose(case, agent, now, *files)
    assert WaitingFile.objects.count() == 0


def test_the_same_file_chosen_twice_is_chosen_once_and_a_sixth_is_refused(case, agent, now):
    choose(case, agent, now, LETTER)
    choose(case, agent, now, LETTER)
    assert chosen(case, agent) == ["换货单.pdf"]
    choose(case, agent, now, *(GivenFile(f"{n}.txt", b"x%d" % n) for n in range(4)))
    with pytest.raises(InvalidInput, match="At most 5"):
        choose(case, agent, now, NOTICE)
    assert len(chosen(case, agent)) == 5


def test_nobody_chooses_for_a_case_out_of_sight_or_leaves_out_what_is_not_theirs(cast, case, agent, now):
    choose(case, agent, now, LETTER)
    number = WaitingFile.objects.get().pk
    with pytest.raises(NotFound):
        choose(case, cast.viewer(cast.outsider), now, NOTICE)
    with pytest.raises(NotAllowed):
        choose(case, cast.viewer(cast.analyst), now, NOTICE)
    for other in (cast.supervisor, cast.outsider):
        with pytest.raises(NotFound):
            leave_out(case_id=case.pk, file_id=number, viewer=cast.viewer(other))
    assert (WaitingFile.objects.count(), chosen(case, agent)) == (1, ["换货单.pdf"])
    leave_out(case_id=case.pk, file_id=number, viewer=agent)
    assert WaitingFile.objects.count() == 0


def test_the_composer_shows_chosen_files_refuses_bad_ones_beside_them_and_sends_what_comes_with_the_text(client, cast, case, settings):
    settings.UNDO_SEND_SECONDS = 0
    client.force_login(cast.agent)
    headers = {"HX-Request": "true"}
    answer = client.post(f"/cases/{case.pk}/chosen/", {"kind": "REPLY", "files": SimpleUploadedFile("leak.png", PNG)}, headers=headers)
    assert (answer.status_code, answer["HX-Retarget"]) == (200, "#chosen-reply")
    assert "leak.png" in answer.content.decode()
    answer = client.post(f"/cases/{case.pk}/chosen/", {"kind": "REPLY", "files": SimpleUploadedFile("a.exe", b"MZ\x00")}, headers=headers)
    assert answer.status_code == 422
    assert "“a.exe” is no picture" in answer.content.decode() and "leak.png" in answer.content.decode()
    assert "leak.png" in client.get(f"/cases/{case.pk}/").content.decode()
    client.post(f"/cases/{case.pk}/reply/", {"body": "See", "files": SimpleUploadedFile("x.txt", b"x")})
    assert kept() == [("leak.png", "OUTBOUND"), ("x.txt", "OUTBOUND")]
    page = client.get(f"/cases/{case.pk}/").content.decode()
    assert f"/cases/{case.pk}/files/{Attachment.objects.first().pk}/" in page
    client.post(f"/cases/{case.pk}/note/", {"body": "See", "files": SimpleUploadedFile("n.txt", b"n")})
    assert kept()[-1] == ("n.txt", "NOTE")


def test_a_bad_file_that_comes_with_the_text_sends_nothing_and_gives_the_text_back(client, cast, case, settings):
    settings.UNDO_SEND_SECONDS = 0
    client.force_login(cast.agent)
    answer = client.post(f"/cases/{case.pk}/reply/", {"body": "See the letter", "files": SimpleUploadedFile("a.exe", b"MZ\x00")})
    assert (answer.status_code, Message.objects.count(), kept()) == (422, 1, [])
    assert "See the letter" in answer.content.decode()


def test_taking_a_file_needs_the_case_and_is_audited(client, cast, case, agent, now):
    choose(case, agent, now, LETTER, kind="NOTE")
    write_note(case_id=case.pk, body="x", viewer=agent, now=now)
    url = f"/cases/{case.pk}/files/{Attachment.objects.get().pk}/"
    client.force_login(cast.outsider)
    assert client.get(url).status_code == 404
    assert not AuditEntry.objects.filter(action="file.view").exists()
    client.force_login(cast.agent)
    answer = client.get(url)
    assert (answer.content, answer["X-Content-Type-Options"]) == (LETTER.content, "nosniff")
    entry = AuditEntry.objects.get(action="file.view")
    assert (entry.actor_id, entry.object_id, entry.details) == (
        cast.agent.pk,
        case.pk,
        {"file": Attachment.objects.get().pk, "name": "换货单.pdf"},
    )


def test_the_bytes_are_encrypted_where_they_lie(case, agent, now):
    from django.db import connection

    choose(case, agent, now, NOTICE)
    choose(case, agent, now, LETTER, kind="NOTE")
    write_note(case_id=case.pk, body="x", viewer=agent, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM writing_waitingfile UNION ALL SELECT content FROM teamwork_attachment")
        stored = [bytes(row[0]) for row in cursor.fetchall()]
    assert len(stored) == 2
    assert not any(NOTICE.content in one or LETTER.content in one for one in stored)


def test_files_go_with_their_messages_through_a_merge_and_its_undo(cast, case, agent, inbound, now):
    other = Case.objects.get(pk=receive_message(inbound(external_id="m-2", files=(NOTICE,)), now=now).case_id)
    rows = list(Attachment.objects.values())
    done = merge_cases(source_ids=[other.pk], into_id=case.pk, expected_versions={other.pk: 1, case.pk: 1}, viewer=agent, now=now)
    assert Attachment.objects.get().case_id == case.pk
    undo(regrouping_id=done.pk, viewer=agent, now=now)
    assert list(Attachment.objects.values()) == rows
