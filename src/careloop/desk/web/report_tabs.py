"""The tabs that reports share with the pages of times and retention."""

from typing import Any

from django.urls import reverse

from careloop.desk.reports.words import REPORT_NAMES
from careloop.desk.web.times_words import PAGE_NAMES


def report_tabs(here: str, kept: str) -> list[dict[str, Any]]:
    """Each with its address; the choice goes along as `kept`, a query string."""
    pages = [
        (slug, name, reverse("reports") if slug == "overview" else reverse("report", args=[slug])) for slug, name in REPORT_NAMES.items()
    ]
    pages += [(slug, name, reverse(slug)) for slug, name in PAGE_NAMES.items()]
    return [{"name": name, "url": url + kept, "is_current": slug == here} for slug, name, url in pages]
