"""Builds solutions of the first team's library."""

import pytest

from careloop.desk.solutions.actions import Facts, Wording
from careloop.desk.solutions.queueing import save_solution

INVOICE = {
    "zh": Wording(
        "补开发票", "在订单页申请补开发票，电子发票当天发到邮箱。", "{{customer.name}}，电子发票今天会发到您的邮箱，工单 {{case.number}}。"
    ),
    "en": Wording("Ask for an invoice", "Ask for an invoice on the order's page.", "Your invoice is sent to your mailbox today."),
}
LEAK = {
    "zh": Wording("热水器漏水", "先断电关阀，再约上门检修或退款。", "请先断电并关闭进水阀，我们今天安排师傅上门。"),
    "en": Wording("The water heater leaks", "Switch it off, close the valve, book a visit.", "Please switch it off and close the valve."),
}


@pytest.fixture
def write(cast, now):
    """Saves a published solution of the house as the supervisor."""

    def write(texts, *, who="supervisor", at=now, **facts):
        given = {"status": "PUBLISHED", "team_id": None}
        return save_solution(facts=Facts(texts, **{**given, **facts}), viewer=cast.viewer(getattr(cast, who)), now=at)

    return write


@pytest.fixture
def invoice(write):
    return write(INVOICE, categories=("invoice",))


@pytest.fixture
def leak(write):
    return write(LEAK)
