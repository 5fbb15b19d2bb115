"""The form of a dashboard: tiles as rows of lists, moved and removed by buttons, so that it works without script."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import choices
from careloop.desk.reports.actions import DashboardFacts
from careloop.desk.reports.dashboards import ALLOWED, scope_choices
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.reports.rules.tiles import BY_GROUP, NUMBER, OVER_TIME, Tile, read_tile, rearrange
from careloop.desk.reports.words import facet_words
from careloop.desk.web.conflicts import Side, different
from careloop.desk.web.measure_words import GROUP_NAMES, NAMES, group_names, period_words
from careloop.desk.web.report_choice import facet_options

COLUMNS = ("measure", "form", "by", "period", "width")
FACETS = tuple(GROUP_NAMES)
MOST_ROWS = 40  # more are no form that a person sent


@dataclass
class Given:
    """What stands in the form."""

    name: str
    scope: str
    team: str
    tiles: list[Tile]

    def facts(self) -> DashboardFacts:
        """As actions take it."""
        return DashboardFacts(self.name, self.scope, self.tiles, int(self.team) if self.team.isdecimal() else None)


def first_given() -> Given:
    """A new dashboard begins with the overview's figures: taking away is easier than thinking up."""
    layout = LAYOUTS["overview"]
    numbers = [Tile(key) for key in layout.tiles[:4]]
    return Given("", "PERSON", "", [*numbers, Tile(layout.over_time[0], OVER_TIME), Tile("first_response", BY_GROUP, layout.by)])


def stored_given(dashboard: Any) -> Given:
    """A stored dashboard in the form."""
    return Given(dashboard.name, dashboard.scope, str(dashboard.team_id or ""), [read_tile(one) for one in dashboard.tiles])


def copied_given(dashboard: Any) -> Given:
    """One's own, made from one that one sees."""
    return Given(_("%(name)s (copy)") % {"name": dashboard.name}, "PERSON", "", [read_tile(one) for one in dashboard.tiles])


def sent_given(request: HttpRequest) -> Given:
    """What was sent, after the button that was pressed: a tile more, one up, down or out."""
    sent = request.POST
    columns = {name: sent.getlist(name)[:MOST_ROWS] for name in (*COLUMNS, *(f"of_{name}" for name in FACETS))}
    tiles = []
    for place in range(len(columns["measure"])):
        row = {name: values[place] if place < len(values) else "" for name, values in columns.items()}
        chosen = {name: row[f"of_{name}"].replace("\0", "").strip() for name in FACETS}
        tiles.append(read_tile({**{name: row[name] for name in COLUMNS}, "chosen": chosen}))
    how, _colon, place_text = sent.get("do", "").partition(":")
    if how == "add":
        tiles.append(Tile("opened", NUMBER))
    elif place_text.isdecimal():
        tiles = rearrange(tiles, how, int(place_text[:4]))
    return Given(sent.get("name", ""), sent.get("scope", ""), sent.get("team", ""), tiles)


def form_words() -> list[tuple[str, str]]:
    """The forms of a tile."""
    return [(NUMBER, _("Number")), (OVER_TIME, _("Over time")), (BY_GROUP, _("By group"))]


def width_words() -> list[tuple[str, str]]:
    """How wide a tile can be."""
    return [("", _("As needed")), ("1", _("A quarter")), ("2", _("Half")), ("4", _("Whole row"))]


def form_context(given: Given, viewer: Viewer) -> dict[str, Any]:
    """Everything that the form offers, each tile as its lists."""
    options = facet_options(viewer)
    offered = choices()
    options["sentiment"] = [(code, str(label)) for code, label in offered["sentiment"]]
    options["category"] = [(str(code), name) for code, name in group_names("category", viewer).items() if code]
    measures = [(key, str(name)) for key, name in NAMES.items()]
    return {
        "given": given,
        "scopes": scope_choices(viewer),
        "teams": list_teams(viewer),
        "measures": measures,
        "forms": form_words(),
        "splits": [(code, str(name)) for code, name in GROUP_NAMES.items()],
        "periods": period_words(),
        "widths": width_words(),
        "undated": [str(NAMES[key]) for key in NAMES if key not in ALLOWED.dated],
        "rows": [
            {
                "tile": tile,
                "facets": [
                    {"name": name, "label": GROUP_NAMES[name], "options": options.get(name), "value": dict(tile.chosen).get(name, "")}
                    for name in FACETS
                ],
            }
            for tile in given.tiles
        ],
    }


def sides(theirs: Given, mine: Given, viewer: Viewer) -> list[Side]:
    """Both versions beside each other."""
    scopes = dict(scope_choices(viewer))
    teams = {str(team.pk): team.name for team in list_teams(viewer)}
    both = (theirs, mine)
    return different(
        [
            (pgettext("thing", "Name"), theirs.name, mine.name),
            (_("For"), *(scopes.get(one.scope, one.scope) for one in both)),
            (_("Team"), *(teams.get(one.team, "") for one in both)),
            (_("Tiles"), *("\n".join(tile_words(tile, viewer) for tile in one.tiles) for one in both)),
        ]
    )


def tile_words(tile: Tile, viewer: Viewer) -> str:
    """ "Cases opened · By group: Channel · 90 days · Team: After-sales"."""
    forms, periods = dict(form_words()), dict(period_words())
    parts = [str(NAMES.get(tile.measure, tile.measure)), forms.get(tile.form, tile.form)]
    if tile.form == BY_GROUP:
        parts[-1] = f"{parts[-1]}: {GROUP_NAMES.get(tile.by, tile.by)}"
    if tile.period:
        parts.append(periods.get(tile.period, tile.period))
    if tile.width:
        parts.append(dict(width_words()).get(tile.width, tile.width))
    return " · ".join([*parts, *facet_words(tile.chosen, viewer)])
