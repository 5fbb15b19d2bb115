"""Routing in words: why somebody was chosen, why nobody may, what a delay costs, and the history's sentences."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from careloop.desk.cases.queries import choices
from careloop.desk.web.clock_words import span_words
from careloop.desk.web.templatetags.desk import probability

People = Mapping[int, str]
Names = Mapping[str, str]
NO_NAMES: Names = {}


def because_words(parts: Iterable[Mapping[str, Any]], names: Names = NO_NAMES) -> str:
    """“writes Chinese · Refund: 3 of 3 · 4 of 10 cases · knows the customer”; `names` are those of categories by code."""
    return " · ".join(filter(None, (_reason(part, names) for part in parts)))


def refusal_words(code: str) -> str:
    """Why somebody must not get a case."""
    words = {
        "TEAM": _("works in another team"),
        "AWAY": _("is not available"),
        "HOURS": _("is outside working hours"),
        "FULL": _("has no room"),
        "LANGUAGE": _("does not write the language"),
        "SKILL": _("lacks the skill"),
    }
    return words.get(code, code)


def delay_words(delay: Any) -> str:
    """What one more hour costs and from what, for who asks why a case comes first."""
    said = [_factor(part) for part in delay.parts]
    cost = _("One more hour costs %(cost)s") % {"cost": f"{delay.cost_per_hour:.1f}"}
    minutes = _("about %(minutes)s min of work") % {"minutes": delay.minutes}
    return " · ".join([cost, *said, minutes])


def language_words() -> dict[str, str]:
    """The languages that people write."""
    return {"zh": _("Chinese"), "en": _("English")}


def _reason(part: Mapping[str, Any], names: Names) -> str:
    if part["what"] == "LANGUAGE":
        return _("writes %(language)s") % {"language": language_words().get(part["language"], part["language"])}
    if part["what"] == "SKILL":
        skill = names.get(part["category"], part["category"]) if "category" in part else _kind(part["kind"])
        return _("%(skill)s: %(level)s of 3") % {"skill": skill, "level": part["level"]}
    if part["what"] == "LOAD":
        return _("%(open)s of %(capacity)s cases") % {"open": part["open"], "capacity": part["capacity"]}
    if part["what"] == "KNOWS":
        return _("answered in this case before") if part["of"] == "CASE" else _("knows the customer")
    return ""


def _factor(part: Mapping[str, Any]) -> str:
    if part["what"] == "PRIORITY":
        said = str(dict(choices()["priority"]).get(part["priority"], part["priority"]))
    elif part["what"] == "KIND":
        said = _kind(part["kind"])
    elif part["what"] == "VALUE":
        said = _("valuable customer")
    elif part["seconds"] <= 0:
        said = _("%(span)s late") % {"span": span_words(-part["seconds"])}
    elif "past" in part:
        facts = {"span": span_words(part["seconds"]), "chance": probability(part["chance"]), "n": part["past"]}
        said = _("due in %(span)s (missed: %(chance)s, as of %(n)s past cases)") % facts
    else:
        said = _("due in %(span)s (late: %(chance)s)") % {"span": span_words(part["seconds"]), "chance": probability(part["chance"])}
    return f"{said} ×{part['factor']:.1f}"


def _kind(code: str) -> str:
    return str(dict(choices()["kind"]).get(code, code))


def _routed(event: Any, who: str, _people: People) -> str:
    after = event.after
    if after.get("assignee_id") is None:
        left = {"left": after.get("left") or _("somebody")}
        if after.get("why") == "AWAY":
            return _("%(left)s went away; the case went back to the queue") % left
        return _("%(left)s no longer works here; the case went back to the queue") % left
    facts = {"who": who, "whom": after.get("name") or _("somebody"), "because": because_words(after.get("because", []))}
    if event.actor_kind == "user":
        return _("%(who)s took the next case: %(because)s") % facts
    return _("Routed to %(whom)s because: %(because)s") % facts


ROUTING: dict[str, Callable[[Any, str, People], str]] = {"ROUTED": _routed}


def panel_words(decision: Any, names: Names) -> dict[str, Any]:
    """A decision for the case page: whom, why, and who came next."""
    suggested = decision.mode == "SUGGEST"
    heading = pgettext("routing", "Suggested: %(name)s") if suggested else pgettext("routing", "Routed to %(name)s")
    return {
        "heading": heading % {"name": decision.person.display_name},
        "because": because_words(decision.because, names),
        "alternatives": [{"name": one["name"], "because": because_words(one["because"], names)} for one in decision.alternatives],
        "is_suggestion": suggested,
        "person_id": decision.person_id,
        "at": decision.at,
    }
