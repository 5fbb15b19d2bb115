"""Generated requests, valid and broken, find neither a server error nor an answer that the document does not name."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.config.wsgi import application
from careloop.desk.intake.actions import receive_message

pytestmark = pytest.mark.django_db
# What a schema cannot say (a rating between its own bounds, a time that is past, an address that is one) may be refused.
EXCLUDED = [positive_data_acceptance]


@pytest.fixture
def headers(cast, inbound, now):
    receive_message(inbound(), now=now)
    token = create_api_key(name="Shop", channel_id=cast.channel.pk, actor=actor_of(cast.viewer(cast.owner)), now=now)[1]
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def in_one_transaction(db):
    """Keeps the test's own connection open, which a real request's end may close."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_server_error_and_no_undocumented_answer(case, headers, in_one_transaction):
    case.call_and_validate(headers=headers, excluded_checks=EXCLUDED)
