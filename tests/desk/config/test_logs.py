"""Log lines name what went wrong, never a key to it."""

import logging

import pytest
import structlog
from django.urls import URLResolver, get_resolver, reverse

from careloop.desk.config.logs import logging_settings, without_secrets

TOKEN = "17-4-1-20700.wJkX0m_Qe-7Zb3yT9rVnA5cLdHsGfPu"
KEY = "d4kq2x-6f1c0b9e8a7d5c3b2a10"
HELD_IN_THE_ADDRESS = {"token": TOKEN, "key": KEY, "uidb36": "a1", "file_id": 7}


def routes_with_a_key(patterns=None):
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            yield from routes_with_a_key(one.url_patterns)
        elif {"token", "key"} & set(one.pattern.regex.groupindex):
            yield one.name, tuple(one.pattern.regex.groupindex)


@pytest.mark.parametrize("event", ["Not Found: %s", "POST %s"])
def test_no_line_holds_the_key_of_a_signed_address(event):
    found = sorted(routes_with_a_key())
    assert {"customer-case", "customer-file", "shared-page", "shared-topic", "survey-answer"} <= {name for name, _ in found}
    for name, parameters in found:
        address = reverse(name, kwargs={one: HELD_IN_THE_ADDRESS[one] for one in parameters})
        record = without_secrets(None, "warning", {"event": event % address, "request": f"GET {address}"})
        assert TOKEN not in str(record) and KEY not in str(record), name
        assert record["event"].startswith(event.split("%")[0] + "/"), "what was asked for is still told"


def test_what_somebody_searched_for_is_in_no_line():
    record = without_secrets(None, "info", {"event": "request_started", "request": "GET /?q=lin@example.com&view=open"})
    assert record == {"event": "request_started", "request": "GET /?…"}


def test_other_addresses_stand_as_they_are():
    record = {"event": "Not Found: /cases/12/", "request": "GET /cases/12/"}
    assert without_secrets(None, "info", dict(record)) == record


def test_libraries_lines_pass_it_too():
    formatter = logging_settings("WARNING")["formatters"]["line"]
    line = structlog.stdlib.ProcessorFormatter(processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"])
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "Not Found: %s", (f"/c/{TOKEN}/write/",), None)
    assert "event='Not Found: /c/…/write/'" in line.format(record)
