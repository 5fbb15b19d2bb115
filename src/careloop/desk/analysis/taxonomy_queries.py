"""Taxonomies in the viewer's sight, and which one a team's messages belong to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.models import Category, Taxonomy
from careloop.desk.kernel.errors import NotFound


@dataclass(frozen=True)
class Branch:
    """A category of the first level with those below it; those that messages may have are its leaves."""

    category: Category
    below: list[Category]


@dataclass(frozen=True)
class CategoryChoice:
    """A category for a filter; `heading` is the code of the one that it stands below."""

    code: str
    name: str
    heading: str = ""


def visible(viewer: Viewer) -> QuerySet[Taxonomy]:
    """The house's taxonomies and those of the viewer's teams."""
    rows = Taxonomy.objects.select_related("team")
    return rows if viewer.team_ids is None else rows.filter(Q(team__isnull=True) | Q(team_id__in=viewer.team_ids))


def list_taxonomies(viewer: Viewer) -> list[Taxonomy]:
    """In use first, the house's before those of teams."""
    rows = visible(viewer).prefetch_related("categories")
    return sorted(rows, key=lambda one: (one.is_archived, one.team is not None, one.name))


def access_taxonomy(taxonomy_id: int, viewer: Viewer) -> Taxonomy:
    """The taxonomy, if it is the house's or of one of the viewer's teams."""
    found = visible(viewer).filter(pk=taxonomy_id).first()
    if found is None:
        raise NotFound(_("There are no categories %(number)s in your teams.") % {"number": taxonomy_id})
    return found


def access_category(category_id: int, viewer: Viewer) -> Category:
    """The category, if its taxonomy is in the viewer's sight."""
    found = Category.objects.select_related("taxonomy", "parent").filter(pk=category_id, taxonomy__in=visible(viewer).order_by()).first()
    if found is None:
        raise NotFound(_("There is no category %(number)s in your teams.") % {"number": category_id})
    return found


def taxonomies_of(team_ids: Iterable[int]) -> dict[int, Taxonomy]:
    """The taxonomy in use of each team: its own, else the house's; teams without either are left out (one query)."""
    wanted = set(team_ids)
    rows = Taxonomy.objects.filter(Q(team__isnull=True) | Q(team_id__in=wanted), is_archived=False)
    own = {one.team_id: one for one in rows}
    return {team: found for team in wanted if (found := own.get(team) or own.get(None))}


def list_leaves(taxonomy: Taxonomy) -> list[Category]:
    """The categories that messages may have: in use, and no headings."""
    rows = list(Category.objects.filter(taxonomy=taxonomy, is_archived=False).select_related("parent").order_by("pk"))
    headings = {one.parent_id for one in rows}
    return [one for one in rows if one.pk not in headings and not (one.parent and one.parent.is_archived)]


def tree_of(taxonomy: Taxonomy) -> list[Branch]:
    """All categories by heading, archived ones last."""
    rows = sorted(Category.objects.filter(taxonomy=taxonomy), key=lambda one: (one.is_archived, one.pk))
    return [Branch(one, [below for below in rows if below.parent_id == one.pk]) for one in rows if one.parent_id is None]


def name_of(category: Category) -> str:
    """Its name in the language of the moment, else in the other one."""
    names = (category.name_zh, category.name_en) if (get_language() or "").startswith("zh") else (category.name_en, category.name_zh)
    return next(filter(None, names), category.code)


def names_by_code(viewer: Viewer) -> dict[str, str]:
    """The name of every category in the viewer's sight, archived ones among them (one query)."""
    return {one.code: name_of(one) for one in Category.objects.filter(taxonomy__in=visible(viewer).order_by())}


def choices_for(viewer: Viewer) -> list[CategoryChoice]:
    """The categories in use, for a filter: headings before what is below them (one query)."""
    rows = list(
        Category.objects.filter(taxonomy__in=visible(viewer).filter(is_archived=False).order_by(), is_archived=False).order_by("pk")
    )
    found: list[CategoryChoice] = []
    for one in rows:
        if one.parent_id is None:
            found.append(CategoryChoice(one.code, name_of(one)))
            found += [CategoryChoice(below.code, name_of(below), one.code) for below in rows if below.parent_id == one.pk]
    return found


def codes_below(offered: list[CategoryChoice], code: str) -> tuple[str, ...]:
    """The categories below a heading."""
    return tuple(one.code for one in offered if code and one.heading == code)


def words_for_model(category: Category) -> str:
    """Both names, from which a model without corrections understands what is meant."""
    parent = category.parent
    names = [category.name_en, category.name_zh] + ([parent.name_en, parent.name_zh] if parent else [])
    return " ".join(dict.fromkeys(filter(None, names))) or category.code


def to_describe(leaves: list[Category]) -> tuple[dict[str, str], dict[str, str]]:
    """(words → description, words → code) of categories that may have the same words."""
    described: dict[str, Any] = {}
    codes: dict[str, str] = {}
    for one in leaves:
        words = words_for_model(one)
        words = words if words not in described else f"{words} {one.code}"
        described[words], codes[words] = one.description, one.code
    return described, codes
