"""What belongs to a case and carries a team of its own: it always carries the team of its case.

A new table with a team whose rows belong to a case gets a line in TABLES (or, with its reason, in STAYS); a test asks for it.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from django.apps import apps

from careloop.desk.cases.models import Case


class TeamTable(NamedTuple):
    """A table: "app.Model", the way from its rows to the number of their case, and the column of the team."""

    model: str
    way: str
    column: str = "team_id"


TABLES = (
    TeamTable("cases.Message", "case_id"),
    TeamTable("cases.CaseEvent", "case_id"),
    TeamTable("analysis.Reading", "case_id"),
    TeamTable("analysis.Correction", "message__case_id"),
    TeamTable("analysis.LabelDoubt", "correction__message__case_id"),
    TeamTable("feedback.Feedback", "message__case_id"),
    TeamTable("search.SearchDocument", "case_id"),
    TeamTable("surveys.Invitation", "case_id"),
    TeamTable("drafting.MachineText", "case_id"),
)
STAYS = {"teamwork.Task": "the team that shall do the work, whosever the case is"}


def carry_rows(cases: Collection[Case]) -> None:
    """Let every row of these cases carry its case's team, in the caller's transaction: one statement a table and team."""
    by_team: dict[int, list[int]] = defaultdict(list)
    for case in cases:
        by_team[case.team_id].append(case.pk)
    for team_id, numbers in by_team.items():
        for table in TABLES:
            rows = apps.get_model(table.model)._base_manager.filter(**{f"{table.way}__in": numbers})
            rows.exclude(**{table.column: team_id}).update(**{table.column: team_id})
