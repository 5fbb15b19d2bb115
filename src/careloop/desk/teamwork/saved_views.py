"""Saved views of the inbox and templates of follow-up."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.desk.teamwork.models import FollowUpTemplate, SavedView
from careloop.desk.teamwork.rules import lines_to_items

VIEWS_OF_A_PERSON = 30


def list_saved_views(viewer: Viewer) -> list[SavedView]:
    """The viewer's own and their teams' views, by name."""
    teams = Q(team__isnull=False) if viewer.team_ids is None else Q(team_id__in=viewer.team_ids)
    return list(SavedView.objects.filter(Q(owner_id=viewer.user_id, team=None) | teams).order_by("name", "pk")[:100])


def save_view(*, name: str, query: str, team_id: int | None, viewer: Viewer, now: datetime) -> SavedView:
    """Keep a choice of cases under a name, for oneself or for a team of one's own."""
    check_may(viewer, "case.view")
    name = " ".join(name.replace("\0", "").split())[:60]
    if not name:
        raise InvalidInput(_("Give the view a name."), field="name")
    if len(query) > 600 or not query.isascii():
        raise InvalidInput(_("This choice of cases is too long to keep; remove a filter."), field="query")
    if team_id is not None and not viewer.sees_team(team_id):
        raise NotFound(_("There is no such team among yours."))
    if SavedView.objects.filter(owner_id=viewer.user_id).count() >= VIEWS_OF_A_PERSON:
        raise InvalidInput(_("You keep %(n)s views already; remove one first.") % {"n": VIEWS_OF_A_PERSON}, field="name")
    return SavedView.objects.create(name=name, query=query.lstrip("?"), owner_id=viewer.user_id, team_id=team_id, made_at=now)


def remove_view(*, view_id: int, viewer: Viewer) -> None:
    """Remove a view: one's own, or as a supervisor or owner one of a team's."""
    view = next((one for one in list_saved_views(viewer) if one.pk == view_id), None)
    if view is None or not (view.owner_id == viewer.user_id or viewer.may("case.approve")):
        raise NotFound(_("There is no view %(number)s of yours.") % {"number": view_id})
    view.delete()


def list_templates() -> list[FollowUpTemplate]:
    """The templates of follow-up, by name."""
    return list(FollowUpTemplate.objects.order_by("name"))


def save_template(*, name: str, lines: str, viewer: Viewer, now: datetime) -> FollowUpTemplate:
    """Keep a few tasks under a name; one task a line: title | department | days."""
    check_may(viewer, "flow.edit")
    name = " ".join(name.replace("\0", "").split())[:80]
    try:
        items = lines_to_items(lines)
    except ValueError as error:
        sentence = _("Line %(n)s is no task; write: what to do | department | in how many days.")
        raise InvalidInput(sentence % {"n": error.args[0]}, field="lines") from None
    if not name or not items or len(items) > 20:
        raise InvalidInput(_("A template needs a name and 1 to 20 tasks."), field="name")
    with transaction.atomic():
        if FollowUpTemplate.objects.filter(name=name).exists():
            raise Conflict(_("There is a template of this name already; remove it first or choose another name."), field="name")
        made = FollowUpTemplate.objects.create(name=name, items=items, changed_at=now)
        audit.record(
            actor=actor_of(viewer), action="template.save", object_type="template", object_id=made.pk, now=now, details={"name": name}
        )
    return made


def remove_template(*, template_id: int, viewer: Viewer, now: datetime) -> None:
    """Remove a template; tasks that came from it stay."""
    check_may(viewer, "flow.edit")
    with transaction.atomic():
        found = FollowUpTemplate.objects.filter(pk=template_id).first()
        if found is None:
            raise NotFound(_("There is no template %(number)s.") % {"number": template_id})
        found.delete()
        details = {"name": found.name}
        audit.record(
            actor=actor_of(viewer), action="template.delete", object_type="template", object_id=template_id, now=now, details=details
        )
