"""What a change would do to many cases, what may be offered, and what was done; scoped to the viewer's teams."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Role, User
from careloop.desk.accounts.queries import check_may, list_assignable
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.taxonomy_queries import list_leaves, name_of, taxonomies_of, visible
from careloop.desk.bulk.models import BulkChange
from careloop.desk.bulk.rules import (
    ALREADY,
    ASSIGN,
    CATEGORY,
    CHANGES,
    OUT_OF_SIGHT,
    STATUS,
    TEAM,
    UNDO_WITHIN,
    Possible,
    Standing,
    Wish,
    judge,
)
from careloop.desk.cases.models import Case, CaseFlow
from careloop.desk.cases.teams import access_team, find_waiting, team_names
from careloop.desk.flows.queries import flow_of
from careloop.desk.kernel.errors import NotFound


@dataclass(frozen=True)
class Preview:
    """Cases that would change, with the versions seen; those that are so already; those that cannot, by reason."""

    cases: dict[int, Case]
    changes: dict[int, int]
    already: list[int]
    impossible: dict[str, list[int]]


@dataclass(frozen=True)
class Offer:
    """Who cases can be given to and which categories there are, in all the viewer's teams, and the house's teams: (stored value, words)."""

    people: list[tuple[int, str]]
    teams: list[tuple[int, str]]
    categories: list[tuple[str, str]]


def preview(case_ids: Collection[int], wish: Wish, viewer: Viewer) -> Preview:
    """What the wish would do to these cases; nothing is written (a fixed number of queries, three more a team)."""
    check_may(viewer, "case.work")
    rows = Case.objects.visible_to(viewer).filter(pk__in=list(case_ids)).select_related("customer", "assignee")
    cases = {case.pk: case for case in rows}
    judged = judge_cases(list(cases.values()), wish)
    impossible: dict[str, list[int]] = {}
    for number in case_ids:
        found = judged.get(number, OUT_OF_SIGHT)
        if found not in (CHANGES, ALREADY):
            impossible.setdefault(found, []).append(number)
    changes = {number: cases[number].version for number in case_ids if judged.get(number) == CHANGES}
    return Preview(cases, changes, [number for number in case_ids if judged.get(number) == ALREADY], impossible)


def judge_cases(cases: Collection[Case], wish: Wish) -> dict[int, str]:
    """What the wish means to each case, by number; refused when it names a team that there is not."""
    if wish.field == TEAM:
        access_team(wish.value)
    numbers = [case.pk for case in cases]
    on_way = _on_way(numbers) if wish.field == STATUS else set()
    asked = find_waiting(numbers) if wish.field == TEAM else set()
    possible = _possible({case.team_id for case in cases}, wish)
    judged = {}
    for case in cases:
        facts = (case.pk, case.team_id, case.status, case.priority, case.assignee_id, case.category)
        judged[case.pk] = judge(Standing(*facts, case.pk in on_way, case.pk in asked), wish, possible)
    return judged


def offer_for(viewer: Viewer) -> Offer:
    """What the bar of the inbox offers."""
    workers = User.objects.filter(is_active=True, role__in=(Role.AGENT, Role.SUPERVISOR))
    if viewer.team_ids is not None:
        workers = workers.filter(teams__in=viewer.team_ids)
    people = User.objects.filter(Q(pk__in=workers.values("pk")) | Q(is_active=True, role=Role.OWNER)).order_by("display_name")
    taxonomies = visible(viewer).filter(is_archived=False).order_by("pk")
    categories = {leaf.code: name_of(leaf) for taxonomy in taxonomies for leaf in list_leaves(taxonomy)}
    return Offer(list(people.values_list("pk", "display_name")), list(team_names().items()), list(categories.items()))


def access_change(change_id: int, viewer: Viewer) -> BulkChange:
    """A change of many cases that the viewer made."""
    check_may(viewer, "case.work")
    made = BulkChange.objects.filter(pk=change_id, made_by_id=viewer.user_id).first()
    if made is None:
        raise NotFound(_("There is no change of yours with the number %(number)s.") % {"number": change_id})
    return made


def list_changed(made: BulkChange, viewer: Viewer) -> list[Case]:
    """The cases that a change changed, in the viewer's sight, by number."""
    return list(Case.objects.visible_to(viewer).filter(pk__in=made.cases.values("case_id")).select_related("customer").order_by("pk"))


def can_undo(made: BulkChange, now: datetime) -> bool:
    """Whether the change can still be taken back."""
    return made.undone_at is None and now - made.made_at <= UNDO_WITHIN


def name_of_person(user_id: int) -> str:
    """How somebody is called; "" for nobody there."""
    return User.objects.filter(pk=user_id).values_list("display_name", flat=True).first() or ""


def _possible(team_ids: Collection[int], wish: Wish) -> Possible:
    people: Mapping[int, set[int]] = {}
    categories: Mapping[int, set[str]] = {}
    if wish.field == ASSIGN:
        people = {team: {person.pk for person in list_assignable(team)} for team in team_ids}
    if wish.field == CATEGORY:
        categories = {team: {leaf.code for leaf in list_leaves(one)} for team, one in taxonomies_of(team_ids).items()}
    return Possible(people, categories)


def _on_way(case_ids: Collection[int]) -> set[int]:
    """The cases whose flow has not come to an end."""
    found = set()
    for row in CaseFlow.objects.filter(case__in=list(case_ids)).select_related("flow_version"):
        state = flow_of(row.flow_version).find_state(row.state)
        if state is not None and not state.is_end:
            found.add(row.case_id)
    return found
