"""What routing looks at: people with their load, waiting cases with what they need, decisions; and what its pages show."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import ChannelKind, Role, Team, User
from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, Clock, Direction, Message, Status
from careloop.desk.customers.models import Customer
from careloop.desk.kernel.errors import NotFound
from careloop.desk.routing.lateness import Past, chances_by_case, list_past_times
from careloop.desk.routing.models import Availability, CaseWeight, Mode, Profile, RoutingDecision, RoutingSetting
from careloop.desk.routing.rules.matching import SAME_CASE, SAME_CUSTOMER, Choice, Person, WaitingCase, choose, language_of, refusal
from careloop.desk.routing.rules.queue import USUAL_WAIT_HOURS, Delay, Late, cost_of_delay, customer_value, late_chance
from careloop.desk.sla.queries import Calendars
from careloop.desk.sla.rules.clocks import FIRST_RESPONSE, MET, NEXT_RESPONSE

LOOKED_AT = 5_000  # waiting cases of a team among which the most pressing are found
PREVIEWED = 30
ENDED_CLOCKS = 2_000
LEAST_CLOCKS = 20


@dataclass(frozen=True)
class Member:
    """Somebody of a team as the table of people shows them; `profile` may not be stored yet."""

    user: User
    profile: Profile
    person: Person | None
    open_cases: int


@dataclass(frozen=True)
class Planned:
    """A waiting case with what its delay costs, and who would get it; `refused` says why nobody may, by person."""

    case: Case
    delay: Delay
    choice: Choice | None
    refused: dict[str, str]


@dataclass(frozen=True)
class TeamPage:
    """All that the routing page of a team shows."""

    team: Team
    teams: list[Team]
    setting: RoutingSetting
    members: list[Member]
    planned: list[Planned]
    waiting: int
    left_over: int


def status_now(profile: Profile, now: datetime) -> str:
    """The availability that holds: an absence ends by itself at its time."""
    is_over = profile.status == Availability.AWAY and profile.away_until is not None and profile.away_until <= now
    return Availability.AVAILABLE.value if is_over else profile.status


def find_profile(user_id: int) -> Profile | None:
    """Somebody's profile, if there is one."""
    return Profile.objects.filter(user_id=user_id).first()


def setting_of(team_id: int) -> RoutingSetting:
    """How a team routes; one that nobody changed yet is off."""
    return RoutingSetting.objects.filter(team_id=team_id).first() or RoutingSetting(team_id=team_id, version=0)


def list_routed_teams() -> list[int]:
    """Teams whose cases are routed."""
    return list(RoutingSetting.objects.exclude(mode=Mode.OFF).order_by("team_id").values_list("team_id", flat=True))


def members_of(team_id: int) -> list[User]:
    """The active agents, supervisors and owners in a team, by name."""
    roles = (Role.AGENT, Role.SUPERVISOR, Role.OWNER)
    return list(User.objects.filter(is_active=True, role__in=roles, teams=team_id).order_by("display_name", "pk"))


def people_from(profiles: Iterable[Profile], now: datetime) -> list[Person]:
    """People as the rules take them, with what they have open now; profiles come with their users (two queries)."""
    rows = list(profiles)
    teams: dict[int, set[int]] = defaultdict(set)
    for user_id, team_id in User.teams.through.objects.filter(user_id__in=[one.user_id for one in rows]).values_list("user_id", "team_id"):
        teams[user_id].add(team_id)
    load, calendars = count_open([one.user_id for one in rows]), Calendars()
    return [
        Person(
            user_id=one.user_id,
            name=one.user.display_name,
            team_ids=frozenset(teams[one.user_id]),
            capacity=one.capacity,
            open_cases=load.get(one.user_id, 0),
            skills=one.skills,
            languages=one.languages,
            is_available=status_now(one, now) == Availability.AVAILABLE,
            is_in_hours=one.calendar_id is None or calendars[one.calendar_id].measure(now, now + timedelta(seconds=1)) == 1,
        )
        for one in rows
    ]


def count_open(user_ids: Collection[int]) -> dict[int, int]:
    """How many open cases people have; those that wait for the customer do not count."""
    owned = Case.objects.filter(assignee_id__in=user_ids, status=Status.OPEN)
    return dict(owned.order_by().values_list("assignee_id").annotate(n=Count("pk")))


def list_waiting(team_ids: Collection[int], now: datetime, limit: int) -> list[tuple[Case, Delay]]:
    """The open cases of teams that nobody has, the costliest to delay first; what came from files is left out."""
    rows = Case.objects.filter(team_id__in=team_ids, status=Status.OPEN, assignee=None).exclude(channel__kind=ChannelKind.FILE)
    cases = list(rows.order_by("-priority", "last_message_at", "pk")[:LOOKED_AT])
    delays = weigh(cases, now)
    return sorted(((case, delays[case.pk]) for case in cases), key=lambda one: (-one[1].score, one[0].pk))[:limit]


@dataclass(frozen=True)
class Rates:
    """What cost of delay takes from the house: by team mean waits in hours and minutes of work by kind; how long promises took before."""

    waits: dict[int, float]
    minutes: dict[int, dict[str, int]]
    past: Past


def find_rates() -> Rates:
    """The rates as they are now (three queries)."""
    return Rates(wait_hours(), dict(RoutingSetting.objects.values_list("team_id", "minutes")), list_past_times())


def weigh(cases: Collection[Case], now: datetime, rates: Rates | None = None) -> dict[int, Delay]:
    """Cost of delay by case, the chance of a missed deadline from past cases where there are enough, else from the team's usual waits.

    Two queries for up to 500 cases, and three for the rates of the moment where none are given.
    """
    numbers = {case.customer_id for case in cases}
    values: dict[int, float] = {}
    for part in _parts(sorted(numbers)):
        people = Customer.objects.filter(pk__in=part).values_list("pk", "attributes")
        values |= {number: customer_value(attributes) for number, attributes in people if attributes}
    rates = rates or find_rates()
    late: dict[int, Late] = {}
    for cases_at_once in _parts(list(cases)):
        late |= chances_by_case(cases_at_once, now, rates.past)
    return {
        case.pk: cost_of_delay(
            priority=case.priority,
            kind=case.kind,
            due_at=case.due_at,
            value=values.get(case.customer_id, 1.0),
            now=now,
            late=late.get(case.pk) or Late(late_chance(case.due_at, now, rates.waits.get(case.team_id, USUAL_WAIT_HOURS))),
            minutes=rates.minutes.get(case.team_id),
        )
        for case in cases
    }


def wait_hours() -> dict[int, float]:
    """How long customers lately waited for an answer, on average, by team; teams with fewer than 20 answers are left out."""
    ended = Clock.objects.filter(state=MET, target__in=(FIRST_RESPONSE, NEXT_RESPONSE)).order_by("-pk")
    found: dict[int, list[int]] = defaultdict(list)
    for team_id, seconds in ended.values_list("case__team_id", "elapsed_seconds")[:ENDED_CLOCKS]:
        found[team_id].append(seconds)
    return {team_id: sum(waits) / len(waits) / 3600 for team_id, waits in found.items() if len(waits) >= LEAST_CLOCKS}


def needs_of(waiting: Collection[tuple[Case, Delay]], people: Collection[Person]) -> list[WaitingCase]:
    """Cases as the rules take them, in their order: language, and who of these people answered in them or knows their customers."""
    numbers, user_ids = [case.pk for case, _delay in waiting], [person.user_id for person in people]
    customers = [case.customer_id for case, _delay in waiting]
    languages: dict[int, str] = {}
    known: dict[int, dict[int, str]] = {number: {} for number in numbers}
    knows: dict[tuple[int, int], set[int]] = defaultdict(set)
    for part in _parts(sorted(set(customers))):
        languages |= dict(Customer.objects.filter(pk__in=part).exclude(language="").values_list("pk", "language"))
        earlier = Case.objects.filter(customer_id__in=part, assignee_id__in=user_ids).order_by()
        for customer_id, team_id, user_id in earlier.values_list("customer_id", "team_id", "assignee_id").distinct():
            knows[customer_id, team_id].add(user_id)
    for case, _delay in waiting:
        known[case.pk] |= dict.fromkeys(knows[case.customer_id, case.team_id], SAME_CUSTOMER)
    for part in _parts(numbers):
        answered = Message.objects.filter(case_id__in=part, direction=Direction.OUTBOUND, author_id__in=user_ids).order_by()
        for case_id, user_id in answered.values_list("case_id", "author_id").distinct():
            if case_id is not None and user_id is not None:
                known[case_id][user_id] = SAME_CASE
    return [
        WaitingCase(
            case_id=case.pk,
            team_id=case.team_id,
            kind=case.kind,
            category=case.category,
            language=language_of(languages.get(case.customer_id, ""), f"{case.subject} {case.snippet}"),
            score=delay.score,
            known_to=known[case.pk],
        )
        for case, delay in waiting
    ]


def page(team_id: int | None, viewer: Viewer, now: datetime) -> TeamPage:
    """The routing page of one of the viewer's teams (the first by default), with who would get what, in a fixed number of queries."""
    check_may(viewer, "routing.view")
    teams = [team for team in Team.objects.order_by("name") if viewer.sees_team(team.pk)]
    team = next((one for one in teams if team_id in (None, one.pk)), None)
    if team is None:
        raise NotFound(_("There is no such team among yours."))
    setting, users = setting_of(team.pk), members_of(team.pk)
    profiles = {one.user_id: one for one in Profile.objects.filter(user__in=users).select_related("user", "calendar")}
    people = {person.user_id: person for person in people_from(profiles.values(), now)}
    load = count_open([user.pk for user in users])
    members = [
        Member(user, profiles.get(user.pk) or Profile(user=user, version=0), people.get(user.pk), load.get(user.pk, 0)) for user in users
    ]
    waiting = list_waiting([team.pk], now, setting.most_per_round)
    planned, left_over = _plan(waiting, list(people.values()), setting)
    return TeamPage(team, teams, setting, members, planned[:PREVIEWED], len(waiting), left_over)


def access_team(team_id: int, viewer: Viewer) -> Team:
    """The team, if it is one of the viewer's."""
    team = Team.objects.filter(pk=team_id).first()
    if team is None or not viewer.sees_team(team.pk):
        raise NotFound(_("There is no such team among yours."))
    return team


def find_decision(case: Case) -> RoutingDecision | None:
    """The decision that explains how a case stands: why its assignee has it, or who should take it while nobody does."""
    found = RoutingDecision.objects.filter(case=case).select_related("person").order_by("-pk").first()
    if found is None or found.person is None or not found.person.is_active:
        return None
    if found.mode == Mode.SUGGEST:
        return found if case.assignee_id is None and case.status == Status.OPEN else None
    return found if case.assignee_id == found.person_id else None


def list_open(after: int, limit: int) -> list[Case]:
    """Open cases by number."""
    return list(Case.objects.filter(status=Status.OPEN, pk__gt=after).order_by("pk")[:limit])


def list_scores(case_ids: Collection[int]) -> dict[int, float]:
    """The stored costs of delay of some cases."""
    return dict(CaseWeight.objects.filter(case_id__in=case_ids).values_list("case_id", "score"))


def availabilities() -> list[tuple[Any, Any]]:
    """Codes and words of what somebody's availability may be."""
    return list(Availability.choices)


def modes() -> list[tuple[Any, Any]]:
    """Codes and words of what routing may do in a team."""
    return list(Mode.choices)


def _plan(waiting: list[tuple[Case, Delay]], people: list[Person], setting: RoutingSetting) -> tuple[list[Planned], int]:
    cases = needs_of(waiting, people)
    choices, _found = choose(cases, people, is_sticky=setting.is_sticky)
    chosen = {one.case.case_id: one for one in choices}
    planned = []
    for (case, delay), needs in zip(waiting, cases, strict=True):
        refused = {} if case.pk in chosen else {person.name: refusal(needs, person) or "FULL" for person in people}
        planned.append(Planned(case, delay, chosen.get(case.pk), refused))
    return planned, len(cases) - len(choices)


def _parts(rows: list[Any], size: int = 500) -> Iterable[list[Any]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
