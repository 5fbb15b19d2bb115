"""A mail as it came over the wire, read with the standard library: who wrote, what they said, which files are in it. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage, Message
from email.utils import parseaddr, parsedate_to_datetime

from careloop.desk.channels.email.plain_text import text_of_html
from careloop.desk.channels.machine_mail import why_answered_by_machine
from careloop.desk.customers.rules import EMAIL, AddressValue
from careloop.desk.intake.rules import MAX_EXTERNAL_ID_LENGTH, MAX_RAW_BYTES, Inbound, derived_external_id
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.teamwork.file_rules import GivenFile

LARGEST_MAIL_BYTES = 60_000_000
MOST_PARTS = 500
CONTENT_TYPE = "message/rfc822"
CODECS = ("utf-8", "gb18030")
CHINESE = {"gb2312", "gbk", "gb_2312-80", "x-gbk", "cp936", "ms936", "hz-gb-2312"}  # senders say these and mean their superset GB18030
NAME = re.compile(r'(?:file)?name\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', re.IGNORECASE)
CASE_NUMBER = re.compile(r"\[#(\d{1,12})\]")
EXTENSIONS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", "application/pdf": ".pdf"}


def parse(raw: bytes, *, channel_slug: str, now: datetime) -> Inbound:
    """The message in a mail with its files; InvalidInput if it is larger than any mail. A case's number is taken from the subject.

    `raw` is kept whole if it fits; of a larger one the headers, for its files are kept by themselves.
    """
    if len(raw) > LARGEST_MAIL_BYTES:
        facts = {"count": len(raw), "most": LARGEST_MAIL_BYTES}
        sentence = Sentence("The mail has {count:,} bytes; at most {most:,} are read. Ask for its files one by one.", **facts)
        raise InvalidInput(sentence, field="raw")
    mail: EmailMessage = message_from_bytes(raw, policy=policy.default)
    name, address = parseaddr(_source(mail, "reply-to") or _source(mail, "from"))
    subject = _header(mail, "subject")
    files, names = _files(mail)
    text = _text(mail, names) or "\n".join(f"[{one.name}]" for one in files) or subject
    number = CASE_NUMBER.search(subject)
    return Inbound(
        channel_slug=channel_slug,
        external_id=(_header(mail, "message-id") or derived_external_id(raw))[:MAX_EXTERNAL_ID_LENGTH],
        text=text,
        raw=raw if len(raw) <= MAX_RAW_BYTES else _head(raw),
        sent_at=_sent_at(mail, now),
        subject=CASE_NUMBER.sub("", subject).strip(),
        sender_name=_decoded(name.encode()),
        addresses=(AddressValue(EMAIL, address),) if address else (),
        case_id=int(number[1]) if number else None,
        content_type=CONTENT_TYPE,
        files=files,
        machine_made=why_answered_by_machine(subject, {name: str(value) for name, value in mail.raw_items()}),
    )


def _files(mail: EmailMessage) -> tuple[tuple[GivenFile, ...], dict[str, str]]:
    """The files in the order in which they stand, and the name of each inline one by its content id."""
    files, names = [], {}
    for number, part in enumerate(_leaves(mail), start=1):
        if _is_text(part):
            continue
        content = _bytes(part)
        if not content:
            continue
        name = name_of(part) or f"file-{number}{EXTENSIONS.get(part.get_content_type(), '')}"
        files.append(GivenFile(name, content))
        if content_id := str(part.get("content-id", "")).strip(" <>"):
            names[content_id] = name
    return tuple(files), names


def name_of(part: Message) -> str:
    """The name of a part as its sender's program meant it: encoded by RFC 2231 or 2047, or bare bytes in UTF-8 or GB18030; "" for none."""
    try:
        found = part.get_filename() or ""
    except (ValueError, LookupError, IndexError):
        found = ""
    if found and "\ufffd" not in found and not found.startswith("=?"):
        return found
    for header in ("content-disposition", "content-type"):
        if match := NAME.search(_source(part, header)):
            return _decoded((match[1] or match[2] or "").strip().encode())
    return found


def _decoded(given: bytes) -> str:
    text = _in_words(given)
    if "=?" not in text:
        return text
    try:
        return "".join(_in_words(piece, codec) if isinstance(piece, bytes) else piece for piece, codec in decode_header(text))
    except (ValueError, LookupError):
        return text


def _in_words(given: bytes, codec: str | None = None) -> str:
    """Bytes as text: by what was said, else by what fits; a few that fit nothing are replaced."""
    said = (codec or "").lower().strip("\"' ")
    for one in ("gb18030" if said in CHINESE else said, *CODECS):
        try:
            return given.decode(one) if one else given.decode("utf-8")
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return given.decode("gb18030" if said in CHINESE else "utf-8", "replace")


def _text(mail: EmailMessage, names: dict[str, str]) -> str:
    """What was said: the plain version of each alternative, else the one in HTML; several text parts one below the other."""
    return "\n\n".join(filter(None, (text.strip() for text in _texts(mail, names))))


def _texts(part: Message, names: dict[str, str]) -> Iterator[str]:
    if part.get_content_type() == "multipart/alternative":
        told = [(one.get_content_type(), list(_texts(one, names))) for one in _children(part)]
        spoken = [texts for _kind, texts in sorted(told, key=lambda one: one[0] != "text/plain") if any(text.strip() for text in texts)]
        yield from spoken[0] if spoken else ()
    elif part.is_multipart():
        for one in _children(part) if part.get_content_maintype() == "multipart" else ():
            yield from _texts(one, names)
    elif _is_text(part):
        text = _in_words(_bytes(part), part.get_content_charset())
        yield text_of_html(text, names) if part.get_content_type() == "text/html" else text


def _is_text(part: Message) -> bool:
    """Whether a part is what the sender said, and no file."""
    return part.get_content_type() in ("text/plain", "text/html") and part.get_content_disposition() != "attachment" and not name_of(part)


def _leaves(mail: Message) -> Iterator[Message]:
    """Every part that holds bytes; a mail inside a mail is one file. A mail of absurdly many parts is read up to a point."""
    waiting, read = [mail], 0
    while waiting and read < MOST_PARTS:
        part, read = waiting.pop(0), read + 1
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting[:0] = _children(part)
        else:
            yield part


def _children(part: Message) -> list[Message]:
    found = part.get_payload()
    return [one for one in found if isinstance(one, Message)] if isinstance(found, list) else []


def _bytes(part: Message) -> bytes:
    if part.is_multipart():  # a mail inside the mail
        return b"\n".join(one.as_bytes(policy=policy.compat32) for one in _children(part))
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _header(mail: Message, name: str) -> str:
    """A header as text, whatever its encoding, on one line."""
    return " ".join(_decoded(_source(mail, name).encode()).split())


def _source(mail: Message, name: str) -> str:
    """A header as it stands, its encoded words still encoded."""
    source = next((value for key, value in mail.raw_items() if key.lower() == name), "")
    return _in_words(str(source).encode("utf-8", "surrogateescape"))


def _sent_at(mail: Message, now: datetime) -> datetime:
    try:
        moment = parsedate_to_datetime(_header(mail, "date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return now
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return min(moment, now) if moment.year >= 1970 else now


def _head(raw: bytes) -> bytes:
    ends = [place for mark in (b"\r\n\r\n", b"\n\n") if (place := raw.find(mark)) >= 0]
    return raw[: min(ends, default=0)][:MAX_RAW_BYTES]
