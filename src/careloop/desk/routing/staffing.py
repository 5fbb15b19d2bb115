"""What people enter: how a team routes, who can take what, and one's own availability. Each change is checked and audited."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.routing.actions import AWAY, return_cases, route_waiting
from careloop.desk.routing.models import Availability, AvailabilityChange, Mode, Profile, RoutingSetting
from careloop.desk.routing.queries import access_team, members_of
from careloop.desk.routing.rules.table import ProfileFacts, SettingFacts, check_availability, check_profile, check_setting
from careloop.desk.sla.models import Calendar


def save_setting(*, team_id: int, facts: SettingFacts, viewer: Viewer, now: datetime) -> RoutingSetting:
    """Say how a team routes; refused when somebody else did in between."""
    check_may(viewer, "routing.edit")
    access_team(team_id, viewer)
    check_setting(facts)
    with transaction.atomic():
        RoutingSetting.objects.bulk_create([RoutingSetting(team_id=team_id, version=0)], ignore_conflicts=True)
        setting = RoutingSetting.objects.select_for_update().get(team_id=team_id)
        if setting.version != facts.version:
            raise Conflict(
                _("Somebody else changed how this team routes; load the page again and repeat your change if it is still right.")
            )
        after = {"mode": facts.mode, "is_sticky": facts.is_sticky, "most_per_round": facts.most_per_round, "minutes": dict(facts.minutes)}
        before = {name: getattr(setting, name) for name in after}
        for name, value in after.items():
            setattr(setting, name, value)
        setting.version += 1
        setting.save()
        audit.record(
            actor=actor_of(viewer), action="routing.setting", object_type="team", object_id=team_id, now=now,
            details={"before": before, "after": after},
        )  # fmt: skip
    return setting


def save_profiles(*, team_id: int, people: Sequence[ProfileFacts], viewer: Viewer, now: datetime) -> int:
    """Write the table of a team's people, all rows or none; returns how many changed. Refused when a row changed in between."""
    check_may(viewer, "routing.edit")
    access_team(team_id, viewer)
    for facts in people:
        check_profile(facts)
    if {facts.user_id for facts in people} - {user.pk for user in members_of(team_id)}:
        raise InvalidInput(_("Somebody in the table does not work in this team any more; load the page again."))
    wanted = {facts.calendar_id for facts in people if facts.calendar_id is not None}
    if Calendar.objects.filter(pk__in=wanted).count() != len(wanted):
        raise InvalidInput(_("A chosen calendar does not exist any more; load the page again."), field="calendar")
    with transaction.atomic():
        return sum(_save_profile(facts, viewer, now) for facts in sorted(people, key=lambda one: one.user_id))


def set_availability(*, status: str, viewer: Viewer, now: datetime, away_until: datetime | None = None) -> int:
    """Say whether the viewer takes cases. Whoever goes away gives open cases back in teams that assign; returns how many."""
    check_may(viewer, "routing.view")
    check_availability(status, away_until, now)
    with transaction.atomic():
        Profile.objects.bulk_create([Profile(user_id=viewer.user_id, version=0)], ignore_conflicts=True)
        profile = Profile.objects.select_for_update().get(user_id=viewer.user_id)
        if (profile.status, profile.away_until, profile.version > 0) == (status, away_until, True):
            return 0
        profile.status, profile.away_until, profile.version = status, away_until, profile.version + 1
        profile.save(update_fields=["status", "away_until", "version"])
        AvailabilityChange.objects.create(user_id=viewer.user_id, status=status, away_until=away_until, at=now)
        teams: list[int] = []
        if status == Availability.AWAY:
            teams = list(RoutingSetting.objects.filter(mode=Mode.ASSIGN).values_list("team_id", flat=True))
        returned = return_cases(
            user_id=viewer.user_id, why=AWAY, now=now, team_ids=teams, is_unanswered=True, actor=actor_of(viewer)
        )  # fmt: skip
    if returned:
        route_waiting(now=now, team_ids=teams)
    return returned


def _save_profile(facts: ProfileFacts, viewer: Viewer, now: datetime) -> bool:
    """One row; a person who may not take cases, or who is not changed, gets none."""
    profile = Profile.objects.select_for_update().filter(user_id=facts.user_id).first()
    if facts.version != (profile.version if profile else 0):
        name = User.objects.values_list("display_name", flat=True).get(pk=facts.user_id)
        raise Conflict(_("Somebody changed the row of %(name)s in between; load the page again, nothing was saved.") % {"name": name})
    after = {
        "capacity": facts.capacity, "skills": dict(facts.skills), "languages": dict(facts.languages), "calendar_id": facts.calendar_id,
    }  # fmt: skip
    before = {name: getattr(profile, name) for name in after} if profile else {}
    if before == after:
        return False
    profile = profile or Profile(user_id=facts.user_id, version=0)
    for name, value in after.items():
        setattr(profile, name, value)
    profile.version += 1
    profile.save()
    audit.record(
        actor=actor_of(viewer), action="routing.profile", object_type="user", object_id=facts.user_id, now=now,
        details={"before": before, "after": after},
    )  # fmt: skip
    return True
