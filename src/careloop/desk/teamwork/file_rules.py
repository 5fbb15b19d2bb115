"""Which files are kept, and under which name: judged by their bytes, whatever the name says. Plain Python."""

import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

LARGEST_FILE_BYTES = 10_000_000
LARGEST_REPLY_BYTES = 20_000_000  # all files of one reply; mail servers refuse more
FILES_AT_ONCE = 5
FILES_IN_A_MAIL = 20
FILES_IN_A_CASE = 200
LONGEST_FILE_NAME = 120
TOO_LARGE, TOO_MANY, WRONG_KIND = "TOO_LARGE", "TOO_MANY", "KIND"
BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF-": "application/pdf",
}
ZIP = b"PK\x03\x04"
OFFICE = "application/vnd.openxmlformats-officedocument."
OFFICE_PARTS = {"word/": "wordprocessingml.document", "xl/": "spreadsheetml.sheet", "ppt/": "presentationml.presentation"}
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
MACROS = ("vbaproject.bin", "basic/script-lc.xml")
TEXT_CODECS = ("utf-8", "gb18030")
MARKED_TEXT = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class GivenFile(NamedTuple):
    """A file as it came: its name as given, its bytes."""

    name: str
    content: bytes


class JudgedFile(NamedTuple):
    """A file under its clean name, what it is, and why it is not kept ("" if it is)."""

    name: str
    content: bytes
    content_type: str
    refusal: str


def file_type(data: bytes) -> str:
    """What the bytes are: a picture, a PDF, plain text, a document of an office program without macros; "" for anything else."""
    for beginning, kind in BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:12] in (b"ftypheic", b"ftypmif1", b"ftypheix"):
        return "image/heic"
    if data.startswith(ZIP):
        return _office_type(data)
    return "text/plain" if _is_text(data) else ""


def file_name(given: str) -> str:
    """The last part of a file's name without control characters, its end kept when it is too long."""
    letters = unicodedata.normalize("NFC", given).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(letter for letter in letters if letter.isprintable()).strip(" .")
    return name[-LONGEST_FILE_NAME:].strip() or "file"


def judge_files(files: Sequence[GivenFile], *, kept_before: int, most: int) -> Iterator[JudgedFile]:
    """Each file with the reason why it is not kept, if there is one; `kept_before` files are in the case already."""
    kept = 0
    for one in files:
        kind = file_type(one.content)
        refusal = WRONG_KIND if not kind else TOO_LARGE if len(one.content) > LARGEST_FILE_BYTES else ""
        if not refusal and (kept >= most or kept_before + kept >= FILES_IN_A_CASE):
            refusal = TOO_MANY
        kept += not refusal
        yield JudgedFile(file_name(one.name), one.content, kind, refusal)


def _is_text(data: bytes) -> bool:
    for codec in (MARKED_TEXT[data[:2]],) if data[:2] in MARKED_TEXT else TEXT_CODECS:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        return bool(text.strip()) and not any(unicodedata.category(letter) == "Cc" and letter not in "\t\n\r\f" for letter in set(text))
    return False


def _office_type(data: bytes) -> str:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
            if any(name.lower().endswith(MACROS) for name in names):
                return ""
            if "[Content_Types].xml" in names:
                return next((OFFICE + kind for part, kind in OFFICE_PARTS.items() if any(name.startswith(part) for name in names)), "")
            if names[:1] == ["mimetype"] and archive.getinfo("mimetype").file_size <= 100:
                kind = archive.read("mimetype").decode("ascii", "replace")
                return kind if kind.startswith(OPEN_DOCUMENT) and kind.removeprefix(OPEN_DOCUMENT).isalpha() else ""
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, RuntimeError):
        return ""
    return ""
