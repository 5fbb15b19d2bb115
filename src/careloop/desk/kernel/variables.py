"""Variables in texts to customers, such as {{customer.name}}: found and replaced; nothing in them is ever run."""

import re
from collections.abc import Callable

LINK = "link"  # the customer's page: put in as a reply is sent, so every text to a customer may hold it
PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def variables_of(text: str) -> list[str]:
    """The names in double braces, each once, in their order."""
    return list(dict.fromkeys(PLACE.findall(text)))


def put(text: str, value_of: Callable[[str], str | None]) -> str:
    """The text with its variables replaced; one without a value (None) stays as it is written.

    Values are put in as they are: braces in a customer's name are letters, not variables.
    """

    def replaced(found: re.Match[str]) -> str:
        value = value_of(found[1])
        return found[0] if value is None else value

    return PLACE.sub(replaced, text)
