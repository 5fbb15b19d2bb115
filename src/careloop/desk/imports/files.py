"""Files of imports on disk: uploads, and the rows that were refused. Both may hold personal data, so only the owner reads them."""

import hashlib
import io
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from careloop.desk.imports.wording import spoken
from careloop.desk.kernel.errors import InvalidInput
from careloop.insight.tables import Rejected, RejectWriter

NAME_LENGTH = 120
BLOCK_BYTES = 1 << 18
FORM_BYTES = 100_000  # what a form adds to the file that it carries


@dataclass(frozen=True)
class StoredFile:
    """A file that was taken in: its name without path, where it lies, its size and the SHA-256 of its bytes."""

    name: str
    path: Path
    sha256: str
    size_bytes: int


def store(chunks: Iterable[bytes], name: str, *, limit_bytes: int | None = None) -> StoredFile:
    """Write a stream to the upload folder; a stream above the limit is refused and nothing stays behind."""
    limit = settings.UPLOAD_LIMIT_BYTES if limit_bytes is None else limit_bytes
    folder = upload_folder()
    shown = safe_name(name)
    path = folder / f"upload-{secrets.token_hex(12)}"
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                size += len(chunk)
                check_size(size, shown, limit)
                digest.update(chunk)
                file.write(chunk)
        if not size:
            raise InvalidInput(_("%(file)s is empty (0 bytes); choose a file with a header and rows.") % {"file": shown}, field="file")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return StoredFile(shown, path, digest.hexdigest(), size)


def look_at(path: Path) -> StoredFile:
    """A file that stays where the user has it."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return StoredFile(safe_name(path.name), path.resolve(), digest.hexdigest(), size)


def check_size(size_bytes: int, name: str, limit_bytes: int) -> None:
    """Refuse an upload above the limit."""
    if size_bytes > limit_bytes:
        sentence = _(
            "%(file)s is larger than the limit of %(limit)s MB; pack it with gzip, split it, or import it with the command careloop import."
        )
        raise InvalidInput(sentence % {"file": name, "limit": f"{limit_bytes / 1_000_000:,.0f}"}, field="file")


def upload_folder() -> Path:
    """The folder of uploads, closed to other users of the machine."""
    folder = Path(settings.UPLOAD_DIR).resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def safe_name(name: str) -> str:
    """The last part of a name as people read it, without control characters or path separators; at most 120 characters, ending kept."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = "".join(char for char in last if unicodedata.category(char)[0] != "C" and char not in '<>:"|?*').strip(". ")
    if not clean.strip("-_"):
        return "upload"
    if len(clean) <= NAME_LENGTH:
        return clean
    ending = "".join(Path(clean).suffixes[-2:])[-20:]
    return clean[: NAME_LENGTH - len(ending)] + ending


def append_rejects(path: Path, columns: Sequence[str], rejected: Sequence[Rejected], *, committed_bytes: int) -> int:
    """Write refused rows behind those already committed, cutting off what a killed process left; the new length, safely on disk.

    Reasons and header are in the active language.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.truncate(committed_bytes)
        file.seek(committed_bytes)
        text = io.TextIOWrapper(file, encoding="utf-8" if committed_bytes else "utf-8-sig", newline="", write_through=True)
        writer = RejectWriter(text, columns, is_continued=committed_bytes > 0, in_words=spoken)
        for one in rejected:
            writer.write(one)
        text.flush()
        os.fsync(file.fileno())
        length = file.tell()
        text.detach()
    return length
