"""A resolved case of a customer with an e-mail address, and a satisfaction survey that asks one hour later."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from careloop.desk.accounts.models import Channel
from careloop.desk.cases.actions import set_status
from careloop.desk.cases.models import Case
from careloop.desk.intake.actions import receive_message
from careloop.desk.surveys import inviting
from careloop.desk.surveys.actions import SurveyFacts, save_survey
from careloop.desk.surveys.models import Invitation
from careloop.desk.surveys.rules.questions import BEGINNINGS

HOUR = timedelta(hours=1)
CSAT = SurveyFacts("Was it good?", "CSAT", BEGINNINGS["CSAT"], is_active=True, sent_when="RESOLVED", delay_minutes=60)


@pytest.fixture(autouse=True)
def house_zone(settings):
    """06:00 UTC, when the tests begin, is 14:00 in Shanghai: nobody sleeps."""
    settings.TIME_ZONE = "Asia/Shanghai"


@pytest.fixture
def mail_channel(cast, now) -> Channel:
    return Channel.objects.create(kind="EMAIL", name="Mail", slug="mail", team=cast.team, created_at=now)


@pytest.fixture
def make_survey(cast, now):
    def make(**changes):
        return save_survey(facts=replace(CSAT, **changes), viewer=cast.viewer(cast.supervisor), now=now)

    return make


@pytest.fixture
def make_case(mail_channel, inbound, now):
    """Numbered messages make numbered cases, each of a customer of its own unless addresses are given."""
    count = iter(range(1, 1_000))

    def make(**facts) -> Case:
        from careloop.desk.customers.rules import AddressValue

        number = next(count)
        given = {"channel_slug": "mail", "external_id": f"m-{number}", "addresses": (AddressValue("EMAIL", f"c{number}@example.com"),)}
        return Case.objects.get(pk=receive_message(inbound(**{**given, **facts}), now=now).case_id)

    return make


@pytest.fixture
def resolve(cast):
    def act(case: Case, at: datetime, status: str = "RESOLVED") -> None:
        case.refresh_from_db()
        set_status(case_id=case.pk, status=status, expected_version=case.version, viewer=cast.viewer(cast.agent), now=at)

    return act


@pytest.fixture
def asked(make_survey, make_case, resolve, now):
    """An invitation that was sent for a resolved case."""

    def ask(case: Case | None = None, **changes) -> Invitation:
        make_survey(**changes)
        case = case or make_case()
        inviting.follow_events(now=now)
        resolve(case, now)
        inviting.follow_events(now=now)
        inviting.send_due(now=now + HOUR)
        return Invitation.objects.get(case=case)

    return ask


def today() -> datetime:
    """Pages look at the clock themselves."""
    return datetime.now(UTC)
