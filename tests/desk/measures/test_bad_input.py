"""Bad input: nothing and too little to count, answers of erased cases, clocks that run backwards, nights of summer time, nobody's cases,
old imports and dates ahead. Facts, reports and pages are right about it, or say that there is not enough data.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.customers.models import Customer
from careloop.desk.jobs.rules import next_run
from careloop.desk.measures.actions import recount, refresh
from careloop.desk.measures.checking import find_differences
from careloop.desk.measures.models import AnswerFact, CaseFact, WorkFact
from careloop.desk.measures.queries import ask, list_cases_behind
from careloop.desk.measures.reading import Question
from careloop.desk.measures.retention import measure_retention
from careloop.desk.measures.times import measure_times
from careloop.desk.measures.times_model import explain_times
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.surveys.actions import forget
from careloop.desk.surveys.models import Answer, Invitation, Survey, SurveyVersion
from careloop.desk.writing.models import WorkSpan

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAGES = [*(f"/reports/{slug}/" for slug in LAYOUTS), "/reports/times/", "/reports/times/?target=first_response", "/reports/retention/"]
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def owner(cast):
    return viewer_of(cast.owner)


@pytest.fixture
def make_case(cast, now):
    """Stores a case with any moments; changes replace its facts."""

    def make(opened_at=now, **changes):
        customer = Customer.objects.create(name="K", created_at=now, last_seen_at=now)
        facts = {"team": cast.team, "channel": cast.channel, "customer": customer, "subject": "s", "status": "OPEN"}
        return Case.objects.create(**{**facts, "opened_at": opened_at, "last_message_at": opened_at, **changes})

    return make


@pytest.fixture
def invite(cast, now):
    """Stores an invitation for a case, answered with a score unless it is None."""
    survey = Survey.objects.create(name="Good?", kind="CSAT", created_at=now, changed_at=now)
    version = SurveyVersion.objects.create(survey=survey, number=1, questions=[], saved_by_name="Sun", saved_at=now)

    def make(case, score, *, sent_at=now, answered_at=now):
        facts = {"team": cast.team, "channel": cast.channel, "origin": "RULE", "state": "SENT", "key": f"k{Invitation.objects.count()}"}
        one = Invitation.objects.create(survey=survey, version=version, case=case, created_at=now, planned_at=now, sent_at=sent_at, **facts)
        if score is not None:
            answer(one, score, answered_at)
        return one

    return make


def answer(invitation, score, at):
    Answer.objects.create(invitation=invitation, score=score, score_min=1, score_max=5, answered_at=at, changed_at=at)


@pytest.fixture
def every_page(client, cast):
    """Asks for every page and its file, for all times; each must answer."""

    def load():
        client.force_login(cast.owner)
        found = {}
        for path in PAGES:
            page = client.get(path, {"period": "all", **({"target": "first_response"} if "first_response" in path else {})})
            assert page.status_code == 200, path
            assert client.get(page.context["export_url"]).status_code == 200, path
            found[path] = page.content.decode()
        assert client.get("/why/").status_code == 200
        return found

    return load


def whole(key, viewer, **choice):
    figure = ask(Question((key,), **choice), viewer).whole[key]
    return figure.value, figure.low, figure.high, figure.n


def test_a_house_without_a_case(owner, every_page, now):
    refresh(now=now)
    pages = every_page()
    assert whole("opened", owner) == (0.0, None, None, 0)
    assert whole("resolution", owner) == (None, None, None, 0)
    for path in ("/reports/times/", "/reports/retention/"):
        assert "Not enough data" in pages[path]


def test_no_answers(owner, make_case, invite, every_page, now):
    for _number in range(3):
        invite(make_case(), None)
    refresh(now=now)
    assert whole("satisfaction", owner) == (None, None, None, 0)
    value, low, high, n = whole("answered", owner)
    assert (value, low, n) == (0.0, 0.0, 3)
    assert high == pytest.approx(0.5615, abs=1e-4)  # none of three: it may still be more than half
    assert "–" in every_page()["/reports/satisfaction/"]


def test_one_answer(owner, make_case, invite, every_page, now):
    invite(make_case(), 5)
    refresh(now=now)
    assert whole("satisfaction", owner) == (5.0, None, None, 1)  # one answer tells nothing of how they differ
    value, low, high, n = whole("satisfied", owner)
    assert (value, high, n) == (1.0, 1.0, 1)
    assert low == pytest.approx(0.2065, abs=1e-4)
    every_page()


@pytest.mark.parametrize(("score", "n"), [(4, 30), (5, 2), (1, 8)])
def test_everyone_gives_the_same_score(owner, make_case, invite, every_page, now, score, n):
    for _number in range(n):
        invite(make_case(), score)
    refresh(now=now)
    value, low, high, counted = whole("satisfaction", owner)
    others = 1.96**2 / (n + 1.96**2)  # Wilson's upper end of none of n
    assert (value, counted) == (float(score), n)
    assert low == pytest.approx(score - others * (score - 1), abs=1e-3)
    assert high == pytest.approx(score + others * (5 - score), abs=1e-3)
    assert high - low > 0.1
    every_page()


def test_a_survey_answered_after_its_case_was_erased(owner, make_case, invite, every_page, now):
    case = make_case()
    invitation, other = invite(case, None), invite(make_case(), 2)
    refresh(now=now)
    forget([invitation.pk], now=now)
    CaseEvent.objects.filter(case=case).delete()
    case.delete()
    invitation.refresh_from_db()
    answer(invitation, 4, now + HOUR)
    refresh(now=now + HOUR)
    recount(now=now + HOUR)
    refresh(now=now + 2 * HOUR)
    assert list(AnswerFact.objects.order_by("origin_id").values_list("origin_id", "case_id", "hundredths")) == [
        (invitation.pk, 0, 400),
        (other.pk, other.case_id, 200),
    ]
    assert whole("satisfaction", owner)[::3] == (3.0, 2)
    assert [case.pk for case in list_cases_behind(Question(("satisfaction",)), "satisfaction", owner)] == [other.case_id]
    assert whole("opened", owner)[0] == 1.0
    assert find_differences().different == []
    every_page()


def test_a_clock_that_runs_backwards(cast, owner, make_case, invite, every_page, now):
    case = make_case(now, resolved_at=now - 3 * HOUR, first_response_at=now - HOUR, status="RESOLVED")
    invite(case, 3, sent_at=now, answered_at=now - DAY)
    WorkSpan.objects.create(case=case, user=cast.agent, began_at=now, seen_at=now - HOUR)
    refresh(now=now)
    refresh(now=now - 2 * HOUR)  # the machine's clock went back between two counts
    fact = CaseFact.objects.get()
    assert (fact.resolution_seconds, fact.response_seconds) == (0, 0)
    assert [work.seconds for work in WorkFact.objects.all()] == [0]
    assert whole("satisfaction", owner)[::3] == (3.0, 1)
    found, _cases = measure_times(Question(()), "resolution", owner)
    assert [point.value for point in found.whole.points] == [0.0, 0.0, 0.0, 0.0]
    every_page()


def test_nights_of_summer_time(cast, owner, make_case, settings, every_page, now):
    settings.TIME_ZONE = "Europe/Berlin"
    spring, autumn = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    make_case(spring - HOUR, kind="COMPLAINT")  # 00:30 on the short Sunday
    make_case(spring + 22 * HOUR)  # 00:30 on the Monday after it
    make_case(autumn)  # 02:30, the first time
    make_case(autumn + HOUR)  # 02:30, the second time
    long = make_case(autumn - 2 * HOUR - HOUR / 2, resolved_at=autumn + 22 * HOUR + HOUR / 2, status="RESOLVED")  # the long Sunday
    WorkSpan.objects.create(case=long, user=cast.agent, began_at=spring, seen_at=spring + HOUR)  # 01:30 to 03:30 on the wall
    WorkSpan.objects.create(case=long, user=cast.agent, began_at=autumn, seen_at=autumn + HOUR)  # 02:30 to 02:30
    refresh(now=now)
    by_day = {row.day: row.figures["opened"].value for row in ask(Question(("opened",), per="day"), owner).rows}
    assert by_day == {date(2025, 10, 26): 3.0, date(2026, 3, 29): 1.0, date(2026, 3, 30): 1.0}
    weeks = [row.day for row in ask(Question(("opened",), per="week"), owner).rows]
    assert weeks == [date(2025, 10, 20), date(2026, 3, 23), date(2026, 3, 30)]
    assert CaseFact.objects.get(case_id=long.pk).resolution_seconds == 25 * 3600
    days = {work.worked_on: work.seconds for work in WorkFact.objects.all()}
    assert days == {date(2025, 10, 26).toordinal(): 3600, date(2026, 3, 29).toordinal(): 3600}
    every_page()


@pytest.mark.parametrize(
    ("last", "clock", "expected"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), time(2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # 02:30 is not on the wall that day
        (datetime(2025, 10, 26, 0, 31, tzinfo=UTC), time(2, 30), datetime(2025, 10, 27, 1, 30, tzinfo=UTC)),  # not twice in that night
        (datetime(2025, 10, 25, 22, tzinfo=UTC), time(4, 0), datetime(2025, 10, 26, 3, 0, tzinfo=UTC)),
    ],
)
def test_a_daily_schedule_runs_once_in_each_night(last, clock, expected):
    found = next_run(last, last, every_seconds=None, daily_at=clock, zone=BERLIN)
    assert found.astimezone(UTC) == expected
    after = next_run(found, found, every_seconds=None, daily_at=clock, zone=BERLIN)
    assert after.astimezone(BERLIN).date() == found.astimezone(BERLIN).date() + DAY


def test_cases_without_an_agent(client, cast, owner, make_case, every_page, now):
    for _number in range(12):
        make_case(now - 3 * DAY, resolved_at=now - 2 * DAY, status="RESOLVED")
    make_case(now - 3 * DAY, assignee=cast.agent)
    refresh(now=now)
    table = ask(Question(("resolved", "efficiency"), by="agent"), owner)
    assert {row.group: row.figures["resolved"].value for row in table.rows} == {0: 12.0}
    assert table.whole["efficiency"].value is None  # nobody worked on them
    found, _cases = measure_times(Question((), by="agent"), "resolution", owner)
    assert {one.group: (one.n, one.n_open) for one in found.groups} == {0: (12, 0), cast.agent.pk: (1, 1)}
    assert "Nobody" in every_page()["/reports/agents/"]
    assert "Nobody" in client.get("/reports/times/?period=all&by=agent").content.decode()


def test_imports_of_ten_years_ago_and_dates_ahead(owner, make_case, every_page, now):
    old, ahead = now - 3653 * DAY, now + 1000 * DAY
    make_case(old)
    make_case(old, resolved_at=now - DAY, status="RESOLVED", kind="COMPLAINT")
    make_case(ahead, kind="COMPLAINT")
    make_case(ahead, resolved_at=ahead + DAY, status="RESOLVED")
    refresh(now=now)
    assert whole("opened", owner)[0] == 4.0
    assert whole("opened", owner, since=date(2026, 1, 1), until=date(2026, 12, 31))[0] == 0.0
    value, _low, _high, n = whole("resolution", owner)
    assert (value, n) == (3652 * 86_400.0, 4)
    found, cases = measure_times(Question(()), "resolution", owner)
    assert (found.whole.n, found.whole.n_open, found.horizon) == (4, 2, 3650 * 86_400)
    assert explain_times(cases).needed == 60
    kept = measure_retention(Question(()), 90, owner)
    assert (kept.complained.n, kept.n_ahead) == (1, 2)
    every_page()
