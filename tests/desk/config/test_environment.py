"""Settings from outside."""

from careloop.desk.config.environment import spellings_of


def test_this_machines_address_has_two_spellings():
    assert spellings_of("http://127.0.0.1:8000") == ["http://127.0.0.1:8000", "http://localhost:8000"]
    assert spellings_of("http://localhost:8000") == ["http://localhost:8000", "http://127.0.0.1:8000"]


def test_any_other_address_has_one():
    assert spellings_of("https://desk.example.com") == ["https://desk.example.com"]
