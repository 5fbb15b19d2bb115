"""Tags and the house's own fields of a case."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.changes import case_to_change
from careloop.desk.cases.models import Case, EventKind
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.desk.teamwork.field_changes import clean_field
from careloop.desk.teamwork.models import CaseTag, FieldDefinition, FieldValue
from careloop.desk.teamwork.rules import tag_from
from careloop.desk.teamwork.telling import tell_case

TAGS_IN_A_CASE = 20
FIELDS = 30


def cases_tagged(name: str) -> "QuerySet[CaseTag, Any]":
    """The numbers of the cases with a tag, for use inside another query."""
    return CaseTag.objects.filter(name=tag_from(name)).values("case_id")


def list_tags(viewer: Viewer, limit: int = 50) -> list[str]:
    """The tags of the cases that the viewer sees, the frequent ones first."""
    tags = CaseTag.objects.filter(case__in=Case.objects.visible_to(viewer))
    return list(tags.values("name").annotate(n=Count("pk")).order_by("-n", "name").values_list("name", flat=True)[:limit])


def tags_of(case_ids: Iterable[int]) -> dict[int, list[str]]:
    """Case → its tags by name, in one query."""
    found: dict[int, list[str]] = {number: [] for number in case_ids}
    for case_id, name in CaseTag.objects.filter(case_id__in=[*found]).order_by("name").values_list("case_id", "name"):
        found[case_id].append(name)
    return found


def set_tag(*, case_id: int, name: str, viewer: Viewer, now: datetime, is_on: bool = True) -> None:
    """Put a tag on the case, or take it off; one that is there, or gone, already changes nothing."""
    tag = tag_from(name)
    if not tag:
        raise InvalidInput(_("Write a tag: one word or a few, without commas."), field="tag")
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        before = tags_of([case_id])[case_id]
        if (tag in before) == is_on:
            return
        if is_on and len(before) >= TAGS_IN_A_CASE:
            raise InvalidInput(_("The case has %(n)s tags already; take one off first.") % {"n": len(before)}, field="tag")
        if is_on:
            CaseTag.objects.create(case=case, name=tag)
        else:
            CaseTag.objects.filter(case=case, name=tag).delete()
        tell_case(case, EventKind.TAGGED, actor_of(viewer), now, before={"tags": before}, after={"tags": tags_of([case_id])[case_id]})


def named(definition: FieldDefinition) -> str:
    """A field's name in the reader's language."""
    return definition.name_zh if definition.name_zh and (get_language() or "").startswith("zh") else definition.name


def list_definitions(*, with_archived: bool = False) -> list[FieldDefinition]:
    """The house's fields in their order."""
    fields = FieldDefinition.objects.order_by("is_archived", "position", "pk")
    return list(fields if with_archived else fields.filter(is_archived=False))


def values_of(case_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Case → the values of the house's fields by code, in one query."""
    found: dict[int, dict[str, Any]] = {number: {} for number in case_ids}
    rows = FieldValue.objects.filter(case_id__in=[*found], definition__is_archived=False).order_by("definition__position")
    for case_id, code, value in rows.values_list("case_id", "definition__code", "value"):
        found[case_id][code] = value
    return found


def set_field(*, case_id: int, code: str, given: str, viewer: Viewer, now: datetime) -> None:
    """Enter a value in a field of the case; blank empties it."""
    definition = FieldDefinition.objects.filter(code=code, is_archived=False).first()
    if definition is None:
        raise NotFound(_("There is no field “%(code)s”.") % {"code": code[:40]})
    value = check_value(definition, given)
    with transaction.atomic():
        case = case_to_change(case_id, viewer)
        before = values_of([case_id])[case_id].get(code)
        if before == value:
            return
        if value is None:
            FieldValue.objects.filter(case=case, definition=definition).delete()
        else:
            FieldValue.objects.update_or_create(case=case, definition=definition, defaults={"value": value})
        tell_case(case, EventKind.FIELD, actor_of(viewer), now, before={code: before}, after={code: value})


def check_value(definition: FieldDefinition, given: str) -> Any:
    """What is stored for what was typed; None for nothing."""
    text, facts = given.replace("\0", "").strip(), {"name": named(definition), "given": given[:40]}
    if not text:
        return None
    if definition.kind == FieldDefinition.Kind.NUMBER:
        try:
            number = float(text.replace(",", ""))
        except ValueError:
            number = float("nan")
        if not abs(number) < 1e15:
            raise InvalidInput(_("“%(name)s” is a number; “%(given)s” was given.") % facts, field=definition.code)
        return int(number) if number == int(number) else number
    if definition.kind == FieldDefinition.Kind.DATE:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            sentence = _("“%(name)s” is a day such as 2026-05-04; “%(given)s” was given.")
            raise InvalidInput(sentence % facts, field=definition.code) from None
    if definition.kind == FieldDefinition.Kind.YES_NO:
        return text == "yes"
    if definition.kind == FieldDefinition.Kind.CHOICE and text not in definition.choices:
        raise InvalidInput(_("“%(name)s” has no choice “%(given)s”; choose one of the list.") % facts, field=definition.code)
    return text[:500]


def add_definition(*, name: str, name_zh: str, kind: str, choices: list[str], viewer: Viewer, now: datetime) -> FieldDefinition:
    """Add a field to all cases of the house."""
    check_may(viewer, "flow.edit")
    new = clean_field(name, name_zh, kind, choices)
    code = slugify(new.name)[:40] or f"field-{FieldDefinition.objects.count() + 1}"
    if FieldDefinition.objects.count() >= FIELDS:
        raise InvalidInput(_("There are %(n)s fields already; no more fit.") % {"n": FIELDS}, field="name")
    if FieldDefinition.objects.filter(code=code).exists():
        raise Conflict(_("There is a field of this name already; choose another."), field="name")
    with transaction.atomic():
        position = FieldDefinition.objects.count()
        facts = {**new._asdict(), "choices": list(new.choices), "position": position}
        made = FieldDefinition.objects.create(code=code, **facts)
        _audit("field.create", made, viewer, now)
    return made


def set_archived(*, definition_id: int, is_archived: bool, viewer: Viewer, now: datetime) -> None:
    """Hide a field and what was entered in it, or show both again."""
    check_may(viewer, "flow.edit")
    with transaction.atomic():
        definition = FieldDefinition.objects.select_for_update().filter(pk=definition_id).first()
        if definition is None:
            raise NotFound(_("There is no field “%(code)s”.") % {"code": definition_id})
        definition.is_archived = is_archived
        definition.save(update_fields=["is_archived"])
        _audit("field.archive", definition, viewer, now)


def _audit(action: str, definition: FieldDefinition, viewer: Viewer, now: datetime) -> None:
    details = {"name": definition.name, "is_archived": definition.is_archived}
    audit.record(actor=actor_of(viewer), action=action, object_type="field", object_id=definition.pk, now=now, details=details)


def field_kinds() -> list[tuple[str, str]]:
    """Codes and words of what may be entered in a field."""
    return [(str(code), str(word)) for code, word in FieldDefinition.Kind.choices]


def show_with(cases: list[Case]) -> None:
    """Give each case its tags and fields as `shown_tags` and `shown_fields`, in two queries."""
    numbers = [case.pk for case in cases]
    found, values = tags_of(numbers), values_of(numbers)
    for case in cases:
        case.shown_tags, case.shown_fields = found[case.pk], values[case.pk]  # type: ignore[attr-defined]
