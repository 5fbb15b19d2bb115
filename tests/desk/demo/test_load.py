"""The sample house in the tables: rows as the front door and the case actions write them, events that replay to the same end."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.analysis import actions as analysis
from careloop.desk.analysis.models import Correction, Reading
from careloop.desk.audit.models import AuditEntry
from careloop.desk.audit.queries import verify_chain
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.rules import AddressValue
from careloop.desk.demo import actions, books, conversations, reviews
from careloop.desk.demo.people import draw_people
from careloop.desk.demo.playing import deliver, new_people, play, read_all
from careloop.desk.demo.staff import found_house
from careloop.desk.feedback.models import Feedback
from careloop.desk.intake.actions import receive_message
from careloop.desk.intake.models import RawPayload
from careloop.desk.intake.rules import Inbound
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import Conflict
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.outbox.delivery import deliver as send
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.search.models import SearchDocument
from careloop.desk.search.queries import matching

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_house(monkeypatch, settings, tmp_path):
    """A twentieth of the conversations and reviews; sign-ins in a folder of the test's own."""
    monkeypatch.setattr(conversations, "CONVERSATIONS", 110)
    monkeypatch.setattr(conversations, "WAVES", ())
    monkeypatch.setattr(reviews, "REVIEWS", 40)
    monkeypatch.setattr(reviews, "WAVE_REVIEWS", 5)
    settings.DATA_DIR = tmp_path


def replayed(case: Case) -> dict[str, object]:
    """A case as its events tell it, from nothing."""
    facts: dict[str, object] = {"priority": 20, "assignee_id": None, "first_response_at": None, "resolved_at": None, "version": 0}
    for event in case.events.order_by("id"):
        for name, before in event.before.items():
            known = facts.get({"assignee": "assignee_id"}.get(name, name))
            if event.kind != "DELIVERY" and name != "resolved_at" and name in {"status", "priority", "assignee", "assignee_id"}:
                assert known == before, (case.pk, event.kind, name)
        facts["version"] = int(facts["version"]) + (event.kind != "DELIVERY")
        after = {{"assignee": "assignee_id"}.get(name, name): value for name, value in event.after.items()}
        if event.kind in {"OPENED", "RECEIVED"}:
            after["resolved_at"] = None
        if event.kind == "REPLIED":
            facts["first_response_at"] = facts["first_response_at"] or event.at
            after["resolved_at"] = event.at if after["status"] == "RESOLVED" else None
        if isinstance(after.get("resolved_at"), str):
            after["resolved_at"] = datetime.fromisoformat(after["resolved_at"])
        if event.kind not in {"DELIVERY", "TASK", "TAGGED", "SURVEY"}:
            facts |= after
    return facts


def test_every_case_is_what_its_events_say(now):
    actions.load_samples(now=now)
    assert Case.objects.count() >= 100
    for case in Case.objects.all():
        told = replayed(case)
        assert {name: getattr(case, name) for name in told} == told


def test_everything_is_there_at_first_sight(now, mailoutbox):
    seen = []
    sign_ins = actions.load_samples(now=now, progress=lambda done, of: seen.append((done, of)))
    inbound = Message.objects.filter(direction="INBOUND").count()
    assert seen[-1] == (inbound, inbound)
    assert Reading.objects.filter(state="DONE").count() == RawPayload.objects.count() == inbound
    assert Feedback.objects.filter(source="REVIEW").count() == 45
    assert SearchDocument.objects.filter(subject="MESSAGE").count() == Message.objects.count()
    assert OutboxItem.objects.filter(sent_at=None).count() == 0
    waiting = [
        "careloop.desk.analysis.tasks.describe",
        "careloop.desk.solutions.tasks.keep_vectors",
        "careloop.desk.analysis.topic_tasks.find_topics",
        "careloop.desk.watch.tasks.judge_figures",
        "careloop.desk.watch.tasks.explain_cases",
    ]
    assert (list(Job.objects.order_by("pk").values_list("task", flat=True)), mailoutbox) == (waiting, [])
    assert Correction.objects.count() == CaseEvent.objects.filter(kind="CORRECTED").count() == 27
    assert verify_chain().broken_at is None
    assert AuditEntry.objects.filter(action="case.reply").count() == Message.objects.filter(direction="OUTBOUND").count()
    assert [role for role, _, _ in sign_ins] == ["Owner", "Supervisor", "Agent", "Analyst"]
    assert actions.list_sign_ins() == sign_ins
    assert all(User.objects.get(email=email).check_password(password) for _, email, password in sign_ins)
    assert matching("退款").exists() and matching("refund").exists()


def test_customers_keep_several_addresses_and_messages_join_one_case_each(now):
    actions.load_samples(now=now)
    kinds = Counter(tuple(sorted(customer.addresses.values_list("kind", flat=True))) for customer in Customer.objects.all())
    assert set(kinds) == {("EMAIL",), ("PHONE",), ("EMAIL", "PHONE")}
    assert Address.objects.count() == sum(len(kind) * count for kind, count in kinds.items())
    opened = CaseEvent.objects.filter(kind="OPENED").values_list("case_id", flat=True)
    assert sorted(opened) == sorted(Case.objects.values_list("pk", flat=True))


def test_a_second_load_is_refused_and_changes_nothing(now):
    actions.load_samples(now=now)
    before = (Message.objects.count(), User.objects.count())
    with pytest.raises(Conflict, match=r"empty desk only; this one holds 12 people, 3 teams"):
        actions.load_samples(now=now)
    assert (Message.objects.count(), User.objects.count()) == before


def test_an_interrupted_load_leaves_the_desk_empty(now):
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        actions.load_samples(now=now, progress=stop)
    actions.check_empty()
    assert actions.list_sign_ins() == []
    assert AuditEntry.objects.count() == 0


def test_sign_ins_of_accounts_that_were_taken_away_are_not_shown(now):
    actions.load_samples(now=now)
    User.objects.filter(role="ANALYST").update(is_active=False)
    assert [role for role, _, _ in actions.list_sign_ins()] == ["Owner", "Supervisor", "Agent"]


def rows() -> dict[str, list[tuple[object, ...]]]:
    """What both ways of writing must agree on; numbers are replaced by places in the order of time."""
    case_place = {pk: place for place, pk in enumerate(Case.objects.order_by("opened_at").values_list("pk", flat=True))}
    message_place = {pk: place for place, pk in enumerate(Message.objects.order_by("sent_at", "pk").values_list("pk", flat=True))}
    hidden = {"id", "customer"}

    def facts(row):
        return tuple(getattr(row, field.attname) for field in row._meta.fields if field.name not in hidden)

    return {
        "cases": [(case.customer.name, *facts(case)) for case in Case.objects.order_by("opened_at").select_related("customer")],
        "messages": [
            (case_place[one.case_id], one.direction, one.body, one.author_id, one.sent_at, one.received_at, one.delivery, one.team_id)
            for one in Message.objects.order_by("sent_at", "pk")
        ],
        "events": [
            (
                case_place[one.case_id],
                one.kind,
                one.at,
                one.actor_kind,
                one.actor_name,
                message_place.get(one.message_id),
                one.before,
                one.after,
            )
            for one in CaseEvent.objects.order_by("at", "pk")
        ],
        "readings": [(one.message.body, one.slot, one.kind, one.sentiment, one.read_at) for one in Reading.objects.order_by("read_at")],
        "audit": [
            (one.at, one.actor_id, one.action, case_place[one.object_id], message_place.get(one.details.get("message")))
            for one in AuditEntry.objects.filter(object_type="case").order_by("at", "pk")
        ],
        "customers": [
            (one.name, one.language, one.created_at, one.last_seen_at, one.version, sorted(one.teams.values_list("pk", flat=True)))
            for one in Customer.objects.order_by("name")
        ],
        "addresses": sorted(
            (one.customer.name, one.kind, one.value, one.value_index) for one in Address.objects.select_related("customer")
        ),
        "search": sorted(SearchDocument.objects.values_list("subject", "tokens")),
        "outbox": [(message_place[one.message_id], one.sent_at is None) for one in OutboxItem.objects.order_by("message__sent_at")],
    }


def test_the_bulk_rows_are_those_of_the_front_door_and_the_case_actions(now, monkeypatch):
    monkeypatch.setattr(conversations, "CONVERSATIONS", 14)
    rng = random.Random(3)
    house = found_house(password="correct horse battery", now=now - timedelta(days=100))
    people = draw_people(rng, 40)
    names = {trade: [agent.display_name for agent in agents] for trade, agents in house.agents.items()}
    planned = conversations.plan_conversations(people, names, now=now, zone=ZoneInfo("UTC"), rng=rng)
    with transaction.atomic():
        made = new_people(house, planned, [])
        books.write_customers(list(made.values()))
        mail = deliver(house, made, planned, [])
        list(read_all(mail.everything()))
        books.write_ledger(play(house, planned, mail), mail.everything())
        Customer.objects.update(company="")
        in_bulk = rows()
        transaction.set_rollback(True)
    one_by_one(house, planned)
    written = rows()
    assert {name: written[name] for name in written} == {name: in_bulk[name] for name in written}
    assert len(written["events"]) > 80


def one_by_one(house, planned):
    """Play the plan through the front door and the case actions, each with the clock of its moment."""
    numbers = {}
    steps = sorted((move.at, number, place) for number, one in enumerate(planned) for place, move in enumerate(one.moves))
    for moment, number, place in steps:
        one, at = planned[number], moment.astimezone(UTC)
        move = one.moves[place]
        if move.verb == "write":
            numbers[number] = receive(house, one, move, f"{number}-{place}", at)
            continue
        author = house.supervisor if move.agent == -1 else house.agents[one.scenario.trade][move.agent]
        given = {"case_id": numbers[number], "viewer": viewer_of(author), "now": at}
        version = Case.objects.get(pk=numbers[number]).version
        if move.verb == "reply":
            message = reply_to_case(body=move.text, status=move.value, **given)
            send(OutboxItem.objects.get(message=message).pk, now=at + timedelta(seconds=3))
        elif move.verb == "note":
            cases.add_note(body=move.text, **given)
        elif move.verb == "assign":
            cases.assign(assignee_id=house.agents[one.scenario.trade][move.value].pk, expected_version=version, **given)
        elif move.verb == "prioritise":
            cases.set_priority(priority=move.value, expected_version=version, **given)
        else:
            cases.set_status(status=move.value, expected_version=version, **given)


def receive(house, one, move, external_id, at):
    """One delivery with all of the sender's addresses, then its reading two seconds later."""
    person = one.person
    pairs = [(kind, value) for kind, value in (("EMAIL", person.email), ("PHONE", person.phone)) if value]
    receipt = receive_message(
        Inbound(
            channel_slug=house.channels[one.scenario.trade, one.channel].slug,
            external_id=external_id,
            text=move.text,
            raw=b"{}",
            sent_at=at,
            subject=one.subject,
            sender_name=person.name,
            language="en" if person.language == "en" else "zh-Hans",
            addresses=tuple(AddressValue(kind, value) for kind, value in pairs),
        ),
        now=at,
    )
    analysis.understand([receipt.message_id], now=at + timedelta(seconds=2))
    return receipt.case_id
