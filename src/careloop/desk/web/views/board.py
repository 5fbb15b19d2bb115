"""The board: cases in columns, and moving a card by hand, by keyboard or without script."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.cases.teams import team_names
from careloop.desk.flows.queries import named
from careloop.desk.flows.rules.moving import Move
from careloop.desk.flows.wording import why_not
from careloop.desk.kernel.errors import DeskError, InvalidInput, NotFound
from careloop.desk.kernel.wording import spoken
from careloop.desk.teamwork import board as boards
from careloop.desk.teamwork import looking
from careloop.desk.teamwork.department_board import is_late
from careloop.desk.web.access import for_viewer
from careloop.desk.web.views.together import now, number_or_none


@require_GET
@for_viewer("case.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Cases in columns by status, state of a flow, team or person."""
    return _show(request, viewer)


@require_POST
@for_viewer("case.work")
def move(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Bring a card to another column; what is refused is said above the board, which then shows how things stand."""
    access_case(case_id, viewer)
    try:
        boards.move_card(
            case_id=case_id,
            by=request.GET.get("by", boards.STATUS),
            to=request.POST.get("to", ""),
            expected_version=_version(request),
            viewer=viewer,
            now=now(),
        )
    except NotFound:
        raise
    except DeskError as refused:
        return _show(request, viewer, spoken(refused.message), refused.status)
    told = _where_it_went(case_id, viewer)
    if not request.headers.get("HX-Request"):
        if told:
            messages.success(request, told)
        query = request.GET.urlencode()
        return redirect(f"{reverse('board')}?{query}" if query else "board")
    return _show(request, viewer, told)


def _show(request: HttpRequest, viewer: Viewer, refusal: str = "", status: int = 200) -> HttpResponse:
    shown = boards.board(_wanted(request), viewer, now=now())
    looking.note_list((card.case.pk for column in shown.columns for card in column.cards), viewer, place="board", now=now())
    may_move = viewer.may("case.work") and shown.wanted.by != boards.DEPARTMENT
    wanted = shown.wanted
    query = {"by": wanted.by} | {name: str(one) for name, one in (("team", wanted.team_id), ("flow", wanted.flow_id)) if one is not None}
    context = {
        "columns": [_column(one, shown, may_move) for one in shown.columns],
        "by": wanted.by,
        "wanted": wanted,
        "teams": list_teams(viewer),
        "flows": [{"id": one.flow_id, "name": named(one.flow.name)} for one in shown.flows],
        "ways": _ways(),
        "query": urlencode(query),
        "refusal": refusal,
    }
    is_fragment = bool(request.headers.get("HX-Request"))
    response = render(request, "together/columns.html" if is_fragment else "together/board.html", context, status=status)
    if is_fragment and status != 200:
        response["HX-Retarget"], response["HX-Reswap"] = "#board", "outerHTML"
    return response


def _where_it_went(case_id: int, viewer: Viewer) -> str:
    """Said to whoever gave a case out of their own sight."""
    try:
        access_case(case_id, viewer)
    except NotFound as gone:
        return spoken(gone.message)
    return ""


def _ways() -> list[tuple[str, str]]:
    return [
        (boards.STATUS, _("By status")),
        (boards.FLOW, _("By step of the flow")),
        (boards.TEAM, _("By team")),
        (boards.PERSON, _("By person")),
        (boards.DEPARTMENT, _("By department")),
    ]


def _wanted(request: HttpRequest) -> boards.Wanted:
    asked = {name: number_or_none(request.GET.get(name, ""), name) for name in ("team", "flow")}
    return boards.Wanted(request.GET.get("by", boards.STATUS), asked["team"], asked["flow"], request.GET.get("all", "")[:40])


def _column(column: boards.Column, shown: boards.Board, may_move: bool) -> dict[str, Any]:
    all_columns = [(one.code, one.name) for one in shown.columns]
    if shown.wanted.by == boards.TEAM:  # cases go to teams out of sight, too
        all_columns = [(str(number), name) for number, name in team_names().items()]
    others = [one for one in all_columns if one[0] != column.code]
    cards = []
    for card in column.cards:
        ways = _steps(card) if shown.wanted.by == boards.FLOW else [(code, name, "") for code, name in others]
        tasks = [{"task": one, "is_late": is_late(one, now())} for one in card.tasks]
        cards.append({"case": card.case, "tasks": tasks, "waits": card.waits, "ways": ways if may_move else [], "may_move": may_move})
    is_cut = column.total > len(column.cards)
    return {"name": column.name, "code": column.code, "total": column.total, "cards": cards, "is_cut": is_cut}


def _steps(card: boards.Card) -> list[tuple[str, str, str]]:
    return [(f"{boards.STEP}{one.step.code}", _way(card, one), why_not(card.flow, one) if card.flow else "") for one in card.moves]


def _way(card: boards.Card, one: Move) -> str:
    target = card.flow.find_state(one.step.target) if card.flow is not None else None
    return f"{named(one.step.name)} → {named(target.name)}" if target is not None else named(one.step.name)


def _version(request: HttpRequest) -> int:
    given = request.POST.get("version", "")
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise InvalidInput(_("“%(given)s” is not a number; load the page again.") % {"given": given[:40]}, field="version")
    return int(given)
