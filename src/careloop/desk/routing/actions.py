"""Giving waiting cases to people, giving them back when somebody leaves, and keeping the order of the queue fresh."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Role, User
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.giving import give_cases, lock_owned, lock_unassigned
from careloop.desk.cases.models import Case, Status
from careloop.desk.kernel.actor import SYSTEM, Actor
from careloop.desk.kernel.errors import Conflict, NotFound
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind
from careloop.desk.routing.models import CaseWeight, Mode, Profile, RoutingDecision, RoutingSetting, TimesTaken
from careloop.desk.routing.queries import find_rates, list_open, list_routed_teams, list_scores, list_waiting, needs_of, people_from, weigh
from careloop.desk.routing.rules.matching import MOST_CAPACITY, Choice, Person, choose, explain, refusal

AT_ONCE = 500
TAKEN = "TAKEN"
TRIES = 20
LEFT, AWAY = "LEFT", "AWAY"  # why cases went back
CHANGED_RATIO = 0.02  # a stored cost of delay is written anew when it is off by more


@dataclass(frozen=True)
class Round:
    """What a round of routing did: cases given out, suggestions made or changed, cases that came back from people who left."""

    assigned: int = 0
    suggested: int = 0
    returned: int = 0


def route_waiting(*, now: datetime, team_ids: Collection[int] | None = None) -> Round:
    """Give out, or suggest for, the waiting cases of the teams that route; each team in its own transaction."""
    returned = return_from_inactive(now=now)
    rounds = [route_team(team_id=team_id, now=now) for team_id in list_routed_teams() if team_ids is None or team_id in team_ids]
    return Round(sum(one.assigned for one in rounds), sum(one.suggested for one in rounds), returned)


def route_team(*, team_id: int, now: datetime) -> Round:
    """One round of a team. Its setting and its people's profiles stay locked: two routers at once never give anybody too much."""
    with transaction.atomic():
        setting = RoutingSetting.objects.select_for_update().filter(team_id=team_id).first()
        if setting is None or setting.mode == Mode.OFF:
            return Round()
        people = people_from(_lock_profiles(team_id), now)
        if not people:
            return Round()
        waiting = list_waiting([team_id], now, setting.most_per_round)
        locked = {case.pk: case for case in lock_unassigned([case.pk for case, _delay in waiting])}
        waiting = [(locked[case.pk], delay) for case, delay in waiting if case.pk in locked]
        choices, _found = choose(needs_of(waiting, people), people, is_sticky=setting.is_sticky)
        if setting.mode == Mode.SUGGEST:
            return Round(suggested=_suggest(choices, now))
        _give([(locked[one.case.case_id], one) for one in choices], Mode.ASSIGN, SYSTEM, now)
        return Round(assigned=len(choices))


def take_next(*, viewer: Viewer, now: datetime) -> Case:
    """Give the viewer the waiting case that is costliest to delay among those they may take, for whoever prefers to pull."""
    check_may(viewer, "case.work")
    with transaction.atomic():
        person = _taker(viewer, now)
        if person.room == 0:
            sentence = _("You have %(open)s of %(capacity)s open cases; answer or hand over one before you take another.")
            raise Conflict(sentence % {"open": person.open_cases, "capacity": person.capacity})
        waiting = list_waiting(sorted(person.team_ids), now, AT_ONCE)
        fitting = [one for one in zip(needs_of(waiting, [person]), waiting, strict=True) if not refusal(one[0], person)]
        for needs, (found, _delay) in fitting[:TRIES]:
            for case in lock_unassigned([found.pk]):  # none when somebody else was quicker
                choice = Choice(needs, person, needs.score, explain(needs, person, open_cases=person.open_cases), [])
                _give([(case, choice)], TAKEN, actor_of(viewer), now)
                after = {"before": {"assignee_id": None}, "after": {"assignee_id": viewer.user_id}}
                actor = actor_of(viewer)
                audit.record(actor=actor, action="case.routed", object_type="case", object_id=case.pk, now=now, details=after)
                return case
    raise NotFound(_("No case is waiting that fits your skills and languages."))


def return_from_inactive(*, now: datetime) -> int:
    """Give the unresolved cases of people who cannot sign in any more back to the queue; returns how many."""
    owned = Case.objects.filter(status__in=(Status.OPEN, Status.WAITING), assignee__is_active=False).order_by()
    return sum(return_cases(user_id=user_id, why=LEFT, now=now) for user_id in owned.values_list("assignee_id", flat=True).distinct())


def return_after_change(*, user_id: int, now: datetime) -> int:
    """After a person's access, role or teams were changed: give back what they may not work on any more, and route it anew."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return 0
    if not user.is_active or user.role == Role.ANALYST:
        returned = return_cases(user_id=user_id, why=LEFT, now=now)
    elif user.role == Role.OWNER:
        return 0  # owners work in every team
    else:
        owned = set(Case.objects.filter(assignee=user, status__in=(Status.OPEN, Status.WAITING)).values_list("team_id", flat=True))
        lost = sorted(owned - set(user.teams.values_list("pk", flat=True)))
        returned = return_cases(user_id=user_id, why=LEFT, now=now, team_ids=lost)
    if returned:
        route_waiting(now=now)
    return returned


def return_cases(
    *, user_id: int, why: str, now: datetime, team_ids: Sequence[int] | None = None, is_unanswered: bool = False, actor: Actor = SYSTEM
) -> int:
    """Give somebody's unresolved cases back to the queue with an event that says why; returns how many."""
    with transaction.atomic():
        cases = lock_owned(user_id, team_ids=team_ids, is_unanswered=is_unanswered)
        name = User.objects.filter(pk=user_id).values_list("display_name", flat=True).first() or ""
        facts = {case.pk: {"why": why, "left": name} for case in cases}
        give_cases(cases, {case.pk: None for case in cases}, facts, actor, now)
    return len(cases)


def refresh_weights(*, now: datetime) -> int:
    """Store what a delay of each open case costs, for the order of the inbox, in batches; returns how many changed."""
    changed, last, rates = 0, 0, find_rates()
    while cases := list_open(last, AT_ONCE):
        last = cases[-1].pk
        stored, delays = list_scores([case.pk for case in cases]), weigh(cases, now, rates)
        off = {number: delay.score for number, delay in delays.items() if _is_off(stored.get(number), delay.score)}
        with transaction.atomic():
            insert_rows(
                (CaseWeight(case_id=number, score=score) for number, score in off.items() if number not in stored), ignore_conflicts=True
            )
            rows = list(CaseWeight.objects.filter(case_id__in=off.keys() & stored.keys()))
            for row in rows:
                row.score = off[row.case_id]
            CaseWeight.objects.bulk_update(rows, ["score"])
        changed += len(off)
    CaseWeight.objects.exclude(case__status=Status.OPEN).delete()
    return changed


def keep_times(*, level_id: int, target: str, seconds: Sequence[int], shares: Sequence[float], ended: int, now: datetime) -> TimesTaken:
    """Store how long the clocks of a promise took, in place of what was known."""
    facts = {"seconds": list(seconds), "shares": list(shares), "ended": ended, "at": now}
    kept, _is_new = TimesTaken.objects.update_or_create(level_id=level_id, target=target, defaults=facts)
    return kept


def _is_off(stored: float | None, score: float) -> bool:
    return stored is None or abs(stored - score) > CHANGED_RATIO * score


def _lock_profiles(team_id: int) -> list[Profile]:
    """The profiles of a team's active people, in one order for everybody, locked: whoever gives them cases waits for us."""
    roles = (Role.AGENT, Role.SUPERVISOR, Role.OWNER)
    members = User.objects.filter(teams=team_id, is_active=True, role__in=roles)
    return list(Profile.objects.select_for_update(of=("self",)).select_related("user").filter(user__in=members).order_by("user_id"))


def _taker(viewer: Viewer, now: datetime) -> Person:
    """The viewer as somebody who takes a case now: whoever asks is here, whatever the switch and the calendar say."""
    profile = Profile.objects.select_for_update(of=("self",)).select_related("user").filter(user_id=viewer.user_id).first()
    if profile is None:
        profile = Profile(user=User.objects.get(pk=viewer.user_id), capacity=MOST_CAPACITY)
    [person] = people_from([profile], now)
    return replace(person, is_available=True, is_in_hours=True)


def _give(given: Sequence[tuple[Case, Choice]], mode: str, actor: Actor, now: datetime) -> None:
    """Write owners, events, decisions and, unless people took the cases themselves, notices."""
    to: dict[int, int | None] = {case.pk: choice.person.user_id for case, choice in given}
    facts: dict[int, dict[str, Any]] = {case.pk: {"name": choice.person.name, "because": choice.parts} for case, choice in given}
    give_cases([case for case, _choice in given], to, facts, actor, now)
    insert_rows(_decision(choice, mode, now) for _case, choice in given)
    if mode == TAKEN:
        return
    for case, choice in given:
        subject = {"subject": case.subject}
        notify(
            user_ids=[choice.person.user_id],
            kind=NoticeKind.ASSIGNED,
            key=f"routed {case.pk} {case.version}",
            case_id=case.pk,
            facts=subject,
            now=now,
        )


def _suggest(choices: Sequence[Choice], now: datetime) -> int:
    """Keep the suggestions that differ from the last word on their case."""
    newest: dict[int, tuple[str, int | None]] = {}
    numbers = [one.case.case_id for one in choices]
    for start in range(0, len(numbers), AT_ONCE):
        rows = RoutingDecision.objects.filter(case_id__in=numbers[start : start + AT_ONCE]).order_by("pk")
        newest |= {case_id: (mode, person_id) for case_id, mode, person_id in rows.values_list("case_id", "mode", "person_id")}
    new = [one for one in choices if newest.get(one.case.case_id) != (Mode.SUGGEST, one.person.user_id)]
    insert_rows(_decision(one, Mode.SUGGEST, now) for one in new)
    return len(new)


def _decision(choice: Choice, mode: str, now: datetime) -> RoutingDecision:
    return RoutingDecision(
        case_id=choice.case.case_id, person_id=choice.person.user_id, mode=str(mode), because=choice.parts, value=round(choice.value, 4),
        alternatives=choice.alternatives, at=now,
    )  # fmt: skip
