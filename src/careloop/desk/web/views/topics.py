"""Topics: the map, the list, what emerges; one topic with its texts; naming by hand and looking for topics anew."""

from datetime import UTC, date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.queries import list_channels
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.feedback_queries import FeedbackFilter
from careloop.desk.analysis.taxonomy_queries import names_by_code
from careloop.desk.analysis.topic_actions import rename_topic
from careloop.desk.analysis.topic_queries import Alarm, TopicFacts, TopicsPage, cases_about, is_searching, topic_page, topics_page
from careloop.desk.analysis.topic_queueing import ask_for_topics
from careloop.desk.cases.queries import choices
from careloop.desk.web import charts, topic_charts
from careloop.desk.web.access import for_viewer
from careloop.desk.web.excerpts import excerpt
from careloop.desk.web.feedback_address import FeedbackAddress, address_from
from careloop.desk.web.views.feedback import chart_rows, percent, text_row

EXAMPLE_LENGTH = 160
RAREST_WEEKS = 10_000
GROUPS = {"zh": gettext_lazy("Chinese"), "en": gettext_lazy("English"), "other": gettext_lazy("Other languages")}
SPANS = {"90": gettext_lazy("90 days"), "365": gettext_lazy("A year"), "all": gettext_lazy("All time")}
FILTERS = ("source", "channel", "kind", "sentiment")


@require_GET
@for_viewer("feedback.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """All topics of the texts that the address chooses."""
    address = _address(request)
    wanted = address.filter(timezone.localdate())
    if request.headers.get("HX-Request"):  # a page that waits for topics asks whether they are there
        return HttpResponse(status=204) if is_searching() else HttpResponse(headers={"HX-Refresh": "true"})
    found = topics_page(wanted, viewer, zone=timezone.get_default_timezone())
    context = {
        "found": found,
        "rows": [_row(topic, address) for topic in found.topics],
        "alarms": [_alarm(topic, topic.alarm) for topic in found.topics if topic.alarm],
        "charts": {f"map-{group}": chart for group, chart in _maps(found, address).items()},
        "groups": [(group, GROUPS[group], n) for group, n in _groups(found).items()],
        "waiting": [(GROUPS[group], n) for group, n in sorted(found.waiting.items(), key=lambda one: -one[1])],
        "run": _run(found),
        **_choices(address, wanted, viewer),
    }
    return render(request, "topics/page.html", context)


@require_GET
@for_viewer("feedback.view")
def topic(request: HttpRequest, viewer: Viewer, topic_id: int) -> HttpResponse:
    """One topic: its words, its course, its texts."""
    address = _address(request)
    wanted = address.filter(timezone.localdate())
    number = request.GET.get("page", "")
    found = topic_page(
        topic_id,
        wanted,
        viewer,
        zone=timezone.get_default_timezone(),
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1,
    )
    names = {code: str(label) for code, label in choices()["sentiment"]}
    categories = names_by_code(viewer)
    link = _texts_of(topic_id, address)
    time = charts.sentiment_over_time(found.texts.days, found.texts.unit, names, link)
    context = {
        "topic": found.topic,
        "facts": _row(found.topic, address),
        "alarm": _alarm(found.topic, found.topic.alarm) if found.topic.alarm else None,
        "group": GROUPS[found.topic.group],
        "words": [(word, link(q=word)) for word in found.topic.words],
        "near": [(name, _topic_url(number, address)) for number, name in found.near],
        "found": found.texts,
        "rows": [text_row(reading, categories) for reading in found.texts.rows],
        "charts": {"time": time},
        "days": chart_rows(found.texts, time),
        "cases": cases_about(topic_id, viewer).count(),
        "cases_url": f"{reverse('inbox')}?view=all&topic={topic_id}",
        "total": found.total,
        **_choices(address, wanted, viewer),
    }
    return render(request, "topics/topic.html", context)


@require_POST
@for_viewer("topic.edit")
def rename(request: HttpRequest, viewer: Viewer, topic_id: int) -> HttpResponse:
    """Give a topic a name by hand, or take it back."""
    renamed = rename_topic(topic_id=topic_id, name=request.POST.get("name", ""), viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("The topic keeps this name.") if renamed.given_name else _("The topic is named by its words again."))
    return redirect("topic", topic_id=topic_id)


@require_POST
@for_viewer("topic.edit")
def find(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Look for topics anew, in the background."""
    if ask_for_topics(span=request.POST.get("span", ""), viewer=viewer, now=datetime.now(UTC)):
        messages.success(request, _("Topics are being looked for. What you see stays until they are found."))
    else:
        messages.info(request, _("A search for topics is waiting already."))
    return redirect("topics")


def chance_in_words(p_value: float) -> str:
    """How rarely chance alone would show this, as a number of weeks rounded down to two figures."""
    weeks = RAREST_WEEKS if p_value * RAREST_WEEKS < 1 else int(1 / p_value)
    if weeks >= 100:
        figures = 10 ** (len(str(weeks)) - 2)
        weeks = weeks // figures * figures
    return _("fewer than 1 in %(weeks)s weeks would show this by chance") % {"weeks": formats.number_format(weeks, force_grouping=True)}


def _address(request: HttpRequest) -> FeedbackAddress:
    """The feedback page's address, with the filters that this page offers."""
    kept = {"period", "since", "until", *FILTERS}
    return address_from({name: request.GET.get(name, "") for name in kept})


def _topic_url(number: int, address: FeedbackAddress) -> str:
    return reverse("topic", args=[number]) + address.link().removesuffix("?")


def _texts_of(topic_id: int, address: FeedbackAddress) -> Any:
    """Addresses of a topic's texts on the feedback page, for the choice of this one."""

    def link(**changes: str | int | date) -> str:
        return reverse("feedback") + address.link(topic=topic_id, **changes)

    return link


def _row(one: TopicFacts, address: FeedbackAddress) -> dict[str, Any]:
    link = _texts_of(one.number, address)
    return {
        "topic": one,
        "url": _topic_url(one.number, address),
        "texts_url": link(),
        "negative_url": link(sentiment="NEGATIVE"),
        "share": percent(one.share.share),
        "share_ci": f"{percent(one.share.low)}–{percent(one.share.high)}",
        "negative": percent(one.negative.share),
        "negative_ci": f"{percent(one.negative.low)}–{percent(one.negative.high)}",
        "words": [word for word in one.words if one.given_name or word not in one.name.split(" · ")],
        "spark": topic_charts.spark(one.bars),
        "examples": [excerpt(message.body, None, EXAMPLE_LENGTH) for message in one.examples],
        "case_ids": [message.case_id for message in one.examples],
    }


def _alarm(one: TopicFacts, alarm: Alarm) -> dict[str, Any]:
    count = {"count": alarm.count, "expected": formats.number_format(alarm.expected, 1)}
    days = {"since": charts.short_day(alarm.since), "until": charts.short_day(alarm.until)}
    return {
        "name": one.name,
        "url": reverse("topic", args=[one.number]) + f"?since={alarm.since}&until={alarm.until}",
        "sentence": _("%(count)d texts from %(since)s to %(until)s, where %(expected)s were expected") % {**count, **days},
        "texts_url": f"{reverse('feedback')}?since={alarm.since}&until={alarm.until}&topic={one.number}",
        "chance": chance_in_words(alarm.p_value),
    }


def _groups(found: TopicsPage) -> dict[str, int]:
    sizes = {group: sum(one.texts for one in found.topics if one.group == group) for group in GROUPS}
    return {group: n for group, n in sizes.items() if n}


def _maps(found: TopicsPage, address: FeedbackAddress) -> dict[str, Any]:
    return {
        group: topic_charts.topic_map([one for one in found.topics if one.group == group], lambda number: _topic_url(number, address))
        for group in _groups(found)
    }


def _run(found: TopicsPage) -> dict[str, Any]:
    if found.run is None:
        return {}
    span = "all" if found.run.span_days is None else str(found.run.span_days)
    return {"span": SPANS.get(span, ""), "is_sample": found.run.fitted < found.run.in_span, "row": found.run, "span_code": span}


def _choices(address: FeedbackAddress, wanted: FeedbackFilter, viewer: Viewer) -> dict[str, Any]:
    offered, channels = choices(), list_channels(viewer)
    periods = [("30", _("30 days")), ("90", _("90 days")), ("365", _("A year")), ("all", _("All time"))]
    words = {name: dict(given) for name, given in offered.items()}
    sources = {"review": _("Reviews and surveys"), "message": _("Messages")}
    chips: list[tuple[str, dict[str, str]]] = [
        (f"{wanted.since or '…'} – {wanted.until or '…'}" if not address.period else "", {"since": "", "until": ""}),
        (sources.get(wanted.source, ""), {"source": ""}),
        ({channel.slug: channel.name for channel in channels}.get(wanted.channel, wanted.channel), {"channel": ""}),
        (str(words["sentiment"].get(wanted.sentiment, wanted.sentiment)), {"sentiment": ""}),
        (str(words["kind"].get(wanted.kind, wanted.kind)), {"kind": ""}),
    ]
    return {
        "wanted": wanted,
        "address": address,
        "kinds": offered["kind"],
        "sentiments": offered["sentiment"],
        "sources": list(sources.items()),
        "channels": channels,
        "spans": SPANS.items(),
        "periods": [{"label": label, "url": address.link(period=code), "is_current": address.period == code} for code, label in periods],
        "chosen": [{"label": label, "url": address.link(**without)} for label, without in chips if label],
        "hidden": {name: value for name, value in address.given if name == "period"},
    }
