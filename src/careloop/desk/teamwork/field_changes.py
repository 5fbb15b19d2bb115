"""Changing a field of the house: its names and options, and its kind as long as nothing was entered."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.desk.teamwork.models import FieldDefinition, FieldValue

FIELDS = ("name", "name_zh", "kind", "choices")


class NewField(NamedTuple):
    """What a form says of a field."""

    name: str
    name_zh: str
    kind: str
    choices: tuple[str, ...]


def clean_field(name: str, name_zh: str, kind: str, choices: list[str]) -> NewField:
    """What was typed, without needless blanks; InvalidInput if it is no field."""
    options = tuple(dict.fromkeys(" ".join(one.replace("\0", "").split())[:80] for one in choices if one.strip("\0 \t")))
    new = NewField(" ".join(name.replace("\0", "").split())[:80], " ".join(name_zh.replace("\0", "").split())[:80], kind, options)
    if not new.name:
        raise InvalidInput(_("Give the field a name."), field="name")
    if kind not in FieldDefinition.Kind.values:
        raise InvalidInput(_("Choose what may be entered."), field="kind")
    if (kind == FieldDefinition.Kind.CHOICE) != bool(options):
        raise InvalidInput(_("A choice needs its options, one a line; other fields have none."), field="choices")
    return new


def get_definition(definition_id: int) -> FieldDefinition:
    """One field of the house."""
    found = FieldDefinition.objects.filter(pk=definition_id).first()
    if found is None:
        raise NotFound(_("There is no field “%(code)s”.") % {"code": definition_id})
    return found


def change_definition(*, definition_id: int, new: NewField, expected_version: int, viewer: Viewer, now: datetime) -> FieldDefinition:
    """Rename a field or change its options; programs go on reading it by its code. What cases hold stays valid."""
    check_may(viewer, "flow.edit")
    get_definition(definition_id)
    with transaction.atomic():
        definition = FieldDefinition.objects.select_for_update().get(pk=definition_id)
        if definition.version != expected_version:
            raise Conflict(_("Somebody else changed this field in between; nothing of yours was saved yet."))
        _check_values(definition, new)
        before = _plain(definition)
        definition.name, definition.name_zh, definition.kind, definition.choices = new.name, new.name_zh, new.kind, list(new.choices)
        if before == (after := _plain(definition)):
            return definition
        definition.version += 1
        definition.save(update_fields=[*FIELDS, "version"])
        details = {"before": before, "after": after}
        audit.record(actor=actor_of(viewer), action="field.change", object_type="field", object_id=definition_id, now=now, details=details)
    return definition


def _check_values(definition: FieldDefinition, new: NewField) -> None:
    values = FieldValue.objects.filter(definition=definition)
    if new.kind != definition.kind and (count := values.count()):
        sentence = _(
            "Something is entered in this field of %(n)s cases, so its kind stays as it is. Hide it and add another field instead."
        )
        raise InvalidInput(sentence % {"n": count}, field="kind")
    for option in definition.choices if new.kind == FieldDefinition.Kind.CHOICE else ():
        if option not in new.choices and (count := values.filter(value=option).count()):
            sentence = ngettext(
                "%(n)s case holds the option “%(option)s”; keep it, or change that case first.",
                "%(n)s cases hold the option “%(option)s”; keep it, or change those cases first.",
                count,
            )
            raise InvalidInput(sentence % {"n": count, "option": option}, field="choices")


def _plain(definition: FieldDefinition) -> dict[str, Any]:
    return {name: getattr(definition, name) for name in FIELDS}
