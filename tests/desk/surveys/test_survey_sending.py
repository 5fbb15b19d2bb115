"""Whom the house asks and when: once, in the sample, not too often, not at night, not who does not want it; reasons are kept."""

from datetime import UTC, datetime, timedelta

import pytest

from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.customers.models import Customer
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound
from careloop.desk.outbox.delivery import deliver
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.surveys import inviting
from careloop.desk.surveys.actions import say_consent
from careloop.desk.surveys.models import Invitation, SurveySetting
from careloop.desk.surveys.queries import person_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def plan_for(case, resolve, at) -> Invitation:
    inviting.follow_events(now=at)
    resolve(case, at)
    inviting.follow_events(now=at)
    return Invitation.objects.get(case=case)


def test_a_resolved_case_is_asked_about_an_hour_later_and_once(asked, now, mailoutbox):
    invitation = asked()
    assert (invitation.state, invitation.planned_at, invitation.sent_at) == ("SENT", now + HOUR, now + HOUR)
    inviting.follow_events(now=now + HOUR)
    assert inviting.send_due(now=now + 2 * HOUR) == 0
    assert Invitation.objects.count() == 1
    message = Message.objects.get(pk=invitation.message_id)
    assert (message.direction, message.delivery, message.author_id) == ("OUTBOUND", "QUEUED", None)
    deliver(OutboxItem.objects.get().pk, now=now + HOUR)
    assert mailoutbox[0].to == ["c1@example.com"]
    assert [f"?score={score}" in mailoutbox[0].body for score in (5, 4, 3, 2, 1)] == [True] * 5
    assert "您对这次处理满意吗？" in mailoutbox[0].body and "How satisfied" not in mailoutbox[0].body


def test_asking_leaves_the_case_resolved_and_tells_its_history(asked):
    invitation = asked()
    case = Case.objects.get(pk=invitation.case_id)
    assert (case.status, case.first_response_at) == ("RESOLVED", None)
    event = CaseEvent.objects.filter(kind="DELIVERY").get()
    assert event.after == {"delivery": "QUEUED", "survey": "Was it good?"}


def test_a_case_opened_again_meanwhile_is_not_asked_about(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    plan_for(case, resolve, now)
    resolve(case, now + HOUR / 2, "OPEN")
    assert inviting.send_due(now=now + HOUR) == 0
    assert (Invitation.objects.get().state, Invitation.objects.get().reason, Message.objects.count()) == ("SKIPPED", "REOPENED", 1)


def test_a_case_resolved_twice_within_the_delay_is_asked_about_after_the_second_time(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    plan_for(case, resolve, now)
    resolve(case, now + HOUR / 4, "OPEN")
    resolve(case, now + HOUR / 2)
    for minutes in (30, 40, 50):  # events are read again and again for a while
        inviting.follow_events(now=now + timedelta(minutes=minutes))
        assert Invitation.objects.get().planned_at == now + HOUR * 1.5
    assert inviting.send_due(now=now + HOUR * 1.5) == 1
    inviting.follow_events(now=now + HOUR * 1.5)
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 1), ({"case_kinds": ("COMPLAINT",)}, 0), ({"channel_ids": "other"}, 0), ({"team_ids": "other"}, 0), ({"is_active": False}, 0),
        ({"sent_when": "HAND"}, 0),
    ],
    ids=["fits all", "another kind", "another channel", "another team", "switched off", "only by hand"],
)  # fmt: skip
def test_only_cases_that_fit_are_asked_about(make_survey, make_case, resolve, cast, now, changes, count):
    others = {"channel_ids": (cast.other_channel.pk,), "team_ids": (cast.other_team.pk,)}
    make_survey(**{name: others[name] if value == "other" else value for name, value in changes.items()})
    case = make_case()
    inviting.follow_events(now=now)
    resolve(case, now)
    inviting.follow_events(now=now)
    assert Invitation.objects.count() == count


def test_what_is_not_in_the_sample_is_noted_with_its_reason(make_survey, make_case, resolve, now):
    make_survey(share_ratio=1e-9)
    invitation = plan_for(make_case(), resolve, now)
    assert (invitation.state, invitation.reason, invitation.sent_at) == ("SKIPPED", "SAMPLE", None)


def test_a_customer_is_asked_once_in_thirty_days_over_all_surveys(make_survey, make_case, resolve, now, inbound):
    from careloop.desk.customers.rules import AddressValue

    make_survey()
    make_survey(name="Effort", kind="NPS", questions=__import__("careloop.desk.surveys.rules.questions", fromlist=["x"]).BEGINNINGS["NPS"])
    case = make_case(addresses=(AddressValue("EMAIL", "lin@example.com"),))
    inviting.follow_events(now=now)
    resolve(case, now)
    inviting.follow_events(now=now)
    assert inviting.send_due(now=now + HOUR) == 1
    assert sorted(Invitation.objects.values_list("state", "reason")) == [("SENT", ""), ("SKIPPED", "TOO_SOON")]
    for days, expected in ((29, "TOO_SOON"), (31, "")):
        case = make_case(addresses=(AddressValue("EMAIL", "lin@example.com"),))
        resolve(case, now + timedelta(days=days))
        inviting.follow_events(now=now + timedelta(days=days))
        inviting.send_due(now=now + timedelta(days=days) + HOUR)
        reasons = set(Invitation.objects.filter(case=case, survey__kind="CSAT").values_list("reason", flat=True))
        assert reasons == {expected}


@pytest.mark.parametrize(
    ("needs", "said", "reason"), [(False, None, ""), (False, False, "REFUSED"), (True, None, "NO_CONSENT"), (True, True, "")]
)
def test_consent_decides(make_survey, make_case, resolve, now, needs, said, reason):
    SurveySetting.objects.create(pk=1, needs_consent=needs)
    make_survey()
    case = make_case()
    if said is not None:
        say_consent(customer_id=case.customer_id, may_ask=said, actor=SYSTEM, now=now)
    assert plan_for(case, resolve, now).reason == reason


def test_a_record_that_says_no_is_respected_until_the_customer_says_yes(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    Customer.objects.update(attributes={"consent": "no"})
    assert plan_for(case, resolve, now).reason == "REFUSED"
    say_consent(customer_id=case.customer_id, may_ask=True, actor=SYSTEM, now=now)
    assert person_of(Customer.objects.get(), "EMAIL").has_agreed is True


def test_who_refused_after_planning_is_not_asked(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    plan_for(case, resolve, now)
    say_consent(customer_id=case.customer_id, may_ask=False, actor=SYSTEM, now=now)
    assert inviting.send_due(now=now + HOUR) == 0
    assert (Invitation.objects.get().reason, OutboxItem.objects.count()) == ("REFUSED", 0)


def test_nobody_without_an_address_is_asked_by_mail(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    case.customer.addresses.all().delete()
    assert plan_for(case, resolve, now).reason == "NO_ADDRESS"


def test_after_a_message_that_was_not_delivered_nobody_asks(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    facts = {"customer_id": case.customer_id, "team_id": case.team_id, "channel_id": case.channel_id, "sent_at": now, "received_at": now}
    Message.objects.create(case=case, direction="OUTBOUND", delivery="FAILED", body="x", **facts)
    assert plan_for(case, resolve, now).reason == "BOUNCED"


def test_an_invitation_that_could_not_be_delivered_does_not_count_as_asked(asked, now):
    invitation = asked()
    Customer.objects.get().addresses.all().delete()
    deliver(OutboxItem.objects.get().pk, now=now + HOUR)
    inviting.follow_events(now=now + 2 * HOUR)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.reason, invitation.sent_at) == ("FAILED", "NOT_DELIVERED", None)


def test_what_falls_into_the_night_is_moved_to_the_morning_not_dropped(make_survey, make_case, resolve):
    make_survey()
    evening = datetime(2026, 5, 4, 11, 30, tzinfo=UTC)  # 19:30 in Shanghai
    invitation = plan_for(make_case(), resolve, evening)
    morning = datetime(2026, 5, 5, 1, 0, tzinfo=UTC)
    assert (invitation.state, invitation.planned_at) == ("QUEUED", morning)
    assert inviting.send_due(now=morning - timedelta(minutes=1)) == 0
    assert inviting.send_due(now=morning) == 1


def test_the_night_is_the_customers_own(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    Customer.objects.update(attributes={"time_zone": "America/New_York"})
    assert plan_for(case, resolve, now).planned_at == datetime(2026, 5, 4, 13, 0, tzinfo=UTC)


def test_a_worker_that_was_down_until_the_night_waits_for_the_morning(make_survey, make_case, resolve, now):
    make_survey()
    plan_for(make_case(), resolve, now)
    night = datetime(2026, 5, 4, 18, 0, tzinfo=UTC)
    assert inviting.send_due(now=night) == 0
    assert (Invitation.objects.get().state, Invitation.objects.get().planned_at) == ("QUEUED", datetime(2026, 5, 5, 1, 0, tzinfo=UTC))


def test_a_clock_that_went_back_asks_nobody_twice(asked, make_case, resolve, now):
    from careloop.desk.customers.rules import AddressValue

    invitation = asked()
    earlier = now - timedelta(days=2)
    again = make_case(addresses=(AddressValue("EMAIL", "c1@example.com"),), sent_at=earlier)
    assert again.customer_id == invitation.customer_id
    resolve(again, earlier)
    inviting.follow_events(now=earlier)
    assert Invitation.objects.get(case=again).reason == "TOO_SOON"


def test_an_import_is_not_asked_about(make_survey, make_case, resolve, mail_channel, now):
    mail_channel.kind = "FILE"
    mail_channel.save()
    make_survey()
    case = make_case()
    inviting.follow_events(now=now)
    resolve(case, now)
    inviting.follow_events(now=now)
    assert Invitation.objects.count() == 0


def test_an_agent_asks_by_hand_once_and_is_told_why_not(make_survey, make_case, cast, now):
    survey, case = make_survey(sent_when="HAND"), make_case()
    facts = {"survey_id": survey.pk, "case_id": case.pk, "viewer": cast.viewer(cast.agent)}
    made = inviting.send_by_hand(key="a", now=now, **facts)
    assert (made.state, made.origin, made.asked_by_id) == ("QUEUED", "HAND", cast.agent.pk)
    assert inviting.send_by_hand(key="a", now=now, **facts) == made
    assert inviting.send_due(now=now) == 1
    with pytest.raises(InvalidInput, match="asked a short while ago"):
        inviting.send_by_hand(key="b", now=now + HOUR, **facts)
    assert Invitation.objects.count() == 1


def test_an_outsider_and_an_analyst_ask_nobody(make_survey, make_case, cast, now):
    survey, case = make_survey(), make_case()
    for person, error in ((cast.outsider, NotFound), (cast.analyst, NotAllowed)):
        with pytest.raises(error):
            inviting.send_by_hand(survey_id=survey.pk, case_id=case.pk, key="a", viewer=cast.viewer(person), now=now)
    assert Invitation.objects.count() == 0


def test_what_was_taken_back_before_it_was_sent_never_is(make_survey, make_case, resolve, cast, now):
    make_survey()
    invitation = plan_for(make_case(), resolve, now)
    inviting.revoke(invitation_id=invitation.pk, viewer=cast.viewer(cast.agent), now=now)
    assert inviting.send_due(now=now + HOUR) == 0
    assert Invitation.objects.get().reason == "REVOKED"


def test_a_form_sent_again_after_it_was_taken_back_leaves_what_stands_there(make_survey, make_case, cast, now):
    survey, case = make_survey(sent_when="HAND"), make_case()
    facts = {"survey_id": survey.pk, "case_id": case.pk, "viewer": cast.viewer(cast.agent), "key": "a"}
    made = inviting.send_by_hand(now=now, **facts)
    inviting.revoke(invitation_id=made.pk, viewer=cast.viewer(cast.agent), now=now)
    with pytest.raises(InvalidInput):
        inviting.send_by_hand(now=now + HOUR, **facts)
    assert Invitation.objects.get().reason == "REVOKED"


def test_what_is_sent_asks_the_newest_questions(make_survey, make_case, resolve, cast, now):
    from dataclasses import replace

    from careloop.desk.surveys.actions import save_survey
    from tests.desk.surveys.conftest import CSAT

    survey = make_survey()
    plan_for(make_case(), resolve, now)
    facts = replace(CSAT, intro={"en": "Hello", "zh": "您好"})
    save_survey(facts=facts, survey_id=survey.pk, expected_version=1, viewer=cast.viewer(cast.supervisor), now=now)
    inviting.send_due(now=now + HOUR)
    assert Invitation.objects.get().version.number == 2
    assert Message.objects.get(direction="OUTBOUND").body.startswith("您好")


def test_a_case_in_which_only_a_program_wrote_is_not_asked_about(asked, make_case):
    refused = asked(make_case(machine_made="header"))
    assert (refused.state, refused.reason, refused.sent_at) == ("SKIPPED", "UNWRITTEN", None)
