"""Other systems are told of events: once, signed, tried again, and never inside a private network unless the operator allows it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from careloop.desk.cases.models import CaseEvent
from careloop.desk.channels.outgoing import CannotDeliver
from careloop.desk.channels.webhook import NotTaken, find_public_ip, is_address, sign
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import NotAllowed
from careloop.desk.outbox.webhooks import deliver, queue_events
from careloop.desk.teamwork.models import Webhook, WebhookDelivery
from careloop.desk.teamwork.webhooks import add_webhook, remove_webhook

pytestmark = pytest.mark.django_db


@pytest.fixture
def other_side():
    """A server on loopback that keeps what it gets and answers with `status`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(self.server.status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_args):
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hook(cast, now, other_side) -> Webhook:
    queue_events(lambda _number: None, now=now)  # marks the place
    url = f"http://127.0.0.1:{other_side.server_port}/hooks?a=1"
    return add_webhook(url=url, events=["OPENED"], team_id=cast.team.pk, viewer=cast.viewer(cast.owner), now=now)


@pytest.fixture
def queued(hook, inbound, now) -> WebhookDelivery:
    receive_message(inbound(), now=now)
    receive_message(inbound(external_id="m-2"), now=now)  # another kind of event
    receive_message(inbound(external_id="m-3", channel_slug="wholesale"), now=now)  # another team
    numbers = []
    queue_events(numbers.append, now=now)
    queue_events(numbers.append, now=now)
    row = WebhookDelivery.objects.get()
    assert numbers == [row.pk]
    return row


def test_an_event_is_told_once_and_signed(queued, hook, other_side, settings, now):
    settings.WEBHOOKS_TO_PRIVATE = True
    deliver(queued.pk, now=now)
    deliver(queued.pk, now=now)
    ((headers, body),) = other_side.got
    said = json.loads(body)
    assert (said["event"], said["case"]["id"], said["case"]["team"]) == ("OPENED", queued.case_id, "After-sales")
    assert "热水器漏水" not in body.decode() and "林晓彤" not in body.decode()
    assert headers["X-Careloop-Signature"] == f"sha256={sign(hook.secret, int(headers['X-Careloop-Timestamp']), body)}"
    queued.refresh_from_db()
    assert (queued.state, queued.answer, queued.attempts) == ("SENT", "HTTP 200", 1)


@pytest.mark.parametrize(("status", "state"), [(500, "QUEUED"), (429, "QUEUED"), (404, "FAILED"), (302, "FAILED")])
def test_an_outage_is_tried_again_and_a_refusal_is_not(queued, other_side, settings, now, status, state):
    settings.WEBHOOKS_TO_PRIVATE = True
    other_side.status = status
    if state == "QUEUED":
        with pytest.raises(NotTaken):
            deliver(queued.pk, now=now)
    else:
        deliver(queued.pk, now=now)
    queued.refresh_from_db()
    assert (queued.state, queued.answer, len(other_side.got)) == (state, f"HTTP {status}", 1)


def test_nothing_is_sent_into_a_private_network(queued, other_side, now):
    deliver(queued.pk, now=now)
    queued.refresh_from_db()
    assert (queued.state, other_side.got) == ("FAILED", [])


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.8", "192.168.1.1", "169.254.169.254", "::1", "localhost", "0.0.0.0"])
def test_private_hosts_are_refused(host):
    with pytest.raises(CannotDeliver):
        find_public_ip(host, 80, allows_private=False)


def test_what_is_an_address():
    good = ["https://erp.example/hooks", "http://erp.example:8080/?a=b"]
    bad = ["", "erp.example", "ftp://erp.example", "https://a:b@erp.example", "https://erp.example:x", "https://erp .example", "https://"]
    assert [is_address(one) for one in (*good, *bad)] == [True] * len(good) + [False] * len(bad)


def test_a_removed_webhook_is_told_nothing_more(cast, queued, hook, other_side, settings, now):
    settings.WEBHOOKS_TO_PRIVATE = True
    remove_webhook(webhook_id=hook.pk, viewer=cast.viewer(cast.owner), now=now)
    deliver(queued.pk, now=now)
    assert other_side.got == []


def test_what_happened_before_is_not_told(cast, hook, inbound, now):
    receive_message(inbound(), now=now)
    late = add_webhook(url="https://erp.example/", events=["OPENED"], team_id=None, viewer=cast.viewer(cast.owner), now=now)
    queue_events(lambda _number: None, now=now)
    assert (WebhookDelivery.objects.filter(webhook=late).count(), WebhookDelivery.objects.count()) == (0, CaseEvent.objects.count())


def test_owners_alone_see_and_make_webhooks(client, cast, now):
    with pytest.raises(NotAllowed):
        add_webhook(url="https://erp.example/", events=["OPENED"], team_id=None, viewer=cast.viewer(cast.supervisor), now=now)
    assert Webhook.objects.count() == 0
    client.force_login(cast.supervisor)
    assert client.get("/settings/webhooks/").status_code == 403
    client.force_login(cast.owner)
    assert client.post("/settings/webhooks/", {"url": "erp.example", "events": "OPENED"}).status_code == 422
    assert client.post("/settings/webhooks/", {"url": "https://erp.example/hooks", "events": ["OPENED", "STATUS"]}).status_code == 302
    page = client.get("/settings/webhooks/").content.decode()
    assert "https://erp.example/hooks" in page and Webhook.objects.get().secret in page
