"""What happened to a case beyond messages, as sentences for its history; one function a kind of event."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.cases.teams import team_names
from careloop.desk.web.automation_words import AUTOMATION
from careloop.desk.web.clock_words import span_words
from careloop.desk.web.flow_words import FLOWS
from careloop.desk.web.merging_words import MERGING
from careloop.desk.web.routing_words import ROUTING
from careloop.desk.web.templatetags.desk import probability as probability_words
from careloop.desk.web.together_words import TOGETHER

People = Mapping[int, str]


def sentence_of(event: Any, who: str, people: People) -> str:
    """The sentence of an event; "" for a kind that says nothing."""
    write = SENTENCES.get(event.kind)
    return write(event, who, people) if write else ""


def _given_to_team(event: Any, who: str, people: People) -> str:
    names = team_names()
    team = names.get(event.after.get("team_id"), _("another team"))
    had = event.before.get("assignee_id")
    if had is None or event.after.get("assignee_id") == had:
        return _("%(who)s gave the case to the team %(team)s") % {"who": who, "team": team}
    facts = {"who": who, "team": team, "had": people.get(had, _("somebody"))}
    return _("%(who)s gave the case to the team %(team)s; %(had)s, who had it, does not work there") % facts


def _escalated(event: Any, _who: str, _people: People) -> str:
    after = event.after
    targets = {"FIRST_RESPONSE": _("first response"), "NEXT_RESPONSE": _("next response"), "RESOLUTION": _("resolution")}
    target, minutes = targets.get(after.get("target"), ""), int(after.get("minutes", 0))
    when = _("due in %(span)s") if minutes < 0 else _("%(span)s late")
    if minutes == 0:
        when = _("due now")
    done = {
        "NOTIFY_ASSIGNEE": _("the assignee was told"),
        "NOTIFY_SUPERVISORS": _("the supervisors were told"),
        "RAISE_PRIORITY": _("the priority was raised"),
        "UNASSIGN": _("the case went back to the queue"),
    }
    facts = {"target": target, "when": when % {"span": span_words(abs(minutes) * 60)} if minutes else when}
    return _("Service level: %(target)s %(when)s") % facts + " · " + done.get(after.get("action"), "")


def _solution(event: Any, who: str, _people: People) -> str:
    after = event.after
    if after.get("automatic"):
        facts = {"title": after.get("title", ""), "probability": probability_words(after.get("probability", 0))}
        return _("Answered automatically with the solution “%(title)s” (%(probability)s)") % facts
    return _("%(who)s used the solution “%(title)s”") % {"who": who, "title": after.get("title", "")}


SENTENCES: dict[str, Callable[[Any, str, People], str]] = {
    **TOGETHER,
    "TEAM": _given_to_team,
    "ESCALATED": _escalated,
    **AUTOMATION,
    **ROUTING,
    "SOLUTION": _solution,
    **FLOWS,
    **MERGING,
}
