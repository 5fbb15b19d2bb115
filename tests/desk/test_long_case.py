"""A case with 5,000 messages: its page reads a bounded number of rows, older messages come on demand, and work on it goes on."""

from datetime import timedelta

import pytest

from careloop.desk.analysis.models import Reading
from careloop.desk.cases import actions
from careloop.desk.cases.arrivals import Arrival, receive
from careloop.desk.cases.models import Case, CaseEvent, Clock, ClockTick, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.kernel.slots import slot_of
from careloop.desk.merging.actions import merge_cases, undo
from careloop.desk.merging.splitting import split_case
from careloop.desk.sla.models import Calendar, ServiceLevel

pytestmark = pytest.mark.django_db
MESSAGES = 5_000
ROUNDS = 1_000
PAGE = {Message: 600, Reading: 400, CaseEvent: 600, Clock: 20, ClockTick: 20}


@pytest.fixture
def level(now):
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    minutes = {"first_response_minutes": 60, "next_response_minutes": 120, "resolution_minutes": 480}
    return ServiceLevel.objects.create(name="Standard", calendar=calendar, changed_at=now, **minutes)


@pytest.fixture
def long_case(cast, inbound, level, now) -> Case:
    """Five thousand messages with their readings and events, and a thousand rounds in which somebody was answered."""
    case = Case.objects.select_related("channel").get(pk=receive_message(inbound(), now=now).case_id)
    at = [now + timedelta(minutes=number) for number in range(1, MESSAGES)]
    text = "第 {} 条：包裹还没有到"
    messages = receive(
        [Arrival(case.channel, case.customer_id, "", text.format(n), "", moment, True, case.pk) for n, moment in enumerate(at)], at[-1]
    )
    facts = {"team_id": case.team_id, "channel_id": case.channel_id, "case_id": case.pk, "state": "DONE", "kind": "OTHER", "read_at": now}
    insert_rows([Reading(message_id=one.pk, slot=slot_of(now), **facts) for one in messages])
    ended = {"case_id": case.pk, "target": "NEXT_RESPONSE", "level": level, "calendar": level.calendar, "state": "MET"}
    clocks = insert_rows([Clock(round=number, target_seconds=7200, started_at=now, **ended) for number in range(10, ROUNDS + 10)])
    for kind, seconds in (("STARTED", 7200), ("MET", None)):
        insert_rows(
            [
                ClockTick(clock_id=one.pk, kind=kind, at=now, target_seconds=seconds, calendar_id=seconds and level.calendar_id)
                for one in clocks
            ]
        )
    return Case.objects.get(pk=case.pk)


@pytest.fixture
def read_rows(monkeypatch):
    """How many rows of each large table were made into objects, counted from here on."""
    from careloop.desk.kernel import rows

    counted = dict.fromkeys(PAGE, 0)
    made, found = {model: model.from_db.__func__ for model in PAGE}, rows.find_rows

    def counting(cls, *args):
        counted[cls] += 1
        return made[cls](cls, *args)

    def finding(model, *args, **facts):
        answer = found(model, *args, **facts)
        if model in counted:
            counted[model] += len(answer)
        return answer

    for model in PAGE:
        monkeypatch.setattr(model, "from_db", classmethod(counting))
    monkeypatch.setattr("careloop.desk.cases.clocks.find_rows", finding)
    return counted


def too_many(counted) -> dict[str, int]:
    """The tables of which more rows were read than a page holds; counting begins again."""
    found = {model.__name__: counted[model] for model in PAGE if counted[model] > PAGE[model]}
    counted.update(dict.fromkeys(counted, 0))
    return found


def test_pages_of_the_case_read_a_page_of_rows(client, cast, long_case, read_rows, django_assert_max_num_queries):
    client.force_login(cast.agent)
    with django_assert_max_num_queries(25):
        page = client.get(f"/cases/{long_case.pk}/")
    assert (page.context["earlier"], too_many(read_rows)) == (MESSAGES - 200, {})
    with django_assert_max_num_queries(12):
        earlier = client.get(f"/cases/{long_case.pk}/earlier/?before={page.context['first_message_id']}")
    assert ([entry.message.body for entry in earlier.context["entries"]][-1], too_many(read_rows)) == ("第 4798 条：包裹还没有到", {})
    for part in ("parts/", "grouping/", "split/", "similar/"):
        assert (part, client.get(f"/cases/{long_case.pk}/{part}").status_code, too_many(read_rows)) == (part, 200, {})
    with django_assert_max_num_queries(24):
        assert client.get(f"/customers/{long_case.customer_id}/").status_code == 200
    assert too_many(read_rows) == {}


def test_replies_and_arrivals_cost_no_more_than_in_a_short_case(client, cast, inbound, long_case, read_rows, now):
    agent, at = cast.viewer(cast.agent), now + timedelta(days=5)
    actions.reply(case_id=long_case.pk, body="今天补发", viewer=agent, now=at)
    receive_message(inbound(external_id="m-2", text="还没有到"), now=at + timedelta(hours=1))
    assert too_many(read_rows) == {}
    assert Clock.objects.get(case=long_case, target="NEXT_RESPONSE", state="RUNNING").round == ROUNDS + 10
    client.force_login(cast.agent)
    assert client.post(f"/cases/{long_case.pk}/note/", {"body": "已催"}, headers={"HX-Request": "true"}).status_code == 200
    assert too_many(read_rows) == {}


def test_it_is_found_merged_split_and_brought_back(client, cast, inbound, long_case, now):
    from careloop.desk.customers.rules import AddressValue

    client.force_login(cast.agent)
    assert f'id="row-{long_case.pk}"' in client.get("/?view=all&q=第 4321 条").content.decode()
    agent, at = cast.viewer(cast.agent), now + timedelta(days=5)
    who = (AddressValue("EMAIL", "zhao@example.com"),)
    other = receive_message(inbound(external_id="m-3", text="同一件事", addresses=who), now=at).case_id
    versions = dict(Case.objects.values_list("pk", "version"))
    made = merge_cases(source_ids=[long_case.pk], into_id=other, expected_versions=versions, viewer=agent, now=at)
    assert Message.objects.filter(case_id=other).count() == MESSAGES + 1
    undo(regrouping_id=made.pk, viewer=agent, now=at)
    assert Message.objects.filter(case=long_case).count() == MESSAGES
    half = list(long_case.messages.order_by("pk").values_list("pk", flat=True))[: MESSAGES // 2]
    version = Case.objects.get(pk=long_case.pk).version
    split = split_case(case_id=long_case.pk, message_ids=half, expected_version=version, viewer=agent, now=at)
    assert (Message.objects.filter(case=split.into).count(), long_case.messages.count()) == (MESSAGES // 2, MESSAGES // 2)
    undo(regrouping_id=split.pk, viewer=agent, now=at)
    assert long_case.messages.count() == MESSAGES
