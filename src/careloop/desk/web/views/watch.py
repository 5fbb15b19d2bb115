"""The watch: figures with their control charts, alarms, and what became of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import DeskError, InvalidInput
from careloop.desk.measures.queries import list_cases_behind
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.definitions import COUNT, MEASURES, SHARE
from careloop.desk.measures.series import watchable
from careloop.desk.watch import actions, queries
from careloop.desk.watch.emerging import list_emerged
from careloop.desk.watch.words import NAMES as WATCHED_NAMES
from careloop.desk.web import watch_charts
from careloop.desk.web.access import for_viewer
from careloop.desk.web.measure_words import DEFINITIONS, NAMES, group_names, say, span
from careloop.desk.web.views.together import number_or_none

CASES_LISTED = 50
FEW = 10  # expected counts below it are told with a decimal
PROMISES = ("0.25", "0.5", "1", "2", "4", "12")


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """All watched figures, open and past alarms, the promise and what came of it."""
    return _page(request, viewer, None)


@require_POST
@for_viewer("rule.edit")
def add(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Watch another figure."""
    given = request.POST
    try:
        new = actions.NewWatched(
            given.get("measure", ""),
            given.get("period", ""),
            number_or_none(given.get("team", ""), "team"),
            given.get("category", "").strip(),
        )
        actions.add_watched(new=new, viewer=viewer, now=datetime.now(UTC))
    except InvalidInput as error:
        return _page(request, viewer, error)
    return redirect("watch")


@require_POST
@for_viewer("rule.edit")
def remove(request: HttpRequest, viewer: Viewer, watched_id: int) -> HttpResponse:
    """Watch a figure no longer."""
    actions.remove_watched(watched_id=watched_id, viewer=viewer, now=datetime.now(UTC))
    return redirect("watch")


@require_POST
@for_viewer("rule.edit")
def setting(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Change the promise and the addresses."""
    given = request.POST
    try:
        promise = _number(given.get("false_alarms", ""))
        version = number_or_none(given.get("expected_version", ""), "expected_version") or 0
        mail_to = given.get("mail_to", "")
        actions.change_setting(false_alarms=promise, mail_to=mail_to, expected_version=version, viewer=viewer, now=datetime.now(UTC))
    except InvalidInput as error:
        return _page(request, viewer, error)
    return redirect("watch")


@require_GET
@for_viewer("report.view")
def figure(request: HttpRequest, viewer: Viewer, watched_id: int) -> HttpResponse:
    """One watched figure with its chart as a table."""
    watched = queries.get_watched(watched_id, viewer)
    names = group_names("category", viewer)
    shown = _shown(watched, names)
    notes = queries.list_notes(watched)
    rows = [
        {
            "when": watch_charts.day_words(one.start),
            "place": one,
            "alarm": watch_charts.alarm_words(one),
            "notes": [note for note in notes if note.start <= one.start <= note.end],
        }
        for one in reversed(shown["places"])
    ]
    hours = watch_charts.hour_places(watched.measure, watched.chart)
    alt = _("%(name)s by the hour in the last two days; hours that alarmed are red. The numbers are in the table below.")
    context = {
        "one": shown,
        "rows": rows,
        "definition": DEFINITIONS[watched.measure],
        "hours": list(reversed(hours)),
        "hours_svg": watch_charts.draw(watched.measure, hours, alt=alt % {"name": shown["name"]}),
    }
    return render(request, "watch/figure.html", context)


@require_http_methods(["GET", "POST"])
@for_viewer("report.view")
def alarm(request: HttpRequest, viewer: Viewer, alarm_id: int) -> HttpResponse:
    """An alarm with its chart and the cases behind it; what it was is said here."""
    error: DeskError | None = None
    if request.method == "POST":
        given = request.POST
        version = number_or_none(given.get("expected_version", ""), "expected_version") or 0
        state, reason, now = given.get("state", ""), given.get("reason", ""), datetime.now(UTC)
        try:
            actions.decide_alarm(alarm_id=alarm_id, state=state, reason=reason, expected_version=version, viewer=viewer, now=now)
            return redirect("alarm", alarm_id)
        except InvalidInput as refused:
            error = refused
    found = queries.get_alarm(alarm_id, viewer)
    watched, key = found.watched, found.watched.measure
    question = Question((key,), since=found.start, until=found.end, chosen=_chosen(watched))
    cases = list_cases_behind(question, key, viewer, is_hit=found.is_up if MEASURES[key].form == SHARE else None)
    span = queries.find_span(found)
    if span is not None and found.start == found.end:
        cases = [case for case in cases if span["since"] <= case.opened_at < span["until"]]
    context = {
        "alarm": found,
        "one": _shown(watched, group_names("category", viewer)),
        "definition": DEFINITIONS[key],
        "facts": _facts(found),
        "words": _alarm_words(found),
        "cases": cases[:CASES_LISTED],
        "n_cases": len(cases),
        "cases_url": cases_url(watched, found.start, found.end, is_up=found.is_up),
        "is_decided": found.decided_at is not None,
        "error": error.message if error else "",
        "given": request.POST,
    }
    return render(request, "watch/alarm.html", context, status=error.status if error else 200)


def cases_url(watched: Any, first: date, last: date, *, is_up: bool) -> str:
    """The page of the cases behind a period of a figure; of a share those that moved it."""
    values = {"measure": watched.measure, "since": first, "until": last, **_chosen(watched)}
    if MEASURES[watched.measure].form == SHARE:
        values["hit"] = "yes" if is_up else "no"
    return reverse("report-cases") + "?" + urlencode(values)


def _page(request: HttpRequest, viewer: Viewer, error: InvalidInput | None) -> HttpResponse:
    found = queries.page(viewer, today=timezone.localdate())
    names = group_names("category", viewer)
    context = {
        "figures": [_shown(one, names) for one in found.watched],
        "open_alarms": [{"alarm": one, "name": _name(one.watched, names), "words": _alarm_words(one)} for one in found.open_alarms],
        "past_alarms": [{"alarm": one, "name": _name(one.watched, names), "words": _alarm_words(one)} for one in found.past_alarms],
        "topics": list_emerged(viewer, today=timezone.localdate()),
        "kept": found.kept,
        "quarters": span(found.kept.quarters * queries.QUARTER_DAYS * 86_400) if found.kept.quarters else "",
        "setting": found.setting,
        "promise": f"{found.setting.false_alarms:g}",
        "promises": PROMISES,
        "measures": [(key, NAMES[key]) for key in watchable() if key in WATCHED_NAMES],
        "teams": list_teams(viewer),
        "categories": [(code, name) for code, name in names.items() if code],
        "sees_all": viewer.team_ids is None,
        "errors": {error.field or "form": error.message} if error else {},
        "given": request.POST,
    }
    return render(request, "watch/page.html", context, status=error.status if error else 200)


def _shown(watched: Any, names: dict[Any, str]) -> dict[str, Any]:
    places = watch_charts.places(watched.measure, watched.chart)
    name = _name(watched, names)
    alt = _("%(name)s with its limits; points outside of them are red. The numbers are in the table of this figure.") % {"name": name}
    last = places[-1] if places else None
    return {
        "watched": watched,
        "name": name,
        "svg": watch_charts.draw(watched.measure, places, alt=alt),
        "places": places,
        "last": last,
        "has_enough": bool(watched.chart.get("has_enough")),
        "is_judged": watched.judged_until is not None,
        "url": reverse("watched", args=[watched.pk]),
    }


def _name(watched: Any, names: dict[Any, str]) -> str:
    parts = [str(NAMES[watched.measure]), watched.team.name if watched.team else "", names.get(watched.category, watched.category)]
    return " · ".join(part for part in (parts if watched.category else parts[:2]) if part)


def _chosen(watched: Any) -> dict[str, Any]:
    return {name: value for name, value in (("team", watched.team_id), ("category", watched.category)) if value}


def _alarm_words(found: Any) -> str:
    if found.sign == "single":
        return _("far above what was expected") if found.is_up else _("far below what was expected")
    return _("higher than usual for some time") if found.is_up else _("lower than usual for some time")


def _facts(found: Any) -> list[tuple[str, str]]:
    key = found.watched.measure
    step = timedelta(days=6 if found.watched.period == "week" else 0)
    period, last = watch_charts.day_words(found.start), watch_charts.day_words(max(found.end, found.start + step))
    if (hours := queries.find_span(found)) is not None:
        period = f"{period}, {watch_charts.hour_words(hours['since'], hours['until'])}"
        if found.end > found.start:
            period = _("%(first)s, going on until %(last)s") % {"first": period, "last": last}
    elif found.end > found.start:
        period = f"{period} – {last}"
    is_few = MEASURES[key].form == COUNT and found.expected < FEW
    return [
        (_("Period"), period),
        (_("Value"), say(key, found.value)),
        (_("Expected"), formats.number_format(round(found.expected, 1), 1) if is_few else say(key, found.expected)),
        (_("Limits of a single period"), f"{say(key, found.low)}–{say(key, found.high)}"),
        (_("Cases or answers"), f"{found.n:,}"),
    ]


def _number(given: str) -> float:
    try:
        return float(given)
    except ValueError:
        raise InvalidInput(_("“%(given)s” is not a number; choose from the list.") % {"given": given[:40]}, field="false_alarms") from None
