"""Texts of macros and notes: which variables they may hold, and what stands where one has no value."""

from collections.abc import Mapping

from careloop.desk.automation.rules.checking import LONGEST_TEXT, InvalidRule
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.kernel.variables import LINK, PLACE, put, variables_of

VARIABLES = ("customer.name", "customer.company", "case.number", "case.subject", "case.channel", "team.name", "agent.name", "today")
OF_REPLIES = (*VARIABLES, LINK)


def check_text(text: str, known: tuple[str, ...] = OF_REPLIES) -> None:
    """Refuse variables that there are not, and braces that are left open."""
    faults = []
    if len(text) > LONGEST_TEXT:
        faults.append(Sentence("The text has {n} characters; at most {most} fit.", n=len(text), most=LONGEST_TEXT))
    for name in variables_of(text):
        if name not in known:
            faults.append(Sentence("There is no variable “{name}”; there are: {known}.", name=name, known=", ".join(known)))
    rest = PLACE.sub("", text)
    if "{{" in rest or "}}" in rest:
        faults.append(Sentence("Two braces stand alone; write a variable as {example}.", example="{{customer.name}}"))
    if faults:
        raise InvalidRule([("body", fault) for fault in faults])


def fill(text: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with its values, and the variables that have none: a mark ⟦customer.name⟧ stands in their place.

    The customer's link stays a variable until the reply is sent.
    """
    missing = []

    def value_of(name: str) -> str | None:
        if name == LINK:
            return None
        value = values.get(name, "")
        if value.strip():
            return value
        missing.append(name)
        return f"⟦{name}⟧"

    return put(text, value_of), missing
