"""A topic shown to people without an account, and sent to other systems."""

from datetime import UTC, datetime
from typing import Any

from csp.decorators import csp_replace
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import topic_sharing
from careloop.desk.analysis.topic_queries import access_topic
from careloop.desk.outbox.topic_sending import list_takers, send_topic
from careloop.desk.web.access import for_viewer
from careloop.desk.web.views.customer_page import POLICY
from careloop.desk.web.views.together import number_or_none


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_http_methods(["GET", "POST"])
@for_viewer("topic.edit")
def share(request: HttpRequest, viewer: Viewer, topic_id: int) -> HttpResponse:
    """What others would see of the topic, the pages that show it, and who else can be told."""
    access_topic(topic_id, viewer)
    if request.method == "POST":
        days = number_or_none(request.POST.get("days", ""), "days") or 0
        topic_sharing.share_topic(topic_id=topic_id, days=days, purpose=request.POST.get("purpose", ""), viewer=viewer, now=now())
        return redirect("topic-share", topic_id)
    context = {
        "topic_id": topic_id,
        "facts": topic_sharing.outside_facts(topic_id, viewer, now=now()),
        "pages": topic_sharing.list_shared_topics(topic_id),
        "takers": list_takers(viewer),
        "now": now(),
    }
    return render(request, "topics/share.html", context)


@require_POST
@for_viewer("topic.edit")
def take_back(request: HttpRequest, viewer: Viewer, shared_topic_id: int) -> HttpResponse:
    """Close a shared topic."""
    return redirect("topic-share", topic_sharing.take_topic_back(page_id=shared_topic_id, viewer=viewer, now=now()).topic_id)


@require_POST
@for_viewer("topic.edit")
def send(request: HttpRequest, viewer: Viewer, topic_id: int) -> HttpResponse:
    """Tell the other systems."""
    count = send_topic(topic_id=topic_id, viewer=viewer, now=now())
    words = ngettext("The topic is on its way to %(n)d system.", "The topic is on its way to %(n)d systems.", count)
    messages.success(request, words % {"n": count})
    return redirect("topic-share", topic_id)


def _shared(request: HttpRequest, *_args: Any, **given: Any) -> HttpResponseBase:
    """The topic as it stood, to whoever has the address."""
    found = topic_sharing.open_topic(given["token"], now=now())
    template = "customer_page/topic.html" if found else "customer_page/gone.html"
    response = render(request, template, {"shared": found}, status=200 if found else 404)
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


shared = require_GET(never_cache(csp_replace(POLICY)(_shared)))
