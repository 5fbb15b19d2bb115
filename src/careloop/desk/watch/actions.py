"""Judging watched figures, and deciding what alarms were."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Team, User
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed
from careloop.desk.measures.queries import find_moment
from careloop.desk.measures.series import STEP, Drawn, check_watchable, judge_series, list_odd_days, read_series
from careloop.desk.watch.models import Alarm, Watched, WatchSetting
from careloop.desk.watch.queries import UNDECIDED, get_alarm, get_watched, list_expected, share_of_promise
from careloop.desk.watch.telling import tell

FIRST_SET = (("satisfied", "week"), ("opened", "day"), ("first_response", "day"), ("first_response_on_time", "day"), ("negative", "day"))
TOLD_BACK_DAYS = 7  # of alarms before watching began
MOST_WATCHED = 60
LEAST_PROMISE, MOST_PROMISE = 0.1, 12.0


@dataclass(frozen=True)
class NewWatched:
    """A figure that shall be watched."""

    measure: str
    period: str
    team_id: int | None = None
    category: str = ""


def judge_figures(*, now: datetime) -> int:
    """Draw the chart of each watched figure anew and open alarms for periods that were not judged before; returns how many.

    Each figure is written by itself: what was judged stays judged when a later figure fails.
    """
    if find_moment(None) is None:
        return 0  # nothing was counted yet
    today = timezone.localdate(now)
    _ensure_first_set(today)
    watched = list(Watched.objects.filter(until=None).order_by("pk"))
    promise, days, expected = share_of_promise(), list_odd_days(today), list_expected()
    n_opened = 0
    for one in watched:
        chosen = {name: value for name, value in (("team", one.team_id), ("category", one.category)) if value}
        series = read_series(one.measure, one.period, chosen, today)
        left_out = [start for start in series.starts if any(first <= start <= last for first, last in expected[one.pk])]
        drawn = judge_series(series, false_alarms=promise, days=days, left_out=left_out)
        n_opened += _store(one.pk, drawn, now)
    return n_opened


def add_watched(*, new: NewWatched, viewer: Viewer, now: datetime) -> Watched:
    """Watch a figure of the house, a team or a category from today on."""
    check_may(viewer, "rule.edit")
    check_watchable(new.measure, new.period)
    if new.team_id is None and viewer.team_ids is not None:
        raise NotAllowed(_("Figures of the whole house are watched by people who see all teams; choose one of your teams."))
    if new.team_id is not None and not (viewer.sees_team(new.team_id) and Team.objects.filter(pk=new.team_id).exists()):
        raise InvalidInput(_("There is no such team; choose one from the list."), field="team")
    with transaction.atomic():
        if Watched.objects.filter(until=None).count() >= MOST_WATCHED:
            raise InvalidInput(_("At most %(count)d figures are watched; remove one first.") % {"count": MOST_WATCHED}, field="measure")
        facts = {"measure": new.measure, "period": new.period, "team_id": new.team_id, "category": new.category[:80]}
        try:
            with transaction.atomic():
                made = Watched.objects.create(**facts, since=timezone.localdate(now))
        except IntegrityError:
            raise InvalidInput(_("This figure is watched already."), field="measure") from None
        audit.record(actor=actor_of(viewer), action="watch.add", object_type="watched", object_id=made.pk, now=now, details=facts)
    return made


def remove_watched(*, watched_id: int, viewer: Viewer, now: datetime) -> None:
    """Watch a figure no longer; its alarms stay."""
    check_may(viewer, "rule.edit")
    with transaction.atomic():
        found = get_watched(watched_id, viewer)
        Watched.objects.filter(pk=found.pk).update(until=timezone.localdate(now))
        details = {"measure": found.measure, "team_id": found.team_id, "category": found.category}
        audit.record(actor=actor_of(viewer), action="watch.remove", object_type="watched", object_id=found.pk, now=now, details=details)


def change_setting(*, false_alarms: float, mail_to: str, expected_version: int, viewer: Viewer, now: datetime) -> WatchSetting:
    """Promise another number of false alarms a quarter, and tell other addresses."""
    check_may(viewer, "rule.edit")
    if not LEAST_PROMISE <= false_alarms <= MOST_PROMISE:
        sentence = _("Promise between %(least)s and %(most)s false alarms a quarter.")
        raise InvalidInput(sentence % {"least": LEAST_PROMISE, "most": MOST_PROMISE}, field="false_alarms")
    addresses = read_addresses(mail_to)
    with transaction.atomic():
        WatchSetting.objects.get_or_create(pk=1)
        held = WatchSetting.objects.select_for_update().get(pk=1)
        if held.version != expected_version:
            raise Conflict(_("Somebody else changed the settings of the watch in between; look at them and change them again."))
        held.false_alarms, held.mail_to, held.version = false_alarms, ", ".join(addresses), held.version + 1
        held.save()
        details = {"false_alarms": false_alarms, "addresses": len(addresses)}
        audit.record(actor=actor_of(viewer), action="watch.setting", object_type="watch", object_id=1, now=now, details=details)
    return held


def decide_alarm(*, alarm_id: int, state: str, reason: str, expected_version: int, viewer: Viewer, now: datetime) -> Alarm:
    """Take an alarm, say what it was, or open it again.

    Saying needs a reason: “it was nothing” counts as a false alarm, and nothing is learnt any more from what was expected.
    """
    if state not in Alarm.State.values:
        raise InvalidInput(_("Say that you look into it, that there was something, or that it was nothing."), field="state")
    reason, is_said = " ".join(reason.replace("\0", "").split())[:300], state not in UNDECIDED
    if is_said and not reason:
        raise InvalidInput(_("Write in a few words what it was; it helps whoever reads this chart next."), field="reason")
    with transaction.atomic():
        found = get_alarm(alarm_id, viewer)
        held = Alarm.objects.select_for_update().get(pk=found.pk)
        if held.version != expected_version:
            raise Conflict(_("Somebody else decided this alarm in between; look at it again."))
        before, held.state, held.version = held.state, state, held.version + 1
        held.reason, held.decided_by_name = (reason, viewer.name) if is_said else ("", "")
        held.decided_at = now if is_said else None
        if state == Alarm.State.TAKEN:
            held.assignee = User.objects.filter(pk=viewer.user_id).first()
        held.save()
        details = {"before": before, "state": state, "reason": reason}
        audit.record(actor=actor_of(viewer), action="alarm.decide", object_type="alarm", object_id=held.pk, now=now, details=details)
    return held


def read_addresses(text: str) -> list[str]:
    """The addresses of a list with commas or blanks between them; InvalidInput names the first that is none."""
    found = list(dict.fromkeys(text.replace(",", " ").replace(";", " ").replace("，", " ").split()))
    for one in found:
        try:
            validate_email(one)
        except ValidationError:
            raise InvalidInput(_("“%(given)s” is no e-mail address.") % {"given": one}, field="mail_to") from None
    if len(", ".join(found)) > 400:
        raise InvalidInput(_("These are too many addresses; give a mailing list instead."), field="mail_to")
    return found


def _ensure_first_set(today: date) -> None:
    """A house that watches nothing and never did begins with the figures that every house has."""
    if not Watched.objects.exists():
        Watched.objects.bulk_create([Watched(measure=measure, period=period, since=today) for measure, period in FIRST_SET])


def _store(watched_id: int, drawn: Drawn, now: datetime) -> int:
    """Keep the chart, and open or go on with alarms, in one transaction."""
    with transaction.atomic():
        held = Watched.objects.select_for_update().filter(pk=watched_id, until=None).first()
        if held is None:
            return 0
        after = held.judged_until or held.since - timedelta(days=TOLD_BACK_DAYS + STEP[held.period])
        fresh = [point for point in drawn.points if point["alarm"] and date.fromisoformat(point["start"]) > after]
        opened = [alarm for point in fresh if (alarm := _open(held, point, now)) is not None]
        held.chart = {**held.chart, **drawn.to_json()}
        if drawn.points:
            held.judged_until = date.fromisoformat(drawn.points[-1]["start"])
        held.save(update_fields=["chart", "judged_until"])
        for alarm in opened:
            tell(alarm, now=now)
    return len(opened)


def _open(watched: Watched, point: dict[str, Any], now: datetime) -> Alarm | None:
    """The alarm of a point of the chart."""
    start = date.fromisoformat(str(point["start"]))
    numbers = {name: float(point[name]) for name in ("value", "expected", "low", "high")}
    facts = {"sign": str(point["alarm"]), "is_up": bool(point["is_up"]), "n": int(point["n"]), **numbers}
    return open_alarm(watched, start=start, end=start + timedelta(days=STEP[watched.period] - 1), facts=facts, now=now)


def open_alarm(watched: Watched, *, start: date, end: date, facts: dict[str, Any], now: datetime) -> Alarm | None:
    """The new alarm of a period; None when an open one in the same direction goes on, or the period alarmed before.

    What leaves its limits at once is told although a change that lasts is open: it is news.
    """
    undecided = Alarm.objects.select_for_update().filter(watched=watched, state__in=UNDECIDED, is_up=facts["is_up"])
    going_on = undecided.filter(sign=facts["sign"]).first() if facts["sign"] == Alarm.Sign.SINGLE else undecided.first()
    if going_on is not None:
        Alarm.objects.filter(pk=going_on.pk).update(end=max(end, going_on.end))
        return None
    alarm, is_new = Alarm.objects.get_or_create(watched=watched, start=start, defaults={**facts, "end": end, "opened_at": now})
    return alarm if is_new else None
