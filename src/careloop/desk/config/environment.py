"""What an operator may set from outside, read once from CARELOOP_* variables."""

import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(BaseSettings):
    """The settings of one installation; every name is documented in docs/reference/settings.md."""

    model_config = SettingsConfigDict(env_prefix="CARELOOP_", extra="ignore", hide_input_in_errors=True)  # the key is among the input

    data_dir: Path = Path("var")
    database_url: str = ""
    house_name: str = "Careloop"
    time_zone: str = "UTC"
    hosts: str = "127.0.0.1,localhost,[::1]"
    base_url: str = "http://127.0.0.1:8000"
    stream_url: str = ""
    stream_port: int = 8001
    secure: bool = False
    proxies: int = Field(default=0, ge=0, le=9)
    debug: bool = False
    mail_url: str = ""
    mail_from: str = "service@localhost"
    log_level: str = "WARNING"
    web_processes: int = Field(default=1, ge=1, le=64)
    upload_limit_megabytes: int = Field(default=200, ge=1, le=10_000)
    customer_link_days: int = Field(default=90, ge=1, le=3650)
    customer_link_in_mail: bool = False
    webhooks_to_private: bool = False
    encoder: str = "bundled"
    encoder_key: str = Field(default="", repr=False)
    llm_url: str = ""
    llm_model: str = ""
    llm_key: str = Field(default="", repr=False)
    undo_send_seconds: int = Field(default=10, ge=0, le=60)
    llm_timeout_seconds: int = Field(default=60, ge=1, le=600)
    llm_hourly_limit: int = Field(default=60, ge=1, le=100_000)

    @field_validator("time_zone")
    @classmethod
    def check_time_zone(cls, value: str) -> str:
        """Refuse a zone that the time zone database does not know."""
        from zoneinfo import available_timezones

        if value not in available_timezones():
            raise ValueError(f"CARELOOP_TIME_ZONE is {value!r}; expected a name such as Asia/Shanghai or Europe/Berlin")
        return value

    @field_validator("encoder")
    @classmethod
    def check_encoder(cls, value: str) -> str:
        """Refuse what names no encoder; whether a service answers is found out when it is needed."""
        if not re.fullmatch(r"bundled|hub:.+|https?://[^#\s]+#.+", value):
            expected = "bundled, hub:NAME, or a service's address and model such as http://127.0.0.1:11434/v1#bge-m3"
            raise ValueError(f"CARELOOP_ENCODER is {value!r}; expected {expected}")
        return value

    @model_validator(mode="after")
    def check_language_model(self) -> "Environment":
        """Refuse half a connection to a language model, or an address that is none."""
        if self.llm_url and not (self.llm_url.startswith(("http://", "https://")) and urlsplit(self.llm_url).hostname):
            raise ValueError(f"CARELOOP_LLM_URL is {self.llm_url!r}; expected an address such as http://127.0.0.1:11434/v1")
        if bool(self.llm_url) != bool(self.llm_model):
            given, missing = ("URL", "MODEL") if self.llm_url else ("MODEL", "URL")
            raise ValueError(f"CARELOOP_LLM_{given} is set and CARELOOP_LLM_{missing} is not; set both, or none to do without")
        return self

    def language_model(self) -> dict[str, Any] | None:
        """How to reach the language model; None when there is none."""
        if not self.llm_url:
            return None
        return {"url": self.llm_url, "model": self.llm_model, "key": self.llm_key, "timeout_seconds": float(self.llm_timeout_seconds)}


def spellings_of(url: str) -> list[str]:
    """The address itself and, on this machine's own address, its other common name: people type localhost as well as 127.0.0.1."""
    other = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}.get(urlsplit(url).hostname or "")
    return [url] if other is None else [url, url.replace(str(urlsplit(url).hostname), other, 1)]


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


class MailServer(NamedTuple):
    """Where outgoing mail goes; without a host it is written into files."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    is_tls: bool = False
    is_starttls: bool = False


def mail_server_from_url(url: str) -> MailServer:
    """Read CARELOOP_MAIL_URL: smtps:// speaks TLS from the first byte on port 465 and by STARTTLS on any other, smtp:// speaks none."""
    if not url:
        return MailServer()
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError(f"CARELOOP_MAIL_URL begins with {parts.scheme!r}; expected smtp://HOST:25 or smtps://USER:PASSWORD@HOST:587")
    is_tls = parts.scheme == "smtps"
    port = parts.port or (587 if is_tls else 25)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.hostname, port, user, password, is_tls=is_tls and port == 465, is_starttls=is_tls and port != 465)


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
                "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000;"
            ),
        },
    }
