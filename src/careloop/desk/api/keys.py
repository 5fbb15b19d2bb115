"""Who is calling: API keys as viewers."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from careloop.desk.accounts.actions import note_key_use
from careloop.desk.accounts.queries import find_api_key, viewer_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import NotAllowed

TOKEN_SHAPE = re.compile(r"[A-Za-z0-9]{1,12}\.[A-Za-z0-9_-]{1,100}")


class ApiKeyAuth(HttpBearer):
    """`Authorization: Bearer prefix.secret`; every key speaks for one channel."""

    def authenticate(self, request: HttpRequest, token: str) -> Any | None:
        """The key, or None; what has not the shape of a token is not looked up."""
        if not TOKEN_SHAPE.fullmatch(token):
            return None
        key = find_api_key(token)
        if key is not None:
            note_key_use(key=key, now=datetime.now(UTC))
        return key


def viewer_of_key(key: Any) -> Viewer:
    """A key sees the cases of its channel's team."""
    return Viewer(0, key.name, "KEY", frozenset({key.channel.team_id}), frozenset({"case.view"}))


def acting_viewer(key: Any) -> Viewer:
    """The person in whose name a key works on cases: with that person's role and teams, but of those the channel's alone."""
    if key.person_id is None or not key.person.is_active:
        sentence = _("This key works for nobody; an owner makes one that works for a person under Settings, API keys.")
        raise NotAllowed(sentence)
    person, team = viewer_of(key.person), key.channel.team_id
    teams = frozenset({team}) if person.sees_team(team) else frozenset()
    return replace(person, name=f"{person.name} ({key.name})", team_ids=teams)
