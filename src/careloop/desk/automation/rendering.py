"""The values of a text's variables for one case."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.rules.texts import fill
from careloop.desk.cases.models import Case


def fill_for(text: str, case: Case, viewer: Viewer, now: datetime) -> tuple[str, list[str]]:
    """The text for this case, and the variables that have no value; a rule signs with the house's name."""
    customer = case.customer
    values = {
        "customer.name": customer.name,
        "customer.company": customer.company,
        "case.number": str(case.pk),
        "case.subject": case.subject,
        "case.channel": case.channel.name,
        "team.name": case.team.name,
        "agent.name": viewer.name if viewer.person_id is not None else settings.HOUSE_NAME,
        "today": timezone.localtime(now).strftime("%Y-%m-%d"),
    }
    return fill(text, values)
