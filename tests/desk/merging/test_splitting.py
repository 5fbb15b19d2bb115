"""Splitting gives messages a case of their own; undo brings them back with what came since."""

from datetime import timedelta

import pytest

from careloop.desk.analysis.models import Reading
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.actions import reply
from careloop.desk.cases.models import Case, CaseEvent, Clock, Message
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.merging.actions import undo
from careloop.desk.merging.splitting import split_case
from careloop.desk.search.queries import matching

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def mixed(write, now, level, cast):
    """A case with two matters: a leak, then an invoice; the leak was answered in between."""
    number = write("热水器漏水", now).case_id
    reply(case_id=number, body="师傅明天上门。", viewer=cast.viewer(cast.agent), now=now + MINUTE)
    write("另外，发票抬头写错了", now + 2 * MINUTE)
    write("发票请重开", now + 3 * MINUTE)
    return Case.objects.get(pk=number)


@pytest.fixture
def split(cast, now):
    def do(case, *message_ids, viewer=None, version=None, **facts):
        case.refresh_from_db()
        given = {"expected_version": version or case.version, "viewer": viewer or cast.viewer(cast.agent), "now": now + HOUR}
        return split_case(case_id=case.pk, message_ids=message_ids, **given, **facts)

    return do


def ids_of(case):
    return list(case.messages.order_by("sent_at").values_list("pk", flat=True))


def test_chosen_messages_go_to_a_new_case_with_all_that_tells_of_them(mixed, split, now):
    chosen = ids_of(mixed)[2:]
    new = split(mixed, *chosen).into
    new.refresh_from_db()
    mixed.refresh_from_db()
    assert ids_of(new) == chosen
    assert {one.case_id for one in matching("发票")} == {new.pk}
    assert set(Reading.objects.filter(message__in=chosen).values_list("case", flat=True)) == {new.pk}
    assert set(CaseEvent.objects.filter(message__in=chosen).values_list("case", flat=True)) == {new.pk}
    assert (new.subject, new.status, new.customer_id, new.channel_id) == (
        "另外，发票抬头写错了",
        "OPEN",
        mixed.customer_id,
        mixed.channel_id,
    )
    assert (new.opened_at, new.last_message_at, new.snippet) == (now + 2 * MINUTE, now + 3 * MINUTE, "发票请重开")
    assert (mixed.last_message_at, mixed.snippet) == (now + MINUTE, "师傅明天上门。")
    assert Clock.objects.get(case=new, target="FIRST_RESPONSE").due_at == now + 2 * MINUTE + HOUR
    assert CaseEvent.objects.get(case=mixed, kind="SPLIT").after == {"into": new.pk, "messages": 2}
    assert AuditEntry.objects.order_by("-pk")[0].details["into"] == new.pk


def test_undo_brings_the_messages_back_and_the_new_number_leads_to_the_old_case(mixed, split, snapshot, write, cast, now):
    before = snapshot()
    made = split(mixed, *ids_of(mixed)[2:])
    undo(regrouping_id=made.pk, viewer=cast.viewer(cast.agent), now=now + 2 * HOUR)
    after = snapshot()
    assert {key: after[key] for key in before} == before
    assert {key[0] for key in after.keys() - before.keys()} == {"cases.Case", "cases.CaseEvent", "cases.Clock", "cases.ClockTick"}
    assert Case.objects.get(pk=made.into_id).status == "MERGED"
    assert write("再问发票", now + 3 * HOUR, case_id=made.into_id).case_id == mixed.pk


def test_what_came_to_the_new_case_goes_back_with_it(mixed, split, write, cast, now):
    viewer = cast.viewer(cast.agent)
    made = split(mixed, *ids_of(mixed)[2:])
    answer = reply(case_id=made.into_id, body="已重开发票。", viewer=viewer, now=now + 2 * HOUR)
    later = write("谢谢", now + 3 * HOUR, case_id=made.into_id)
    undo(regrouping_id=made.pk, viewer=viewer, now=now + 4 * HOUR)
    assert set(Message.objects.filter(pk__in=[answer.pk, later.message_id]).values_list("case", flat=True)) == {mixed.pk}
    mixed.refresh_from_db()
    assert (mixed.status, mixed.snippet, mixed.last_message_at) == ("OPEN", "谢谢", now + 3 * HOUR)


def test_refusals_change_nothing(mixed, split, write, snapshot, cast, now):
    everything = ids_of(mixed)
    foreign = write("别人的", now, who="zhao@example.com").message_id
    before = snapshot()
    outsider, analyst = cast.viewer(cast.outsider), cast.viewer(cast.analyst)
    for chosen, facts, refusal in (
        ([], {}, InvalidInput),
        (everything, {}, InvalidInput),
        ([foreign], {}, NotFound),
        (everything[2:], {"version": 1}, Conflict),
        (everything[2:], {"viewer": outsider}, NotFound),
        (everything[2:], {"viewer": analyst}, NotAllowed),
    ):
        with pytest.raises(refusal):
            split(mixed, *chosen, **facts)
    assert snapshot() == before
