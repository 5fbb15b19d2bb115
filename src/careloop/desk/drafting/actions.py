"""Asking the language model: what is asked and the job that asks, in one transaction; nothing leaves the house here."""

from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case
from careloop.desk.cases.queries import access_case
from careloop.desk.drafting import writing
from careloop.desk.drafting.models import MachineText, Purpose, State
from careloop.desk.drafting.queries import get_service, newest_message_id
from careloop.desk.drafting.rules import GIVEN_UP_AFTER, minutes_until_free
from careloop.desk.drafting.tasks import write
from careloop.desk.kernel.errors import InvalidInput, NotAllowed

HOUR = timedelta(hours=1)


def ask_for_text(*, case_id: int, purpose: str, viewer: Viewer, now: datetime) -> MachineText:
    """Have the worker ask the model for a text about a case; while one is being written, that one is the answer."""
    get_service()
    check_may(viewer, "case.work")
    if purpose not in Purpose.values:
        raise InvalidInput(f"The purpose is {purpose!r}; expected one of {', '.join(Purpose.values)}.", field="purpose")
    try:
        with transaction.atomic():
            case = access_case(case_id, viewer)
            waiting = MachineText.objects.filter(case=case, purpose=purpose, state=State.WAITING).first()
            if waiting is not None and now - waiting.asked_at < GIVEN_UP_AFTER:
                return cast(MachineText, waiting)
            if waiting is not None:
                writing.fail(waiting, writing.NOT_WRITTEN, {}, now)
            _check_limit(now)
            return _ask(case, purpose, viewer, now)
    except IntegrityError:  # somebody else asked for the same in this moment
        return MachineText.objects.get(case_id=case_id, purpose=purpose, state=State.WAITING)


def _ask(case: Case, purpose: str, viewer: Viewer, now: datetime) -> MachineText:
    asked = MachineText.objects.create(
        case=case,
        team_id=case.team_id,
        purpose=purpose,
        language=(get_language() or "en")[:10],
        asked_by_id=viewer.user_id,
        asked_at=now,
        seen_message_id=newest_message_id(case),
    )
    write.enqueue(asked.pk)
    return asked


def _check_limit(now: datetime) -> None:
    """Refuse when the house asked too often in the last hour."""
    limit = settings.LANGUAGE_MODEL_HOURLY_LIMIT
    asked = MachineText.objects.filter(asked_at__gt=now - HOUR).order_by("-asked_at").values_list("asked_at", flat=True)
    recent = list(asked[:limit])
    if len(recent) >= limit:
        minutes = minutes_until_free((now - recent[-1]).total_seconds())
        raise NotAllowed(
            _("The language model was asked %(limit)s times in the last hour, the house's limit; try again in %(minutes)s minutes.")
            % {"limit": limit, "minutes": minutes}
        )
