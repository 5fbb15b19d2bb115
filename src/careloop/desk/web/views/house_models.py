"""Kind and sentiment: what the house's corrections teach, which model reads, and the way back to the built-in one."""

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import queueing
from careloop.desk.analysis.model_queries import state_of
from careloop.desk.analysis.switching import check_house_task
from careloop.desk.web.access import for_viewer
from careloop.desk.web.task_words import task_name


@require_GET
@for_viewer("model.view")
def page(request: HttpRequest, viewer: Viewer, task: str) -> HttpResponse:
    """What people corrected of kind or sentiment, and the models that learnt from it."""
    state = state_of(check_house_task(task.upper()))
    return render(request, "categories/house.html", {"task": task, "name": task_name(task.upper()), "state": state})


@require_POST
@for_viewer("taxonomy.edit")
def train(request: HttpRequest, viewer: Viewer, task: str) -> HttpResponse:
    """Learn from the corrections so far."""
    queueing.start_house_training(task=task.upper(), viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("The training was started; its result will be on this page."))
    return redirect("house-models", task)


@require_POST
@for_viewer("taxonomy.edit")
def shipped(request: HttpRequest, viewer: Viewer, task: str) -> HttpResponse:
    """Let the built-in model read again."""
    queueing.return_to_shipped(task=task.upper(), viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("The built-in model reads again; the newest messages are read with it now."))
    return redirect("house-models", task)
