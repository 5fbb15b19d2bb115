"""Two comparisons of the house: a macro held back from half of the unhappy cases, and a team whose way of working changed a month ago."""

from datetime import datetime, timedelta

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.automation.models import Macro
from careloop.desk.cases.models import Case
from careloop.desk.demo.staff import House
from careloop.desk.experiments.actions import ArmFacts, ComparisonFacts, WindowFacts, make_comparison
from careloop.desk.experiments.models import Comparison, Exposure
from careloop.desk.experiments.rules import choose_arm, place_of
from careloop.desk.kernel.rows import insert_rows

SALT = "sample"
COMPARED_DAYS, CHANGED_DAYS, WINDOW_DAYS = 60, 28, 28


def compare_things(house: House, *, now: datetime) -> None:
    """Begun as the supervisor would have; the sample cases differ by chance alone, and the page says so."""
    viewer, begun = viewer_of(house.supervisor), now - timedelta(days=COMPARED_DAYS)
    macro = Macro.objects.filter(scope="ALL").order_by("-pk").first()
    if macro is not None:
        arms = (ArmFacts(macro.name, 0.5, macro.pk), ArmFacts("不用 · Without it", 0.5))
        facts = ComparisonFacts(
            "先安抚有用吗？ · Does calming help?", "RANDOMISED", "SATISFACTION", planned=400, subject="MACRO", arms=arms
        )  # fmt: skip
        made = make_comparison(facts=facts, viewer=viewer, now=begun)
        Comparison.objects.filter(pk=made.pk).update(salt=SALT)  # the same sample for everybody
        _expose(made.pk, begun, now)
    team = house.supervisor.teams.order_by("pk").first()
    if team is not None:
        changed_on = (now - timedelta(days=CHANGED_DAYS)).date()
        window = WindowFacts(by="team", value=str(team.pk), changed_on=changed_on, days=WINDOW_DAYS)
        later = ComparisonFacts("新排班 · New shifts", "BEFORE_AFTER", "RESOLUTION", window=window)
        make_comparison(facts=later, viewer=viewer, now=now)


def _expose(comparison_id: int, begun: datetime, now: datetime) -> None:
    comparison = Comparison.objects.prefetch_related("arms").get(pk=comparison_id)
    arms = list(comparison.arms.all())
    unhappy = Case.objects.filter(kind__in=("COMPLAINT", "REFUND"), opened_at__gte=begun, opened_at__lte=now).exclude(status="MERGED")
    rows = []
    for number, customer_id, opened_at in unhappy.order_by("opened_at", "pk").values_list("pk", "customer_id", "opened_at"):
        arm = arms[choose_arm([one.ratio for one in arms], place_of(comparison.salt, number))]
        facts = {"unit_id": number, "case_id": number, "first_case_id": number, "customer_id": customer_id, "at": opened_at}
        rows.append(Exposure(comparison=comparison, arm=arm, **facts))
    insert_rows(rows)
