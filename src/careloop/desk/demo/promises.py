"""The house's working week and what it promises."""

from datetime import datetime

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases.clock_history import follow_history
from careloop.desk.cases.models import Case
from careloop.desk.cases.service_levels import pass_over_steps
from careloop.desk.demo.staff import House
from careloop.desk.sla.actions import save_calendar, save_level
from careloop.desk.sla.rules.facts import CalendarFacts, LevelFacts

WEEK = [[(9 * 60, 21 * 60)]] * 5 + [[(10 * 60, 18 * 60)]] * 2
STEPS = [
    ("FIRST_RESPONSE", -15, "NOTIFY_ASSIGNEE"),
    ("FIRST_RESPONSE", 30, "NOTIFY_SUPERVISORS"),
    ("RESOLUTION", -60, "NOTIFY_ASSIGNEE"),
    ("RESOLUTION", 0, "NOTIFY_SUPERVISORS"),
]


def make_promises(house: House, *, now: datetime) -> None:
    """One calendar with China's holidays, two levels, and the clocks of the cases that there are."""
    viewer = viewer_of(house.supervisor)
    calendar = save_calendar(facts=CalendarFacts("客服班次 · Service hours", "Asia/Shanghai", WEEK, "CN"), viewer=viewer, now=now)
    unhappy = {"kind": ["COMPLAINT", "REFUND"]}
    levels: tuple[tuple[str, dict[str, list[str]], dict[str, int], int], ...] = (
        ("投诉与退款 · Complaints and refunds", unhappy, {"FIRST_RESPONSE": 60, "NEXT_RESPONSE": 120, "RESOLUTION": 24 * 60}, 10),
        ("其他 · Everything else", {}, {"FIRST_RESPONSE": 4 * 60, "NEXT_RESPONSE": 6 * 60, "RESOLUTION": 48 * 60}, 20),
    )
    for name, conditions, targets, position in levels:
        facts = LevelFacts(name, calendar.pk, targets, conditions, STEPS, position=position)
        save_level(facts=facts, viewer=viewer, now=now)
    follow_history(Case.objects.exclude(channel__kind="FILE").order_by("pk").values_list("pk", flat=True))
    pass_over_steps(now)
