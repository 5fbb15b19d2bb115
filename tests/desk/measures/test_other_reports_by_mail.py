"""Times, retention and explanations on paper and by mail: with their own choices, the figures of their pages, and each person's rights."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail as outbox
from django.utils import translation

from careloop.desk.cases.models import Case
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.reports.mail_sending import note_due, send
from careloop.desk.reports.mailings import MailingFacts, save_mailing
from careloop.desk.reports.models import MailedReport, Mailing
from careloop.desk.watch.models import Explanation
from tests.desk.measures.test_paper import text_of

NOTHING = {name: {"problem": "no cases"} for name in ("slow", "waits", "drivers")}
STATE = {"n_visits": 3, "n_starts": 2, "n_ends": 0, "median_seconds": 7200.0, "low_seconds": 60.0, "high_seconds": None}


@pytest.fixture
def mailed(cast, now):
    """Mails a report of May to people; returns the mails by address."""

    def mail(report, query, *people):
        facts = MailingFacts(report, None, query, "month", 8, [one.pk for one in people])
        mailing = save_mailing(facts=facts, viewer=cast.viewer(cast.owner), now=now)
        later = datetime(2026, 6, 1, 18, tzinfo=UTC)
        for number in note_due(now=later):
            send(mail_id=number, now=later)
        return mailing, {one.to[0]: one for one in outbox.outbox}

    return mail


def link_of(message) -> str:
    address = urlsplit(re.search(r"https?://\S+", message.body).group(0))
    return f"{address.path}?{address.query}"


def lines_of(message) -> list[str]:
    return message.attachments[1][1].splitlines()


def test_times_are_mailed_with_the_chosen_time_and_split_as_their_page_shows_them(client, cast, counted, mailed):
    mailing, mails = mailed("times", "?period=90&target=first_response&by=team&within=7", cast.owner)
    assert mailing.query == "by=team&target=first_response"
    message = mails[cast.owner.email]
    names = [name for name, _body, _kind in message.attachments]
    assert names == ["times-first_response-2026-05-01.pdf", "times-first_response-2026-05-01.csv"]
    link = link_of(message)
    assert parse_qs(urlsplit(link).query) == {
        "since": ["2026-05-01"], "until": ["2026-05-31"], "by": ["team"], "target": ["first_response"],
    }  # fmt: skip
    client.force_login(cast.owner)
    page = client.get(link)
    assert lines_of(message) == client.get(link.replace("/times/", "/times/csv/")).content.decode().splitlines()
    words = text_of(message.attachments[0][1])
    rows = page.context["rows"]
    assert len(rows) > 1
    for row in rows:
        for told in (row["name"], row["on_time"], *(point["value"] for point in row["points"])):
            assert re.sub(r"\s", "", told) in words
    assert page.context["comparison"].replace(" ", "") in words


def test_retention_is_mailed_of_those_whose_days_were_over(client, cast, counted, mailed):
    mailing, mails = mailed("retention", "?period=90&within=7&by=team&target=resolution", cast.owner)
    assert mailing.query == "by=team&within=7"
    message = mails[cast.owner.email]
    asked = parse_qs(urlsplit(link_of(message)).query)
    assert (asked["since"], asked["until"], asked["within"]) == (["2026-04-24"], ["2026-05-24"], ["7"])
    client.force_login(cast.owner)
    assert lines_of(message) == client.get(link_of(message).replace("/retention/", "/retention/csv/")).content.decode().splitlines()


def test_a_choice_that_there_is_not_is_refused_and_nothing_is_stored(cast, mailed):
    for report, query in (("times", "?target=lunch"), ("retention", "?within=8"), ("lunch", "")):
        with pytest.raises(InvalidInput):
            mailed(report, query, cast.owner)
    assert (Mailing.objects.count(), MailedReport.objects.count()) == (0, 0)


def test_explanations_are_mailed_to_whom_their_team_is_in_sight(client, cast, mailed, now):
    step = {"source": "OPEN", "target": "RESOLVED", "n": 2, "n_cases": 2, "share": 1.0, "low": 0.3, "high": 1.0, "median_seconds": 5400.0}
    states = [{"name": "OPEN", "n_cases": 3, "n_open": 1, **STATE}, {"name": "RESOLVED", "n_cases": 2, "n_open": 0, **STATE}]
    way = {"states": states, "steps": [{**step, "cases": []}], "n_steps": 1, "names": {}, "n_cases": 3, "n_with_returns": 0}
    parts = {**NOTHING, "way": way, "silent": {"answered": {"problem": "nobody was invited"}}, "work": None}
    for team in (None, cast.team):
        Explanation.objects.create(team=team, parts=parts, made_at=now)
    mailing, mails = mailed("why", f"?team={cast.team.pk}&kind=REFUND&by=team", cast.owner, cast.supervisor)
    assert mailing.query == f"team={cast.team.pk}"
    assert set(mails) == {cast.owner.email, cast.supervisor.email}
    message = mails[cast.supervisor.email]
    client.force_login(cast.supervisor)
    assert lines_of(message) == client.get(link_of(message).replace("/why/", "/why/csv/")).content.decode().splitlines()
    words = text_of(message.attachments[0][1])
    for told in ("3cases·1therenow", "2·100%", "1h30min", "Open→Resolved"):
        assert told in words
    mailing, _mails = mailed("why", f"?team={cast.other_team.pk}", cast.supervisor)
    refused = MailedReport.objects.get(mailing=mailing)
    assert (refused.state, refused.recipient) == (MailedReport.State.REFUSED, cast.supervisor)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_paper_says_the_figures_of_the_page_in_both_languages(client, cast, counted, language):
    cast.owner.language = language
    cast.owner.save()
    client.force_login(cast.owner)
    client.cookies["django_language"] = language
    with translation.override("en"):  # the language of a request stays with the thread
        for slug in ("times", "retention"):
            query = "?period=365&within=7" if slug == "retention" else "?period=365"
            words = text_of(client.get(f"/reports/{slug}/pdf/{query}").content)
            page = client.get(f"/reports/{slug}/{query}")
            rows = page.context["rates"] if slug == "retention" else page.context["rows"]
            told = [one["value"] for row in rows for one in row["cells" if slug == "retention" else "points"]]
            assert len(told) > 4
            for one in told:
                assert re.sub(r"\s", "", one) in words
    assert client.get("/reports/why/pdf/").status_code == 200


def test_the_number_of_open_cases_is_that_of_its_list(client, cast, counted):
    client.force_login(cast.owner)
    for target in ("first_response", "resolution"):
        found = client.get(f"/reports/times/?period=365&target={target}&by=team")
        rows = [row for row in found.context["rows"] if row.get("open_url")]
        assert len(rows) == 3, target
        for row in rows:
            listed = client.get(row["open_url"]).context["cases"]
            assert (len(listed), row["open_url"] in found.content.decode().replace("&amp;", "&")) == (row["open"], True)
            assert row["n"] == len(client.get(row["cases_url"]).context["cases"])
        assert row["open"] < row["n"]  # of all together
    assert {case.resolved_at for case in listed} == {None}
    assert len(listed) == Case.objects.filter(resolved_at=None).count()
