"""Giving a case to another team: it goes with everything that it has, and whoever had it keeps it only if they work there, too."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Team
from careloop.desk.accounts.queries import list_assignable, list_house_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.changes import case_to_change, change_case
from careloop.desk.cases.models import Approval, Case, EventKind
from careloop.desk.cases.tasks import settle
from careloop.desk.cases.team_rows import carry_rows
from careloop.desk.customers.actions import link_teams
from careloop.desk.flows.rules.moving import ASKED
from careloop.desk.kernel.errors import InvalidInput

SETTLE_AFTER = timedelta(minutes=1)  # longer than any transaction that began to write for the old team


def give_to_team(*, case_id: int, team_id: int, expected_version: int, viewer: Viewer, now: datetime) -> Case:
    """Give the case to a team, which the viewer need not see; a case that the team has already is left as it is."""
    with transaction.atomic():
        case = case_to_change(case_id, viewer, expected_version)
        team = access_team(team_id)
        if find_waiting([case_id]):
            sentence = _("An approval is asked for case #%(number)s, and its team decides; give the case away when that is done.")
            raise InvalidInput(sentence % {"number": case_id}, field="team")
        if case.team_id != team.pk:
            columns = columns_in_team(case, team.pk, {person.pk for person in list_assignable(team.pk)})
            change_case(case, EventKind.TEAM, columns, viewer, now)
            follow_team([case], now)
    return case


def access_team(team_id: int) -> Team:
    """Any team of the house; InvalidInput names those that there are."""
    teams = {team.pk: team for team in list_house_teams()}
    if team_id not in teams:
        known = ", ".join(f"{number} ({team.name})" for number, team in teams.items())
        raise InvalidInput(_("There is no team %(given)s; choose one of %(known)s.") % {"given": team_id, "known": known}, field="team")
    return teams[team_id]


def columns_in_team(case: Case, team_id: int, people: Collection[int]) -> dict[str, Any]:
    """The columns of a case in a team in which `people` may have cases."""
    return {"team_id": team_id, "assignee_id": case.assignee_id if case.assignee_id in people else None}


def find_waiting(case_ids: Collection[int]) -> set[int]:
    """Those of the cases whose team has yet to decide on an approval: nobody takes a case to where it is decided more kindly."""
    return set(Approval.objects.filter(case__in=case_ids, closed_at=None, state=ASKED).values_list("case_id", flat=True))


def follow_team(cases: Collection[Case], now: datetime) -> None:
    """What the cases have follows them to their new teams, which know the customers from now on; in the caller's transaction.

    What somebody was writing for the old team meanwhile follows a minute later.
    """
    if not cases:
        return
    carry_rows(cases)
    link_teams((case.customer_id, case.team_id) for case in cases)
    settle.using(run_after=now + SETTLE_AFTER).enqueue([case.pk for case in cases])


def team_names() -> Mapping[int, str]:
    """The names of all teams, by number."""
    return {team.pk: team.name for team in list_house_teams()}
