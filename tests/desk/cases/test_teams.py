"""Giving a case to another team: everything goes along, nobody is left with a case that they may not see, nothing is lost."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db.models import ForeignKey

from careloop.desk.accounts.models import Team
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.analysis.models import Reading
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases import actions
from careloop.desk.cases.models import Approval, Case, CaseEvent, Clock, Message
from careloop.desk.cases.queries import access_case
from careloop.desk.cases.tasks import settle
from careloop.desk.cases.team_rows import STAYS, TABLES
from careloop.desk.cases.teams import give_to_team
from careloop.desk.customers.models import Customer
from careloop.desk.drafting.models import MachineText
from careloop.desk.feedback.models import Feedback
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.search.models import SearchDocument
from careloop.desk.sla.models import Calendar, ServiceLevel

pytestmark = pytest.mark.django_db
DEEPEST = 3


def has_team(model):
    return any(
        (isinstance(field, ForeignKey) and field.related_model is Team) or field.attname == "team_id"
        for field in model._meta.local_concrete_fields
    )


def leads_to_case(model, depth=DEEPEST):
    """Whether rows of a model belong to a case: by a column of their own, or by a row that does."""
    for field in model._meta.local_concrete_fields:
        if field.attname == "case_id":
            return True
        target = field.related_model if isinstance(field, ForeignKey) else None
        if target is Case or (target not in (None, model) and depth and leads_to_case(target, depth - 1)):
            return True
    return False


def test_every_table_of_a_case_that_has_a_team_follows_it_or_says_why_it_stays():
    found = {model._meta.label for model in apps.get_models() if model is not Case and has_team(model) and leads_to_case(model)}
    registered = {table.model for table in TABLES}
    assert found == registered | STAYS.keys()
    assert not registered & STAYS.keys()


@pytest.fixture
def case(cast, inbound, now):
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    strict = {"team": [cast.other_team.pk]}
    facts = {"calendar": calendar, "changed_at": now}
    ServiceLevel.objects.create(name="Wholesale", position=1, conditions=strict, first_response_minutes=15, **facts)
    ServiceLevel.objects.create(name="Standard", position=2, first_response_minutes=60, **facts)
    made = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    return actions.assign(case_id=made.pk, assignee_id=cast.agent.pk, expected_version=made.version, viewer=viewer_of(cast.agent), now=now)


def rows_of(case):
    return {
        table.model: set(apps.get_model(table.model).objects.filter(**{table.way: case.pk}).values_list(table.column, flat=True))
        for table in TABLES
    }


def state():
    return [list(model.objects.order_by("pk").values()) for model in (Case, Message, CaseEvent, AuditEntry, SearchDocument, Clock)]


def test_a_case_goes_to_another_team_with_all_that_it_has(cast, case, now):
    message = Message.objects.get(case=case)
    facts = {"team": cast.team, "message": message}
    Feedback.objects.create(**facts, rating=2)
    Reading.objects.create(**facts, channel=cast.channel, case=case, slot=0, state="DONE", read_at=now)
    MachineText.objects.create(case=case, team=cast.team, purpose="REPLY", asked_at=now, seen_message_id=message.pk)
    given = give_to_team(case_id=case.pk, team_id=cast.other_team.pk, expected_version=case.version, viewer=viewer_of(cast.agent), now=now)
    assert (given.team_id, given.assignee_id, given.version) == (cast.other_team.pk, None, case.version + 1)
    told = {one: teams for one, teams in rows_of(case).items() if teams}
    names = ("cases.Message", "cases.CaseEvent", "analysis.Reading", "feedback.Feedback", "search.SearchDocument", "drafting.MachineText")
    assert told == {name: {cast.other_team.pk} for name in names}
    event = CaseEvent.objects.get(kind="TEAM")
    assert event.before == {"team_id": cast.team.pk, "assignee_id": cast.agent.pk}
    assert event.after == {"team_id": cast.other_team.pk, "assignee_id": None}
    assert AuditEntry.objects.get(action="case.team").details == {"before": event.before, "after": event.after}
    assert set(Customer.objects.get().teams.all()) == {cast.team, cast.other_team}


def test_its_clocks_follow_what_the_new_team_promises(cast, case, now):
    assert Clock.objects.get(case=case).due_at == now + timedelta(minutes=60)
    give(cast.owner, case, cast.other_team, now + timedelta(minutes=5))
    clock = Clock.objects.get(case=case)
    assert (clock.level.name, clock.target_seconds, clock.due_at) == ("Wholesale", 900, now + timedelta(minutes=15))
    case.refresh_from_db()
    assert case.due_at == clock.due_at


def give(user, case, team, now):
    version = Case.objects.values_list("version", flat=True).get(pk=case.pk)
    return give_to_team(case_id=case.pk, team_id=team.pk, expected_version=version, viewer=viewer_of(user), now=now)


def test_whoever_works_in_the_new_team_too_keeps_the_case(cast, case, now):
    cast.agent.teams.add(cast.other_team)
    assert give(cast.agent, case, cast.other_team, now).assignee_id == cast.agent.pk


def test_the_team_that_has_it_already_changes_nothing(cast, case, now):
    before = state()
    give(cast.agent, case, cast.team, now)
    assert state() == before


def test_the_old_team_is_told_where_it_went_and_outsiders_learn_nothing(cast, case, now):
    before = state()
    with pytest.raises(NotFound, match="in your teams"):
        give(cast.outsider, case, cast.other_team, now)
    with pytest.raises(NotAllowed):
        give(cast.analyst, case, cast.other_team, now)
    assert state() == before
    give(cast.agent, case, cast.other_team, now)
    with pytest.raises(NotFound, match=f"Case #{case.pk} was given to the team Wholesale, whose cases you do not see."):
        access_case(case.pk, viewer_of(cast.agent))
    assert access_case(case.pk, viewer_of(cast.outsider)).pk == case.pk
    third = Team.objects.create(name="Third", created_at=now)
    cast.outsider.teams.set([third])
    with pytest.raises(NotFound, match="in your teams"):
        access_case(case.pk, viewer_of(cast.outsider))


def test_refusals_change_nothing(cast, case, now):
    before = state()
    with pytest.raises(InvalidInput, match="There is no team 999; choose one of"):
        give_to_team(case_id=case.pk, team_id=999, expected_version=case.version, viewer=viewer_of(cast.owner), now=now)
    with pytest.raises(Conflict):
        give_to_team(case_id=case.pk, team_id=cast.other_team.pk, expected_version=1, viewer=viewer_of(cast.owner), now=now)
    asked = Approval.objects.create(case=case, transition="pay", state="ASKED", asked_at=now, needs=1, roles=["SUPERVISOR"])
    with pytest.raises(InvalidInput, match="An approval is asked for"):
        give(cast.owner, case, cast.other_team, now)
    assert state() == before
    Approval.objects.filter(pk=asked.pk).update(state="REFUSED")
    assert give(cast.owner, case, cast.other_team, now).team_id == cast.other_team.pk


def test_a_reply_before_goes_along_and_one_after_is_refused_to_the_old_team(cast, case, now):
    agent = viewer_of(cast.agent)
    said = actions.reply(case_id=case.pk, body="We look into it.", viewer=agent, now=now)
    with pytest.raises(Conflict):  # seen before the reply
        give_to_team(case_id=case.pk, team_id=cast.other_team.pk, expected_version=case.version, viewer=agent, now=now)
    give(cast.agent, case, cast.other_team, now)
    said.refresh_from_db()
    assert (said.team_id, said.author_id) == (cast.other_team.pk, cast.agent.pk)
    before = state()
    with pytest.raises(NotFound):
        actions.reply(case_id=case.pk, body="One more thing.", viewer=agent, now=now)
    assert state() == before


def test_what_the_customer_writes_next_belongs_to_the_new_team(cast, case, inbound, now):
    give(cast.agent, case, cast.other_team, now)
    receipt = receive_message(inbound(external_id="m-2"), now=now)
    assert (receipt.case_id, Message.objects.get(pk=receipt.message_id).team_id) == (case.pk, cast.other_team.pk)


def test_what_was_being_written_for_the_old_team_follows_later(cast, case, now):
    give(cast.agent, case, cast.other_team, now)
    Message.objects.filter(case=case).update(team=cast.team)
    settle.func([case.pk])
    assert rows_of(case)["cases.Message"] == {cast.other_team.pk}
