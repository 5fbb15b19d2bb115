"""Running cases go to the newest version of their flow: first shown as it would be, then done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.events import event_of
from careloop.desk.cases.flow_steps import place_of
from careloop.desk.cases.models import Approval, Case, CaseFlow, EventKind
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.flows.models import FlowVersion
from careloop.desk.flows.queries import access_version, flow_of, named
from careloop.desk.flows.rules.flow import State
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.kernel.rows import insert_rows, update_rows

AT_ONCE = 500
Place = tuple[int, str]  # a version's number and a state's code


@dataclass(frozen=True)
class Moving:
    """The unresolved cases in one state of an older version, and where they would go: "" where somebody has to say it."""

    number: int
    state: State
    cases: int
    target: str
    asked: int  # approvals that are open and would be closed

    @property
    def key(self) -> str:
        """The place as one word, for forms."""
        return f"{self.number}-{self.state.code}"


def preview_moving(flow_id: int, viewer: Viewer) -> tuple[FlowVersion, list[State], list[Moving]]:
    """The newest version, the states that open cases may go to, and for each place of older versions what would happen to its cases."""
    check_may(viewer, "flow.edit")
    newest = access_version(flow_id)
    offered = [state for state in flow_of(newest).states if not state.is_end]
    known = {state.code for state in offered}
    places = _running(newest).values("flow_version_id", "flow_version__number", "state").annotate(n=Count("pk"))
    older = {version.pk: flow_of(version) for version in FlowVersion.objects.filter(flow_id=flow_id)}
    asked = _count_asked(newest)
    found = []
    for row in places.order_by("-flow_version__number", "state"):
        code, number = row["state"], row["flow_version__number"]
        state = older[row["flow_version_id"]].find_state(code) or State(code, {"en": code}, "OPEN")
        found.append(Moving(number, state, row["n"], code if code in known else "", asked.get((number, code), 0)))
    return newest, offered, found


def move_cases(*, flow_id: int, targets: Mapping[Place, str], expected_number: int, viewer: Viewer, now: datetime) -> int:
    """Bring every unresolved case on older versions to the newest; returns how many. All or nothing.

    `targets` says for each place where its cases go; a place left out keeps its state. Refused when a state is gone and not mapped, or
    when somebody made another version after `expected_number`. Open approvals of the cases are closed. Nobody's status changes.
    """
    check_may(viewer, "flow.edit")
    with transaction.atomic():
        newest, offered, places = preview_moving(flow_id, viewer)
        if newest.number != expected_number:
            sentence = _("Version %(number)s of this flow was made in between; look at the preview again.")
            raise Conflict(sentence % {"number": newest.number})
        known = {state.code for state in offered}
        goes: dict[Place, str] = {}
        for place in places:
            target = targets.get((place.number, place.state.code)) or place.target
            if target not in known:
                facts = {"state": named(place.state.name), "number": place.number, "n": place.cases}
                sentence = _("Say where the cases at “%(state)s” of version %(number)s go (%(n)s open); an end is not possible.")
                raise InvalidInput(sentence % facts, field=place.key)
            goes[place.number, place.state.code] = target
        moved = sum(_move_part(part, newest, goes, viewer, now) for part in _parts(newest))
        details = {"cases": moved, "version": newest.number}
        audit.record(actor=actor_of(viewer), action="flow.move", object_type="flow", object_id=flow_id, now=now, details=details)
    return moved


def _running(newest: FlowVersion) -> QuerySet[CaseFlow]:
    older = CaseFlow.objects.filter(flow_version__flow_id=newest.flow_id).exclude(flow_version_id=newest.pk)
    return older.filter(case__status__in=UNRESOLVED)


def _parts(newest: FlowVersion) -> list[list[int]]:
    numbers = list(_running(newest).order_by("case_id").values_list("case_id", flat=True))
    return [numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE)]


def _move_part(numbers: list[int], newest: FlowVersion, goes: Mapping[Place, str], viewer: Viewer, now: datetime) -> int:
    cases = {case.pk: case for case in Case.objects.select_for_update().filter(pk__in=numbers, status__in=UNRESOLVED).order_by("pk")}
    rows = list(CaseFlow.objects.select_for_update(of=("self",)).select_related("flow_version").filter(case_id__in=cases))
    Approval.objects.filter(case_id__in=cases, closed_at=None).update(closed_at=now)
    events = []
    for row in rows:
        case, before = cases[row.case_id], place_of(row.flow_version, row.state)
        target = goes[row.flow_version.number, row.state]
        if target != row.state:
            row.state, row.entered_at = target, now
        row.flow_version = newest
        case.version += 1
        after = place_of(newest, target)
        events.append(event_of(case=case, kind=EventKind.MOVED, actor=actor_of(viewer), now=now, before=before, after=after))
    update_rows(rows, "flow_version_id", "state", "entered_at")
    update_rows([cases[row.case_id] for row in rows], "version")
    insert_rows(events)
    return len(rows)


def _count_asked(newest: FlowVersion) -> dict[Place, int]:
    flow = "case__flow__flow_version"
    asked = Approval.objects.filter(closed_at=None, case__status__in=UNRESOLVED, **{f"{flow}__flow_id": newest.flow_id})
    rows = asked.values_list(f"{flow}__number", "case__flow__state").annotate(n=Count("pk"))
    return {(number, state): n for number, state, n in rows}
