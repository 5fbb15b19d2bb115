"""What a reader sees of a mail in HTML, as plain text."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser

UNSEEN = {"style", "script", "title", "template"}
BREAKS = {"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "hr", "pre", "ul", "ol"}
EMPTY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def text_of_html(html: str, names: Mapping[str, str]) -> str:
    """The words line by line; a picture that came with the mail stands as its name in brackets (`names` by content id)."""
    reader = _Reader(names)
    reader.feed(html)
    reader.close()
    text = "".join(reader.pieces).replace("\xa0", " ")
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self.names, self.pieces, self._unseen = names, [""], 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Lines end at blocks; pictures of the mail itself are named."""
        if tag in UNSEEN:
            self._unseen += 1
        elif tag in BREAKS:
            self.pieces.append("\n")
        elif tag == "img":
            source = dict(attrs).get("src") or ""
            if source.lower().startswith("cid:") and source[4:] in self.names:
                self.pieces.append(f" [{self.names[source[4:]]}] ")

    def handle_endtag(self, tag: str) -> None:
        """What is not shown ends; blocks end lines."""
        if tag in UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in BREAKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        """Words, unless they are not shown."""
        if not self._unseen:
            self.pieces.append(re.sub(r"\s+", " ", data))
