"""What rules and macros did, as sentences for the history of a case."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.kernel.wording import in_words

People = Mapping[int, str]


def _rule(event: Any, who: str, people: People) -> str:
    after = event.after
    if after.get("did") == "TOLD":
        names = ", ".join(people.get(number, _("somebody")) for number in after.get("people", ()))
        return _("%(who)s told %(whom)s") % {"who": who, "whom": names}
    if after.get("did") == "CALLED":
        return _("%(who)s told the other system %(address)s") % {"who": who, "address": after.get("webhook", "")}
    if after.get("did") == "FAILED":
        return _("%(who)s could not act: %(why)s") % {"who": who, "why": error_words(after.get("error"))}
    reasons = {
        "TWICE": _("%(who)s was stopped: it has acted on this already"),
        "TOO_DEEP": _("%(who)s was stopped: too many rules set each other off"),
        "TOO_MANY_REPLIES": _("%(who)s was stopped: it has replied three times within a day"),
        "TOO_OFTEN": _("%(who)s was stopped: it has acted a hundred times here within a day"),
    }
    return reasons.get(after.get("why", ""), "") % {"who": who}


def _macro(event: Any, who: str, _people: People) -> str:
    return _("%(who)s used the macro “%(name)s”") % {"who": who, "name": event.after.get("macro", "")}


def error_words(error: Mapping[str, Any] | None) -> str:
    """What went wrong: a sentence of ours in the reader's language, or what was said at the time."""
    if not error:
        return ""
    return in_words(error) if "template" in error else str(error.get("said", ""))


AUTOMATION: dict[str, Callable[[Any, str, People], str]] = {"RULE": _rule, "MACRO": _macro}
