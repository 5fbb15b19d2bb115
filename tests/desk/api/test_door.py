"""The short way of programs' requests: nothing of the pages', everything that a program can rely on."""

import logging

import pytest
import structlog

from careloop.desk.api import door

pytestmark = pytest.mark.django_db
HEALTH = "/api/v1/health"


def test_answers_carry_the_headers_of_data_and_no_cookie(client):
    answer = client.get(HEALTH)
    assert answer.cookies == {}
    assert {name: answer[name] for name in ("Cache-Control", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy")} == {
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer["Content-Length"] == str(len(answer.content))


def test_a_signed_in_person_is_nobody_without_a_key(cast, client):
    client.force_login(cast.owner)
    assert client.get("/api/v1/cases").status_code == 401


@pytest.mark.parametrize("address", ["/api/", "/api/v1/nothing", "/api/v2/messages", "/api/v1/messages/"])
def test_an_address_that_is_none_is_refused_in_the_documented_shape(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not-found")


def test_a_refused_name_that_no_encoding_holds_is_told_all_the_same(client):
    answer = client.get(HEALTH, {"a\ud800".encode("utf-8", "surrogatepass"): "1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


def test_sentences_come_in_the_language_asked_for_whatever_the_thread_did_before(cast, client, now):
    from careloop.desk.accounts.actions import create_api_key
    from careloop.desk.accounts.queries import actor_of

    token = create_api_key(name="Shop", channel_id=cast.channel.pk, actor=actor_of(cast.viewer(cast.owner)), now=now)[1]
    told = [
        client.get("/api/v1/cases/7", headers={"Authorization": f"Bearer {token}", "Accept-Language": language}).json()["error"]["message"]
        for language in ("zh-CN", "", "en")
    ]
    assert told[1] == told[2]
    assert told[0] != told[1]


def test_a_fault_of_ours_is_500_and_its_log_line_names_the_request(client, monkeypatch, caplog):
    seen = {}

    def fail(_request):
        seen.update(structlog.contextvars.get_contextvars())
        raise RuntimeError("a fault")

    monkeypatch.setattr(door, "answer_program", fail)
    client.raise_request_exception = False
    client.handler.load_middleware()
    with caplog.at_level(logging.ERROR):
        answer = client.get(HEALTH)
    assert answer.status_code == 500
    assert len(seen["request_id"]) == 36
    assert any(record.exc_info for record in caplog.records)
    assert structlog.contextvars.get_contextvars() == {}
