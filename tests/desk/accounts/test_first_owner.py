"""`careloop manage create_owner` makes the first account."""

import io

import pytest
from django.core.management import CommandError, call_command

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import is_empty

pytestmark = pytest.mark.django_db


def run(monkeypatch, password: str, *arguments: str) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    said = io.StringIO()
    call_command("create_owner", *arguments, stdout=said)
    return said.getvalue()


def test_the_first_owner_can_sign_in(monkeypatch):
    assert is_empty()
    assert run(monkeypatch, "a long enough sentence", "--email", "Lin@Example.com") == "lin@example.com can sign in as owner.\n"
    user = User.objects.get()
    assert (user.display_name, user.role, user.check_password("a long enough sentence")) == ("Lin", "OWNER", True)
    assert not is_empty()


def test_a_weak_password_is_refused(monkeypatch):
    with pytest.raises(CommandError, match="at least 10 characters"):
        run(monkeypatch, "short", "--email", "lin@example.com")
    assert is_empty()
