"""What an operator may set from outside, read once from CARELOOP_* variables; secrets are made at first start."""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(BaseSettings):
    """The settings of one installation; every name is documented in docs/reference/settings.md."""

    model_config = SettingsConfigDict(env_prefix="CARELOOP_", extra="ignore")

    data_dir: Path = Path("var")
    database_url: str = ""
    house_name: str = "Careloop"
    time_zone: str = "UTC"
    hosts: str = "127.0.0.1,localhost,[::1]"
    base_url: str = "http://127.0.0.1:8000"
    stream_url: str = ""
    stream_port: int = 8001
    secure: bool = False
    debug: bool = False
    mail_url: str = ""
    mail_from: str = "service@localhost"
    log_level: str = "WARNING"
    web_processes: int = Field(default=1, ge=1, le=64)
    upload_limit_megabytes: int = Field(default=200, ge=1, le=10_000)

    @field_validator("time_zone")
    @classmethod
    def check_time_zone(cls, value: str) -> str:
        """Refuse a zone that the time zone database does not know."""
        from zoneinfo import available_timezones

        if value not in available_timezones():
            raise ValueError(f"CARELOOP_TIME_ZONE is {value!r}; expected a name such as Asia/Shanghai or Europe/Berlin")
        return value


class Secrets:
    """The installation's secret keys: Django's signing key, the encryption keys and the blind-index key."""

    def __init__(self, django: str, encryption: dict[str, bytes], active: str, index: bytes) -> None:
        self.django, self.encryption, self.active, self.index = django, encryption, active, index


def load_secrets(data_dir: Path) -> Secrets:
    """Read secrets.json of the data folder (or CARELOOP_SECRETS), making it with mode 0600 when it is absent."""
    given = os.environ.get("CARELOOP_SECRETS")
    path = data_dir / "secrets.json"
    if given:
        stored = json.loads(given)
    elif path.exists():
        stored = json.loads(path.read_text(encoding="utf-8"))
    else:
        stored = new_secrets()
        data_dir.mkdir(parents=True, exist_ok=True)
        write_secrets(path, stored)
    return Secrets(
        django=stored["django"],
        encryption={name: base64.b64decode(key) for name, key in stored["encryption"].items()},
        active=stored["active"],
        index=base64.b64decode(stored["index"]),
    )


def new_secrets() -> dict[str, Any]:
    """Fresh random keys: 256 bits each."""

    def key() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return {"django": secrets.token_urlsafe(50), "encryption": {"k1": key()}, "active": "k1", "index": key()}


def write_secrets(path: Path, stored: dict[str, Any]) -> None:
    """Write the keys so that only the owner of the process may read them, replacing the old file at once or not at all."""
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(stored, file, indent=2)
    draft.replace(path)


def database_from_url(url: str, data_dir: Path) -> dict[str, Any]:
    """Turn CARELOOP_DATABASE_URL into Django's DATABASES entry; empty means SQLite in the data folder."""
    if not url:
        return sqlite_database(data_dir / "careloop.sqlite3")
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite_database(Path(unquote(parts.path)[1:] or data_dir / "careloop.sqlite3"))
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": parts.port or "",
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    raise ValueError(f"CARELOOP_DATABASE_URL begins with {parts.scheme!r}; expected sqlite:///FILE or postgresql://USER@HOST/NAME")


def sqlite_database(path: Path) -> dict[str, Any]:
    """SQLite as docs/decisions/0002 tunes it: WAL, NORMAL, IMMEDIATE, one connection a thread, waiting writers."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;"
                "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32000; PRAGMA mmap_size=268435456;"
            ),
        },
    }
