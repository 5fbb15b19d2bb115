"""Every report by its name, whatever it is printed on: those of tiles and tables, times, retention, and why figures are as they are."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.retention import measure_retention
from careloop.desk.measures.times import measure_times
from careloop.desk.reports import retention_lines, times_lines, why_lines
from careloop.desk.reports.address import ReportAddress
from careloop.desk.reports.content import Content, report_content
from careloop.desk.reports.parts import Curves, Document, Grid, Heading, Part, Said, named, sentences, two_lines
from careloop.desk.reports.retention_rows import retention_rows, span_days, within_of
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.reports.times_rows import target_of, times_rows
from careloop.desk.reports.times_words import OPEN_NAMES, TARGET_NAMES
from careloop.desk.reports.why_parts import why_parts
from careloop.desk.reports.why_words import Words
from careloop.desk.reports.words import DEFINITIONS, GROUP_NAMES, OTHER_NAMES, days_words, facet_words
from careloop.desk.watch.explanations import find_explanation, scopes_of, weights_of
from careloop.desk.watch.queries import find_setting

Builder = Callable[[ReportAddress, date, Viewer], Document]


def document_of(report: str, address: ReportAddress, today: date, viewer: Viewer) -> Content | Document:
    """A report as its page shows it."""
    if report in LAYOUTS:
        return report_content(LAYOUTS[report], address, today, viewer)
    if report not in BUILDERS:
        raise InvalidInput(_("Choose the report or dashboard that shall be mailed."), field="what")
    return BUILDERS[report](address, today, viewer)


def mailed_address(report: str, address: ReportAddress) -> ReportAddress:
    """The address whose days are those of a mail; customers are followed for some days, so those enter whose days were over in its days."""
    since, until = address.days(timezone.localdate())
    if report != "retention" or since is None or until is None:
        return address
    back = timedelta(days=within_of(address))
    earlier = {"since": (since - back).isoformat(), "until": (until - back).isoformat()}
    return ReportAddress(tuple({**address.values, **earlier}.items()))


def times_document(address: ReportAddress, today: date, viewer: Viewer) -> Document:
    """Curves, points of each group, and what goes with a sooner end."""
    target, question = target_of(address), address.question(today)
    found, cases = measure_times(question, target, viewer)
    shown = times_rows(found, cases, viewer)
    by = str(GROUP_NAMES[found.question.by])
    chosen = [*facet_words(question.chosen.items(), viewer), _("split by %(name)s") % {"name": by}]
    parts: list[Part] = [Said(_("No cases began in this period, or none fit the choice."))]
    figures = []
    if shown:
        parts = [
            Heading(str(shown["curve"]["name"])),
            Curves(shown["curve"]["courses"], found.horizon, shown["curve"]["ticks"]),
            Said(shown["comparison"]),
            Said(str(DEFINITIONS[target]), is_quiet=True),
            Heading(_("By %(by_name)s") % {"by_name": by}),
            _times_grid(shown, by, target),
            Said(shown["rows_note"], is_quiet=True),
            Heading(_("What goes with a sooner end")),
            *_model_parts(shown["model"]),
        ]
        whole = shown["rows"][-1]
        half = " · ".join(one for one in whole["points"][1].values() if one)
        figures = [named(_("Half by"), f"{half} · n = {whole['n']:,}"), shown["comparison"]]
    lines = times_lines.lines_of(found, cases, viewer)
    days = days_words(question.since, question.until)
    head = times_lines.COLUMNS
    return Document(f"times-{target}", str(TARGET_NAMES[target]), days, chosen, found.as_of, figures, parts, head, lines, address.link())


def retention_document(address: ReportAddress, today: date, viewer: Viewer) -> Document:
    """Rates after a complaint and without, contacts, sales, remedies, outcomes and months."""
    within, question = within_of(address), address.question(today)
    found = measure_retention(question, within, viewer)
    shown, days = retention_rows(found), span_days(within)
    parts: list[Part] = [Said(_("Nobody came in this period with a case of a known kind, or none fits the choice."))]
    if shown and shown["n"]:
        parts = _retention_parts(shown, days)
    figures = []
    for one in shown.get("rates", [])[:2]:
        told = [named(side, f"{cell['value']} ({cell['interval']})") for side, cell in zip(_sides(), one["cells"], strict=True)]
        figures.append(f"{one['name']} · {' · '.join(told)}")
    chosen = [*facet_words(question.chosen.items(), viewer), _("Within %(days)s after the case") % {"days": days}]
    title, told_days = str(OTHER_NAMES["retention"]), days_words(question.since, question.until)
    lines = retention_lines.lines_of(found)
    return Document(
        "retention", title, told_days, chosen, found.as_of, figures, parts, retention_lines.COLUMNS, lines, address.link(within=within)
    )


def why_document(address: ReportAddress, today: date, viewer: Viewer) -> Document:
    """The explanation of the chosen team, or of the first that the viewer sees; its period is its own, the last year."""
    scopes, asked = scopes_of(viewer), address.question(today).chosen.get("team")
    code = str(asked) if asked else scopes[0][0] if scopes else ""
    found = find_explanation(int(code) if code else None, viewer)
    name, title = dict(scopes).get(code, ""), str(OTHER_NAMES["why"])
    days = _("Cases of the last year")
    if found is None:
        return Document("why", title, days, [name], None, [], [], why_lines.COLUMNS, [], f"?team={code}")
    weights, words = weights_of(find_setting()), Words(viewer, found.parts["way"].get("names", {}))
    parts, figures = why_parts(found.parts, weights, words)
    lines = why_lines.lines_of(found.parts, weights, words)
    made = _("Computed on %(when)s") % {"when": formats.date_format(timezone.localtime(found.made_at), "DATETIME_FORMAT")}
    return Document("why", title, days, [name, made], found.made_at, figures, parts, why_lines.COLUMNS, lines, f"?team={code}")


BUILDERS: dict[str, Builder] = {"times": times_document, "retention": retention_document, "why": why_document}


def _times_grid(shown: dict[str, Any], by: str, target: str) -> Grid:
    points = (_("A quarter by"), _("Half by"), _("Three quarters by"), _("Nine tenths by"))
    average = _("Average within %(horizon)s") % {"horizon": shown["horizon"]}
    head = [by, _("Cases"), str(OPEN_NAMES[target]), _("Shown"), *points, average, _("On time")]
    rows = [
        [
            str(row["name"]),
            f"{row['n']:,}",
            f"{row['open']:,}",
            row["verdict"] or ("" if row["is_whole"] else _("no difference shown")),
            *(two_lines(point["value"], _narrow(point["interval"])) for point in row["points"]),
            two_lines(row["on_time"], _narrow(row["on_time_interval"])),
        ]
        for row in shown["rows"]
    ]
    return Grid(head, rows, has_sum=True)


def _narrow(interval: str) -> str:
    """A range in a column that is too narrow for one line."""
    return interval.replace("–", "–\n", 1).replace(" · ", "\n")


def _model_parts(model: dict[str, Any]) -> list[Part]:
    shown = [f"{one['words']} ({one['interval']}; n = {one['n']:,}){_unsteady(one)}" for one in model["shown"]]
    if not shown and not (model["needed"] or model["nothing_varies"]):
        shown = [_("No effect can be told from chance.")]
    others = [f"{one['words']} ({one['interval']}; n = {one['n']:,})" for one in model["others"]]
    told = [Said(_("What cannot be told from chance")), *(Said(one, is_quiet=True) for one in others)] if others else []
    return [*sentences(shown), *told, Said(model["note"], is_quiet=True)]


def _unsteady(one: dict[str, Any]) -> str:
    return "" if one["is_steady"] else " " + _("– not at all times: the ratio changes while cases wait, this is its average")


def _sides() -> tuple[str, str]:
    return _("After a complaint"), _("Without")


def _retention_parts(shown: dict[str, Any], days: str) -> list[Part]:
    notes, sales = shown["notes"], shown["sales"]
    parts: list[Part] = [Heading(_("Within %(days)s after the case") % {"days": days})]
    parts += [] if shown["is_followed"] else [Said(notes["not_followed"])]
    parts += [_rates_grid(shown["rates"]), Said(notes["rates"], is_quiet=True)]
    parts.append(Heading(_("Contacts %(days)s before and after") % {"days": days}))
    parts += _change_parts(shown["contacts"], (_("Cases before"), _("Cases after")), notes["no_contacts"])
    if shown["contacts"]["difference"]:
        parts.append(Said(_("Difference of the two changes: %(difference)s cases for each customer.") % shown["contacts"]))
    parts += [Said(notes["contacts"], is_quiet=True), Heading(_("Sales %(days)s before and after") % {"days": days})]
    if sales is None:
        parts.append(Said(_("No purchases are known. Shops tell of them through the API, or bring them in as a file.")))
    else:
        parts += _change_parts(sales, (_("Spent before"), _("Spent after")), notes["no_sales"])
        if sales["difference"]:
            difference = _("Difference of the two changes: %(difference)s %(currency)s for each customer.") % sales
            parts.append(Said(f"{difference} {sales['verdict']}".strip()))
        parts.append(_rates_grid(sales["rates"]))
        parts += [_differences_grid(_("Remedy"), _("Bought again"), sales["remedies"])] if sales["remedies"] else []
        parts.append(Said(sales["note"], is_quiet=True))
    for group in shown["groups"]:
        parts.append(Heading(_("After a complaint: %(name)s") % group))
        table = _differences_grid(group["name"], _("Retention rate"), group["rows"])
        parts.append(table if group["rows"] else Said(notes["no_group"]))
    months = [
        [formats.date_format(one["month"], "YEAR_MONTH_FORMAT"), *(_cell(cell) for cell in (*one["cells"], one["difference"]))]
        for one in shown["cohorts"]
    ]
    head = [_("Month"), _("Retention after a complaint"), _("Retention without"), _("Difference in points")]
    return [*parts, Heading(_("By month of the case")), Grid(head, months), Said(notes["cohorts"], is_quiet=True)]


def _rates_grid(rates: Sequence[dict[str, Any]]) -> Grid:
    head = [_("Rate"), *_sides(), _("Difference in points"), _("Shown")]
    return Grid(head, [[str(one["name"]), *map(_cell, one["cells"]), _cell(one["difference"]), one["verdict"]] for one in rates])


def _differences_grid(name: str, rate: str, rows: Sequence[dict[str, Any]]) -> Grid:
    head = [name, rate, _("Difference in points from customers without a complaint")]
    return Grid(head, [[str(one["name"]), _cell(one["rate"]), _cell(one["difference"])] for one in rows])


def _change_parts(shown: dict[str, Any], names: tuple[str, str], nothing: str) -> list[Part]:
    if not shown["is_known"]:
        return [Said(nothing)]
    head = [_("Customers"), "n", *names, pgettext("figure", "Change")]
    rows = [
        [one["name"], f"{one['n']:,}", one["before"], one["after"], two_lines(one["change"], one["interval"])] for one in shown["sides"]
    ]
    return [Grid(head, rows)]


def _cell(one: dict[str, str]) -> str:
    return two_lines(one["value"], one["interval"].replace(" · ", "\n"))
