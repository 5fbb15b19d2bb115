"""The board: unresolved and lately resolved cases in columns by status, team or person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, Status
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.kernel.errors import InvalidInput

BY = ("status", "team")
IN_A_COLUMN = 30
RESOLVED_DAYS = 7


@dataclass(frozen=True)
class Column:
    """One column; `code` is the status that a card is moved to, "" where cards are not moved."""

    name: str
    code: str
    total: int
    cases: list[Case]


def board(by: str, team_id: int | None, viewer: Viewer, *, now: datetime) -> list[Column]:
    """The columns with their first thirty cases, the urgent and longest waiting first; resolved ones of the last week."""
    if by not in BY:
        raise InvalidInput(f"The board is by {by!r}; expected {' or '.join(BY)}.", field="by")
    cases = Case.objects.visible_to(viewer).select_related("customer", "assignee", "team").order_by("-priority", "last_message_at", "pk")
    if team_id is not None:
        cases = cases.filter(team_id=team_id)
    if by == "team":
        groups = [(team.name, "", Q(team=team, status__in=UNRESOLVED)) for team in list_teams(viewer)]
    else:
        lately = Q(status=Status.RESOLVED, resolved_at__gte=now - timedelta(days=RESOLVED_DAYS))
        groups = [
            (str(Status(code).label), str(code), lately if code == Status.RESOLVED else Q(status=code))
            for code in (Status.OPEN, Status.WAITING, Status.RESOLVED)
        ]
    found = []
    for name, code, condition in groups:
        column = cases.filter(condition)
        found.append(Column(name, code, column.count(), list(column[:IN_A_COLUMN])))
    return found
