"""What people and customers did around a case, as sentences for its history."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

People = Mapping[int, str]


def _rated(event: Any, who: str, _people: People) -> str:
    return _("%(who)s gave %(rating)s of 5") % {"who": who, "rating": event.after.get("rating", "–")}


TOGETHER: dict[str, Callable[[Any, str, People], str]] = {"SURVEY": _rated}
