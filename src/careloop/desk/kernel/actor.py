"""Who did it: carried by every action into events and audit entries."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A person ("user"), an API key ("key"), a customer ("customer"), a rule ("rule") or the house itself ("system")."""

    kind: str
    id: int | None = None
    name: str = ""


SYSTEM = Actor("system", None, "Careloop")
