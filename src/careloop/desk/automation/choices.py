"""What may be chosen in the forms of rules and macros: codes and words, and the checks that what was chosen is still there."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import list_channels, list_teams, list_users
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.taxonomy_queries import names_by_code
from careloop.desk.automation.acting import Words
from careloop.desk.automation.queries import list_canned
from careloop.desk.automation.rules.checking import InvalidRule
from careloop.desk.automation.rules.texts import VARIABLES, check_text
from careloop.desk.cases.models import Sentiment
from careloop.desk.cases.queries import choices
from careloop.desk.cases.teams import team_names
from careloop.desk.customers.models import Customer
from careloop.desk.flows.queries import flow_of, live_versions, named
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.wording import spoken
from careloop.desk.surveys.queries import list_active
from careloop.desk.teamwork.models import FieldDefinition
from careloop.desk.teamwork.rules import lines_to_items
from careloop.desk.teamwork.tags import list_definitions, list_tags
from careloop.desk.teamwork.tags import named as field_name
from careloop.desk.teamwork.webhooks import list_webhooks

ATTRIBUTES_READ = 500


def kinds(_viewer: Viewer) -> Words:
    """Kinds of contact."""
    return _offered("kind")


def priorities(_viewer: Viewer) -> Words:
    """Priorities by their numbers."""
    return _offered("priority")


def statuses(_viewer: Viewer) -> Words:
    """What may be set by hand."""
    return _offered("status")


def sentiments(_viewer: Viewer) -> Words:
    """How a message sounds."""
    return {str(code): str(word) for code, word in Sentiment.choices}


def categories(viewer: Viewer) -> Words:
    """The categories that the viewer's teams use."""
    return {code: str(name) for code, name in names_by_code(viewer).items()}


def channels(viewer: Viewer) -> Words:
    """Channels by their numbers."""
    return {str(one.pk): one.name for one in list_channels(viewer)}


def teams(viewer: Viewer) -> Words:
    """Teams by their numbers."""
    return {str(one.pk): one.name for one in list_teams(viewer)}


def house_teams(_viewer: Viewer) -> Words:
    """Every team of the house by its number: cases are given to teams out of sight, too."""
    return {str(number): name for number, name in team_names().items()}


def people(viewer: Viewer) -> Words:
    """Active people who are owners or share a team with the viewer."""
    near = (one for one in list_users() if one.role == "OWNER" or any(viewer.sees_team(team.pk) for team in one.teams.all()))
    return {str(one.pk): one.display_name for one in near if one.is_active}


def languages(_viewer: Viewer) -> Words:
    """The languages that the desk reads."""
    return {"zh": "中文", "en": "English"}


def texts(viewer: Viewer) -> Words:
    """The macros' texts that rules may send."""
    return {str(macro.pk): macro.name for macro in list_canned(viewer)}


def tags(viewer: Viewer) -> Words:
    """Tags in use; others may be written."""
    return {name: name for name in list_tags(viewer)}


def surveys(_viewer: Viewer) -> Words:
    """Surveys in force by their numbers."""
    return {str(one.pk): one.name for one in list_active()}


def webhooks(_viewer: Viewer) -> Words:
    """Other systems by their numbers."""
    return {str(one.pk): one.url for one in list_webhooks()}


def flow_states(_viewer: Viewer) -> Words:
    """Where cases can stand: number of the flow and code of the state."""
    found: dict[str, str] = {}
    for version in live_versions():
        for state in flow_of(version).states:
            found[f"{version.flow_id}.{state.code}"] = f"{named(version.flow.name)}: {named(state.name)}"
    return found


def flow_steps(_viewer: Viewer) -> Words:
    """Steps by number of the flow and code."""
    found: dict[str, str] = {}
    for version in live_versions():
        for step in flow_of(version).transitions:
            found[f"{version.flow_id}.{step.code}"] = f"{named(version.flow.name)}: {named(step.name)}"
    return found


def own_fields(_viewer: Viewer) -> list[tuple[str, str, Words | None]]:
    """The house's own fields: code, name and, where there is a list, what may be entered."""
    listed: list[tuple[str, str, Words | None]] = []
    for one in list_definitions():
        words: Words | None = None
        if one.kind == FieldDefinition.Kind.YES_NO:
            words = {"true": _("yes"), "false": _("no")}
        elif one.kind == FieldDefinition.Kind.CHOICE:
            words = {str(choice): str(choice) for choice in one.choices}
        listed.append((one.code, field_name(one), words))
    return listed


def attribute_names() -> list[str]:
    """What the records of the customers who wrote last tell of them, such as their segment."""
    rows = Customer.objects.exclude(attributes={}).order_by("-last_seen_at").values_list("attributes", flat=True)[:ATTRIBUTES_READ]
    return sorted({str(name) for attributes in rows for name in (attributes or {})})


def check_person(value: Any, _viewer: Viewer) -> None:
    """Refuse somebody who is not there any more."""
    _check_people([value] if value is not None else [])


def check_people(value: Sequence[int], _viewer: Viewer) -> None:
    """Refuse people who are not there any more."""
    _check_people(value)


def check_team(value: Any, viewer: Viewer) -> None:
    """Refuse a team that there is not."""
    if str(value) not in house_teams(viewer):
        raise InvalidInput(_("There is no such team; choose one from the list."), field="actions")


def check_canned(value: Any, viewer: Viewer) -> None:
    """Refuse a text that no rule may send."""
    if str(value) not in texts(viewer):
        raise InvalidInput(_("Choose a text that a team or everybody may send; personal ones are their owner's."), field="actions")


def check_webhook(value: Any, viewer: Viewer) -> None:
    """Refuse a system that is told nothing any more."""
    if str(value) not in webhooks(viewer):
        raise InvalidInput(_("This other system is told nothing any more; choose another, or take the action out."), field="actions")


def check_survey(value: Any, viewer: Viewer) -> None:
    """Refuse a survey that is not in force."""
    if str(value) not in surveys(viewer):
        raise InvalidInput(_("This survey is not in force; switch it on or choose another."), field="actions")


def check_variables(value: str, _viewer: Viewer) -> None:
    """Refuse variables that there are not; notes may hold those of texts, but no link."""
    try:
        check_text(value, VARIABLES)
    except InvalidRule as refused:
        sentence = " ".join(dict.fromkeys(spoken(fault) for _field, fault in refused.faults))
        raise InvalidInput(sentence, field="actions") from refused


def check_task(value: str, viewer: Viewer) -> None:
    """Refuse a line that is no task: what, department, days."""
    check_variables(value, viewer)
    try:
        lines_to_items(" ".join(value.split()))
    except ValueError as refused:
        sentence = _("Write the task as: what is to be done | department | days, such as: Look for the parcel | Warehouse | 2")
        raise InvalidInput(sentence, field="actions") from refused


def _check_people(numbers: Sequence[int]) -> None:
    if User.objects.filter(pk__in=set(numbers), is_active=True).count() < len(set(numbers)):
        raise InvalidInput(_("One of the people does not work here any more; choose somebody else."), field="actions")


def _offered(name: str) -> Words:
    return {str(code): str(word) for code, word in choices()[name]}
