"""Making and changing taxonomies: each change is checked, audited, and asks for a new model where one is due."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may, list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.models import Category, Taxonomy
from careloop.desk.analysis.rules import code_from
from careloop.desk.analysis.taxonomy_queries import access_taxonomy
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound

MOST_CATEGORIES = 500
NAMES = ("name_en", "name_zh", "description")


def create_taxonomy(*, name: str, team_id: int | None, viewer: Viewer, now: datetime) -> Taxonomy:
    """A new, empty taxonomy of a team or of the house; each has one at a time."""
    check_may(viewer, "taxonomy.edit")
    name = _plain(name, "name", 80)
    if not name:
        raise InvalidInput(_("The categories need a name, such as “Shop”."), field="name")
    if team_id is not None and team_id not in {team.pk for team in list_teams(viewer)}:
        raise InvalidInput(_("That team is not one of yours; choose one of the list."), field="team")
    try:
        with transaction.atomic():
            taxonomy = Taxonomy.objects.create(name=name, team_id=team_id, created_by_id=viewer.user_id, created_at=now)
            _audit("taxonomy.create", taxonomy, viewer, now, {"name": name})
    except IntegrityError as error:
        raise InvalidInput(_("There are categories for this team already; change those, or archive them first."), field="team") from error
    return taxonomy


def archive_taxonomy(*, taxonomy_id: int, viewer: Viewer, now: datetime) -> Taxonomy:
    """Take a taxonomy out of use; messages keep their category, and its models and corrections stay."""
    with transaction.atomic():
        taxonomy = lock_taxonomy(taxonomy_id, viewer)
        taxonomy.is_archived = True
        taxonomy.save(update_fields=["is_archived"])
        _audit("taxonomy.archive", taxonomy, viewer, now, {"name": taxonomy.name})
    return taxonomy


def add_category(*, taxonomy_id: int, facts: dict[str, str], parent_id: int | None, viewer: Viewer, now: datetime) -> Category:
    """A new category, perhaps below one of the first level."""
    with transaction.atomic():
        taxonomy = lock_taxonomy(taxonomy_id, viewer)
        names = _check_names(facts)
        parent = _check_parent(taxonomy, parent_id, None)
        if taxonomy.categories.count() >= MOST_CATEGORIES:
            raise InvalidInput(_("There are %(n)s categories, which is the most; archive some.") % {"n": MOST_CATEGORIES}, field="name_en")
        taken = set(Category.objects.values_list("code", flat=True))
        code = code_from(names["name_en"], taken)
        category = Category.objects.create(taxonomy=taxonomy, parent=parent, code=code, created_at=now, **names)
        _audit("category.create", taxonomy, viewer, now, {"code": code, **names})
    return category


def change_category(
    *, category_id: int, facts: dict[str, str], parent_id: int | None, is_archived: bool, viewer: Viewer, now: datetime
) -> Category:
    """Other names, another description, another place, in use or not; its code and its corrections stay."""
    check_may(viewer, "taxonomy.edit")
    found = Category.objects.filter(pk=category_id).first()
    if found is None:
        raise NotFound(_("There is no category %(number)s.") % {"number": category_id})
    with transaction.atomic():
        taxonomy = lock_taxonomy(found.taxonomy_id, viewer)
        category = Category.objects.select_for_update().get(pk=category_id)
        changes: dict[str, Any] = {**_check_names(facts), "is_archived": is_archived}
        changes["parent_id"] = parent.pk if (parent := _check_parent(taxonomy, parent_id, category)) else None
        before = {name: getattr(category, name) for name, value in changes.items() if getattr(category, name) != value}
        if not before:
            return category
        for name in before:
            setattr(category, name, changes[name])
        category.save(update_fields=list(before))
        after = {name: changes[name] for name in before}
        _audit("category.change", taxonomy, viewer, now, {"code": category.code, "before": before, "after": after})
    return category


def lock_taxonomy(taxonomy_id: int, viewer: Viewer) -> Taxonomy:
    """The taxonomy for a change, in the caller's transaction; archived ones are not changed any more."""
    check_may(viewer, "taxonomy.edit")
    access_taxonomy(taxonomy_id, viewer)
    taxonomy = Taxonomy.objects.select_for_update().get(pk=taxonomy_id)
    if taxonomy.is_archived:
        raise Conflict(_("These categories are archived; make new ones."))
    return taxonomy


def _check_names(facts: dict[str, str]) -> dict[str, str]:
    names = {name: _plain(facts.get(name, ""), name, 500 if name == "description" else 80) for name in NAMES}
    if not names["name_en"] and not names["name_zh"]:
        raise InvalidInput(_("A category needs a name in English or in Chinese, better in both."), field="name_en")
    return names


def _check_parent(taxonomy: Taxonomy, parent_id: int | None, category: Category | None) -> Category | None:
    if parent_id is None:
        return None
    parent = taxonomy.categories.filter(pk=parent_id, parent__isnull=True, is_archived=False).first()
    if parent is None or parent == category:
        raise InvalidInput(_("That heading is not one of the first level; there are two levels."), field="parent")
    if category is not None and category.children.exists():
        raise InvalidInput(_("This category has others below it, so it cannot be below another; there are two levels."), field="parent")
    return parent


def _plain(text: str, field: str, most: int) -> str:
    text = " ".join(text.replace("\0", "").split())
    if len(text) > most:
        sentence = _("This has %(n)s characters; at most %(most)s fit. Shorten it.")
        raise InvalidInput(sentence % {"n": len(text), "most": most}, field=field)
    return text


def _audit(action: str, taxonomy: Taxonomy, viewer: Viewer, now: datetime, details: dict[str, Any]) -> None:
    audit.record(actor=actor_of(viewer), action=action, object_type="taxonomy", object_id=taxonomy.pk, now=now, details=details)
