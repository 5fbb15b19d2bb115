"""Two people take or approve the same step, in every order of looking and acting and at the same moment: exactly one wins."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from threading import Barrier

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as with_examples
from hypothesis import strategies as st

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases import actions, moves
from careloop.desk.cases.models import Approval, Case, CaseEvent, CaseFlow, Decision
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput

TURNS = sorted(set(permutations(("Sun", "Sun", "Olga", "Olga"))))  # each looks at their first turn and acts at their second


@pytest.fixture
def asked(cast, inbound, now) -> Approval:
    """Chen asked for a refund of 600.00."""
    ensure_shipped(now=now)
    case = receive_message(inbound(), now=now).case_id
    actions.triage(readings={case: {"kind": "REFUND", "kind_probability": 0.9}}, now=now)
    facts = {"case_id": case, "viewer": viewer_of(cast.agent), "now": now}
    moved = moves.move(transition="CHECK", expected_version=Case.objects.get(pk=case).version, entered={"ORDER": "1"}, **facts)
    return moves.ask_approval(transition="AGREE", expected_version=moved.version, entered={"AMOUNT": "600"}, **facts)


def take(asked, who, version, now) -> None:
    moves.move(case_id=asked.case_id, transition="AGREE", expected_version=version, viewer=viewer_of(who), now=now)


def approve(asked, who, version, now) -> None:
    moves.decide(approval_id=asked.pk, is_yes=True, viewer=viewer_of(who), now=now, expected_version=version)


def seen(asked) -> int:
    return Case.objects.get(pk=asked.case_id).version


def outcome(act, *given) -> str:
    try:
        act(*given)
    except Conflict:
        return "conflict"
    except InvalidInput:
        return "not possible"
    except DeskError as other:
        return other.code
    return "done"


def check_once(asked, act) -> None:
    """One decision and one event of it; one step and one event of it."""
    asked.refresh_from_db()
    taken = CaseEvent.objects.filter(kind="MOVED", after__step="AGREE").count()
    assert (asked.state, Decision.objects.count(), CaseEvent.objects.filter(kind="APPROVAL").count()) == ("GIVEN", 1, 2)
    assert (taken, CaseFlow.objects.get().state) == ((1, "PAYING") if act is take else (0, "CHECKING"))


@pytest.mark.django_db
@with_examples(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.sampled_from(TURNS), act=st.sampled_from((take, approve)))
def test_of_two_who_look_and_act_in_any_order_one_wins(asked, cast, now, turns, act):
    people = {"Sun": cast.supervisor, "Olga": cast.owner}
    with transaction.atomic():
        if act is take:
            approve(asked, cast.owner, seen(asked), now)
        versions, outcomes = {}, []
        for name in turns:
            if name in versions:
                outcomes.append(outcome(act, asked, people[name], versions[name], now))
            else:
                versions[name] = seen(asked)
        has_looked_too_late = turns[0] == turns[1]  # the second looked when the first was done
        told = {take: "not possible", approve: "conflict"}[act] if has_looked_too_late else "conflict"
        assert outcomes == ["done", told]
        check_once(asked, act)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [take, approve])
def test_of_two_in_the_same_moment_one_wins(asked, cast, now, act):
    if act is take:
        approve(asked, cast.owner, seen(asked), now)
    version, start = seen(asked), Barrier(2)

    def work(who) -> str:
        start.wait()
        try:
            return outcome(act, asked, who, version, now)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(work, (cast.supervisor, cast.owner)))
    assert sorted(outcomes) == ["conflict", "done"]
    check_once(asked, act)
