"""Making and changing people, teams, channels and keys; every change is audited."""

import re
import secrets
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import ApiKey, Channel, ChannelKind, Role, Team, Theme, User
from careloop.desk.accounts.queries import secret_hash
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.actor import Actor
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound

MAX_NAME_LENGTH = 80
SLUG = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)


def create_team(*, name: str, actor: Actor, now: datetime) -> Team:
    """A new team; its name must be new."""
    _check_name(name)
    if Team.objects.filter(name=name.strip()).exists():
        raise Conflict(_("There is already a team called “%(name)s”.") % {"name": name.strip()}, field="name")
    with transaction.atomic():
        team = Team.objects.create(name=name.strip(), created_at=now)
        audit.record(
            actor=actor,
            action="team.create",
            object_type="team",
            object_id=team.pk,
            now=now,
            details={"name": team.name},
        )
    return team


def create_user(  # noqa: PLR0913  (a person is these facts)
    *, email: str, display_name: str, role: str, team_ids: list[int], password: str, actor: Actor, now: datetime
) -> User:
    """A new person who can sign in with e-mail address and password."""
    email = email.strip().lower()
    _check_user(email=email, display_name=display_name, role=role)
    user = User(email=email, display_name=display_name.strip(), role=role, date_joined=now)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), field="password") from None
    user.set_password(password)
    with transaction.atomic():
        if User.objects.filter(email__iexact=email).exists():
            raise Conflict(_("Somebody already signs in with “%(email)s”.") % {"email": email}, field="email")
        user.save(force_insert=True)
        user.teams.set(_check_teams(team_ids))
        details = {"role": role, "teams": sorted(team_ids)}
        audit.record(actor=actor, action="user.create", object_type="user", object_id=user.pk, now=now, details=details)
    return user


def change_user(  # noqa: PLR0913  (what may be changed)
    *, user_id: int, display_name: str, role: str, team_ids: list[int], is_active: bool, actor: Actor, now: datetime
) -> User:
    """Change a person; the last active owner keeps role and access."""
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None:
            raise NotFound(_("There is no person %(number)s.") % {"number": user_id})
        _check_user(email=user.email, display_name=display_name, role=role)
        loses_owner = user.role == Role.OWNER and user.is_active and (role != Role.OWNER or not is_active)
        if loses_owner and not User.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=user_id).exists():
            raise Conflict(_("This is the last active owner; make somebody else an owner first."), field="role")
        before = {
            "role": user.role,
            "is_active": user.is_active,
            "teams": sorted(user.teams.values_list("pk", flat=True)),
        }
        user.display_name, user.role, user.is_active = display_name.strip(), role, is_active
        user.save(update_fields=["display_name", "role", "is_active"])
        user.teams.set(_check_teams(team_ids))
        details = {"before": before, "after": {"role": role, "is_active": is_active, "teams": sorted(team_ids)}}
        audit.record(actor=actor, action="user.change", object_type="user", object_id=user.pk, now=now, details=details)
    return user


def reset_password(*, user_id: int, password: str, actor: Actor, now: datetime) -> User:
    """A new password for somebody who lost theirs; whoever is signed in as that person is signed out everywhere."""
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None:
            raise NotFound(_("There is no person %(number)s.") % {"number": user_id})
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record(actor=actor, action="user.password", object_type="user", object_id=user.pk, now=now)
    return user


def set_preferences(*, user_id: int, language: str, theme: str) -> None:
    """A person's own language ("" means as the browser says) and theme."""
    if language not in {"", "en", "zh-hans"}:
        raise InvalidInput(f"The language is {language!r}; expected en, zh-hans or nothing.", field="language")
    if theme not in Theme.values:
        raise InvalidInput(f"The theme is {theme!r}; expected one of {', '.join(Theme.values)}.", field="theme")
    User.objects.filter(pk=user_id).update(language=language, theme=theme)


def create_channel(*, kind: str, name: str, slug: str, team_id: int, actor: Actor, now: datetime) -> Channel:
    """A new channel of a team."""
    if kind not in ChannelKind.values:
        raise InvalidInput(f"The kind of channel is {kind!r}; expected one of {', '.join(ChannelKind.values)}.", field="kind")
    _check_name(name)
    if not SLUG.fullmatch(slug):
        sentence = _("The channel's short name is “%(slug)s”; expected 1 to 60 letters, digits, - or _ (no spaces).")
        raise InvalidInput(sentence % {"slug": slug}, field="slug")
    with transaction.atomic():
        if Channel.objects.filter(slug=slug).exists():
            raise Conflict(_("There is already a channel “%(slug)s”.") % {"slug": slug}, field="slug")
        if not Team.objects.filter(pk=team_id).exists():
            raise InvalidInput(_("The channel's team does not exist any more; choose another."), field="team")
        channel = Channel.objects.create(kind=kind, name=name.strip(), slug=slug, team_id=team_id, created_at=now)
        audit.record(
            actor=actor,
            action="channel.create",
            object_type="channel",
            object_id=channel.pk,
            now=now,
            details={"slug": slug},
        )
    return channel


def create_api_key(*, name: str, channel_id: int, actor: Actor, now: datetime, person_id: int | None = None) -> tuple[ApiKey, str]:
    """A new key and its token, which is shown once and never again; with a person it works on cases in that person's name."""
    _check_name(name)
    prefix, secret = "cl" + secrets.token_hex(4), secrets.token_urlsafe(32)
    with transaction.atomic():
        if not Channel.objects.filter(pk=channel_id, is_active=True).exists():
            raise InvalidInput(_("The key's channel does not exist or is switched off; choose another."), field="channel")
        if person_id is not None and not User.objects.filter(pk=person_id, is_active=True).exists():
            raise InvalidInput(_("The key's person does not exist or is switched off; choose another."), field="person")
        key = ApiKey.objects.create(
            name=name.strip(),
            prefix=prefix,
            secret_hash=secret_hash(secret),
            channel_id=channel_id,
            person_id=person_id,
            created_by_id=actor.id or 0,
            created_at=now,
        )
        details = {"prefix": prefix} | ({"person": person_id} if person_id is not None else {})
        audit.record(actor=actor, action="key.create", object_type="key", object_id=key.pk, now=now, details=details)
    return key, f"{prefix}.{secret}"


def revoke_api_key(*, key_id: int, actor: Actor, now: datetime) -> None:
    """The key opens nothing from now on; revoking twice changes nothing."""
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=now):
            audit.record(actor=actor, action="key.revoke", object_type="key", object_id=key_id, now=now)


def note_key_use(*, key: ApiKey, now: datetime) -> None:
    """Remember the last use, at most once a minute."""
    if key.last_used_at is None or (now - key.last_used_at).total_seconds() >= 60:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def _check_user(**facts: Any) -> None:
    try:
        validate_email(facts["email"])
    except ValidationError:
        raise InvalidInput(_("“%(email)s” is not an e-mail address.") % {"email": facts["email"]}, field="email") from None
    _check_name(facts["display_name"], field="display_name")
    if facts["role"] not in Role.values:
        raise InvalidInput(f"The role is {facts['role']!r}; expected one of {', '.join(Role.values)}.", field="role")


def _check_name(name: str, *, field: str = "name") -> None:
    if not 1 <= len(name.strip()) <= MAX_NAME_LENGTH or "\0" in name:
        sentence = _("The name has %(n)d characters; give one of 1 to %(most)d.")
        raise InvalidInput(sentence % {"n": len(name.strip()), "most": MAX_NAME_LENGTH}, field=field)


def _check_teams(team_ids: list[int]) -> list[Team]:
    teams = list(Team.objects.filter(pk__in=team_ids))
    if len(teams) != len(set(team_ids)):
        raise InvalidInput(_("One of the chosen teams does not exist any more; load the page again."), field="teams")
    return teams
