"""Reading watched figures and alarms: a figure of a team is seen by those who see the team, one of the house by those who see all."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Team
from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import NotFound
from careloop.desk.measures.hours import MEASURE
from careloop.desk.measures.rules.values import Figure
from careloop.desk.measures.series import rate_of_alarms
from careloop.desk.watch.models import Alarm, Watched, WatchSetting

QUARTER_DAYS = 91.3125
SHOWN = 50
UNDECIDED = (Alarm.State.OPEN, Alarm.State.TAKEN)


@dataclass(frozen=True)
class Kept:
    """What was promised, and what came of it: alarms a quarter that were nothing, over all figures in sight."""

    promised: float
    measured: Figure
    decided: int
    undecided: int
    quarters: float


@dataclass(frozen=True)
class Page:
    """All that the page shows."""

    watched: list[Watched]
    open_alarms: list[Alarm]
    past_alarms: list[Alarm]
    kept: Kept
    setting: WatchSetting


def page(viewer: Viewer, *, today: date) -> Page:
    """The figures that are watched, the alarms, and whether the promise was kept."""
    check_may(viewer, "report.view")
    alarms = Alarm.objects.filter(watched__in=_seen(viewer)).select_related("watched", "watched__team", "assignee")
    setting = find_setting()
    return Page(
        list(_seen(viewer).filter(until=None).select_related("team").order_by("pk")),
        list(alarms.filter(state__in=UNDECIDED).order_by("-start", "-pk")[:SHOWN]),
        list(alarms.exclude(state__in=UNDECIDED).order_by("-decided_at", "-pk")[:SHOWN]),
        _kept(viewer, setting, today),
        setting,
    )


def get_watched(watched_id: int, viewer: Viewer) -> Watched:
    """A watched figure in the viewer's sight."""
    check_may(viewer, "report.view")
    found = _seen(viewer).filter(pk=watched_id, until=None).select_related("team").first()
    if found is None:
        raise NotFound(_("There is no watched figure %(number)s.") % {"number": watched_id})
    return found


def get_alarm(alarm_id: int, viewer: Viewer) -> Alarm:
    """An alarm in the viewer's sight."""
    check_may(viewer, "report.view")
    found = Alarm.objects.filter(pk=alarm_id, watched__in=_seen(viewer)).select_related("watched", "watched__team", "assignee").first()
    if found is None:
        raise NotFound(_("There is no alarm %(number)s.") % {"number": alarm_id})
    return found


def list_to_look_into(viewer: Viewer) -> list[Alarm]:
    """Alarms in the viewer's sight that nobody has decided and nobody else looks into."""
    if not viewer.may("report.view"):
        return []
    alarms = Alarm.objects.filter(watched__in=_seen(viewer), state__in=UNDECIDED).filter(Q(assignee=None) | Q(assignee_id=viewer.user_id))
    return list(alarms.select_related("watched", "watched__team").order_by("-start", "-pk")[:SHOWN])


def list_expected() -> dict[int, list[tuple[date, date]]]:
    """First and last days of alarms that were expected, by watched figure: no baseline is learnt from them."""
    found: dict[int, list[tuple[date, date]]] = defaultdict(list)
    for watched_id, start, end in Alarm.objects.filter(state=Alarm.State.EXPECTED).values_list("watched_id", "start", "end"):
        found[watched_id].append((start, end))
    return found


def find_span(alarm: Alarm) -> dict[str, Any] | None:
    """The hours of an alarm that was raised on its own day; None of those that whole periods raised."""
    span = alarm.watched.chart.get("hours", {}).get("spans", {}).get(alarm.start.isoformat())
    return span and {**span, **{name: timezone.localtime(datetime.fromisoformat(span[name])) for name in ("since", "until")}}


def list_notes(watched: Watched) -> list[Alarm]:
    """What people said of the figure's alarms, to stand beside its periods."""
    return list(watched.alarms.exclude(state__in=UNDECIDED).order_by("start"))


def find_setting() -> WatchSetting:
    """The setting, stored or not."""
    return WatchSetting.objects.filter(pk=1).first() or WatchSetting(pk=1)


def share_of_promise() -> float:
    """False alarms a quarter that each judged series may raise: all share the promise equally, hours count beside their days."""
    figures = list(Watched.objects.filter(until=None).values_list("measure", "period"))
    return find_setting().false_alarms / max(len(figures) + figures.count((MEASURE, Watched.Period.DAY)), 1)


def _seen(viewer: Viewer) -> QuerySet[Watched]:
    if viewer.team_ids is None:
        return Watched.objects.all()
    condition = Q(team_id__in=viewer.team_ids)
    if not Team.objects.exclude(pk__in=viewer.team_ids).exists():
        condition |= Q(team=None)
    return Watched.objects.filter(condition)


def _kept(viewer: Viewer, setting: WatchSetting, today: date) -> Kept:
    """Quarters are those of the house, not of each figure: the promise is for all together."""
    seen = _seen(viewer)
    since = min(seen.values_list("since", flat=True), default=today)
    quarters = max((today - since).days, 0) / QUARTER_DAYS
    found = Alarm.objects.filter(watched__in=seen).aggregate(
        nothing=Count("pk", filter=Q(state=Alarm.State.NOTHING)),
        undecided=Count("pk", filter=Q(state__in=UNDECIDED)),
        total=Count("pk"),
    )
    measured = rate_of_alarms(found["nothing"], quarters)
    return Kept(setting.false_alarms, measured, found["total"] - found["undecided"], found["undecided"], quarters)
