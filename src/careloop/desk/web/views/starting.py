"""The first page of an empty house: which trade it is in."""

from datetime import UTC, datetime
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import DeskError
from careloop.desk.kernel.wording import spoken
from careloop.desk.sla.rules.holiday_years import list_countries
from careloop.desk.starting import actions
from careloop.desk.web.access import for_viewer

ICONS = {"shop": "shopping-bag", "finance": "landmark", "travel": "plane", "health": "heart-pulse", "telecoms": "radio-tower"}
CHINESE_ZONE = "Asia/Shanghai"


@require_http_methods(["GET", "POST"])
@for_viewer("user.edit")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Choose a starting set."""
    error, status = "", 200
    given = {name: request.POST.get(name, "") for name in ("code", "zone", "country")}
    if request.method == "POST":
        try:
            made = actions.start_with(**given, viewer=viewer, now=datetime.now(UTC))
            sentence = _("Made: %(categories)s categories, %(levels)s service levels, %(flows)s flows and %(solutions)s solutions.")
            messages.success(request, sentence % made.__dict__)
            return redirect("categories")
        except DeskError as refused:
            error, status = spoken(refused.message), refused.status
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    sets = [
        {
            "code": one["code"],
            "icon": ICONS[one["code"]],
            "name": one["name"][language],
            "headings": [group[language] for group in one["categories"]],
            "n_categories": sum(len(group["categories"]) for group in one["categories"]),
            "n_solutions": len(one["solutions"]),
        }
        for one in actions.list_sets()
    ]
    context = {
        "sets": sets,
        "error": error,
        "given": {"zone": given["zone"] or _usual_zone(language), "country": given["country"] or ("CN" if language == "zh" else "")},
        "zones": sorted(available_timezones()),
        "countries": list(list_countries()),
        "is_fresh": actions.is_fresh(viewer),
    }
    return render(request, "starting/page.html", context, status=status)


def _usual_zone(language: str) -> str:
    """The house's zone; of a house that chose none, what its language suggests."""
    zone: str = settings.TIME_ZONE
    return CHINESE_ZONE if zone == "UTC" and language == "zh" else zone
