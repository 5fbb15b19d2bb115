"""One line a log record, on standard error, with the request's id on everything that a request does.

Whoever reads logs gets neither a key to anything nor what somebody searched for: see `without_secrets`.
"""

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

KEYS_IN_PATHS = re.compile(
    r"(/(?:[acst]|accounts/password/reset/key|accounts/confirm-email)/)[^/\s\"'<>]{16,}"
)  # signed links of web/urls.py


def without_secrets(_logger: Any, _level: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The record with the keys in its addresses, and what the request asked behind a question mark, left out."""
    for name in ("event", "request"):
        if isinstance(record.get(name), str):
            record[name] = KEYS_IN_PATHS.sub(r"\1…", record[name])
    if "?" in str(record.get("request", "")):
        record["request"] = record["request"].partition("?")[0] + "?…"
    return record


BEFORE: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    without_secrets,
]


def logging_settings(level: str) -> dict[str, Any]:
    """Django's LOGGING; also lets structlog's loggers obey the same level and write to the same place."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *BEFORE,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": BEFORE,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"]),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
        },
    }
