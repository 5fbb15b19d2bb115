"""Who may do what, people and their teams, the last owner, API keys."""

import hashlib
from datetime import timedelta

import pytest

from careloop.desk.accounts.actions import (
    change_user,
    create_api_key,
    create_channel,
    create_team,
    create_user,
    note_key_use,
    revoke_api_key,
    set_preferences,
)
from careloop.desk.accounts.models import ApiKey, Channel, Role, Team, User
from careloop.desk.accounts.queries import (
    actor_of,
    check_may,
    find_api_key,
    get_channel,
    list_api_keys,
    list_assignable,
    list_channels,
    list_teams,
    viewer_of,
)
from careloop.desk.accounts.rules import PERMISSIONS, SEES_EVERY_TEAM
from careloop.desk.audit.models import AuditEntry
from careloop.desk.audit.queries import list_entries
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound

pytestmark = pytest.mark.django_db

TABLE = """
                 OWNER  SUPERVISOR  AGENT  ANALYST
case.view        yes    yes         yes    yes
case.approve     yes    yes         no     no
flow.view        yes    yes         yes    yes
flow.edit        yes    yes         no     no
routing.view     yes    yes         yes    yes
routing.edit     yes    yes         no     no
rule.view        yes    yes         yes    yes
rule.edit        yes    yes         no     no
sla.view         yes    yes         yes    yes
sla.edit         yes    yes         no     no
solution.view    yes    yes         yes    yes
solution.edit    yes    yes         no     no
case.work        yes    yes         yes    no
customer.view    yes    yes         yes    yes
customer.edit    yes    yes         no     no
feedback.view    yes    yes         yes    yes
import.run       yes    yes         no     yes
job.view         yes    yes         no     yes
job.retry        yes    yes         no     no
model.view       yes    yes         no     yes
taxonomy.edit    yes    yes         no     no
report.view      yes    yes         no     yes
comparison.view  yes    yes         no     yes
comparison.edit  yes    yes         no     yes
survey.view      yes    yes         no     yes
survey.edit      yes    yes         no     yes
dashboard.share  yes    yes         no     no
topic.edit       yes    yes         no     yes
audit.view       yes    no          no     no
user.edit        yes    no          no     no
key.edit         yes    no          no     no
channel.edit     yes    no          no     no
"""


def test_the_table_of_roles_is_exactly_this():
    header, *rows = [line.split() for line in TABLE.strip().splitlines()]
    expected = {role: {row[0] for row in rows if row[1 + index] == "yes"} for index, role in enumerate(header)}
    assert {role: set(permissions) for role, permissions in PERMISSIONS.items()} == expected
    assert set(PERMISSIONS) == set(Role.values)
    assert {"OWNER", "ANALYST"} == SEES_EVERY_TEAM


def test_a_viewer_sees_the_teams_of_the_person(cast):
    viewer = viewer_of(cast.agent)
    assert (viewer.team_ids, viewer.sees_team(cast.team.pk), viewer.sees_team(cast.other_team.pk)) == ({cast.team.pk}, True, False)
    assert viewer_of(cast.owner).team_ids is None
    assert viewer_of(cast.analyst).sees_team(cast.other_team.pk)


def test_a_missing_permission_is_refused_with_its_name(cast):
    with pytest.raises(NotAllowed, match=r"The role agent may not do this \(key\.edit\); ask an owner"):
        check_may(viewer_of(cast.agent), "key.edit")
    check_may(viewer_of(cast.owner), "key.edit")


def new_person(cast, now, **facts):
    given = {
        "email": " New.Person@Desk.Example ",
        "display_name": "New",
        "role": "AGENT",
        "team_ids": [cast.team.pk],
        "password": "a long enough sentence",
        "actor": actor_of(viewer_of(cast.owner)),
        "now": now,
    }
    return create_user(**{**given, **facts})


def test_a_new_person_signs_in_with_a_folded_address_and_is_audited(cast, now):
    user = new_person(cast, now)
    assert (user.email, user.check_password("a long enough sentence"), [team.pk for team in user.teams.all()]) == (
        "new.person@desk.example",
        True,
        [cast.team.pk],
    )
    entry = list_entries()[0]
    assert (entry.action, entry.object_id, entry.actor_name) == ("user.create", user.pk, "Olga")
    assert entry.details == {"role": "AGENT", "teams": [cast.team.pk]}


@pytest.mark.parametrize(
    ("facts", "field", "error"),
    [
        ({"email": "nonsense"}, "email", InvalidInput),
        ({"email": "CHEN@desk.example"}, "email", Conflict),
        ({"display_name": "  "}, "display_name", InvalidInput),
        ({"role": "KING"}, "role", InvalidInput),
        ({"team_ids": [999_999]}, "teams", InvalidInput),
        ({"password": "short"}, "password", InvalidInput),
        ({"password": "password123"}, "password", InvalidInput),
    ],
)
def test_an_unacceptable_person_is_refused_by_field_and_nothing_is_stored(cast, now, facts, field, error):
    before = (User.objects.count(), AuditEntry.objects.count())
    with pytest.raises(error) as refusal:
        new_person(cast, now, **facts)
    assert refusal.value.field == field
    assert (User.objects.count(), AuditEntry.objects.count()) == before


def change(cast, user, now, **facts):
    given = {"user_id": user.pk, "display_name": user.display_name, "role": user.role, "team_ids": [], "is_active": True}
    return change_user(**{**given, **facts}, actor=actor_of(viewer_of(cast.owner)), now=now)


@pytest.mark.parametrize("facts", [{"role": "AGENT"}, {"is_active": False}])
def test_the_last_active_owner_stays(cast, now, facts):
    with pytest.raises(Conflict, match="last active owner"):
        change(cast, cast.owner, now, **facts)
    cast.owner.refresh_from_db()
    assert (cast.owner.role, cast.owner.is_active, AuditEntry.objects.count()) == ("OWNER", True, 0)


def test_an_owner_may_go_when_another_one_is_there(cast, now):
    change(cast, cast.supervisor, now, role="OWNER")
    change(cast, cast.owner, now, is_active=False)
    cast.owner.refresh_from_db()
    assert not cast.owner.is_active
    assert list_entries()[0].details["before"] == {"role": "OWNER", "is_active": True, "teams": []}


def test_an_owner_who_is_switched_off_does_not_count(cast, now):
    change(cast, cast.supervisor, now, role="OWNER", is_active=False)
    with pytest.raises(Conflict, match="last active owner"):
        change(cast, cast.owner, now, role="AGENT")


def test_a_person_that_does_not_exist_is_told(cast, now):
    with pytest.raises(NotFound):
        change_user(
            user_id=999_999,
            display_name="x",
            role="AGENT",
            team_ids=[],
            is_active=True,
            actor=actor_of(viewer_of(cast.owner)),
            now=now,
        )


def test_teams_have_new_names(cast, now):
    actor = actor_of(viewer_of(cast.owner))
    team = create_team(name=" Spares ", actor=actor, now=now)
    assert team.name == "Spares"
    for name, error in (("Spares", Conflict), ("  ", InvalidInput), ("x" * 81, InvalidInput)):
        with pytest.raises(error):
            create_team(name=name, actor=actor, now=now)
    assert Team.objects.count() == 3
    assert [one.name for one in list_teams(viewer_of(cast.agent))] == ["After-sales"]


def channel_facts(cast, now, **facts):
    given = {"kind": "FORM", "name": "Help", "slug": "help", "team_id": cast.team.pk}
    return {**given, **facts, "actor": actor_of(viewer_of(cast.owner)), "now": now}


@pytest.mark.parametrize(
    ("facts", "field", "error"),
    [
        ({"kind": "PIGEON"}, "kind", InvalidInput),
        ({"slug": "shop"}, "slug", Conflict),
        ({"slug": "no spaces/please"}, "slug", InvalidInput),
        ({"slug": ""}, "slug", InvalidInput),
        ({"name": " "}, "name", InvalidInput),
        ({"team_id": 999_999}, "team", InvalidInput),
    ],
)
def test_an_unacceptable_channel_is_refused_by_field(cast, now, facts, field, error):
    before = Channel.objects.count()
    with pytest.raises(error) as refusal:
        create_channel(**channel_facts(cast, now, **facts))
    assert (refusal.value.field, Channel.objects.count()) == (field, before)


def test_channels_are_seen_by_their_team(cast, now):
    create_channel(**channel_facts(cast, now))
    assert [channel.slug for channel in list_channels(viewer_of(cast.outsider))] == ["wholesale"]
    assert {channel.slug for channel in list_channels(viewer_of(cast.owner))} == {"help", "shop", "contact", "wholesale"}
    assert get_channel("help").team == cast.team
    Channel.objects.filter(slug="help").update(is_active=False)
    with pytest.raises(NotFound, match="no active channel 'help'"):
        get_channel("help")


def new_key(cast, now, **facts):
    given = {"name": "Shop system", "channel_id": cast.channel.pk, "actor": actor_of(viewer_of(cast.owner)), "now": now}
    return create_api_key(**{**given, **facts})


def test_a_key_is_shown_once_and_only_its_hash_is_kept(cast, now):
    _, token = new_key(cast, now)
    prefix, _, secret = token.partition(".")
    stored = ApiKey.objects.get()
    assert (stored.prefix, stored.secret_hash) == (prefix, hashlib.sha256(secret.encode()).hexdigest())
    assert secret not in str(vars(stored)) + str(stored) + str(list_entries()[0].details)
    assert len(secret) == 43
    assert find_api_key(token).channel == cast.channel
    assert list_entries()[0].action == "key.create"


def test_only_the_whole_token_opens(cast, now):
    key, token = new_key(cast, now)
    prefix, _, secret = token.partition(".")
    for wrong in (
        "",
        prefix,
        f"{prefix}.",
        f"{prefix}.{secret[:-1]}",
        f"{prefix}.{secret}x",
        f".{secret}",
        f"{prefix}.{key.secret_hash}",
        "\0",
    ):
        assert find_api_key(wrong) is None


def test_a_revoked_key_opens_nothing_and_is_revoked_once(cast, now):
    key, token = new_key(cast, now)
    other, other_token = new_key(cast, now, name="Other")
    actor = actor_of(viewer_of(cast.owner))
    revoke_api_key(key_id=key.pk, actor=actor, now=now)
    revoke_api_key(key_id=key.pk, actor=actor, now=now + timedelta(days=1))
    assert find_api_key(token) is None
    assert find_api_key(other_token) == other
    assert ApiKey.objects.get(pk=key.pk).revoked_at == now
    assert len(list_entries(action="key.revoke")) == 1
    assert [one.pk for one in list_api_keys()] == [other.pk, key.pk]


def test_a_key_of_a_channel_that_is_switched_off_opens_nothing(cast, now):
    _, token = new_key(cast, now)
    Channel.objects.filter(pk=cast.channel.pk).update(is_active=False)
    assert find_api_key(token) is None


def test_a_key_needs_a_name_and_a_living_channel(cast, now):
    for facts, field in (({"name": " "}, "name"), ({"channel_id": 999_999}, "channel")):
        with pytest.raises(InvalidInput) as refusal:
            new_key(cast, now, **facts)
        assert refusal.value.field == field
    assert ApiKey.objects.count() == 0


def test_the_last_use_is_noted_once_a_minute(cast, now):
    key, _ = new_key(cast, now)
    noted = []
    for seconds in (0, 59, 60):
        key.refresh_from_db()
        note_key_use(key=key, now=now + timedelta(seconds=seconds))
        key.refresh_from_db()
        noted.append((key.last_used_at - now).total_seconds())
    assert noted == [0.0, 0.0, 60.0]


def test_preferences_are_one_of_the_offered(cast):
    set_preferences(user_id=cast.agent.pk, language="zh-hans", theme="DARK")
    cast.agent.refresh_from_db()
    assert (cast.agent.language, cast.agent.theme) == ("zh-hans", "DARK")
    for language, theme in (("tlh", "DARK"), ("en", "PINK")):
        with pytest.raises(InvalidInput):
            set_preferences(user_id=cast.agent.pk, language=language, theme=theme)


def test_who_may_be_given_a_case_of_the_team(cast):
    assert [person.display_name for person in list_assignable(cast.team.pk)] == ["Chen", "Olga", "Sun"]
    User.objects.filter(pk=cast.agent.pk).update(is_active=False)
    assert [person.display_name for person in list_assignable(cast.team.pk)] == ["Olga", "Sun"]


def test_nobody_changes_the_address_they_sign_in_with(client, cast):
    client.force_login(cast.agent)
    answer = client.post("/accounts/email/", {"email": "new@desk.example", "action_add": ""})
    assert (answer.status_code, answer["Location"]) == (302, "/settings/preferences/")
    cast.agent.refresh_from_db()
    assert cast.agent.email == "chen@desk.example"
    assert cast.agent.emailaddress_set.count() == 0
