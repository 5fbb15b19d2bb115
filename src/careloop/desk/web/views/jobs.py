"""The jobs page: what waits, what runs, what was given up and why; trying again and throwing away."""

from datetime import UTC, datetime, time
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts import operations
from careloop.desk.accounts.rules import Viewer
from careloop.desk.jobs import queries
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.web.access import for_viewer

STATES = {
    "DEAD": gettext_lazy("Given up"),
    "READY": gettext_lazy("Waiting"),
    "RUNNING": gettext_lazy("Running"),
    "SUCCEEDED": gettext_lazy("Done"),
}
SCHEDULES = {
    "ask customers": gettext_lazy("send surveys that are due"),
    "escalate": gettext_lazy("escalate cases that wait too long"),
    "explain cases": gettext_lazy("explain what makes cases slow and customers content"),
    "follow events": gettext_lazy("tell people what happened to their cases"),
    "forget vectors of texts that are gone": gettext_lazy("forget vectors of texts that are gone"),
    "forget who was here": gettext_lazy("forget who had which case open"),
    "how long promises took": gettext_lazy("count how long promises took"),
    "judge figures": gettext_lazy("judge the watched figures"),
    "look at hours": gettext_lazy("look at the hours of the present day"),
    "judge solutions": gettext_lazy("judge which solutions may answer by themselves"),
    "look for solutions": gettext_lazy("look for solutions to new cases"),
    "mail reports": gettext_lazy("mail reports that are due"),
    "queue webhooks": gettext_lazy("tell webhooks what happened"),
    "recount_facts": gettext_lazy("count all figures again"),
    "refresh_facts": gettext_lazy("bring figures up to date"),
    "remind": gettext_lazy("remind of tasks and snoozed cases"),
    "route": gettext_lazy("give waiting cases to people"),
    "rules": gettext_lazy("follow the rules after events"),
    "rules-by-time": gettext_lazy("follow the rules after time has passed"),
    "trim finished jobs": gettext_lazy("trim finished jobs"),
    "weigh": gettext_lazy("keep the order by what matters most"),
    "delete old import files": gettext_lazy("delete old import files"),
    "find topics": gettext_lazy("find topics"),
    "sort new texts into topics": gettext_lazy("sort new texts into topics"),
}
LATE_SECONDS = 60


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("job.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """One state's jobs, the workers and the schedules."""
    number = request.GET.get("page", "")
    moment = now()
    found = queries.page(
        now=moment,
        state=request.GET.get("state", "DEAD"),
        task=request.GET.get("task", "")[:300],
        page=int(number) if number.isdecimal() and len(number) < 9 else 1,
    )
    context = {
        "found": found,
        "tabs": [(code, name, found.counts[code]) for code, name in STATES.items()],
        "state_name": STATES[found.state],
        "schedules": [
            (schedule, SCHEDULES.get(schedule.name, schedule.name), rhythm(schedule.every_seconds, schedule.daily_at))
            for schedule in found.schedules
        ],
        "now": moment,
        "is_late": found.oldest_due_seconds > LATE_SECONDS,
        "late_minutes": int(found.oldest_due_seconds // 60),
        "may_retry": viewer.may("job.retry"),
    }
    return render(request, "jobs/page.html", context)


@require_POST
@for_viewer("job.retry")
def retry(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Try dead jobs again: the chosen one, or all of the task shown."""
    count = operations.retry_jobs(job_ids=_chosen(request), viewer=viewer, now=now())
    sentence = ngettext("%(count)d job will be tried again.", "%(count)d jobs will be tried again.", count)
    messages.success(request, sentence % {"count": count})
    return _back(request)


@require_POST
@for_viewer("job.retry")
def discard(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Delete dead jobs: the chosen one, or all of the task shown."""
    count = operations.discard_jobs(job_ids=_chosen(request), viewer=viewer, now=now())
    sentence = ngettext("%(count)d job was thrown away.", "%(count)d jobs were thrown away.", count)
    messages.success(request, sentence % {"count": count})
    return _back(request)


def rhythm(every_seconds: int | None, daily_at: time | None) -> str:
    """How often a schedule fires, in words."""
    if every_seconds is None:
        return _("daily at %(time)s") % {"time": f"{daily_at:%H:%M}" if daily_at else "?"}
    if every_seconds % 3_600 == 0:
        return _("every %(count)d h") % {"count": every_seconds // 3_600}
    if every_seconds % 60 == 0:
        return _("every %(count)d min") % {"count": every_seconds // 60}
    return _("every %(count)d s") % {"count": every_seconds}


def _chosen(request: HttpRequest) -> list[int]:
    """The ids of the jobs that the form names; all dead ones of its task when it says so."""
    if request.POST.get("all") == "yes":
        return operations.list_dead(task=request.POST.get("task", ""))
    number = request.POST.get("job", "")
    if not number.isdecimal() or len(number) > 18:
        raise InvalidInput(_("The form names no job; load the page again."), field="job")
    return [int(number)]


def _back(request: HttpRequest) -> HttpResponse:
    task = request.POST.get("task", "")
    return redirect(reverse("jobs") + (f"?{urlencode({'task': task})}" if task else ""))
