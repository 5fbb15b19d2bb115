"""The tabs that reports share with the pages of times and retention."""

from typing import Any

from django.urls import reverse

from careloop.desk.reports.words import ALL_NAMES, REPORT_NAMES

WITH_TABS = ("times", "retention")  # beside the reports


def report_tabs(here: str, kept: str) -> list[dict[str, Any]]:
    """Each with its address; the choice goes along as `kept`, a query string."""
    pages = [
        (slug, name, reverse("reports") if slug == "overview" else reverse("report", args=[slug])) for slug, name in REPORT_NAMES.items()
    ]
    pages += [(slug, ALL_NAMES[slug], reverse(slug)) for slug in WITH_TABS]
    return [{"name": name, "url": url + kept, "is_current": slug == here} for slug, name, url in pages]
