"""What a person was told: the list, the number on the bell, and from a notice to what it is about."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.notices import actions, queries
from careloop.desk.web.access import for_viewer
from careloop.desk.web.notice_words import describe_notice


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("case.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The newest notices, unread ones marked."""
    found = queries.list_notices(viewer)
    rows = [{"notice": one, **describe_notice(one, now())} for one in found]
    return render(request, "notices/page.html", {"rows": rows, "unread": any(one.read_at is None for one in found)})


@require_GET
@for_viewer("case.view")
def count(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The number on the bell."""
    return render(request, "notices/count.html", {"n": queries.count_unread(viewer), "most": queries.COUNTED})


@require_POST
@for_viewer("case.view")
def read_one(request: HttpRequest, viewer: Viewer, notice_id: int) -> HttpResponse:
    """Mark a notice as read and go to its case, alarm or topic, if it has one."""
    notice = queries.get_notice(notice_id, viewer)
    actions.mark_read(viewer=viewer, now=now(), notice_id=notice_id)
    if notice.facts.get("alarm"):
        return redirect("alarm", notice.facts["alarm"])
    if notice.facts.get("topic"):
        return redirect("topic", notice.facts["topic"])
    return redirect("case", notice.case_id) if notice.case_id else redirect("notices")


@require_POST
@for_viewer("case.view")
def read_all(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Mark everything as read."""
    actions.mark_read(viewer=viewer, now=now())
    return redirect("notices")
