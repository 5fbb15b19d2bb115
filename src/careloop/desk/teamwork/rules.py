"""Who is mentioned, what a tag and a template are: plain Python."""

import re
from collections.abc import Mapping

LONGEST_TAG = 40
MOST_DAYS = 365


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
