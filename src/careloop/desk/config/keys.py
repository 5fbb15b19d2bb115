"""The installation's secret keys: made at first start, read again when they were rotated, kept in secrets.json (mode 0600)."""

import base64
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from careloop.desk.kernel.errors import Conflict

LOOK_EVERY_SECONDS = 1.0
KEY_BYTES = 32
SETTLED_AFTER = timedelta(minutes=1)


class Secrets:
    """Django's signing key, the encryption keys by id (one is active) and the blind-index key.

    `path` is None when CARELOOP_SECRETS gives them. Other processes may rotate the encryption keys at any time: `refresh` takes
    over what secrets.json says now, and `encryption` and `active` change together with it.
    """

    def __init__(self, stored: dict[str, Any], path: Path | None = None) -> None:
        self.path = path
        self._looked_at, self._seen = 0.0, self._version()
        self.django: str = stored["django"]
        self.index: bytes = _key(stored["index"], "index")
        self._take(stored)

    def refresh(self, *, at_once: bool = False) -> None:
        """Read the file again if it has changed; looks at most once a second unless `at_once`."""
        now = time.monotonic()
        if self.path is None or (not at_once and now - self._looked_at < LOOK_EVERY_SECONDS):
            return
        self._looked_at = now
        version = self._version()
        if version != self._seen:
            self._take(json.loads(self.path.read_text(encoding="utf-8")))
            self._seen = version

    def add_key(self, *, now: datetime) -> str:
        """Make a new encryption key, active from now on in every process; returns its id. Conflict when the keys cannot be written."""
        with self._changing() as stored:
            numbers = [int(name[1:]) for name in stored["encryption"] if name[1:].isdigit()]
            name = f"k{max(numbers, default=0) + 1}"
            stored["encryption"][name] = new_key()
            stored |= {"active": name, "active_since": now.isoformat()}
        return name

    def remove_key(self, name: str, *, now: datetime) -> None:
        """Forget a key that is not active any more; callers have made sure that no stored value needs it."""
        with self._changing() as stored:
            if name == stored["active"]:
                raise Conflict(f"The key {name!r} is the active one; it is needed for every new value.")
            since = datetime.fromisoformat(stored.get("active_since") or datetime.min.replace(tzinfo=UTC).isoformat())
            if now - since < SETTLED_AFTER:
                raise Conflict(f"The active key is younger than {SETTLED_AFTER.seconds} s: other processes may still use {name!r}. Wait.")
            stored["encryption"].pop(name, None)

    def _take(self, stored: dict[str, Any]) -> None:
        keys = {name: _key(text, f"encryption key {name!r}") for name, text in stored["encryption"].items()}
        if stored["active"] not in keys:
            raise ValueError(f"secrets.json names {stored['active']!r} as active, but holds {', '.join(sorted(keys))}; restore it")
        self.encryption: dict[str, bytes] = keys
        self.active: str = stored["active"]

    def _version(self) -> tuple[int, int]:
        if self.path is None:
            return (0, 0)
        facts = self.path.stat()
        return (facts.st_mtime_ns, facts.st_ino)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """The stored keys, to change; written when the block ends well. One process at a time."""
        if self.path is None:
            raise Conflict("The keys are given by CARELOOP_SECRETS; change that variable where it is set, then restart every process.")
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            yield stored
            write_secrets(self.path, stored)
        self.refresh(at_once=True)


def load_secrets(data_dir: Path) -> Secrets:
    """Read CARELOOP_SECRETS or secrets.json of the data folder, making the file with mode 0600 when it is absent."""
    given = os.environ.get("CARELOOP_SECRETS")
    if given:
        return Secrets(json.loads(given))
    path = data_dir / "secrets.json"
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # the database will lie there, too
        write_secrets(path, new_secrets(), is_first=True)
    return Secrets(json.loads(path.read_text(encoding="utf-8")), path)


def new_secrets() -> dict[str, Any]:
    """Fresh random keys: 256 bits each."""
    return {"django": secrets.token_urlsafe(50), "encryption": {"k1": new_key()}, "active": "k1", "index": new_key()}


def new_key() -> str:
    """One key, as it is stored."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def write_secrets(path: Path, stored: dict[str, Any], *, is_first: bool = False) -> None:
    """Write the keys so that only the owner of the process may read them, all at once; with `is_first`, never over existing ones."""
    draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(stored, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    if not is_first:
        draft.replace(path)
        return
    try:
        os.link(draft, path)
    except FileExistsError:  # another process was faster: its keys count
        pass
    finally:
        draft.unlink()


def _key(text: str, name: str) -> bytes:
    key = base64.b64decode(text)
    if len(key) != KEY_BYTES:
        raise ValueError(f"The {name} in secrets.json has {len(key)} bytes; expected {KEY_BYTES}, base64-encoded. Restore the file.")
    return key
