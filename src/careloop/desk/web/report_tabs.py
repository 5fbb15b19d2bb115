"""The tabs that all pages of figures share: reports, times, retention, why, watch and dashboards."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from careloop.desk.reports.words import REPORT_NAMES
from careloop.desk.web.times_words import PAGE_NAMES


def report_tabs(here: str, kept: str = "") -> list[dict[str, Any]]:
    """Each with its address; pages that take the same choice get it as `kept`, a query string."""
    pages = [
        (slug, name, reverse("reports") if slug == "overview" else reverse("report", args=[slug])) for slug, name in REPORT_NAMES.items()
    ]
    pages += [(slug, name, reverse(slug)) for slug, name in PAGE_NAMES.items()]
    tabs = [{"name": name, "url": url + kept, "is_current": slug == here} for slug, name, url in pages]
    others = (("why", _("Why")), ("watch", _("Watch")), ("dashboards", _("Dashboards")), ("mailings", _("By mail")))
    return tabs + [{"name": name, "url": reverse(slug), "is_current": slug == here} for slug, name in others]
