"""What actions of rules and macros do: each through the ordinary action of the desk, as the viewer who acts.

A new action has a performer here and its line in rules/fields.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Role, User
from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.queries import get_canned
from careloop.desk.automation.rendering import fill_for
from careloop.desk.automation.rules import fields
from careloop.desk.cases import actions as cases
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind
from careloop.desk.outbox.actions import reply_to_case

RULE_EVENT, MACRO_EVENT = "RULE", "MACRO"  # kinds of case events that only this app writes


@dataclass(frozen=True)
class Act:
    """One action on one case: `source` is the rule's or macro's name, `key` tells this time from another."""

    case_id: int
    value: Any
    viewer: Viewer
    source: str
    key: str
    now: datetime

    @property
    def common(self) -> dict[str, Any]:
        """What every action of the desk takes."""
        return {"case_id": self.case_id, "viewer": self.viewer, "now": self.now}

    def case(self) -> Case:
        """The case as it is now: the caller's transaction holds its lock."""
        case: Case = Case.objects.get(pk=self.case_id)
        return case


def perform(*, actions: Sequence[Mapping[str, Any]], case_id: int, viewer: Viewer, source: str, key: str, now: datetime) -> None:
    """Take all the actions in their order, in the caller's transaction; the first that is refused raises."""
    for place, action in enumerate(actions):
        PERFORMERS[action["do"]](Act(case_id, action.get("value"), viewer, source, f"{key} {place}", now))


def supervisors_of(team_id: int) -> list[int]:
    """Who looks after a team: its active supervisors, else the owners."""
    active = User.objects.filter(is_active=True)
    found = list(active.filter(role=Role.SUPERVISOR, teams=team_id).values_list("pk", flat=True))
    return found or list(active.filter(role=Role.OWNER).values_list("pk", flat=True))


def _set_priority(act: Act) -> None:
    cases.set_priority(priority=act.value, expected_version=act.case().version, **act.common)


def _set_status(act: Act) -> None:
    cases.set_status(status=act.value, expected_version=act.case().version, **act.common)


def _set_category(act: Act) -> None:
    cases.set_category(category=act.value, **act.common)


def _assign(act: Act) -> None:
    cases.assign(assignee_id=act.value, expected_version=act.case().version, **act.common)


def _add_note(act: Act) -> None:
    text, _missing = fill_for(act.value, act.case(), act.viewer, act.now)
    cases.add_note(body=text, **act.common)


def _reply(act: Act) -> None:
    case = act.case()
    text, missing = fill_for(get_canned(act.value, case.team_id).body, case, act.viewer, act.now)
    if missing:
        sentence = _("The reply has no value for %(names)s in case #%(number)s; nothing was sent.")
        raise InvalidInput(sentence % {"names": ", ".join(missing), "number": case.pk})
    reply_to_case(body=text, status=case.status, **act.common)


def _notify(act: Act) -> None:
    case = act.case()
    people = User.objects.filter(is_active=True, pk__in=act.value)
    in_sight = [one.pk for one in people.prefetch_related("teams") if _sees(one, case.team_id)]
    if not in_sight:
        raise InvalidInput(_("Nobody who is to be told may see case #%(number)s; choose people of its team.") % {"number": case.pk})
    _tell(act, case, in_sight)


def _notify_supervisors(act: Act) -> None:
    case = act.case()
    _tell(act, case, supervisors_of(case.team_id))


def _tell(act: Act, case: Case, user_ids: list[int]) -> None:
    facts = {"who": act.source, "subject": case.subject}
    notify(user_ids=user_ids, kind=NoticeKind.RULE, key=f"rule {act.key}", case_id=case.pk, facts=facts, now=act.now)
    told = {"did": "TOLD", "source": act.source, "people": sorted(user_ids)}
    add_event(case=case, kind=RULE_EVENT, actor=actor_of(act.viewer), now=act.now, after=told)


def _sees(user: User, team_id: int) -> bool:
    return user.role in (Role.OWNER, Role.ANALYST) or team_id in {team.pk for team in user.teams.all()}


PERFORMERS: dict[str, Callable[[Act], None]] = {
    fields.SET_PRIORITY: _set_priority,
    fields.SET_STATUS: _set_status,
    fields.SET_CATEGORY: _set_category,
    fields.ASSIGN: _assign,
    fields.ADD_NOTE: _add_note,
    fields.REPLY: _reply,
    fields.NOTIFY: _notify,
    fields.NOTIFY_SUPERVISORS: _notify_supervisors,
}
