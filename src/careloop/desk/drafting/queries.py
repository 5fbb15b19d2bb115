"""Texts of the language model as screens show them; scoped to the viewer's teams."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Max

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, Direction
from careloop.desk.cases.queries import access_case
from careloop.desk.channels.language_model import Service
from careloop.desk.drafting.models import MachineText, State
from careloop.desk.kernel.errors import NotFound


@dataclass(frozen=True)
class Shown:
    """The newest text of a case for one purpose; None when there is none that is still of use."""

    case: Case
    text: MachineText | None


def find_service() -> Service | None:
    """The language model that the operator connected; None, and nothing is shown, when there is none."""
    return Service(**settings.LANGUAGE_MODEL) if settings.LANGUAGE_MODEL else None


def get_service() -> Service:
    """The connected language model; NotFound without one."""
    service = find_service()
    if service is None:
        raise NotFound("No language model is connected; see docs/how-to/language-model.md.")
    return service


def newest_text(case_id: int, purpose: str, viewer: Viewer) -> Shown:
    """The newest text; one that was finished or failed before the newest message counts as none."""
    case = access_case(case_id, viewer)
    text = MachineText.objects.visible_to(viewer).filter(case=case, purpose=purpose).order_by("-pk").first()
    if text is not None and text.state != State.WAITING and text.seen_message_id < newest_message_id(case):
        text = None
    return Shown(case, text)


def newest_message_id(case: Case) -> int:
    """The newest of what customer and house said to each other."""
    return case.messages.exclude(direction=Direction.NOTE).aggregate(newest=Max("pk"))["newest"] or 0
