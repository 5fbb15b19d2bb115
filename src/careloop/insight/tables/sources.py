"""Where the bytes come from: a path or a stream, plain or gzip, counted against the limits while they flow."""

from __future__ import annotations

import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from careloop.insight.errors import InputError, Sentence
from careloop.insight.tables.errors import BrokenStreamError, TooLargeError
from careloop.insight.tables.rows import Limits

BLOCK_BYTES = 1 << 18
GZIP_MAGIC = b"\x1f\x8b"
ITEMS_A_LOOK = 1_000  # rows or texts between two looks at the clock


class Source:
    """A file that can be opened again and again; a stream is copied to a temporary file first.

    Parameters
    ----------
    given : path or binary stream
        What the caller handed in. A stream is read from where it stands.
    name : str or None
        The file's own name, for its ending and for messages; taken from the path or the stream when None.
    limits : Limits

    Raises
    ------
    InputError
        When there is no such file.
    TooLargeError
        When it is larger than `limits.file_bytes`.
    """

    def __init__(self, given: str | Path | BinaryIO | IO[bytes], name: str | None, limits: Limits) -> None:
        self.limits = limits
        self._opened_at = time.monotonic()
        self._copy: IO[bytes] | None = None
        if isinstance(given, str | Path):
            self.path = Path(given)
            if not self.path.is_file():
                raise InputError(Sentence("There is no file {path}; give the path of a table.", path=str(given)), field="file")
            self.name = name or self.path.name
        else:
            self.name = name or Path(str(getattr(given, "name", "") or "the stream")).name
            self._copy = _copied(given, limits, self.name)
            self.path = Path(self._copy.name)
        size = self.path.stat().st_size
        if size > limits.file_bytes:
            raise _too_large(self.name, limits)
        self.is_gzip = self.head(2) == GZIP_MAGIC

    def close(self) -> None:
        """Delete the temporary copy, if there is one."""
        if self._copy is not None:
            self._copy.close()

    def check_time(self) -> None:
        """Stop reading when the limit of time is over.

        Raises
        ------
        BrokenStreamError
        """
        seconds = self.limits.seconds
        if seconds is not None and time.monotonic() - self._opened_at > seconds:
            told = Sentence(
                "The first rows of {file} could not be read within {seconds:g} seconds; split it into smaller files.",
                file=self.name,
                seconds=seconds,
            )
            raise BrokenStreamError(told, TooLargeError)

    def head(self, count: int) -> bytes:
        """Return the first `count` bytes as they lie in the file."""
        with self.path.open("rb") as file:
            return file.read(count)

    def blocks(self) -> Iterator[bytes]:
        """Yield the content, unpacked, in pieces of about 256 kB.

        Raises
        ------
        BrokenStreamError
            When gzip data are damaged, cut off, or expand beyond the limits, or the time is over; all bytes before that were yielded.
        """
        with self.path.open("rb") as file:
            raw = iter(lambda: file.read(BLOCK_BYTES), b"")
            for block in _unpacked(raw, self.name, self.limits) if self.is_gzip else raw:
                yield block
                self.check_time()


def _copied(stream: BinaryIO | IO[bytes], limits: Limits, name: str) -> IO[bytes]:
    copy = tempfile.NamedTemporaryFile(prefix="careloop-", suffix=".table")  # noqa: SIM115 - closed by Source.close
    left = limits.file_bytes + 1
    while left > 0 and (block := stream.read(min(BLOCK_BYTES, left))):
        if isinstance(block, str):
            raise InputError(Sentence("A table is read from a binary stream; open the file with mode “rb”."), field="file")
        copy.write(block)
        left -= len(block)
    if left <= 0:
        copy.close()
        raise _too_large(name, limits)
    copy.flush()
    return copy


def _too_large(name: str, limits: Limits) -> TooLargeError:
    told = Sentence("{file} is larger than {most:,} bytes; split it into smaller files.", file=name, most=limits.file_bytes)
    return TooLargeError(told)


def _unpacked(raw: Iterator[bytes], name: str, limits: Limits) -> Iterator[bytes]:
    packed = unpacked = 0
    decoder = zlib.decompressobj(wbits=31)
    for block in raw:
        packed += len(block)
        rest = block
        while rest:
            if decoder.eof:  # the next member of the same file, or padding
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                decoder = zlib.decompressobj(wbits=31)
            try:
                piece = decoder.decompress(rest, BLOCK_BYTES)
            except zlib.error as error:
                raise BrokenStreamError(Sentence("The gzip data of {file} are damaged.", file=name, detail=str(error))) from error
            rest = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            unpacked += len(piece)
            _check_expansion(packed, unpacked, name, limits)
            if piece:
                yield piece
    if not decoder.eof and (piece := decoder.flush()):
        yield piece
    if not decoder.eof:
        raise BrokenStreamError(Sentence("{file} is cut off: its gzip data end in the middle; fetch or export it again.", file=name))


def _check_expansion(packed: int, unpacked: int, name: str, limits: Limits) -> None:
    if unpacked > limits.expanded_bytes:
        told = Sentence("{file} unpacks to more than {most:,} bytes; split it into smaller files.", file=name, most=limits.expanded_bytes)
        raise BrokenStreamError(told, TooLargeError)
    if unpacked > limits.ratio_from_bytes and unpacked > packed * limits.expansion_ratio:
        raise BrokenStreamError(
            Sentence(
                "{file} grows more than {fold}-fold when unpacked, as a gzip bomb does; unpack it yourself if you trust it.",
                file=name,
                fold=limits.expansion_ratio,
            ),
            TooLargeError,
        )
