"""Reading dashboards: who sees which, who may change it, and the figures of its tiles."""

from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.measures.queries import Table, ask
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.definitions import GROUPS, MEASURES
from careloop.desk.measures.rules.values import Figure
from careloop.desk.reports.address import PERIODS, ReportAddress, address_from
from careloop.desk.reports.models import Dashboard, Scope
from careloop.desk.reports.queries import time_unit
from careloop.desk.reports.rules.tiles import BY_GROUP, OVER_TIME, Allowed, BadTile, Tile, address_of, check_tiles, read_tile

ALLOWED = Allowed(
    frozenset(MEASURES), frozenset(key for key, one in MEASURES.items() if one.dated_by), frozenset(GROUPS), frozenset(PERIODS)
)


@dataclass(frozen=True)
class Counted:
    """A tile with its figures: the address that asks for them, the whole, and the rows over time or by group."""

    tile: Tile
    address: ReportAddress
    question: Question
    table: Table

    @property
    def figure(self) -> Figure:
        """The number of all facts together."""
        return self.table.whole[self.tile.measure]


def list_dashboards(viewer: Viewer) -> QuerySet[Dashboard]:
    """Those in the viewer's sight, by name."""
    check_may(viewer, "report.view")
    teams = Q(scope=Scope.TEAM) if viewer.team_ids is None else Q(scope=Scope.TEAM, team_id__in=viewer.team_ids)
    own = Q(scope=Scope.PERSON, owner_id=viewer.person_id)
    return Dashboard.objects.filter(Q(scope=Scope.ALL) | own | teams).select_related("team", "owner")


def get_dashboard(dashboard_id: int, viewer: Viewer) -> Dashboard:
    """A dashboard in the viewer's sight."""
    found = list_dashboards(viewer).filter(pk=dashboard_id).first()
    if found is None:
        raise NotFound(_("There is no dashboard %(number)s for you.") % {"number": dashboard_id})
    return found


def may_change(dashboard: Dashboard, viewer: Viewer) -> bool:
    """People change their own; those of a team and of everybody are changed by supervisors and owners."""
    if dashboard.scope == Scope.PERSON:
        return dashboard.owner_id == viewer.person_id
    if not viewer.may("dashboard.share"):
        return False
    return dashboard.team_id is None or viewer.sees_team(dashboard.team_id)


def scope_choices(viewer: Viewer) -> list[tuple[str, str]]:
    """For whom a viewer may make dashboards."""
    return [(code, str(word)) for code, word in Scope.choices if code == Scope.PERSON or viewer.may("dashboard.share")]


def tiles_of(dashboard: Dashboard) -> list[Tile]:
    """Its tiles; one whose measure no longer exists is left out."""
    return [tile for tile in map(read_tile, dashboard.tiles) if tile.measure in MEASURES]


def count_tiles(tiles: list[Tile], address: ReportAddress, today: date, viewer: Viewer) -> list[Counted]:
    """Ask for each tile's figures; `today` ends the periods that are counted backwards."""
    return [_count(tile, address, today, viewer) for tile in tiles]


def check(tiles: list[Tile]) -> None:
    """Refuse tiles that cannot be shown, in a sentence that names the place; their choices are read as those of an address."""
    try:
        check_tiles(tiles, ALLOWED)
    except BadTile as error:
        sentences = {
            "many": _("A dashboard has at most %(given)s tiles."),
            "measure": _("Tile %(place)s has no measure; choose one from the list."),
            "form": _("Tile %(place)s has no form; choose one from the list."),
            "undated": _("Tile %(place)s shows what stands now; that has no course over time, choose a number or groups."),
            "by": _("Tile %(place)s is split by nothing; choose by what."),
            "period": _("The period of tile %(place)s is unknown; choose one from the list."),
            "width": _("The width of tile %(place)s is unknown; choose one from the list."),
            "facet": _("Tile %(place)s is filtered by “%(given)s”, which no report knows."),
        }
        raise InvalidInput(sentences[error.code] % {"place": error.place, "given": error.given}, field="tiles") from None
    for tile in tiles:
        address_from(dict(tile.chosen)).question(date(2000, 1, 1))


def _count(tile: Tile, page: ReportAddress, today: date, viewer: Viewer) -> Counted:
    address = address_from(address_of(tile, page.values))
    question = address.question(today, (tile.measure,))
    asked = replace(question, by=tile.by if tile.form == BY_GROUP else "")
    if tile.form == OVER_TIME:
        asked = replace(asked, per=time_unit(question.since, question.until))
    return Counted(tile, address, asked, ask(asked, viewer))
