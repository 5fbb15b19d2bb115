"""Mails as servers hand them over: texts and names in Chinese encodings, files, pictures in the text, and broken ones."""

import base64
import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from careloop.desk.cases.models import Message
from careloop.desk.channels.email.incoming import parse
from careloop.desk.channels.email.plain_text import text_of_html
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.teamwork.file_rules import GivenFile, file_name, file_type
from careloop.desk.teamwork.models import Attachment

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
NAME = "热水器 漏水.png"
ENCODED = f"=?GB2312?B?{base64.b64encode(NAME.encode('gb18030')).decode()}?="


def part(headers: bytes, content: bytes = PNG) -> bytes:
    return headers + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(content) + b"\r\n"


def mail(*parts: bytes, head: bytes = b"", text: bytes = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "漏水了".encode()) -> bytes:
    start = head + b"From: =?gb2312?B?" + base64.b64encode("林晓彤".encode("gb18030")) + b"?= <lin@example.com>\r\n"
    start += b"Message-ID: <1@example.com>\r\nDate: Mon, 4 May 2026 13:00:00 +0800\r\nSubject: [#12] =?utf-8?B?"
    start += base64.b64encode("热水器".encode()) + b"?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return start + b"".join(b"--b\r\n" + one + b"\r\n" for one in (text, *parts)) + b"--b--\r\n"


def read(raw: bytes):
    return parse(raw, channel_slug="post", now=NOW)


def test_a_mail_says_who_wrote_when_about_which_case_and_what():
    found = read(mail())
    assert (found.text, found.subject, found.sender_name, found.case_id) == ("漏水了", "热水器", "林晓彤", 12)
    assert [one.value for one in found.addresses] == ["lin@example.com"]
    assert (found.external_id, found.sent_at) == ("<1@example.com>", datetime(2026, 5, 4, 5, 0, tzinfo=UTC))
    assert (found.content_type, found.files) == ("message/rfc822", ())


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Disposition: attachment; filename*=gb18030''" + "".join(f"%{one:02X}" for one in NAME.encode("gb18030")).encode(),
        b'Content-Disposition: attachment; filename="' + ENCODED.encode() + b'"',
        b"Content-Disposition: attachment; filename=" + ENCODED.encode(),
        b'Content-Disposition: attachment; filename="' + NAME.encode("gb18030") + b'"',
        b'Content-Disposition: attachment; filename="' + NAME.encode() + b'"',
        b'Content-Disposition: attachment\r\nContent-Type: image/png; name="' + ENCODED.encode() + b'"',
        b"Content-Disposition: attachment; filename*0*=utf-8''%E7%83%AD%E6%B0%B4%E5%99%A8%20; filename*1*=%E6%BC%8F%E6%B0%B4.png",
    ],
    ids=["rfc2231 gb18030", "encoded word", "bare encoded word", "raw gb18030", "raw utf-8", "in the type", "continued"],
)
def test_names_in_every_encoding_that_senders_use(headers):
    assert read(mail(part(headers))).files == (GivenFile(NAME, PNG),)


def test_texts_in_gb18030_whatever_the_sender_calls_it():
    for charset in (b"gb2312", b"GBK", b"gb18030", b"x-unknown", b""):
        text = (
            b"Content-Type: text/plain; charset="
            + charset
            + b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            + "镕基兰州拉面䶮".encode("gb18030")
        )
        assert read(mail(text=text)).text == "镕基兰州拉面䶮"


def test_an_inline_picture_is_a_file_and_stands_by_name_in_a_text_of_html_alone():
    html = b'Content-Type: text/html\r\n\r\n<style>p{}</style><p>See<br>here: <img src="cid:a@b"></p><p>&lt;Bye&gt;</p>'
    found = read(mail(part(b"Content-Type: image/png; name=leak.png\r\nContent-ID: <a@b>\r\nContent-Disposition: inline"), text=html))
    assert (found.text, found.files) == ("See\nhere: [leak.png]\n\n<Bye>", (GivenFile("leak.png", PNG),))


def test_of_two_versions_the_plain_one_is_read_and_neither_is_a_file():
    both = b"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/html\r\n\r\n<b>bold</b>\r\n"
    both += b"--c\r\nContent-Type: text/plain\r\n\r\nplain\r\n--c--\r\n"
    assert (read(mail(text=both)).text, read(mail(text=both)).files) == ("plain", ())


def test_a_mail_inside_a_mail_and_a_file_without_a_name():
    inner = b"Content-Type: message/rfc822\r\n\r\nSubject: old\r\n\r\nearlier"
    found = read(mail(inner, part(b"Content-Type: image/png")))
    assert [one.name for one in found.files] == ["file-2", "file-3.png"]
    assert b"earlier" in found.files[0].content and found.text == "漏水了"


def test_a_mail_of_files_alone_says_their_names_and_an_empty_one_its_subject():
    none = b"Content-Type: text/plain\r\n\r\n"
    assert read(mail(part(b'Content-Type: image/png; name="a.png"'), text=none)).text == "[a.png]"
    assert read(mail(text=none)).text == "[#12] 热水器"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\xff\xfe", b"no header at all", b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Subject: =?utf-8?B?!!!?=\r\nDate: yesterday\r\nFrom: <<>>\r\n\r\nx", b"Date: Mon, 4 May 9999 99:00:00 +9999\r\n\r\nx",
        b"Content-Type: text/plain; charset=\"\x00\"\r\n\r\nx", b"Content-Disposition: attachment; filename*=x''%\r\n\r\nx",
    ],
)  # fmt: skip
def test_broken_mails_are_read_as_far_as_they_go(raw):
    found = read(raw)
    assert found.sent_at <= NOW and found.external_id


def test_a_mail_in_parts_within_parts_ends():
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n" * 2_000
    assert len(read(raw).files) == 499


def test_a_mail_larger_than_any_is_refused_and_of_a_large_one_the_head_is_kept():
    with pytest.raises(InvalidInput, match="60,000,001 bytes"):
        read(b"x" * 60_000_001)
    found = read(mail(part(b"Content-Type: application/pdf; name=a.pdf", b"%PDF-" + b"0" * 4_000_000)))
    assert len(found.raw) < 500 and found.raw.startswith(b"From: ") and len(found.files[0].content) == 4_000_005


def test_what_cannot_be_kept_is_told_and_the_message_still_arrives(cast, now):
    slug = cast.channel.slug
    raw = mail(
        part(b'Content-Type: application/x-msdownload; name="virus.exe"', b"MZ\x90\x00"),
        part(b'Content-Type: application/pdf; name="../../etc/\xe2\x80\xae big.pdf"', b"%PDF-" + b"0" * 10_000_000),
        part(b'Content-Type: image/png; name="leak.png"'),
    )
    receipt = receive_message(parse(raw, channel_slug=slug, now=now), now=now)
    assert receive_message(parse(raw, channel_slug=slug, now=now), now=now).message_id == receipt.message_id
    rows = list(Attachment.objects.order_by("pk").values_list("name", "refusal", "size_bytes"))
    assert rows == [("virus.exe", "KIND", 4), ("big.pdf", "TOO_LARGE", 10_000_005), ("leak.png", "", 28)]
    assert [bytes(one.content) for one in Attachment.objects.order_by("pk")] == [b"", b"", PNG]
    assert Message.objects.get().body == "漏水了"


def test_of_more_files_than_a_mail_may_have_the_first_twenty_are_kept(cast, now):
    parts = [part(f"Content-Type: text/plain; name={number}.txt".encode(), str(number).encode()) for number in range(22)]
    receive_message(parse(mail(*parts), channel_slug=cast.channel.slug, now=now), now=now)
    assert list(Attachment.objects.exclude(refusal="").order_by("pk").values_list("name", "refusal")) == [
        ("20.txt", "TOO_MANY"),
        ("21.txt", "TOO_MANY"),
    ]


def test_a_mail_server_pipes_a_mail_to_the_command(cast, monkeypatch, capsys):
    class Pipe:
        buffer = io.BytesIO(mail(part(b"Content-Type: image/png; name=leak.png")))

    monkeypatch.setattr("sys.stdin", Pipe)
    call_command("receive_mail", "shop")
    kept = Attachment.objects.get()
    assert capsys.readouterr().out == f"message {kept.message_id} of case #{kept.case_id}\n"
    Pipe.buffer = io.BytesIO(mail())
    with pytest.raises(CommandError, match="no active channel") as refused:
        call_command("receive_mail", "nowhere")
    assert (refused.value.returncode, Message.objects.count()) == (65, 1)


def document(*names: str, kind: str = "") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        if kind:
            archive.writestr("mimetype", kind)
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (document("[Content_Types].xml", "word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (document("[Content_Types].xml", "xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (document("content.xml", kind="application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text"),
        (document("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), ""),
        (document("program.exe"), ""),
        (document("x.txt", kind="text/html"), ""),
        (b"PK\x03\x04 broken", ""),
        ("报价单：三百元\r\n".encode("gb18030"), "text/plain"),
        ("hello".encode("utf-16"), "text/plain"),
        (b"\xff\xfe\x00", ""),
        (b"MZ\x00", ""),
        (b"\x1b[2J", ""),
        (b"", ""),
    ],
)
def test_a_file_is_what_its_bytes_are(content, kind):
    assert file_type(content) == kind


def test_names_are_cleaned():
    assert file_name("C:\\Users\\x\\a\u202eb\n.png") == "ab.png"
    assert file_name("../../..") == "file"
    assert file_name("长" * 300 + ".pdf") == "长" * 116 + ".pdf"


def test_html_as_a_reader_sees_it():
    assert text_of_html("<table><tr><td>a</td> <td>b&nbsp;c</td></tr></table>\n\n<p></p><p></p>d<script>e</script>", {}) == "a b c\n\nd"
    assert text_of_html("<p>open <b>ended", {}) == "open ended"


@pytest.mark.django_db
def test_a_mail_of_the_future_was_sent_now(now):
    raw = mail().replace(b"4 May 2026", b"9 May 2026")
    assert parse(raw, channel_slug="post", now=now).sent_at == now and now < NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"", ""),
        (b"Auto-Submitted: no\r\n", ""),
        (b"AUTO-SUBMITTED:\r\n auto-replied\r\n", "header"),
        (b"Return-Path: <>\r\n", "sender"),
    ],
)
def test_a_mail_says_whether_a_program_answered(head, why):
    assert read(mail(head=head)).machine_made == why
