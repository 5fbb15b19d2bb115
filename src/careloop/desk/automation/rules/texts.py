"""Texts with variables such as {{customer.name}}; nothing in them is ever run."""

import re
from collections.abc import Mapping

from careloop.desk.automation.rules.checking import LONGEST_TEXT, InvalidRule
from careloop.desk.kernel.sentences import Sentence

VARIABLES = ("customer.name", "customer.company", "case.number", "case.subject", "case.channel", "team.name", "agent.name", "today")
PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def check_text(text: str) -> None:
    """Refuse variables that there are not, and braces that are left open."""
    faults = []
    if len(text) > LONGEST_TEXT:
        faults.append(Sentence("The text has {n} characters; at most {most} fit.", n=len(text), most=LONGEST_TEXT))
    for name in PLACE.findall(text):
        if name not in VARIABLES:
            faults.append(Sentence("There is no variable “{name}”; there are: {known}.", name=name, known=", ".join(VARIABLES)))
    rest = PLACE.sub("", text)
    if "{{" in rest or "}}" in rest:
        faults.append(Sentence("Two braces stand alone; write a variable as {example}.", example="{{customer.name}}"))
    if faults:
        raise InvalidRule([("body", fault) for fault in faults])


def fill(text: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with its values, and the variables that have none: a mark ⟦customer.name⟧ stands in their place.

    Values are put in as they are: braces in a customer's name are letters, not variables.
    """
    missing = []

    def put(found: re.Match[str]) -> str:
        value = values.get(found[1], "")
        if not value.strip():
            missing.append(found[1])
            return f"⟦{found[1]}⟧"
        return value

    return PLACE.sub(put, text), missing
