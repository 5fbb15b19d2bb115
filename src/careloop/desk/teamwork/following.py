"""Followers of cases and what they are told: read from the events, so that nothing else has to know of it."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import SEES_EVERY_TEAM, Viewer
from careloop.desk.cases.models import Case, CaseEvent, EventKind, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.notices.actions import notify
from careloop.desk.teamwork.case_tasks import add_tasks_of_step
from careloop.desk.teamwork.event_reading import each_new_event
from careloop.desk.teamwork.models import Follower
from careloop.desk.teamwork.rules import people_mentioned

READ = (EventKind.NOTED, EventKind.RECEIVED, EventKind.STATUS, EventKind.REPLIED, EventKind.MOVED)


def follow(*, case_id: int, viewer: Viewer, now: datetime, is_on: bool = True) -> None:
    """The viewer wants to be told of the case, or no longer."""
    check_may(viewer, "case.view")
    case = access_case(case_id, viewer)
    Follower.objects.update_or_create(
        case=case, user_id=viewer.user_id, defaults={"has_left": not is_on}, create_defaults={"has_left": not is_on, "since": now}
    )


def list_followers(case: Case) -> list[User]:
    """Who is told of the case."""
    numbers = Follower.objects.filter(case=case, has_left=False).values("user_id")
    return list(User.objects.filter(pk__in=numbers, is_active=True).order_by("display_name"))


def people_who_see(team_id: int) -> dict[int, str]:
    """Everybody who sees cases of a team, by id."""
    people = User.objects.filter(Q(teams=team_id) | Q(role__in=SEES_EVERY_TEAM), is_active=True)
    return dict(people.values_list("pk", "display_name"))


def follow_events(*, now: datetime) -> int:
    """Tell mentioned people and followers what happened since the last time, and add the tasks of steps; returns how many events were read.

    The first time only the place is marked: what happened before is told to nobody.
    """
    return each_new_event("followers", READ, lambda event: _tell(event, now))


def _tell(event: CaseEvent, now: datetime) -> None:
    if event.kind == EventKind.NOTED:
        _tell_mentioned(event, now)
    elif event.kind == EventKind.MOVED:
        add_tasks_of_step(event, event.case, now)
    elif event.kind == EventKind.RECEIVED:
        _tell_people(event, "REPLIED", {*_followers(event), event.case.assignee_id or 0}, event.message.body[:140] if event.message else "")
    elif event.after.get("status") == Status.RESOLVED or event.kind == EventKind.STATUS:
        _tell_people(event, "FOLLOWED", _followers(event), event.case.subject)


def _tell_mentioned(event: CaseEvent, now: datetime) -> None:
    if event.actor_kind == "customer":  # a machine's answer names nobody
        return
    if event.message is None or "@" not in event.message.body.replace("＠", "@"):
        return
    mentioned = people_mentioned(event.message.body, people_who_see(event.team_id)) - {event.actor_id}
    for number in sorted(mentioned):
        Follower.objects.get_or_create(case_id=event.case_id, user_id=number, defaults={"since": now})
    facts = {"who": event.actor_name, "text": event.message.body[:140]}
    notify(user_ids=mentioned, kind="MENTIONED", key=f"mention:{event.message_id}", case_id=event.case_id, facts=facts, now=event.at)


def _followers(event: CaseEvent) -> set[int]:
    return set(Follower.objects.filter(case_id=event.case_id, has_left=False, since__lte=event.at).values_list("user_id", flat=True))


def _tell_people(event: CaseEvent, kind: str, people: Iterable[int], text: str) -> None:
    """Those who still see the case, but for whoever did it."""
    told = set(people) & people_who_see(event.case.team_id).keys()
    if event.actor_kind == "user":
        told.discard(event.actor_id or 0)
    facts = {"who": event.actor_name, "text": text}
    notify(user_ids=told, kind=kind, key=f"event:{event.pk}", case_id=event.case_id, facts=facts, now=event.at)
