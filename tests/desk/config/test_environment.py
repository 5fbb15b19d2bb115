"""Settings from outside."""

import pytest

from careloop.desk.config.environment import Environment, MailServer, mail_server_from_url, spellings_of


def test_this_machines_address_has_two_spellings():
    assert spellings_of("http://127.0.0.1:8000") == ["http://127.0.0.1:8000", "http://localhost:8000"]
    assert spellings_of("http://localhost:8000") == ["http://localhost:8000", "http://127.0.0.1:8000"]


def test_any_other_address_has_one():
    assert spellings_of("https://desk.example.com") == ["https://desk.example.com"]


@pytest.mark.parametrize(
    ("facts", "part"),
    [
        ({"llm_url": "http://127.0.0.1:11434/v1"}, "CARELOOP_LLM_URL is set and CARELOOP_LLM_MODEL is not"),
        ({"llm_model": "qwen3"}, "CARELOOP_LLM_MODEL is set and CARELOOP_LLM_URL is not"),
        ({"llm_url": "ftp://models.example", "llm_model": "m"}, "CARELOOP_LLM_URL is 'ftp://models.example'"),
        ({"llm_url": "https://", "llm_model": "m"}, "CARELOOP_LLM_URL is 'https://'"),
    ],
)
def test_half_a_connection_to_a_language_model_stops_the_start(facts, part):
    with pytest.raises(ValueError, match="CARELOOP_LLM") as refused:
        Environment(**facts, llm_key="very-secret")
    assert part in str(refused.value)
    assert "very-secret" not in str(refused.value)


def test_a_language_model_is_off_unless_it_is_named_and_its_key_is_not_printed():
    assert Environment().language_model() is None
    on = Environment(llm_url="http://127.0.0.1:11434/v1", llm_model="qwen3", llm_key="very-secret")
    assert on.language_model() == {"url": "http://127.0.0.1:11434/v1", "model": "qwen3", "key": "very-secret", "timeout_seconds": 60.0}
    assert "very-secret" not in repr(on)


@pytest.mark.parametrize("choice", ["bundled", "hub:BAAI/bge-m3", "http://127.0.0.1:11434/v1#bge-m3:latest", "https://models.example/v1#m"])
def test_an_encoder_may_be_bundled_of_the_hub_or_a_service(choice):
    assert Environment(encoder=choice).encoder == choice
    assert Environment().encoder == "bundled"


@pytest.mark.parametrize("choice", ["", "nano", "hub:", "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1#", "#m"])
def test_what_names_no_encoder_stops_the_start(choice):
    with pytest.raises(ValueError, match=r"CARELOOP_ENCODER is .*; expected bundled, hub:NAME") as refused:
        Environment(encoder=choice, encoder_key="very-secret")
    assert "very-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("", MailServer()),
        ("smtp://mail.example", MailServer("mail.example", 25)),
        (
            "smtps://desk%40shop.example:p%3Aw%2F@mail.example",
            MailServer("mail.example", 587, "desk@shop.example", "p:w/", is_starttls=True),
        ),
        ("smtps://desk:x@mail.example:465", MailServer("mail.example", 465, "desk", "x", is_tls=True)),
        ("smtps://desk:x@mail.example:2525", MailServer("mail.example", 2525, "desk", "x", is_starttls=True)),
    ],
)
def test_a_mail_server_is_reached_as_its_address_says(url, server):
    assert mail_server_from_url(url) == server


@pytest.mark.parametrize("url", ["mail.example:587", "http://mail.example", "smtp://"])
def test_an_address_that_is_no_mail_server_stops_the_start(url):
    with pytest.raises(ValueError, match="expected smtp://HOST:25 or smtps://"):
        mail_server_from_url(url)
