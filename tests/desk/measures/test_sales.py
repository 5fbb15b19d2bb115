"""Sales before and after a case, and who bought again, against a slow count; as it was believed at the time."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases.models import Case
from careloop.desk.customers.models import Customer
from careloop.desk.measures.actions import refresh
from careloop.desk.measures.entering import Entrants
from careloop.desk.measures.reading import Question
from careloop.desk.measures.retention import measure_retention
from careloop.desk.measures.sales import measure_sales
from careloop.desk.purchases.models import Purchase

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
WITHIN = 30


@pytest.fixture
def buyer(cast, now):
    """Stores a customer with a case some days ago and purchases, (days ago, minor units[, currency]); returns the entrant."""

    def store(kind, days, *purchases, team=None):
        customer = Customer.objects.create(name="K", created_at=now, last_seen_at=now)
        at = now - days * DAY
        facts = {"team": cast.team, "channel": cast.channel, "subject": "s", "status": "OPEN", "opened_at": at, "last_message_at": at}
        case = Case.objects.create(customer=customer, kind=kind, **facts)
        Purchase.objects.bulk_create(
            Purchase(
                customer=customer, team=team or cast.team, order_number=f"{customer.pk}-{place}", bought_at=now - ago * DAY,
                amount_minor=minor, currency=rest[0] if rest else "CNY", received_at=now - 300 * DAY,
            )
            for place, (ago, minor, *rest) in enumerate(purchases)
        )  # fmt: skip
        return case.pk, customer.pk, int(at.timestamp()), kind == "COMPLAINT"

    return store


def entrants(*people):
    """Columns of what `buyer` gives; when they came again does not matter here."""
    columns = [np.array(column) for column in zip(*people, strict=True)] or [np.empty(0, dtype=np.int64)] * 4
    nothing = np.zeros((3, len(people)))
    return Entrants(*columns[:3], columns[3].astype(bool), nothing, nothing > 0, nothing[0], nothing[0], nothing[0] > 0)


def test_sales_of_both_sides_and_the_difference_of_their_changes(cast, buyer, now):
    buyer("CONSULTATION", 100, (250, 1))  # purchases are known from 250 days ago on
    buyer("COMPLAINT", 100, (110, 10_000), (105, 5_000), (90, 3_000))
    buyer("COMPLAINT", 100, (101, 4_000))
    buyer("CONSULTATION", 100, (110, 2_000), (80, 6_000), (75, 1_000), (60, 9_000))
    buyer("PRAISE", 100, (70, 8_000))  # bought nothing before: no buyer
    refresh(now=now)
    found = measure_retention(Question(("opened",), since=(now - 200 * DAY).date()), WITHIN, viewer_of(cast.owner)).sales
    assert (found.currency, found.n_elsewhere) == ("CNY", 0)
    first, second = found.complained.spent, found.others.spent
    assert (first.n, first.before, first.after, first.change) == (2, 9_500, 1_500, -8_000)
    assert (second.n, second.before, second.after, second.change) == (2, 1_000, 3_500, 2_500)
    assert found.difference[0] == -10_500 and found.difference[1] < -10_500 < found.difference[2]
    assert (found.complained.rates["bought_again"].value, found.others.rates["bought_again"].value) == (0.5, 0.5)
    assert found.others.rates["bought_repeatedly"].value == 0.5
    assert found.complained.rates["bought_nothing"].value == 0.5


def test_without_any_purchase_nothing_is_told(cast, buyer, now):
    buyer("COMPLAINT", 100)
    refresh(now=now)
    assert measure_retention(Question(("opened",)), WITHIN, viewer_of(cast.owner)).sales is None


def test_purchases_of_other_teams_are_out_of_sight_and_other_currencies_in_no_sum(cast, buyer, now):
    person = buyer("COMPLAINT", 100, (160, 1), (110, 5), (105, 700, "USD"), (101, 100))
    other = buyer("COMPLAINT", 100, (160, 1), (110, 5), team=cast.other_team)
    found = measure_sales(entrants(person, other), entrants(), {}, WITHIN, viewer_of(cast.agent), now)
    assert (found.currency, found.n_elsewhere, found.complained.n, found.complained.spent.before) == ("CNY", 1, 1, 105)


def test_a_correction_leaves_what_was_shown_before_as_it_was(cast, buyer, now):
    person = buyer("COMPLAINT", 100, (160, 1), (110, 500))
    row = Purchase.objects.get(amount_minor=500)
    row.replaced_at = now
    row.save(update_fields=["replaced_at"])
    row.pk, row.amount_minor, row.received_at, row.replaced_at = None, 900, now, None
    row.save(force_insert=True)
    seen = [
        measure_sales(entrants(person), entrants(), {}, WITHIN, viewer_of(cast.owner), at).complained.spent.before
        for at in (now - DAY, now)
    ]
    assert seen == [500, 900]


DAYS = st.integers(0, 200)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(st.tuples(st.booleans(), DAYS, st.lists(st.tuples(DAYS, st.integers(0, 900)), max_size=6)), min_size=1, max_size=6))
def test_sums_equal_a_slow_count(cast, buyer, now, people):
    Purchase.objects.all().delete()
    entered = [buyer("COMPLAINT" if has_complained else "PRAISE", days, *bought) for has_complained, days, bought in people]
    complained, others = ([one for one in entered if one[3] is wanted] for wanted in (True, False))
    found = measure_sales(entrants(*complained), entrants(*others), {}, WITHIN, viewer_of(cast.owner), now)
    everything = [ago for _complained, _days, bought in people for ago, _minor in bought]
    if not everything:
        assert found is None
        return
    first = max(everything)
    for side, buyers in ((True, found.complained), (False, found.others)):
        seen = [
            (
                sum(minor for ago, minor in bought if days <= ago < days + WITHIN),
                sum(minor for ago, minor in bought if days - WITHIN <= ago < days),
            )
            for has_complained, days, bought in people
            if has_complained is side and WITHIN <= days <= first - WITHIN and any(ago >= days for ago, _minor in bought)
        ]
        assert buyers.spent.n == len(seen)
        if seen:
            assert buyers.spent.before == pytest.approx(sum(before for before, _after in seen) / len(seen))
            assert buyers.spent.after == pytest.approx(sum(after for _before, after in seen) / len(seen))
