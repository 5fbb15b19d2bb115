"""Every action of rules and macros, one entry each: its words, what it takes and does, and what follows from it for the search for loops.

A new action is an entry here and its function in performing.py (or in the app that it belongs to, if it stands below this one).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation import choices, performing
from careloop.desk.automation.acting import Act, Action
from careloop.desk.automation.rules import fields
from careloop.desk.automation.rules.conditions import fold
from careloop.desk.automation.rules.fields import Partly

FOLLOWS_A_STEP = ("PRIORITY", "ASSIGNED")  # what a flow may add to a step of its own accord


def _as(name: str) -> Callable[[Any], Mapping[str, Any]]:
    """Of an action that makes a fact what its value says."""
    return lambda value: {name: value}


ACTIONS: dict[str, Action] = {
    "SET_PRIORITY": Action(
        label=_("Set the priority"), perform=performing.set_priority, words=choices.priorities,
        takes=fields.WHOLE, allowed=(10, 20, 30, 40), decides="priority", leaves=_as("priority"), makes=("PRIORITY",), is_quiet=True,
    ),
    "SET_STATUS": Action(
        label=_("Set the status"), perform=performing.set_status, words=choices.statuses,
        takes=fields.CODE, allowed=("OPEN", "WAITING", "RESOLVED"), decides="status", leaves=_as("status"), makes=("STATUS",),
        may_make=("MOVED", *FOLLOWS_A_STEP), is_quiet=True,
    ),
    "SET_CATEGORY": Action(
        label=_("Set the category"), perform=performing.set_category, words=choices.categories,
        takes=fields.CODE, decides="category", leaves=_as("category"), makes=("CORRECTED",), is_quiet=True,
    ),
    "ASSIGN": Action(
        label=_("Give the case to"), perform=performing.assign, words=choices.people, check=choices.check_person,
        takes=fields.PERSON, decides="assignee", leaves=_as("assignee"), makes=("ASSIGNED",), is_quiet=True,
    ),
    "GIVE_TO_TEAM": Action(
        label=_("Give the case to the team"), perform=performing.give_to_team, words=choices.house_teams, check=choices.check_team,
        takes=fields.WHOLE, decides="team", leaves=_as("team"), makes=("TEAM",), is_quiet=True,
    ),
    "ROUTE": Action(
        label=_("Give the case to routing"), perform=performing.give_to_routing,
        takes=fields.NOTHING, decides="assignee", leaves=lambda _value: {"assignee": None}, makes=("ASSIGNED",), is_quiet=True,
    ),
    "TAG": Action(
        label=_("Put on the tag"), perform=performing.put_tag, words=choices.tags, is_free=True,
        takes=fields.WORDS, leaves=lambda tag: {"tags": Partly(has=frozenset({fold(tag)}))}, makes=("TAGGED",), is_quiet=True,
    ),
    "UNTAG": Action(
        label=_("Take off the tag"), perform=performing.take_tag, words=choices.tags, is_free=True,
        takes=fields.WORDS, leaves=lambda tag: {"tags": Partly(lacks=frozenset({fold(tag)}))}, makes=("TAGGED",), is_quiet=True,
    ),
    "TAKE_STEP": Action(
        label=_("Take the step"), perform=performing.take_step, words=choices.flow_steps,
        takes=fields.CODE, decides="status", makes=("MOVED",), may_make=("STATUS", *FOLLOWS_A_STEP),
    ),
    "ADD_TASK": Action(
        label=_("Add the task"), perform=performing.add_task, check=choices.check_task, hint=_("Look for the parcel | Warehouse | 2"),
        takes=fields.WORDS, makes=("TASK",),
    ),
    "SNOOZE": Action(
        label=_("Snooze for"), perform=performing.snooze, hint=_("72 or 3d"),
        takes=fields.HOURS, decides="status", leaves=lambda _value: {"status": "WAITING"}, makes=("SNOOZED",),
    ),
    "ADD_NOTE": Action(
        label=_("Add a note"), perform=performing.add_note, check=choices.check_variables,
        takes=fields.WORDS, makes=("NOTED",),
    ),
    "REPLY": Action(
        label=_("Reply with the text"), perform=performing.reply, words=choices.texts, check=choices.check_canned,
        takes=fields.WHOLE, decides="reply", makes=("REPLIED", "DELIVERY"), is_reply=True, is_for_macros=False,  # an agent sends it
    ),
    "NOTIFY": Action(
        label=_("Tell these people"), perform=performing.tell_people, words=choices.people, check=choices.check_people,
        takes=fields.PEOPLE,
    ),
    "NOTIFY_SUPERVISORS": Action(
        label=_("Tell the supervisors"), perform=performing.tell_supervisors, takes=fields.NOTHING,
    ),
    "SURVEY": Action(
        label=_("Send the survey"), perform=performing.send_survey, words=choices.surveys, check=choices.check_survey,
        takes=fields.WHOLE, may_make=("DELIVERY",),  # once it is sent, by a job
    ),
    "WEBHOOK": Action(
        label=_("Tell the other system"), perform=performing.call_webhook, words=choices.webhooks, check=choices.check_webhook,
        takes=fields.WHOLE, is_for_macros=False,
    ),
}  # fmt: skip


def perform(*, actions: Sequence[Mapping[str, Any]], case_id: int, viewer: Viewer, source: str, key: str, now: datetime) -> None:
    """Take all the actions in their order, in the caller's transaction; the first that is refused raises.

    Whoever gives the case out of their own sight goes on with the actions that follow.
    """
    for place, action in enumerate(actions):
        entry, value = ACTIONS[action["do"]], action.get("value")
        entry.perform(Act(case_id, value, viewer, source, f"{key} {place}", now))
        if entry.decides == "team":
            viewer = viewer.seeing(int(action["value"]))


def check_values(actions: Sequence[Mapping[str, Any]], viewer: Viewer) -> None:
    """Refuse people, texts and systems that are not there, and texts with variables that there are not."""
    for action in actions:
        check = ACTIONS[action["do"]].check
        if check is not None:
            check(action.get("value"), viewer)
