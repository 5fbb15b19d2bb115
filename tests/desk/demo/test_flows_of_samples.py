"""Where the sample cases stand on the shipped flows."""

from types import SimpleNamespace

import pytest

from careloop.desk.cases.models import Approval, Case, CaseFlow
from careloop.desk.customers.rules import AddressValue
from careloop.desk.demo.flows import put_on_flows
from careloop.desk.flows.queries import flow_of
from careloop.desk.intake.actions import receive_message
from careloop.desk.notices.models import Notice

pytestmark = pytest.mark.django_db


def test_cases_stand_where_their_status_says_and_refunds_above_the_limit_wait_for_approval(cast, inbound, now):
    kinds = ("COMPLAINT", "REFUND", "CONSULTATION", "SUGGESTION", "PRAISE", "OTHER")
    for number, kind in enumerate(kinds * 3):
        status = ("OPEN", "WAITING", "RESOLVED")[number // len(kinds)]
        case = receive_message(
            inbound(external_id=f"m-{number}", addresses=(AddressValue("EMAIL", f"p{number}@example.com"),)), now=now
        ).case_id
        Case.objects.filter(pk=case).update(kind=kind, status=status)
    put_on_flows(SimpleNamespace(supervisor=cast.supervisor), now=now)
    rows = CaseFlow.objects.select_related("case", "flow_version__flow")
    assert rows.count() == 15
    for row in rows:
        state = flow_of(row.flow_version).find_state(row.state)
        assert row.flow_version.flow.kind == row.case.kind
        assert state.is_end == (row.case.status == "RESOLVED")
    asked = Approval.objects.get()
    assert (asked.case.kind, asked.asked_by, asked.amount, asked.state) == (
        "REFUND",
        cast.agent,
        {"minor": 128_000, "currency": "CNY"},
        "ASKED",
    )
    assert set(Notice.objects.values_list("user", flat=True)) == {cast.supervisor.pk, cast.owner.pk}
