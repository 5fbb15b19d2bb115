"""Which encoding a text file has, and its lines, decoded strictly, one undecodable line at a time.

Detection looks at a byte order mark, then at the first 256 kB, or further until a byte beyond ASCII has turned up:

1. UTF-8 (with or without mark) when at least half of the lines beyond ASCII are valid UTF-8, which text in another
   encoding practically never is;
2. else GB18030, the superset of GBK and GB2312, when at least half of those lines decode and at least 80 % of their
   two-byte characters lie in the block of common characters (GB 2312), which separates it from Big5, Shift JIS and
   Western text that decodes by accident;
3. else UTF-8 when at most 20 % of all lines are not valid in it: those become error rows;
4. else `EncodingError`, asking for the name of the encoding.

Mixed bytes: the file has one encoding. A line that is not valid in it is handed out with U+FFFD in place of the bad
bytes and is marked, so that its row becomes an error row; nothing is guessed line by line, as short GB18030 lines can
be valid UTF-8 and the reverse.
"""

from __future__ import annotations

import codecs
import contextlib
import io
from collections.abc import Iterable, Iterator

from careloop.insight.errors import EncodingError, Sentence
from careloop.insight.tables.errors import BrokenStreamError
from careloop.insight.tables.rows import Fault, Limits

SAMPLE_BYTES = 1 << 18
BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
COMMON_SHARE = 0.8
STRAY_SHARE = 0.2


def detect_encoding(blocks: Iterable[bytes], name: str) -> str:
    """Return the Python name of the encoding: "utf-8", "utf-8-sig", "utf-16", "utf-32" or "gb18030".

    Parameters
    ----------
    blocks : iterable of bytes
        The content from its beginning; read only as far as needed.
    name : str
        The file's name, for the message.

    Raises
    ------
    EncodingError
        When the sample is neither.
    """
    sample = _sample(blocks)
    for mark, encoding in BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    if not lines:
        return "utf-8"
    if _decodable(lines, "utf-8") * 2 >= len(lines):
        return "utf-8"
    if _decodable(lines, "gb18030") * 2 >= len(lines) and _common_share(lines) >= COMMON_SHARE:
        return "gb18030"
    bad = len(lines) - _decodable(lines, "utf-8")
    if bad <= STRAY_SHARE * (sample.count(b"\n") + 1):
        return "utf-8"
    raise EncodingError(
        Sentence(
            "{file} is neither UTF-8, UTF-16 with a byte order mark, nor GB18030 (GBK, GB2312); save it as UTF-8, or name its encoding.",
            file=name,
        ),
        field="encoding",
    )


def checked_encoding(encoding: str) -> str:
    """Return the encoding that a person named, GB2312 and GBK widened to GB18030.

    Raises
    ------
    EncodingError
        When Python does not know it, or it is not a text encoding.
    """
    try:
        codec = codecs.lookup(encoding)
        "".encode(encoding)
    except (LookupError, ValueError):
        raise EncodingError(
            Sentence("“{encoding}” is no known text encoding; use for example utf-8, gb18030, big5 or cp1252.", encoding=encoding),
            field="encoding",
        ) from None
    return "gb18030" if codec.name in ("gb2312", "gbk") else codec.name


def _sample(blocks: Iterable[bytes]) -> bytes:
    """Return the beginning, without the ASCII blocks before the first other byte, cut at a line's end."""
    kept = b""
    with contextlib.suppress(BrokenStreamError):  # reported when the rows are read, with how far they go
        for block in blocks:
            kept = block if len(kept) >= SAMPLE_BYTES and kept.isascii() else kept + block
            if len(kept) >= SAMPLE_BYTES and not kept.isascii():
                cut = kept.rfind(b"\n")
                return kept[:cut] if cut > 0 else kept
    return kept


def _decodable(lines: list[bytes], encoding: str) -> int:
    good = 0
    for line in lines:
        try:
            line.decode(encoding)
        except UnicodeDecodeError:
            continue
        good += 1
    return good


def _common_share(lines: list[bytes]) -> float:
    """Return the share of two-byte characters inside the GB 2312 block, of all sequences that begin beyond ASCII."""
    pairs = common = 0
    for line in lines:
        position, end = 0, len(line) - 1
        while position < end:
            if line[position] < 0x80:
                position += 1
                continue
            pairs += 1
            common += 0xA1 <= line[position] <= 0xF7 and line[position + 1] >= 0xA1
            position += 2
    return common / pairs if pairs else 0.0


def as_ascii_compatible(blocks: Iterable[bytes], encoding: str) -> tuple[Iterable[bytes], str]:
    """Return blocks whose lines can be split at byte 10, and their encoding: UTF-16 and UTF-32 are turned into UTF-8.

    Half characters stay invalid, so that the line that has them is found.
    """
    if not encoding.startswith(("utf-16", "utf_16", "utf-32", "utf_32")):
        return blocks, encoding
    return _recoded(blocks, encoding), "utf-8-sig"


def _recoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    pending, _ = decoder.getstate()
    if pending:
        yield b"\xff"


class TextLines:
    """The physical lines of a text file, in constant memory.

    Iterating yields each line; its end ("\\n", "\\r\\n" or a lone "\\r") becomes "\\n". `faults` holds what
    is wrong with a line, by its number from 1; the reader takes the entries out as it goes.

    Parameters
    ----------
    blocks : iterable of bytes
        The content.
    encoding : str
    limits : Limits
        `row_bytes` bounds a line; of a longer one only the beginning is handed out, without quotes.
    """

    KEPT_BYTES = 200

    def __init__(self, blocks: Iterable[bytes], encoding: str, limits: Limits) -> None:
        recoded, self.encoding = as_ascii_compatible(blocks, encoding)
        self._pieces = _whole_lines(_without_mark(recoded), limits.row_bytes)
        self._limits = limits
        self.faults: dict[int, tuple[Fault, Sentence]] = {}

    def __iter__(self) -> Iterator[str]:
        codec = "utf-8" if self.encoding == "utf-8-sig" else self.encoding
        number = 0
        for piece, is_cut in self._pieces:
            if is_cut:
                number += 1
                self.faults[number] = (
                    Fault.LINE_TOO_LONG,
                    Sentence("is longer than {most:,} bytes; a line end may be missing", most=self._limits.row_bytes),
                )
                yield piece[: self.KEPT_BYTES].replace(b'"', b"").decode(codec, "ignore") + "\n"
                continue
            try:
                lines = _split(piece.decode(codec))
            except UnicodeDecodeError:
                lines = self._decoded_one_by_one(piece, codec, number)
            for line in lines:
                number += 1
                if "\0" in line:
                    self.faults.setdefault(number, (Fault.NUL, Sentence("holds a NUL character")))
                    line = line.replace("\0", "")  # noqa: PLW2901 - the row is kept readable for the reject file
                yield line

    def _decoded_one_by_one(self, piece: bytes, codec: str, number: int) -> list[str]:
        lines: list[str] = []
        for raw in piece.splitlines(keepends=True):
            try:
                lines.append(raw.decode(codec))
            except UnicodeDecodeError as error:
                lines.append(raw.decode(codec, "replace"))
                bad = raw[error.start : error.start + 4].hex(" ")
                self.faults[number + len(lines)] = (
                    Fault.UNDECODABLE,
                    Sentence(
                        "cannot be decoded as {encoding} at its byte {byte:,} ({bad})",
                        encoding=codec.upper(),
                        byte=error.start + 1,
                        bad=bad,
                    ),
                )
        return lines


def _split(text: str) -> list[str]:
    """Split at "\\n", "\\r\\n" and "\\r" only; `str.splitlines` would also split at U+2028, form feeds and others."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return io.StringIO(text).readlines()


def _without_mark(blocks: Iterable[bytes]) -> Iterator[bytes]:
    stream = iter(blocks)
    for first in stream:
        yield first.removeprefix(codecs.BOM_UTF8)
        break
    yield from stream


def _whole_lines(blocks: Iterable[bytes], row_bytes: int) -> Iterator[tuple[bytes, bool]]:
    """Yield runs of whole lines; a line beyond the limit comes alone, cut, with True."""
    carry = bytearray()
    is_skipping = False
    for block in blocks:
        start = 0
        if is_skipping:
            start = _line_end(block)
            if not start:
                continue
            is_skipping = False
        cut = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
        if cut > start:
            yield bytes(carry) + block[start:cut], False
            carry = bytearray(block[cut:])
        else:
            carry += block[start:]
        if len(carry) > row_bytes:
            yield bytes(carry[:row_bytes]), True
            carry, is_skipping = bytearray(), True
    if carry:
        yield bytes(carry), False


def _line_end(block: bytes) -> int:
    ends = [place for place in (block.find(b"\n"), block.find(b"\r")) if place >= 0]
    return min(ends) + 1 if ends else 0
