"""An explanation on paper: slow cases, the way of cases, what moves satisfaction, those who did not answer, efficiency and the score."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.reports.parts import Grid, Heading, Map, Part, Said, Tile, Tiles, named, sentences, two_lines
from careloop.desk.reports.rules.way import lay_out
from careloop.desk.reports.why_rows import answered_rows, driver_rows, model_rows, slow_rows, way_legend, way_rows, work_rows
from careloop.desk.reports.why_words import Words

Found = Mapping[str, Any]


def why_parts(found: Found, weights: Mapping[str, float], words: Words) -> tuple[list[Part], list[str]]:
    """What is printed, and the few figures that a mail tells in its text."""
    slow, way, drivers = slow_rows(found["slow"], words), way_rows(found["way"], words), driver_rows(found["drivers"], words)
    answered, work = answered_rows(found["silent"]["answered"]), work_rows(found.get("work"), weights, words)
    waits = slow_rows(found["waits"], words)
    parts = [Heading(_("What makes cases slow")), *_slow(slow)]
    parts += [Heading(_("Where slow cases waited")), *_slow(waits)] if waits.get("rules") else []
    parts += [Heading(_("The way of cases")), *_way(found["way"], way, words)]
    parts += [Heading(_("What moves satisfaction")), *_drivers(drivers)]
    parts += [Heading(_("Those who did not answer")), *_silent(found["silent"], answered, words)]
    parts += [Heading(_("Efficiency")), *_work(work)]
    figures = [named(rule["words"], rule["told"]) for rule in slow.get("rules", [])[:3]]
    if "value" in answered:
        figures.append(named(_("Satisfied, of all who were invited"), f"{answered['value']} · {answered['interval']}"))
    if work is not None:
        figures.append(named(_("Communication score"), f"{work['score']} {_('of 100')} {work['score_interval']}".rstrip()))
    return parts, figures


def _slow(shown: Found) -> list[Part]:
    if "rules" not in shown:
        return [Said(_("Not enough data: some hundred cases with an end are needed."))]
    said = [named(rule["words"], rule["told"]) for rule in shown["rules"]]
    nothing = _("No combination makes cases slow in a way that holds on other cases.")
    return [*sentences(said or [nothing]), Said(shown["note"], is_quiet=True)]


def _way(part: Found, shown: Found, words: Words) -> list[Part]:
    if "states" not in shown:
        return [Said(_("Not enough data."))]
    states = [
        [one["name"], *(f"{one[name]:,}" for name in ("n_visits", "n_cases", "n_open")), two_lines(one["median"], one["interval"])]
        for one in shown["states"]
    ]
    steps = [
        [
            f"{one['source']} → {one['target']}",
            f"{one['n']:,}",
            "–" if one["n_cases"] is None else f"{one['n_cases']:,}",
            two_lines(one["share"], one["interval"]),
            one["median"],
        ]
        for one in shown["steps"]
    ]
    return [
        Said(shown["whole"]),
        Map(lay_out(part["states"], part["steps"]), words.state),
        *(Said(one, is_quiet=True) for one in way_legend()),
        Grid([_("State"), _("Visits"), _("Cases"), _("There now"), _("Median stay")], states),
        Grid([_("Step"), _("Steps"), _("Cases"), _("Share"), _("Median time")], steps),
        Said(shown["note"], is_quiet=True),
    ]


def _drivers(shown: Found) -> list[Part]:
    if "shown" not in shown:
        return [Said(_("Not enough data: at least 60 rated cases are needed."))]
    told = [
        named(one["name"], f"{one['points']} {_('points of 1–5 (%(interval)s; n = %(n)s)') % {'interval': one['interval'], 'n': one['n']}}")
        for one in shown["shown"]
    ]
    parts = sentences(told or [_("No effect can be told from chance.")])
    if shown["others"]:
        rows = [[one["name"], one["points"], one["interval"], f"{one['n']:,}"] for one in shown["others"]]
        parts += [Said(_("What cannot be told from chance")), Grid([_("Effect of"), _("Points of 1–5"), _("Range"), "n"], rows)]
    untold = "; ".join(shown["untold"])
    return [*parts, *([Said(f"{_('Not asked:')} {untold}", is_quiet=True)] if untold else []), Said(shown["note"], is_quiet=True)]


def _silent(part: Found, shown: Found, words: Words) -> list[Part]:
    if "value" not in shown:
        return [Said(_("Not enough data: at least five invitations must have been answered."))]
    facts = {"interval": shown["interval"], "n": f"{shown['n_answered']:,}", "of": f"{shown['n_invited']:,}"}
    weighted = _("weighted they are as sure as %(n)s") % {"n": f"{shown['effective_n']:,}"}
    tiles = [
        Tile(_("Satisfied, of all who were invited"), shown["value"], _("%(interval)s · %(n)s of %(of)s answered") % facts),
        Tile(_("Satisfied, of those who answered"), shown["plain"], weighted),
        Tile(_("If the silent felt otherwise"), shown["sensitivity"], _("their odds halved or doubled")),
        Tile(_("At worst and at best"), shown["bounds"], _("all of them dissatisfied, or satisfied")),
    ]
    note = _(
        "Answers count more where fewer answer: by kind, channel, lateness, reopening and duration. What these do not explain stays in the "
        "two ranges."
    )
    return [Tiles(tiles), Said(note, is_quiet=True), *_model(part, words)]


def _model(part: Found, words: Words) -> list[Part]:
    if "share" not in part:
        return []
    shown = model_rows(part, words)
    said = _("The model does not surely know more than the average, so it estimates nothing.")
    if shown["is_useful"]:
        said = _(
            "Of %(n)s cases of the last %(days)s days without a rating, about %(estimated)s (%(interval)s) are dissatisfied (1 or 2 of 5); "
            "of those rated it is %(of_answers)s."
        ) % {
            "n": f"{shown['n_silent']:,}",
            "days": shown["days"],
            "estimated": shown["estimated"],
            "interval": shown["estimated_interval"],
            "of_answers": shown["of_answers"],
        }
    rows = [[one["said"], one["true"], one["interval"], f"{one['n']:,}"] for one in shown["bins"]]
    head = [_("Said"), _("Came true"), _("Range"), "n"]
    parts: list[Part] = [Said(said)]
    return [*parts, Said(_("How good the estimate is")), Grid(head, rows)] if rows else parts


def _work(shown: Found | None) -> list[Part]:
    if shown is None:
        return [Said(_("Not enough data: nobody’s working time has been measured in cases of the last 90 days."))]
    tiles = [Tile(one["name"], one["value"], *one["below"].split(" · ", 1)) for one in shown["whole"]]
    note = _(
        "Tasks done ÷ hours spent, of %(n)s cases begun in the last %(days)s days. Communication: replies sent; the others: cases of that "
        "kind that were resolved. Time is what was measured on the cases, resolved or not; sums are divided."
    )
    parts: list[Part] = [Tiles(tiles), Said(note % {"days": shown["days"], "n": f"{shown['n']:,}"}, is_quiet=True)]
    for table in shown["tables"]:
        rows = [
            [row["name"], *(two_lines(one["value"], one["below"].replace(" · ", "\n")) for one in row["cells"])] for row in table["rows"]
        ]
        parts.append(Grid([str(table["name"]), *(one["name"] for one in shown["whole"])], rows))
    score = f"{shown['score']} {_('of 100')}" + (f" ({shown['score_interval']})" if shown["score_interval"] else "")
    rows = [[str(one["name"]), two_lines(one["value"], one["interval"].replace(" · ", "\n")), one["weight"]] for one in shown["parts"]]
    how = [named(str(one["name"]), one["how"]) for one in shown["parts"]]
    explained = _(
        "100 × sum of weight × value ÷ sum of weights. The range joins those of the parts as if they were independent; it is not known "
        "while a part that weighs something is not."
    )
    return [
        *parts,
        Heading(named(_("Communication score"), score)),
        Grid([_("Part"), _("Value"), _("Weight")], rows),
        *(Said(one, is_quiet=True) for one in (*how, explained)),
    ]
