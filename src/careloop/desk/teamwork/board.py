"""The board: unresolved and lately resolved cases in columns by status, state of a flow, team or person; and moving a card."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import list_assignable, list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases import actions, moves
from careloop.desk.cases.flow_queries import flow_page
from careloop.desk.cases.flow_steps import facts_of
from careloop.desk.cases.models import Approval, Case, CaseFlow, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.cases.teams import give_to_team
from careloop.desk.flows.models import FlowVersion
from careloop.desk.flows.queries import access_version, flow_of, live_versions, named
from careloop.desk.flows.rules.flow import Flow
from careloop.desk.flows.rules.moving import ASKED, Move, possible_moves
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.teamwork.department_board import department_name, departments
from careloop.desk.teamwork.models import Task

STATUS, FLOW, TEAM, PERSON, DEPARTMENT = "status", "flow", "team", "person", "department"
KEYS = {STATUS: "status", FLOW: "flow__state", TEAM: "team_id", PERSON: "assignee_id"}
BY = (*KEYS, DEPARTMENT)
IN_A_COLUMN = 30
IN_AN_OPEN_COLUMN = 300
RESOLVED_DAYS = 7
STEP = "step "  # before a step's code; a column's code has no space


@dataclass(frozen=True)
class Wanted:
    """What a board shows; `open_column` is the code of the column of which more is shown."""

    by: str = STATUS
    team_id: int | None = None
    flow_id: int | None = None
    open_column: str = ""


@dataclass(frozen=True)
class Card:
    """A case on the board; on a flow with the steps from where it stands, and whether it waits for an approval; its department's tasks."""

    case: Case
    tasks: list[Task] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    flow: Flow | None = None
    waits: bool = False


@dataclass(frozen=True)
class Column:
    """One column; `code` is what a card is moved to, "0" for nobody."""

    name: str
    code: str
    total: int
    cards: list[Card]


@dataclass(frozen=True)
class Board:
    """The columns of what was wanted, as it was understood: the team and the flow are filled in where the columns need one."""

    wanted: Wanted
    columns: list[Column]
    flows: list[FlowVersion]


def board(wanted: Wanted, viewer: Viewer, *, now: datetime) -> Board:
    """The columns with their first thirty cases, the urgent and longest waiting first; resolved ones of the last week."""
    if wanted.by not in BY:
        raise InvalidInput(_("A board by “%(given)s” is not known; choose one of the list.") % {"given": wanted.by[:40]}, field="by")
    flows = list(live_versions()) if wanted.by == FLOW else []
    wanted = _filled(wanted, viewer, flows)
    if wanted.by == DEPARTMENT:
        return Board(wanted, _departments(wanted, viewer), flows)
    key = KEYS[wanted.by]
    cases = Case.objects.visible_to(viewer).filter(_condition(wanted, now))
    if wanted.team_id is not None:
        cases = cases.filter(team_id=wanted.team_id)
    totals = {str(code or 0): count for code, count in cases.order_by().values_list(key).annotate(Count("pk"))}
    shown: dict[str, list[Case]] = {}
    for case in _first(cases, key, wanted.open_column):
        shown.setdefault(str(_value(case, key) or 0), []).append(case)
    cards = _cards([case for found in shown.values() for case in found], viewer) if wanted.by == FLOW else {}
    columns = [
        Column(name, code, totals.get(code, 0), [cards.get(case.pk, Card(case)) for case in shown.get(code, [])])
        for code, name in _columns(wanted, viewer, totals).items()
    ]
    return Board(wanted, columns, flows)


def move_card(*, case_id: int, by: str, to: str, expected_version: int, viewer: Viewer, now: datetime) -> None:
    """Bring a case to a column through what the case page does: its status, its assignee, or the step of its flow that leads there."""
    facts: dict[str, Any] = {"case_id": case_id, "expected_version": expected_version, "viewer": viewer, "now": now}
    if not to:
        raise InvalidInput(_("Choose where case #%(number)s goes.") % {"number": case_id}, field="to")
    if by == STATUS:
        actions.set_status(status=to, **facts)
    elif by == PERSON:
        actions.assign(assignee_id=_number(to, _("There is no such person; choose somebody from the list.")) or None, **facts)
    elif by == FLOW:
        moves.move(transition=_step_to(access_case(case_id, viewer), to, viewer), **facts)
    elif by == TEAM:
        give_to_team(team_id=_number(to, _("There is no such team; choose one from the list.")), **facts)
    elif by == DEPARTMENT:
        raise InvalidInput(
            _("Tasks go to another department where they are changed; open case #%(number)s.") % {"number": case_id}, field="to"
        )
    else:
        raise InvalidInput(_("A board by “%(given)s” is not known; choose one of the list.") % {"given": by[:40]}, field="by")


def _departments(wanted: Wanted, viewer: Viewer) -> list[Column]:
    """A column for each department with open tasks; one without any is not there, but for that of tasks without a department."""
    columns = []
    for code, found in departments(viewer, wanted.team_id).items():
        most = IN_AN_OPEN_COLUMN if code == wanted.open_column else IN_A_COLUMN
        columns.append(Column(department_name(code), code, len(found), [Card(case, tasks) for case, tasks in found[:most]]))
    return columns


def _filled(wanted: Wanted, viewer: Viewer, flows: list[FlowVersion]) -> Wanted:
    """A board of people needs a team, one of states a flow: the first, unless one was chosen."""
    if wanted.team_id is not None and not viewer.sees_team(wanted.team_id):
        raise InvalidInput(_("There is no such team; choose one from the list."), field="team")
    team_id, flow_id = wanted.team_id, wanted.flow_id
    if wanted.by == PERSON and team_id is None:
        team_id = next((team.pk for team in list_teams(viewer)), None)
    if wanted.by == FLOW:
        chosen = [one.flow_id for one in flows if one.flow_id == flow_id] or [one.flow_id for one in flows if one.flow.is_active]
        flow_id = chosen[0] if chosen else None
    return Wanted(wanted.by, team_id, flow_id, wanted.open_column)


def _condition(wanted: Wanted, now: datetime) -> Q:
    lately = Q(status=Status.RESOLVED, resolved_at__gte=now - timedelta(days=RESOLVED_DAYS))
    unresolved = Q(status__in=UNRESOLVED)
    if wanted.by == STATUS:
        return unresolved | lately
    if wanted.by == FLOW:
        return Q(flow__flow_version__flow_id=wanted.flow_id) & (unresolved | lately)
    return unresolved


def _first(cases: QuerySet[Case], key: str, open_column: str) -> QuerySet[Case]:
    """The first cases of every column, in one query."""
    order = [F("priority").desc(), F("last_message_at").asc(), F("pk").asc()]
    placed = cases.annotate(place=Window(RowNumber(), partition_by=F(key), order_by=order))
    is_shown = Q(place__lte=IN_A_COLUMN)
    if open_column:
        of_column = (
            Q(**{f"{key}__isnull": True}) if open_column == "0" else Q(**{key: open_column}) if _fits(key, open_column) else Q(pk=None)
        )
        is_shown |= Q(place__lte=IN_AN_OPEN_COLUMN) & of_column
    return placed.filter(is_shown).select_related("customer", "assignee", "team", "flow").order_by("place")


def _fits(key: str, code: str) -> bool:
    return not key.endswith("_id") or (code.isascii() and code.isdigit() and len(code) < 10)


def _value(case: Case, key: str) -> Any:
    return case.flow.state if key == KEYS[FLOW] else getattr(case, key)


def _columns(wanted: Wanted, viewer: Viewer, totals: Mapping[str, int]) -> dict[str, str]:
    """Codes and names; of a flow the newest version's states, then those in which cases of older ones still stand."""
    if wanted.by == STATUS:
        return {str(code): str(Status(code).label) for code in (Status.OPEN, Status.WAITING, Status.RESOLVED)}
    if wanted.by == TEAM:
        return {str(team.pk): team.name for team in list_teams(viewer) if wanted.team_id in (None, team.pk)}
    if wanted.by == PERSON:
        people = list_assignable(wanted.team_id) if wanted.team_id is not None else []
        return {"0": _("Nobody yet"), **{str(one.pk): str(one) for one in people}}
    if wanted.flow_id is None:
        return {}
    states = {one.code: named(one.name) for one in flow_of(access_version(wanted.flow_id)).states}
    return {**states, **{code: code for code in totals if code not in states}}


def _cards(cases: list[Case], viewer: Viewer) -> dict[int, Card]:
    """The steps of all shown cases in two queries."""
    rows = CaseFlow.objects.filter(case__in=cases).select_related("flow_version", "case")
    asked: dict[int, list[Approval]] = {}
    for one in Approval.objects.filter(case__in=cases, closed_at=None):
        asked.setdefault(one.case_id, []).append(one)
    flows: dict[int, Flow] = {}
    shown, found = {case.pk: case for case in cases}, {}
    for row in rows:
        flow = flows.setdefault(row.flow_version_id, flow_of(row.flow_version))
        open_ones = asked.get(row.case_id, [])
        possible = possible_moves(flow, row.state, facts_of(row, open_ones), viewer.role)
        found[row.case_id] = Card(shown[row.case_id], [], possible, flow, any(one.state == ASKED for one in open_ones))
    return found


def _number(to: str, refusal: str) -> int:
    if not (to.isascii() and to.isdigit() and len(to) < 10):
        raise InvalidInput(refusal, field="to")
    return int(to)


def _step_to(case: Case, to: str, viewer: Viewer) -> str:
    """The code of the step that was chosen, or that leads to the column: one that is possible, if any is."""
    if to.startswith(STEP):
        return to.removeprefix(STEP)
    page = flow_page(case, viewer)
    if page is None:
        raise InvalidInput(_("Case #%(number)s runs on no flow; it has no steps.") % {"number": case.pk}, field="to")
    found = sorted((move for move in page.moves if move.step.target == to), key=lambda move: not move.is_possible)
    if not found:
        here, there = page.flow.find_state(page.row.state), page.flow.find_state(to)
        names = [named(one.name) if one is not None else code for one, code in ((here, page.row.state), (there, to[:40]))]
        sentence = _("No step leads from “%(here)s” to “%(there)s”; open case #%(number)s to see its steps.")
        raise InvalidInput(sentence % {"here": names[0], "there": names[1], "number": case.pk}, field="to")
    return found[0].step.code
