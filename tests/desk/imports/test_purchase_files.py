"""Files of purchases: one order a row, each stored once, what cannot be read refused with its reason."""

import csv
import io

import pytest

from careloop.desk.customers.models import Customer
from careloop.desk.imports import actions
from careloop.desk.imports.models import State
from careloop.desk.imports.purchase_rows import currency_of
from careloop.desk.imports.rules import check_choices, suggested_choices
from careloop.desk.purchases.models import Purchase
from careloop.insight.tables import PlanError, suggest_mapping

pytestmark = pytest.mark.django_db
COLUMNS = {"订单号": "external_id", "下单时间": "sent_at", "实付": "amount", "商品": "product", "手机": "phone", "姓名": "customer_name"}
HEAD = ",".join(COLUMNS) + "\n"


def stored():
    return list(Purchase.objects.filter(replaced_at=None).order_by("order_number").values_list("order_number", "amount_minor", "currency"))


def test_a_file_is_stored_once_and_corrected_by_the_next(brought_in):
    first = HEAD + 'A1,2026-04-01 10:00,"¥1,299.50",热水器；安装,13800138000,林晓彤\nA2,2026-04-02 11:00,20 USD,,13800138000,林晓彤\n'
    run = brought_in(first, COLUMNS, what="PURCHASES")
    assert (run.state, run.counts["added"], run.counts["known"]) == (State.DONE, 2, 0)
    assert stored() == [("A1", 129_950, "CNY"), ("A2", 2_000, "USD")]
    assert Purchase.objects.get(order_number="A1").products == ["热水器", "安装"]
    assert [one.name for one in Customer.objects.all()] == ["林晓彤"]
    again = brought_in(first.replace("1,299.50", "999"), COLUMNS, what="PURCHASES")
    assert (again.counts["added"], again.counts["known"]) == (1, 1)
    assert stored() == [("A1", 99_900, "CNY"), ("A2", 2_000, "USD")]


def test_rows_that_are_no_purchase_are_refused_with_their_reason(brought_in, cast, now):
    content = HEAD + (
        "A1,2026-04-01 10:00,12,,13800138000,\n"
        "A1,2026-04-01 10:00,13,,13800138000,\n"
        "A2,2026-04-01 10:00,much,,13800138000,\n"
        "A3,2026-04-01 10:00,,,13800138000,\n"
        "A4,2027-04-01 10:00,12,,13800138000,\n"
        "A5,2026-04-01 10:00,12,,,\n"
        ",2026-04-01 10:00,12,,13800138000,\n"
    )
    run = brought_in(content, COLUMNS, what="PURCHASES")
    assert (run.counts["added"], run.counts["rejected"], stored()) == (1, 6, [("A1", 1_200, "CNY")])
    assert run.report["rejected"] == {"DUPLICATE": 1, "AMOUNT_REFUSED": 1, "MISSING": 2, "TIME_REFUSED": 1, "NO_ADDRESS": 1}
    _, path = actions.open_rejects(run_id=run.pk, viewer=cast.viewer(cast.supervisor), now=now)
    reasons = [row["reason"] for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))]
    assert reasons[1] == "Row 3 (line 4), column “实付”: “much” is no amount in a currency that is known."


def test_the_header_proposes_what_each_column_is():
    row = {"id": "1", "order_no": "A1", "date": "2026-04-01", "total": "12.50", "item": "kettle", "email": "a@b.example", "comment": "x"}
    found = suggested_choices(suggest_mapping(list(row), [row]), "PURCHASES", time_zone="UTC")
    assert {one.column: (one.field, one.missing) for one in found.columns} == {
        "order_no": ("external_id", "DROP"), "date": ("sent_at", "DROP"), "total": ("amount", "DROP"), "item": ("product", "KEEP"),
        "email": ("email", "KEEP"),
    }  # fmt: skip
    check_choices(found, "PURCHASES")


@pytest.mark.parametrize("missing", ["订单号", "下单时间", "实付", "手机"])
def test_a_purchase_without_one_of_its_parts_is_refused_before_any_row(choices_of, missing):
    with pytest.raises(PlanError, match="Purchases need an order number, a time, an amount"):
        check_choices(choices_of({column: field for column, field in COLUMNS.items() if column != missing}), "PURCHASES")


def test_reviews_have_no_amount(choices_of):
    with pytest.raises(PlanError, match="“amount” is no field"):
        check_choices(choices_of({"t": "text", "a": "amount"}), "FEEDBACK")


@pytest.mark.parametrize(("region", "currency"), [("CN", "CNY"), ("US", "USD"), ("JP", "JPY"), ("DE", "EUR"), ("??", "")])
def test_amounts_without_currency_are_in_the_money_of_the_country(region, currency):
    assert currency_of(region) == currency
