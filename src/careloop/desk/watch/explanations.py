"""Explanations: computed for the house and each team with enough cases, stored, and shown to those who see what they are of."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Team
from careloop.desk.accounts.queries import actor_of, check_may, list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.models import Case
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.desk.measures.explaining import explain
from careloop.desk.measures.queries import find_moment
from careloop.desk.measures.working import PARTS
from careloop.desk.watch.models import Explanation, WatchSetting

RULED = ("slow", "waits")
ON_THE_WAY = {"states": ("states", "cases"), "open": ("states", "open_cases"), "steps": ("steps", "cases")}  # list and column of a part
MOST_WEIGHT = 10


def explain_house(*, now: datetime) -> int:
    """Explain the house and each team anew, each written by itself; returns how many. Nothing before the facts are counted once."""
    if find_moment(None) is None:
        return 0
    scopes: list[Any] = [None, *Team.objects.order_by("pk").values_list("pk", flat=True)]
    for team_id in scopes:
        explained = asdict(explain(now=now, team_id=team_id))
        model = explained.pop("model")
        with transaction.atomic():
            if team_id is not None and not Team.objects.filter(pk=team_id).exists():
                continue
            Explanation.objects.update_or_create(team_id=team_id, defaults={"parts": explained, "model": model, "made_at": now})
    return len(scopes)


def is_due(now: datetime) -> bool:
    """Whether facts are there and the house was not explained within a day."""
    return find_moment(None) is not None and not Explanation.objects.filter(team=None, made_at__gt=now - timedelta(days=1)).exists()


def scopes_of(viewer: Viewer) -> list[tuple[str, str]]:
    """What the viewer may see explained: the house (""), where all teams are in sight, and the teams by their numbers."""
    teams = list_teams(viewer)
    house = [("", _("The whole house"))] if _sees_all(viewer) else []
    return house + ([(str(team.pk), team.name) for team in teams] if len(teams) > 1 or not house else [])


def find_explanation(team_id: int | None, viewer: Viewer) -> Explanation | None:
    """The explanation of the house or a team; None before it was made, NotFound where it is out of sight."""
    check_may(viewer, "report.view")
    if (team_id is None and not _sees_all(viewer)) or (team_id is not None and not viewer.sees_team(team_id)):
        raise NotFound(_("There is no explanation of this for you."))
    found = Explanation.objects.filter(team=None) if team_id is None else Explanation.objects.filter(team_id=team_id)
    return found.first()


def weights_of(setting: WatchSetting) -> dict[str, float]:
    """What the parts of the communication score weigh."""
    return {name: float(getattr(setting, f"{name}_weight")) for name in PARTS}


def weigh_score(*, weights: dict[str, int], expected_version: int, viewer: Viewer, now: datetime) -> WatchSetting:
    """Let the parts of the communication score weigh 0 to 10, one of them more than 0."""
    check_may(viewer, "rule.edit")
    if set(weights) != set(PARTS) or not all(0 <= one <= MOST_WEIGHT for one in weights.values()) or not any(weights.values()):
        raise InvalidInput(_("Give each part a weight between 0 and 10, one of them above 0."), field="weights")
    with transaction.atomic():
        WatchSetting.objects.get_or_create(pk=1)
        held = WatchSetting.objects.select_for_update().get(pk=1)
        if held.version != expected_version:
            raise Conflict(_("Somebody else changed the settings of the watch in between; look at them and change them again."))
        for name, weight in weights.items():
            setattr(held, f"{name}_weight", weight)
        held.version += 1
        held.save()
        audit.record(
            actor=actor_of(viewer), action="watch.setting", object_type="watch", object_id=1, now=now, details={"weights": weights}
        )
    return held


def list_cases_on_the_way(team_id: int | None, part: str, place: int, viewer: Viewer) -> tuple[dict[str, Any], list[Case]]:
    """A state or a step of the way of cases, and the newest cases that were in it (open: are in it now) or took it."""
    found = find_explanation(team_id, viewer)
    listed, column = ON_THE_WAY.get(part, ("", ""))
    parts = found.parts["way"].get(listed, []) if found is not None else []
    if not 0 <= place < len(parts):
        raise NotFound(_("There is no such part of the way any more; go back and look again."))
    return parts[place], _newest(parts[place].get(column, []), viewer)  # none before they were computed anew


def list_slow_cases(team_id: int | None, part: str, place: int, viewer: Viewer) -> tuple[dict[str, Any], list[Case]]:
    """A rule of a part (slow or waits), and the newest of the cases that it was measured on."""
    found = find_explanation(team_id, viewer)
    rules = found.parts[part].get("rules", []) if found is not None and part in RULED else []
    if not 0 <= place < len(rules):
        raise NotFound(_("There is no such rule any more; go back and look again."))
    return rules[place], _newest(rules[place]["cases"], viewer)


def _newest(numbers: list[int], viewer: Viewer) -> list[Case]:
    cases = Case.objects.visible_to(viewer).filter(pk__in=numbers)
    return list(cases.select_related("customer", "assignee").order_by("-opened_at"))


def _sees_all(viewer: Viewer) -> bool:
    return viewer.team_ids is None or not Team.objects.exclude(pk__in=viewer.team_ids).exists()
