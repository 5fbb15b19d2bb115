"""What customers say: tiles, charts and the rows behind them, for a filter that stands in the address."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import list_channels
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.feedback_export import export_feedback
from careloop.desk.analysis.feedback_queries import FeedbackFilter, FeedbackPage, feedback_page
from careloop.desk.analysis.taxonomy_queries import names_by_code
from careloop.desk.analysis.topic_queries import name_of
from careloop.desk.cases.queries import choices
from careloop.desk.reports.files import csv_parts
from careloop.desk.web import charts
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import CSV
from careloop.desk.web.excerpts import excerpt, label_probability
from careloop.desk.web.feedback_address import FeedbackAddress, address_from
from careloop.desk.web.reading_words import aspect_chips, aspect_names

SHOWN_LENGTH = 600


@for_viewer("feedback.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The whole page."""
    address = address_from(request.GET)
    wanted = address.filter(timezone.localdate())
    number = request.GET.get("page", "")
    found = feedback_page(
        wanted,
        viewer,
        zone=timezone.get_default_timezone(),
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1,
    )
    names = names_by_code(viewer)
    shown = _charts(found, address, names)
    context = {
        "found": found,
        "wanted": wanted,
        "address": address,
        "rows": [text_row(reading, names) for reading in found.rows],
        "charts": shown,
        "days": chart_rows(found, shown["time"]),
        **_numbers(found, address, names),
        **_choices(found, wanted, address, viewer, names),
    }
    return render(request, "feedback/page.html", context)


@for_viewer("feedback.view")
def export(request: HttpRequest, viewer: Viewer) -> StreamingHttpResponse:
    """The same rows as CSV (UTF-8 with a mark that spreadsheet programs look for)."""
    wanted = address_from(request.GET).filter(timezone.localdate())
    rows = export_feedback(wanted, viewer, zone=timezone.get_default_timezone(), now=datetime.now(UTC))
    response = StreamingHttpResponse(csv_parts(rows), content_type=CSV)
    response["Content-Disposition"] = f'attachment; filename="feedback-{timezone.localdate()}.csv"'
    return response


def text_row(reading: Any, names: dict[str, str]) -> dict[str, Any]:
    """One text of the list, as feedback/rows.html shows it."""
    message = reading.message
    html, is_cut = excerpt(message.body, reading, SHOWN_LENGTH)
    return {
        "reading": reading,
        "message": message,
        "html": html,
        "probability": label_probability(reading),
        "is_cut": is_cut,
        "category": names.get(reading.category, reading.category),
        "aspects": aspect_chips(reading.details.get("aspects", [])),
        "rating": getattr(message, "feedback", None),
        "tone": {"NEGATIVE": "bad", "POSITIVE": "good"}.get(reading.sentiment, ""),
    }


def _charts(found: FeedbackPage, address: FeedbackAddress, category_names: dict[str, str]) -> dict[str, Any]:
    names = {code: str(label) for code, label in choices()["sentiment"]}
    return {
        "time": charts.sentiment_over_time(found.days, found.unit, names, address.link),
        "categories": charts.share_by_category(found.categories, address.link, category_names),
        "keywords": charts.keyword_bars(found.keywords, address.link),
        "ratings": charts.rating_bars(found.stars, address.link),
    }


def _numbers(found: FeedbackPage, address: FeedbackAddress, names: dict[str, str]) -> dict[str, Any]:
    """Tiles and the tables behind the other charts."""
    link = address.link
    return {
        "tiles": _tiles(found),
        "negative_url": link(sentiment="NEGATIVE"),
        "rated_url": link(stars_from=1, stars_to=5),
        "categories": [
            {
                "name": names.get(one.category, one.category),
                "negative": one.negative,
                "share": percent(one.negative.share),
                "interval": f"{percent(one.negative.low)}–{percent(one.negative.high)}",
                "url": link(category=one.category),
                "negative_url": link(category=one.category, sentiment="NEGATIVE"),
            }
            for one in found.categories
        ],
        "words": [
            {"sentiment": sentiment, "word": word, "url": link(keyword=word.word, sentiment=sentiment)}
            for sentiment, words in (("NEGATIVE", found.keywords.negative), ("POSITIVE", found.keywords.positive))
            for word in words
        ],
        "stars": [(star, n, link(stars_from=star, stars_to=star)) for star, n in found.stars.items()],
    }


def chart_rows(found: FeedbackPage, chart: dict[str, Any]) -> list[dict[str, Any]]:
    """The table behind the chart over time: its counts and its links."""
    by_sentiment = [list(zip(trace["y"], trace["links"], strict=True)) for trace in chart["traces"]]
    return [{"label": charts.day_label(day, found.unit), "cells": cells} for day, *cells in zip(found.days, *by_sentiment, strict=True)]


def _tiles(found: FeedbackPage) -> dict[str, str]:
    negative, rating = found.negative, found.rating
    interval = f"{number(rating.low)}–{number(rating.high)} · " if rating.low is not None else ""
    return {
        "negative": percent(negative.share),
        "negative_ci": f"{percent(negative.low)}–{percent(negative.high)} · n = {negative.n:,}",
        "rating": number(rating.average),
        "rating_ci": f"{interval}n = {rating.n:,}",
    }


def percent(ratio: float | None) -> str:
    """0.1234 → 12.3%; a dash where there is nothing to divide."""
    return "–" if ratio is None else f"{formats.number_format(100 * ratio, 1)}%"


def number(value: float | None) -> str:
    """Two decimals; a dash where there is no average."""
    return "–" if value is None else str(formats.number_format(value, 2))


def _choices(
    found: FeedbackPage, wanted: FeedbackFilter, address: FeedbackAddress, viewer: Viewer, names: dict[str, str]
) -> dict[str, Any]:
    offered, channels = choices(), list_channels(viewer)
    categories = sorted({one.category for one in found.categories} | ({wanted.category} if wanted.category else set()))
    periods = [("30", _("30 days")), ("90", _("90 days")), ("365", _("A year")), ("all", _("All time"))]
    return {
        "kinds": offered["kind"],
        "sentiments": offered["sentiment"],
        "channels": channels,
        "category_names": [(one, names.get(one, one)) for one in categories],
        "aspects": sorted(aspect_names().items(), key=lambda one: one[1]),
        "languages": _languages(wanted.language),
        "stars_offered": (1, 2, 3, 4, 5),
        "periods": [{"label": label, "url": address.link(period=code), "is_current": address.period == code} for code, label in periods],
        "chosen": [
            *_topic_chosen(wanted, address, viewer),
            *_chosen(wanted, address, {channel.slug: channel.name for channel in channels}, names),
        ],
        "hidden": {name: value for name, value in address.given if name in {"period", "keyword", "topic"}},
        "export_url": address.link(),
        "all_time_url": address.link(period="all"),
    }


def _languages(chosen: str) -> list[tuple[str, str]]:
    names = {
        "zh-Hans": _("Chinese (simplified)"),
        "zh-Hant": _("Chinese (traditional)"),
        "en": _("English"),
        "mixed": _("Chinese and English"),
        "und": _("Undetermined"),
    }
    return [*names.items(), *([(chosen, chosen)] if chosen and chosen not in names else [])]


def _chosen(wanted: FeedbackFilter, address: FeedbackAddress, channels: dict[str, str], names: dict[str, str]) -> list[dict[str, str]]:
    """What is filtered by, each with the address without it."""
    words = {name: dict(offered) for name, offered in choices().items()}
    sources = {"review": _("Reviews and surveys"), "message": _("Messages")}
    chips = [
        (f"{wanted.since or '…'} – {wanted.until or '…'}" if not address.period else "", {"since": "", "until": ""}),
        (sources.get(wanted.source, ""), {"source": ""}),
        (channels.get(wanted.channel, wanted.channel), {"channel": ""}),
        (str(words["sentiment"].get(wanted.sentiment, wanted.sentiment)), {"sentiment": ""}),
        (str(words["kind"].get(wanted.kind, wanted.kind)), {"kind": ""}),
        (names.get(wanted.category, wanted.category), {"category": ""}),
        (dict(_languages(wanted.language)).get(wanted.language, ""), {"language": ""}),
        (_aspect(wanted, words["sentiment"]), {"aspect": "", "opinion": ""}),
        (wanted.product, {"product": ""}),
        (_("Keyword: %(word)s") % {"word": wanted.keyword} if wanted.keyword else "", {"keyword": ""}),
        (f"“{wanted.query}”" if wanted.query else "", {"q": ""}),
        (_stars(wanted), {"stars_from": "", "stars_to": ""}),
    ]
    return [{"label": label, "url": address.link(**without)} for label, without in chips if label]


def _aspect(wanted: FeedbackFilter, sentiments: dict[str, str]) -> str:
    name = aspect_names().get(wanted.aspect, wanted.aspect)
    said = {"aspect": name, "opinion": sentiments.get(wanted.opinion, "")}
    return _("%(aspect)s: %(opinion)s") % said if name and wanted.opinion else name


def _topic_chosen(wanted: FeedbackFilter, address: FeedbackAddress, viewer: Viewer) -> list[dict[str, str]]:
    return [{"label": name_of(int(wanted.topic), viewer), "url": address.link(topic="")}] if wanted.topic else []


def _stars(wanted: FeedbackFilter) -> str:
    if wanted.stars_from is None and wanted.stars_to is None:
        return ""
    low, high = wanted.stars_from or 1, wanted.stars_to or 5
    return f"{low}★" if low == high else f"{low}–{high}★"
