"""The forms that change a task or a field of the house; when somebody else was faster, both versions stand there."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.teamwork import field_changes, looking, tags, task_changes
from careloop.desk.teamwork.case_tasks import NewTask, list_people
from careloop.desk.web.access import for_viewer
from careloop.desk.web.conflicts import different
from careloop.desk.web.views.together import new_task, number_or_none

TASK_FIELDS = ("title", "department", "team_id", "assignee_id", "due_at")


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_http_methods(["GET", "POST"])
@for_viewer("case.work")
def task(request: HttpRequest, viewer: Viewer, task_id: int) -> HttpResponse:
    """What is to be done, where, by whom, until when."""
    one = task_changes.task_to_change(task_id, viewer)
    context: dict[str, Any] = {"task": one, "values": {name: getattr(one, name) for name in TASK_FIELDS}, "errors": {}}
    status = 200
    if request.method == "POST":
        try:
            new = new_task(request)
            context["values"] = {name: getattr(new, name) for name in TASK_FIELDS}
            task_changes.change_task(task_id=task_id, new=new, expected_version=_version(request), viewer=viewer, now=now())
            return redirect("case-together", one.case_id)
        except (Conflict, InvalidInput) as error:
            context["errors"], status = {error.field or "form": error.message}, error.status
            if isinstance(error, Conflict):
                context |= _both_tasks(task_id, new, viewer)
    context |= {"people": list_people(), "teams": list_teams(viewer)}
    looking.note_look(one.case_id, viewer, place="task-edit", now=now())
    return render(request, "together/task.html", context, status=status)


@require_POST
@for_viewer("case.work")
def remove_task(request: HttpRequest, viewer: Viewer, task_id: int) -> HttpResponse:
    """Remove a task."""
    one = task_changes.task_to_change(task_id, viewer)
    case_id = task_changes.remove_task(task_id=task_id, expected_version=_version(request), viewer=viewer, now=now())
    messages.success(request, _("The task “%(title)s” is removed.") % {"title": one.title})
    return redirect("case-together", case_id)


@require_http_methods(["GET", "POST"])
@for_viewer("flow.edit")
def field(request: HttpRequest, viewer: Viewer, definition_id: int) -> HttpResponse:
    """The names, kind and options of a field."""
    one = field_changes.get_definition(definition_id)
    context: dict[str, Any] = {"definition": one, "values": _field_values(one), "errors": {}, "kinds": tags.field_kinds()}
    status = 200
    if request.method == "POST":
        typed = {name: request.POST.get(name, "") for name in field_changes.FIELDS}
        try:
            new = field_changes.clean_field(typed["name"], typed["name_zh"], typed["kind"], typed["choices"].splitlines())
            facts = {"definition_id": definition_id, "expected_version": _version(request)}
            field_changes.change_definition(**facts, new=new, viewer=viewer, now=now())
            return redirect("fields")
        except (Conflict, InvalidInput) as error:
            context |= {"values": typed, "errors": {error.field or "form": error.message}}
            status = error.status
            if isinstance(error, Conflict):
                stored = field_changes.get_definition(definition_id)
                context |= {"definition": stored, "sides": _both_fields(stored, typed)}
    return render(request, "together/field.html", context, status=status)


def _both_tasks(task_id: int, new: NewTask, viewer: Viewer) -> dict[str, Any]:
    stored = task_changes.task_to_change(task_id, viewer)
    people, teams = {one.pk: one.display_name for one in list_people()}, {one.pk: one.name for one in list_teams(viewer)}

    def shown(one: Any) -> list[str]:
        due = date_format(timezone.localtime(one.due_at), "SHORT_DATETIME_FORMAT") if one.due_at else ""
        return [one.title, people.get(one.assignee_id, ""), teams.get(one.team_id, ""), one.department, due]

    labels = (_("What is to be done"), _("Done by"), _("Team"), _("Department"), _("Due"))
    return {"task": stored, "sides": different(zip(labels, shown(stored), shown(new), strict=True))}


def _field_values(one: Any) -> dict[str, str]:
    return {"name": one.name, "name_zh": one.name_zh, "kind": one.kind, "choices": "\n".join(one.choices)}


def _both_fields(stored: Any, typed: dict[str, str]) -> Any:
    theirs, kinds = _field_values(stored), dict(tags.field_kinds())
    mine = {**typed, "kind": kinds.get(typed["kind"], "")}
    theirs["kind"] = kinds.get(theirs["kind"], "")
    labels = {"name": _("Name"), "name_zh": _("Name in Chinese (optional)"), "kind": _("What may be entered")}
    labels["choices"] = _("Options of a choice, one a line")
    return different((label, theirs[name], mine[name]) for name, label in labels.items())


def _version(request: HttpRequest) -> int:
    given = number_or_none(request.POST.get("version", ""), "version")
    if given is None:
        raise InvalidInput(_("The form is damaged; load the page again."))
    return given
