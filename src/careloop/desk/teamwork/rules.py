"""Which files a customer may send, who is mentioned, what a tag and a template are: plain Python."""

import re
from collections.abc import Mapping

LARGEST_FILE_BYTES = 5_000_000
FILES_AT_ONCE = 5
FILES_IN_A_CASE = 50
LONGEST_FILE_NAME = 120
LONGEST_TAG = 40
MOST_DAYS = 365
BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF-": "application/pdf",
}


def file_type(data: bytes) -> str:
    """What the bytes are, whatever the file's name says: a picture, a PDF, plain text; "" for anything else."""
    for beginning, kind in BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:12] in (b"ftypheic", b"ftypmif1", b"ftypheix"):
        return "image/heic"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "text/plain" if text.strip() and "\0" not in text else ""


def file_name(given: str) -> str:
    """The last part of a file's name without control characters, its end kept when it is too long."""
    name = "".join(letter for letter in given.replace("\\", "/").rsplit("/", 1)[-1] if letter.isprintable()).strip()
    return name[-LONGEST_FILE_NAME:] or "file"


def people_mentioned(text: str, names: Mapping[int, str]) -> set[int]:
    """Whose names stand in a text behind an @, longest names first, so that @Sun is not found in @Sunny or @Sun Wei."""
    found, rest = set(), text.replace("＠", "@").casefold()
    for number, name in sorted(names.items(), key=lambda one: -len(one[1])):
        wanted = re.compile("@" + re.escape(name.casefold()) + (r"(?![a-z0-9_])" if name[-1:].isascii() else ""))
        rest, count = wanted.subn("\0", rest)
        if name and count:
            found.add(number)
    return found


def tag_from(given: str) -> str:
    """A tag as it is stored: one word or a few, lower case, without # at the beginning."""
    return " ".join(given.replace("\0", "").replace(",", " ").split()).lstrip("#＃ ").casefold()[:LONGEST_TAG]


def lines_to_items(text: str) -> list[dict[str, str | int]]:
    """Tasks of a template, one a line: title | department | days; ValueError names the line that is none."""
    items: list[dict[str, str | int]] = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1):
        title, department, days, *_rest = [*map(str.strip, line.replace("｜", "|").split("|")), "", ""]
        if not title or not (days or "0").isdecimal() or int(days or "0") > MOST_DAYS:
            raise ValueError(number)
        items.append({"title": title[:200], "department": department[:80], "days": int(days or "0")})
    return items
