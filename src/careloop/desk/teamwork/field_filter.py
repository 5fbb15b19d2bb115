"""Cases by what was entered in a field of the house: `code:value` in an address, as it is typed in the field."""

from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.teamwork.models import FieldDefinition, FieldValue
from careloop.desk.teamwork.tags import check_value, list_definitions, named

LONGEST = 160


class Offered(NamedTuple):
    """A field with the values that a list can offer, as (value in an address, word)."""

    name: str
    values: list[tuple[str, str]]


def cases_with(field: str) -> "QuerySet[FieldValue, Any]":
    """The numbers of the cases that hold this value, for use inside another query; InvalidInput if no field can hold it."""
    definition, given = _parts(field)
    value = check_value(definition, given)
    found = FieldValue.objects.filter(definition=definition)
    return (found if value is None else found.filter(value=value)).values("case_id")


def label_of(field: str) -> str:
    """The field and its value in words; the field alone where any value will do."""
    definition, given = _parts(field)
    words = {"yes": _("Yes"), "no": _("No")} if definition.kind == FieldDefinition.Kind.YES_NO else {}
    return f"{named(definition)}: {words.get(given, given) or _('anything')}"


def list_offered() -> list[Offered]:
    """The fields of which a list can be filtered by choosing: those with options."""
    found = []
    for one in list_definitions():
        words = [("yes", _("Yes")), ("no", _("No"))] if one.kind == FieldDefinition.Kind.YES_NO else [(word, word) for word in one.choices]
        if words:
            found.append(Offered(named(one), [(f"{one.code}:{value}", word) for value, word in words]))
    return found


def _parts(field: str) -> tuple[FieldDefinition, str]:
    code, _colon, given = field.partition(":")
    definition = FieldDefinition.objects.filter(code=code, is_archived=False).first()
    if definition is None:
        raise InvalidInput(_("There is no field “%(code)s”.") % {"code": code[:40]}, field="field")
    return definition, given.strip()
