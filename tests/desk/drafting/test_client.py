"""The client of a language model: one question, one answer, and a sentence for everything that goes wrong."""

import pytest

from careloop.desk.channels.language_model import LARGEST_ANSWER_BYTES, NoAnswer, Service, complete

CHAT = [{"role": "user", "content": "你好"}]


def service(model, **facts) -> Service:
    return Service(**{"url": model.url, "model": "small-1", "key": "k", "timeout_seconds": 60.0, **facts})


def why(model, **facts) -> str:
    with pytest.raises(NoAnswer) as refused:
        complete(service(model, **facts), CHAT)
    return str(refused.value)


def test_the_question_goes_to_the_completions_of_the_address_with_the_key(model):
    model.says("  好的。\n")
    assert complete(service(model), CHAT) == "好的。"
    path, headers, sent = model.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer k"
    assert sent == {"model": "small-1", "messages": CHAT, "stream": False}


def test_without_a_key_none_is_sent_and_a_full_address_is_taken_as_it_is(model):
    complete(service(model, url=f"{model.url}/chat/completions", key=""), CHAT)
    path, headers, _ = model.asked[0]
    assert path == "/v1/chat/completions"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("status", "part"),
    [(401, "refused the key (HTTP 401)"), (403, "CARELOOP_LLM_KEY"), (429, "is busy (HTTP 429)"), (500, "failed (HTTP 500)")],
)
def test_a_refusal_is_a_sentence(model, status, part):
    model.status = status
    assert part in why(model)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hello</html>",
        b"",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": [1]}}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_chat_completion_is_said_so(model, body):
    model.body = body
    assert why(model).startswith("What answered is no language model")


@pytest.mark.parametrize("text", ["", "  \n", None])
def test_an_empty_answer_is_none(model, text):
    model.says(text)
    assert why(model).startswith("The language model gave an empty answer")


def test_a_server_that_is_silent_is_given_up_in_time(model):
    model.wait.clear()
    assert why(model, timeout_seconds=0.1).startswith("The language model did not answer within 0.1 seconds")


def test_a_server_that_drips_is_given_up_in_time(model):
    model.is_dripping = True
    assert why(model, timeout_seconds=0.2).startswith("The language model did not answer within 0.2 seconds")


def test_an_endless_answer_is_thrown_away(model):
    model.body = b" " * (LARGEST_ANSWER_BYTES + 1)
    assert "longer than a megabyte" in why(model)


def test_nobody_there_is_said_so(model):
    assert why(model, url="http://127.0.0.1:9/v1").startswith("The language model's server cannot be reached (")


def test_a_redirection_is_not_followed(model):
    model.status, model.location = 302, f"{model.url}/elsewhere"
    assert "failed (HTTP 302)" in why(model)
    assert len(model.asked) == 1


def test_the_host_for_the_audit_trail_has_no_password():
    assert Service("https://me:pass@models.example:8443/v1", "m").host == "models.example:8443"
