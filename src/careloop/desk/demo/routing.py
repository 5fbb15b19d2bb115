"""What the sample house's people can take: skills, languages, hours, room; its teams are told who should take what."""

from datetime import datetime

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.demo.staff import House
from careloop.desk.routing.actions import refresh_weights
from careloop.desk.routing.queries import members_of
from careloop.desk.routing.rules.table import ProfileFacts, SettingFacts
from careloop.desk.routing.staffing import save_profiles, save_setting
from careloop.desk.sla.queries import list_calendars

CHINESE, ENGLISH, BOTH = {"zh": 3, "en": 0}, {"zh": 0, "en": 3}, {"zh": 3, "en": 2}
COMPLAINTS = {"COMPLAINT": 3, "REFUND": 2, "CONSULTATION": 2, "SUGGESTION": 1, "PRAISE": 1, "OTHER": 1}
REFUNDS = {"COMPLAINT": 1, "REFUND": 3, "CONSULTATION": 2, "SUGGESTION": 1, "PRAISE": 1, "OTHER": 1}
NEWCOMER = {"COMPLAINT": 0, "REFUND": 1, "CONSULTATION": 2, "SUGGESTION": 2, "PRAISE": 2, "OTHER": 1}
PEOPLE: dict[str, tuple[dict[str, int], dict[str, int], int]] = {
    "agent": (COMPLAINTS, BOTH, 12),
    "daniel": (REFUNDS, ENGLISH, 12),
    "qiao": (REFUNDS, CHINESE, 12),
    "peng": (NEWCOMER, BOTH, 8),
    "fang": (COMPLAINTS, CHINESE, 12),
    "ruth": (REFUNDS, ENGLISH, 12),
    "tian": (NEWCOMER, BOTH, 8),
    "leila": (COMPLAINTS, ENGLISH, 12),
    "bai": (REFUNDS, BOTH, 12),
}
BY_CALENDAR = ("tian", "qiao")  # the others take cases at any hour, so that the samples show a plan whenever they are opened


def make_routing(house: House, *, now: datetime) -> None:
    """A profile for each agent and suggestions in every team; nobody is given anything."""
    viewer = viewer_of(house.supervisor)
    calendar = next(iter(list_calendars()), None)
    entered: set[int] = set()
    for team in house.teams.values():
        people = []
        for user in members_of(team.pk):
            known = PEOPLE.get(user.email.partition("@")[0])
            if known is not None and user.pk not in entered:
                entered.add(user.pk)
                hours = calendar.pk if calendar and user.email.startswith(BY_CALENDAR) else None
                people.append(ProfileFacts(user.pk, known[2], known[0], known[1], hours))
        save_profiles(team_id=team.pk, people=people, viewer=viewer, now=now)
        save_setting(team_id=team.pk, facts=SettingFacts("SUGGEST"), viewer=viewer, now=now)
    refresh_weights(now=now)
