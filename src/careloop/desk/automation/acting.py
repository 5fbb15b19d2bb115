"""What every action of rules and macros is given, and what its entry in the registry says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.rules.fields import ActionKind
from careloop.desk.cases.models import Case

Words = Mapping[str, Any]  # the word of each code


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


@dataclass(frozen=True, kw_only=True)
class Action(ActionKind):
    """An action in full. `perform` does it in the caller's transaction, or raises.

    `words` are the codes and words of what it takes, `is_free` when others may be written, too; `check` refuses, on saving, what is not
    there; `hint` is shown where the value is written.
    """

    label: Promise
    perform: Callable[[Act], None]
    words: Callable[[Viewer], Words] | None = None
    is_free: bool = False
    check: Callable[[Any, Viewer], None] | None = None
    hint: Promise | str = ""
