"""Surveys: the list, the editor with its preview, what became of one, what the house keeps to."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from careloop.desk.accounts.queries import list_channels, list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import choices
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput
from careloop.desk.measures.silence import estimate_all
from careloop.desk.surveys import actions, queries
from careloop.desk.surveys.actions import TELLS, SurveyFacts
from careloop.desk.surveys.export import export_answers
from careloop.desk.surveys.letters import CODES
from careloop.desk.surveys.words import reason_words
from careloop.desk.web.access import for_viewer
from careloop.desk.web.conflicts import different
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.survey_form import facts_of, facts_to_begin, read_facts, shown_facts
from careloop.desk.web.survey_preview import previews_of
from careloop.desk.web.survey_results import HEAD, figure_lines, shown_estimate, shown_figures
from careloop.desk.web.survey_words import KINDS, NAMES, answers_in_words, rate_words

PERIODS = (30, 90, 365)


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("survey.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Every survey with its answers and how many were asked."""
    found = queries.list_surveys(viewer)
    context = {
        "rows": [{"row": row, "rate": rate_words(row.counts.rate)} for row in found],
        "kinds": queries.kind_choices(),
        "has_by_themselves": any(row.counts.by_themselves for row in found),
    }
    return render(request, "surveys/page.html", context)


@require_GET
@for_viewer("survey.view")
def results(request: HttpRequest, viewer: Viewer, survey_id: int) -> HttpResponse:
    """What became of one survey: asked, answered, each question, all who were asked, why not asked, the latest texts."""
    asked = _asked(request, viewer, survey_id)
    survey, found = asked.survey, asked.found
    latest = [{"answer": one, "given": answers_in_words(one.invitation.version, one.answers, _language())} for one in found.latest]
    context = {
        "survey": survey,
        "found": found,
        "rate": rate_words(found.counts.rate),
        "questions": shown_figures(found, _language()),
        "estimate": shown_estimate(asked.estimate, survey.kind) if asked.estimate is not None else None,
        "latest": latest,
        "reasons": [(reason_words(code), n) for code, n in found.reasons],
        "days": asked.days,
        "language": _language(),
        "periods": PERIODS,
        "query": urlencode({"days": asked.days or "", "version": found.version.number}),
        "embed_url": settings.BASE_URL + reverse("survey-embed", args=[survey_id]) if survey.embed_channel_id and survey.is_active else "",
        "sites": queries.get_setting().sites,
    }
    return render(request, "surveys/results.html", context)


@require_GET
@for_viewer("survey.view")
def figures(request: HttpRequest, viewer: Viewer, survey_id: int) -> HttpResponse:
    """The page's numbers as a file."""
    asked = _asked(request, viewer, survey_id)
    return csv_answer(f"survey-{survey_id}", HEAD, figure_lines(asked.found, asked.estimate))


@require_GET
@for_viewer("survey.view")
def answers(request: HttpRequest, viewer: Viewer, survey_id: int) -> HttpResponse:
    """Every answer that the page counts as a file."""
    survey, zone = queries.access_survey(survey_id), timezone.get_current_timezone()
    head, lines = export_answers(survey, viewer, since=_since(_days(request)), zone=zone, now=now())
    return csv_answer(f"survey-{survey_id}-answers", head, lines)


@dataclass(frozen=True)
class Asked:
    """What the address asks for, and what was found."""

    survey: Any
    days: int
    found: queries.Results
    estimate: Any


def _asked(request: HttpRequest, viewer: Viewer, survey_id: int) -> Asked:
    days, number = _days(request), request.GET.get("version", "")
    survey = queries.access_survey(survey_id)
    found = queries.results_of(survey, viewer, since=_since(days), number=int(number) if number.isdecimal() else None)
    return Asked(survey, days, found, estimate_all(survey, found.version, viewer, since=_since(days)))


def _days(request: HttpRequest) -> int:
    return next((one for one in PERIODS if str(one) == request.GET.get("days")), 0)


def _since(days: int) -> datetime | None:
    return now() - timedelta(days=days) if days else None


@require_http_methods(["GET", "POST"])
@for_viewer("survey.edit")
def edit(request: HttpRequest, viewer: Viewer, survey_id: int | None = None) -> HttpResponse:
    """The editor; what was typed is shown in both languages before and after it is saved."""
    stored = queries.access_survey(survey_id) if survey_id is not None else None
    version = queries.newest_version(stored) if stored is not None else None
    facts = facts_of(stored, version) if stored is not None else facts_to_begin(request.GET.get("kind", ""))
    errors: dict[str, str] = {}
    status, sides = 200, None
    if request.method == "POST":
        try:
            facts = read_facts(request.POST)
            if request.POST.get("do") != "preview":
                saved = actions.save_survey(
                    facts=facts, viewer=viewer, now=now(), survey_id=survey_id, expected_version=_version(request) if stored else None
                )
                messages.success(request, _("The survey was saved."))
                return redirect("survey", saved.pk)
        except DeskError as refused:
            errors, status = {refused.field or "form": refused.message}, refused.status
            if isinstance(refused, Conflict) and stored is not None:
                sides = _sides(stored, version, facts)
    context = {
        "survey": stored,
        "given": shown_facts(facts),
        "version": stored.version if stored is not None else 0,
        "errors": errors,
        "sides": sides,
        "previews": previews_of(facts, request),
        "kinds": queries.kind_choices(),
        "question_kinds": list(KINDS.items()),
        "case_kinds": choices()["kind"],
        "whens": queries.when_choices(),
        "bads": queries.bad_choices(),
        "tells": [(code, word) for code, word in zip(TELLS, (_("the assignee"), _("the team's supervisors")), strict=True)],
        "channels": list_channels(viewer),
        "teams": list_teams(viewer),
        "languages": [(code, NAMES[code]) for code in CODES],
        "seen_in": _language(),
    }
    return render(request, "surveys/edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_viewer("survey.edit")
def setting(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What holds for all surveys: how often, when not, whom, how long, which sites."""
    stored = queries.get_setting()
    errors: dict[str, str] = {}
    status = 200
    given = _setting_shown(stored)
    if request.method == "POST":
        given = {name: request.POST.get(name, "") for name in given} | {"needs_consent": "needs_consent" in request.POST}
        try:
            actions.save_setting(given=_setting_read(request), expected_version=_version(request), viewer=viewer, now=now())
            messages.success(request, _("Saved."))
            return redirect("survey-setting")
        except DeskError as refused:
            errors, status = {refused.field or "form": refused.message}, refused.status
    return render(request, "surveys/setting.html", {"given": given, "errors": errors, "version": stored.version}, status=status)


def _sides(stored: Any, version: Any, facts: SurveyFacts) -> Any:
    theirs = facts_of(stored, version)
    words = {
        "name": pgettext("thing", "Name"),
        "questions": _("Questions"),
        "is_active": _("In force"),
        "delay_minutes": _("Minutes after that"),
    }
    return different((label, _plain(getattr(theirs, name)), _plain(getattr(facts, name))) for name, label in words.items())


def _plain(value: Any) -> str:
    return " / ".join(one.text.get("en", "") for one in value) if isinstance(value, tuple) else str(value)


def _setting_shown(stored: Any) -> dict[str, Any]:
    return {
        "pause_days": stored.pause_days,
        "change_days": stored.change_days,
        "link_days": stored.link_days,
        "quiet_from": _time(stored.quiet_from_minutes),
        "quiet_until": _time(stored.quiet_until_minutes),
        "needs_consent": stored.needs_consent,
        "sites": "\n".join(stored.sites),
    }


def _setting_read(request: HttpRequest) -> Any:
    given = request.POST
    numbers = {name: _whole(given.get(name, ""), name) for name in ("pause_days", "change_days", "link_days")}
    return queries.unsaved_setting(
        **numbers,
        quiet_from_minutes=_minutes(given.get("quiet_from", ""), "quiet_from"),
        quiet_until_minutes=_minutes(given.get("quiet_until", ""), "quiet_until"),
        needs_consent="needs_consent" in given,
        sites=[line.strip().rstrip("/") for line in given.get("sites", "").splitlines() if line.strip()],
    )


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _minutes(text: str, field: str) -> int:
    hours, _colon, minutes = text.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and len(text) == 5 and int(hours) < 24 and int(minutes) < 60):
        raise InvalidInput(_("Give times of the day such as 20:00."), field=field)
    return int(hours) * 60 + int(minutes)


def _whole(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise InvalidInput(_("“%(given)s” is not a whole number.") % {"given": text[:20]}, field=field)
    return int(text)


def _version(request: HttpRequest) -> int:
    return _whole(request.POST.get("version", ""), "form")


def _language() -> str:
    return "zh" if (get_language() or "").startswith("zh") else "en"
