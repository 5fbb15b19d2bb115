"""Looking people, teams, channels and keys up."""

import hashlib
import hmac

from django.utils.translation import gettext as _

from careloop.desk.accounts.models import ApiKey, Channel, Role, Team, User
from careloop.desk.accounts.rules import PERMISSIONS, SEES_EVERY_TEAM, Viewer
from careloop.desk.kernel.actor import Actor
from careloop.desk.kernel.errors import NotAllowed, NotFound
from careloop.desk.kernel.rows import find_rows


def viewer_of(user: User) -> Viewer:
    """The viewer that queries and actions take, from a signed-in user (one query for the teams)."""
    teams = None if user.role in SEES_EVERY_TEAM else frozenset(user.teams.values_list("pk", flat=True))
    return Viewer(user.pk, user.display_name, user.role, teams, PERMISSIONS[user.role])


def actor_of(viewer: Viewer) -> Actor:
    """The actor that events and audit entries name."""
    return Actor(viewer.kind, viewer.user_id, viewer.name)


def check_may(viewer: Viewer, permission: str) -> None:
    """Refuse unless the viewer's role grants `permission`."""
    if not viewer.may(permission):
        sentence = _("The role %(role)s may not do this (%(permission)s); ask an owner of the desk.")
        raise NotAllowed(sentence % {"role": str(Role(viewer.role).label).lower(), "permission": permission})


def secret_hash(secret: str) -> str:
    """SHA-256 of an API key's secret part (256 random bits need no slow hash)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_api_key(token: str) -> ApiKey | None:
    """The live key that `token` ("prefix.secret") opens, or None; an unknown prefix costs as much time as a wrong secret."""
    prefix, _, secret = token.partition(".")
    if not prefix.isalnum():
        return None
    given = secret_hash(secret)
    key = next(iter(find_rows(ApiKey, "prefix = %s AND revoked_at IS NULL", [prefix])), None)
    if key is not None:
        key.channel = find_rows(Channel, "id = %s", [key.channel_id])[0]
    is_right = hmac.compare_digest(key.secret_hash if key else "0" * len(given), given)
    return key if key is not None and is_right and key.channel.is_active else None


def get_channel(slug: str) -> Channel:
    """The active channel of this slug."""
    channel = Channel.objects.select_related("team").filter(slug=slug, is_active=True).first()
    if channel is None:
        raise NotFound(f"There is no active channel {slug!r}.")
    return channel


def list_channels(viewer: Viewer) -> list[Channel]:
    """The channels in the viewer's sight, by name."""
    channels = Channel.objects.select_related("team").order_by("name")
    return list(channels if viewer.team_ids is None else channels.filter(team_id__in=viewer.team_ids))


def list_teams(viewer: Viewer) -> list[Team]:
    """The teams in the viewer's sight, by name."""
    teams = Team.objects.order_by("name")
    return list(teams if viewer.team_ids is None else teams.filter(pk__in=viewer.team_ids))


def list_house_teams() -> list[Team]:
    """Every team of the house, by name: cases and tasks may be given to teams out of sight."""
    return list(Team.objects.order_by("name"))


def list_assignable(team_id: int) -> list[User]:
    """Who may be given a case of this team: its active agents and supervisors, and owners, by name."""
    people = User.objects.filter(is_active=True)
    in_team = people.filter(teams=team_id, role__in=("AGENT", "SUPERVISOR"))
    return sorted({*in_team, *people.filter(role="OWNER")}, key=lambda user: user.display_name)


def list_users() -> list[User]:
    """Everybody, with teams, active first."""
    return list(User.objects.prefetch_related("teams").order_by("-is_active", "display_name"))


def is_empty() -> bool:
    """Whether nobody has an account yet."""
    return not User.objects.exists()


def list_api_keys() -> list[ApiKey]:
    """Every key, living ones first."""
    return sorted(
        ApiKey.objects.select_related("channel", "created_by", "person").order_by("-created_at"),
        key=lambda key: key.revoked_at is not None,
    )
