"""My tasks; the house's fields, templates of follow-up and saved views."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.teamwork import case_tasks, looking, saved_views, tags
from careloop.desk.watch.queries import list_to_look_into
from careloop.desk.watch.words import sentence_of
from careloop.desk.web.access import for_viewer
from careloop.desk.web.views.together import now, number_or_none, panel_context


@require_GET
@for_viewer("case.work")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What the viewer has to do, alarms to look into among it, or has done; the case is a link where the viewer sees it."""
    is_done = request.GET.get("done") == "yes"
    found = case_tasks.list_my_tasks(viewer, is_done=is_done)
    looking.note_list((one.case_id for one in found if viewer.sees_team(one.case.team_id)), viewer, place="tasks", now=now())
    rows = [{"task": one, "is_visible": viewer.sees_team(one.case.team_id)} for one in found]
    alarms = [] if is_done else [{"alarm": one, "sentence": sentence_of(one)} for one in list_to_look_into(viewer)]
    return render(request, "together/tasks.html", {"rows": rows, "alarms": alarms, "is_done": is_done, "now": now()})


@require_POST
@for_viewer("case.work")
def done(request: HttpRequest, viewer: Viewer, task_id: int) -> HttpResponse:
    """Tick a task off, or open it again."""
    task = case_tasks.set_done(task_id=task_id, is_done=request.POST.get("done", "yes") == "yes", viewer=viewer, now=now())
    if request.headers.get("HX-Request"):
        return render(request, "together/panel.html", panel_context(viewer, task.case_id))
    back = request.POST.get("next", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "tasks")


@require_GET
@for_viewer("flow.edit")
def fields(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The fields that the house adds to its cases, and the templates of follow-up."""
    return render(request, "together/fields.html", _fields_context())


@require_POST
@for_viewer("flow.edit")
def new_field(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Add a field."""
    tags.add_definition(
        name=request.POST.get("name", ""),
        name_zh=request.POST.get("name_zh", ""),
        kind=request.POST.get("kind", ""),
        choices=request.POST.get("choices", "").splitlines(),
        viewer=viewer,
        now=now(),
    )
    return redirect("fields")


@require_POST
@for_viewer("flow.edit")
def archive_field(request: HttpRequest, viewer: Viewer, definition_id: int) -> HttpResponse:
    """Hide a field, or show it again."""
    tags.set_archived(definition_id=definition_id, is_archived=request.POST.get("archived", "yes") == "yes", viewer=viewer, now=now())
    return redirect("fields")


@require_POST
@for_viewer("flow.edit")
def new_template(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Keep a template of follow-up."""
    saved_views.save_template(name=request.POST.get("name", ""), lines=request.POST.get("lines", ""), viewer=viewer, now=now())
    return redirect("fields")


@require_POST
@for_viewer("flow.edit")
def remove_template(request: HttpRequest, viewer: Viewer, template_id: int) -> HttpResponse:
    """Remove a template."""
    saved_views.remove_template(template_id=template_id, viewer=viewer, now=now())
    return redirect("fields")


@require_POST
@for_viewer("case.view")
def save_view(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Keep the choice of cases that the inbox shows."""
    team_id = number_or_none(request.POST.get("team", ""), "team")
    query = request.POST.get("query", "")
    made = saved_views.save_view(name=request.POST.get("name", ""), query=query, team_id=team_id, viewer=viewer, now=now())
    messages.success(request, _("The view “%(name)s” is kept.") % {"name": made.name})
    return redirect(f"{reverse('inbox')}?{made.query}")


@require_POST
@for_viewer("case.view")
def remove_view(request: HttpRequest, viewer: Viewer, view_id: int) -> HttpResponse:
    """Remove a view."""
    saved_views.remove_view(view_id=view_id, viewer=viewer)
    return redirect("inbox")


def _fields_context() -> dict[str, Any]:
    return {
        "definitions": [{"field": one, "name": tags.named(one)} for one in tags.list_definitions(with_archived=True)],
        "kinds": tags.field_kinds(),
        "templates": saved_views.list_templates(),
    }
