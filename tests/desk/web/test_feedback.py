"""The feedback page: its numbers, its filters, its export, and who may see what."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from careloop.desk.analysis.distinctive import distinctive_words
from careloop.desk.analysis.feedback_queries import FeedbackFilter, Rate, choose, feedback_page, fold_by_day, fold_by_star
from careloop.desk.analysis.intervals import mean_of, rate_of, student_quantile
from careloop.desk.analysis.models import Reading
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Message
from careloop.desk.feedback.models import Feedback
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.slots import slot_of
from careloop.desk.search import actions as search
from careloop.desk.search.actions import Searchable

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)


@pytest.fixture
def say(cast):
    """Stores one text with its reading."""

    def store(body, sentiment, *, channel=None, at=AT, rating=None, category="", product="", keywords=(), **facts):
        channel = channel or cast.channel
        message = Message.objects.create(
            team=channel.team, channel=channel, direction="INBOUND", body=body, sent_at=at, received_at=at, customer=None
        )
        if rating is not None:
            Feedback.objects.create(message=message, team=channel.team, rating=rating, category=category, product=product)
        search.index([Searchable("MESSAGE", message.pk, body, None, None, channel.team_id)])
        given = {"state": "DONE", "language": "zh-Hans", "kind": "COMPLAINT", "sentiment_probability": 0.1, "read_at": at}
        return Reading.objects.create(
            message=message,
            team=channel.team,
            channel=channel,
            slot=slot_of(at),
            sentiment=sentiment,
            category=category,
            rating_ratio=None if rating is None else (rating - 1) / 4,
            keywords=list(keywords),
            details={"sentiment_abstained": False, "sentiment_evidence": [[0, 2, -2.0]], "entities": [], "kind_abstained": True},
            **{**given, **facts},
        )

    return store


@pytest.fixture
def said(cast, say):
    """Six texts of the team, one of another team, one that could not be read."""
    say("漏水了，退款", "NEGATIVE", rating=1, category="热水器", product="H1", keywords=["漏水", "退款"])
    say("很好用", "POSITIVE", rating=5, category="热水器", product="H2", keywords=["好用"])
    say("Parcel late", "NEGATIVE", rating=2, category="Delivery", keywords=["late"], language="en", at=AT + timedelta(days=1))
    say("Thanks!", "POSITIVE", keywords=["thanks"], language="en", kind="PRAISE", channel=cast.form)
    say("请问何时发货", "NEUTRAL", kind="CONSULTATION", at=AT - timedelta(days=40))
    say("又漏水", "NEGATIVE", rating=1.4, category="热水器", keywords=["漏水"], at=datetime(2026, 5, 4, 16, 5, tzinfo=UTC))
    say("Not yours", "NEGATIVE", channel=cast.other_channel, rating=1, category="Secret")
    say("", "", state="FAILED", error="empty", kind="", language="", sentiment_probability=None)


def shown(cast, user=None, page=1, **facts):
    return feedback_page(FeedbackFilter(**facts), cast.viewer(user or cast.agent), zone=SHANGHAI, page=page)


def test_tiles_and_charts_count_the_teams_texts_exactly(cast, said):
    page = shown(cast)
    assert (page.total, page.failed, page.uncategorised) == (6, 1, 2)
    assert (page.negative.hits, page.negative.n, page.negative.share) == (3, 6, 0.5)
    assert (round(page.negative.low, 4), round(page.negative.high, 4)) == (0.1876, 0.8124)
    assert (page.rating.n, page.rating.average) == (4, 2.35)
    assert page.stars == {1: 2, 2: 1, 3: 0, 4: 0, 5: 1}
    ranked = [(one.category, one.negative.hits, one.negative.n) for one in page.categories]
    assert ranked == [("热水器", 2, 3), ("Delivery", 1, 1)]  # two of three are surer to be negative than one of one
    assert sum(sum(day.counts.values()) for day in page.days) == 6


def test_days_are_those_of_the_houses_time_zone(cast, said):
    days = {day.first: day.counts for day in shown(cast, since=date(2026, 5, 4)).days}
    assert days == {
        date(2026, 5, 4): {"NEGATIVE": 1, "NEUTRAL": 0, "POSITIVE": 2},
        date(2026, 5, 5): {"NEGATIVE": 2, "NEUTRAL": 0, "POSITIVE": 0},  # 16:05 UTC is five past midnight in Shanghai
    }


@pytest.mark.parametrize(
    ("facts", "bodies"),
    [
        ({"since": date(2026, 5, 5)}, ["Parcel late", "又漏水"]),
        ({"until": date(2026, 4, 1)}, ["请问何时发货"]),
        ({"since": date(2026, 5, 4), "until": date(2026, 5, 4)}, ["Thanks!", "很好用", "漏水了，退款"]),
        ({"sentiment": "POSITIVE"}, ["Thanks!", "很好用"]),
        ({"kind": "CONSULTATION"}, ["请问何时发货"]),
        ({"category": "Delivery"}, ["Parcel late"]),
        ({"language": "en"}, ["Parcel late", "Thanks!"]),
        ({"channel": "contact"}, ["Thanks!"]),
        ({"product": "H2"}, ["很好用"]),
        ({"keyword": "漏水"}, ["又漏水", "漏水了，退款"]),
        ({"query": "退款"}, ["漏水了，退款"]),
        ({"stars_from": 1, "stars_to": 1}, ["又漏水", "漏水了，退款"]),
        ({"stars_from": 2}, ["Parcel late", "很好用"]),
        ({"source": "message"}, []),
        ({"category": "Secret"}, []),
        ({"channel": "wholesale"}, []),
    ],
)
def test_each_filter_chooses_its_rows_and_the_total_counts_them(cast, said, facts, bodies):
    page = shown(cast, **facts)
    assert sorted(row.message.body for row in page.rows) == sorted(bodies)
    assert page.total == len(bodies)


def test_outsiders_see_their_own_team_only_and_owners_everything(cast, said):
    assert [row.message.body for row in shown(cast, user=cast.outsider).rows] == ["Not yours"]
    assert shown(cast, user=cast.owner).total == 7


def test_somebody_without_a_team_sees_nothing(cast, said):
    cast.outsider.teams.clear()
    page = shown(cast, user=cast.outsider)
    assert (page.total, page.failed, page.days, page.rows) == (0, 0, [], [])


@pytest.mark.parametrize("frequent_from", [0, 1_000_000])
def test_a_frequent_word_chooses_the_same_texts_as_a_rare_one(cast, said, monkeypatch, frequent_from):
    monkeypatch.setattr("careloop.desk.analysis.feedback_queries.FREQUENT", frequent_from)
    page = shown(cast, query="漏水", since=date(2026, 5, 1))
    assert [row.message.body for row in page.rows] == ["又漏水", "漏水了，退款"]
    assert (page.total, page.negative.hits, page.stars[1]) == (2, 2, 2)


def test_a_day_without_midnight_begins_with_its_first_hour():
    santiago = ZoneInfo("America/Santiago")  # on 6 September 2026 the clock goes from 24:00 to 1:00
    around = [(slot_of(datetime(2026, 9, 6, hour, minute, tzinfo=UTC)), 1, 0, 0) for hour, minute in ((3, 45), (4, 0))]
    unit, days = fold_by_day(around, santiago)
    assert (unit, [(day.first, day.counts["NEGATIVE"]) for day in days]) == ("day", [(date(2026, 9, 5), 1), (date(2026, 9, 6), 1)])


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"source": "x"}, "source"),
        ({"sentiment": "sad"}, "sentiment"),
        ({"since": date(2026, 5, 2), "until": date(2026, 5, 1)}, "since"),
        ({"stars_from": 4, "stars_to": 2}, "stars_from"),
    ],
)
def test_a_filter_that_contradicts_itself_is_refused_by_field(cast, facts, field):
    with pytest.raises(InvalidInput) as refusal:
        shown(cast, **facts)
    assert refusal.value.field == field


def test_a_long_period_is_shown_by_week_and_a_longer_one_by_month():
    slot = slot_of(datetime(2026, 1, 1, tzinfo=UTC))
    unit, weeks = fold_by_day([(slot, 1, 0, 0), (slot + 96 * 120, 0, 0, 2)], UTC)
    assert (unit, len(weeks), weeks[0].first, weeks[0].last) == ("week", 18, date(2025, 12, 29), date(2026, 1, 4))
    assert (weeks[0].counts["NEGATIVE"], weeks[-1].counts["POSITIVE"], sum(weeks[1].counts.values())) == (1, 2, 0)
    unit, months = fold_by_day([(slot, 1, 0, 0), (slot + 96 * 1000, 0, 0, 2)], UTC)
    assert (unit, len(months), months[0].last, months[-1].first) == ("month", 33, date(2026, 1, 31), date(2028, 9, 1))


def test_every_rating_has_one_star_and_the_filter_chooses_the_same(cast, say):
    for rating in (1, 1.4, 1.5, 2.49, 2.5, 3, 4.5, 5):
        say("x", "NEUTRAL", rating=rating)
    counted = fold_by_star(list(Reading.objects.values_list("rating_ratio").annotate(n=Count("pk"))))
    assert counted == {1: 2, 2: 2, 3: 2, 4: 0, 5: 2}
    chosen = {star: choose(FeedbackFilter(stars_from=star, stars_to=star), cast.viewer(cast.agent), UTC).count() for star in counted}
    assert chosen == counted


def test_intervals_agree_with_scipy():
    from scipy.stats import binomtest, t

    for hits, n in ((0, 1), (3, 6), (7, 9), (50, 1000), (20, 20)):
        theirs = binomtest(hits, n).proportion_ci(method="wilson")
        ours = rate_of(hits, n)
        assert (ours.low, ours.high) == (pytest.approx(theirs.low, abs=1e-9), pytest.approx(theirs.high, abs=1e-9))
    for freedom in (1, 2, 3, 4, 5, 6, 10, 30, 1000):
        assert student_quantile(freedom) == pytest.approx(t.ppf(0.975, freedom), abs=0.003)
    mean = mean_of([(1, 2), (5, 2), (3, 0)], lowest=1, highest=5)
    assert (mean.n, mean.average, mean.low, mean.high) == (4, 3, 1, 5)  # 3 ± 3.67, cut to what a rating can be
    assert mean_of([]) == mean_of([(1, 0)]) and mean_of([]).average is None
    assert mean_of([(4, 1)]).low is None
    assert rate_of(0, 0) == Rate(0, 0, None, None, None)


def test_distinctive_words_leave_out_chance_and_common_words():
    negative = [["漏水", "客服"]] * 30 + [["客服"]] * 10
    positive = [["好用", "客服"]] * 30 + [["客服"]] * 10 + [["漏水"]]
    words = distinctive_words(negative, positive, most=5)
    assert [(one.word, one.here, one.there) for one in words] == [("漏水", 30, 1)]
    assert distinctive_words([["x"]] * 2, [["y"]] * 50, most=5) == []
    assert distinctive_words([], positive, most=5) == []


def test_the_page_takes_as_many_queries_for_many_texts_as_for_one(cast, say, client):
    client.force_login(cast.agent)

    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            assert client.get("/feedback/?period=all").status_code == 200
        return len(made)

    say("漏水", "NEGATIVE", rating=1, category="热水器")
    one = queries()
    for number in range(40):
        say(f"text {number}", "POSITIVE", rating=5, category=f"c{number % 20}", at=AT - timedelta(days=number))
    assert queries() == one == 9


def test_every_bar_leads_to_its_rows_and_the_numbers_agree(cast, said, client):
    client.force_login(cast.agent)
    html = client.get("/feedback/?period=all").content.decode()
    charts = json.loads(html.split('id="charts" type="application/json">')[1].split("</script>")[0])
    counted = 0
    for trace in charts["time"]["traces"]:
        for n, link in zip(trace["y"], trace["links"], strict=True):
            if n:
                counted += 1
                assert client.get("/feedback/" + link).context["found"].total == n, link
    assert counted == 4
    for n, link in zip(charts["ratings"]["traces"][0]["y"], charts["ratings"]["traces"][0]["links"], strict=True):
        assert client.get("/feedback/" + link).context["found"].total == n
    for category, link in zip(charts["categories"]["traces"][0]["y"], charts["categories"]["traces"][0]["links"], strict=True):
        assert {row.category for row in client.get("/feedback/" + link).context["found"].rows} == {category}


def test_pages_go_on_beyond_the_texts_whose_ids_are_known(cast, say, monkeypatch):
    monkeypatch.setattr("careloop.desk.analysis.feedback_queries.KEYWORDS_FROM", 30)
    for number in range(60):
        say(f"{number}", "NEUTRAL", at=AT - timedelta(hours=number))
    pages = [[row.message.body for row in shown(cast, page=page).rows] for page in (1, 2, 3)]
    assert pages == [[str(number) for number in range(start, min(start + 25, 60))] for start in (0, 25, 50)]


def test_the_page_marks_the_words_that_decided_and_escapes_the_rest(cast, say, client):
    client.force_login(cast.agent)
    say("差<script>alert(1)</script>", "NEGATIVE", category="<b>")
    html = client.get("/feedback/?period=all").content.decode()
    assert '<mark class="neg" title="Speaks for negative">差&lt;</mark>script&gt;alert(1)' in html
    assert "<script>alert" not in html
    assert escape("<b>") in html


def test_the_export_has_the_pages_rows_and_no_formulas(cast, said, say, client):
    say('=HYPERLINK("http://x")', "NEGATIVE", rating=1, category="@cat", keywords=["-1"])
    client.force_login(cast.agent)
    answer = client.get("/feedback/export/?period=all&sentiment=NEGATIVE")
    text = b"".join(answer.streaming_content).decode("utf-8")
    assert (answer["Content-Type"], text[0]) == ("text/csv; charset=utf-8", "\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert [row["text"] for row in rows] == ["Parcel late", "又漏水", '\'=HYPERLINK("http://x")', "漏水了，退款"]
    assert [int(row["message"]) for row in rows] == [row.message_id for row in shown(cast, sentiment="NEGATIVE").rows]
    assert (rows[2]["category"], rows[2]["keywords"], rows[1]["rating"], rows[1]["sent_at"][:10]) == ("'@cat", "'-1", "1.4", "2026-05-04")
    entry = AuditEntry.objects.get(action="feedback.export")
    assert (entry.actor_id, entry.details) == (cast.agent.pk, {"sentiment": "NEGATIVE"})


@pytest.mark.parametrize(
    "query", ["period=2", "since=yesterday", "until=0001-01-01", "stars_from=9", "since=2026-05-02&until=2026-05-01", "sentiment=sad"]
)
def test_a_wrong_address_says_what_is_wrong(cast, client, query):
    client.force_login(cast.agent)
    assert client.get(f"/feedback/?{query}").status_code == 422
    assert client.get(f"/feedback/export/?{query}").status_code == 422


def test_strangers_are_sent_to_sign_in(client, db):
    for path in ("/feedback/", "/feedback/export/"):
        assert client.get(path)["Location"] == f"/accounts/login/?next={path}"
    assert AuditEntry.objects.count() == 0


def test_an_empty_desk_says_what_would_be_here(cast, client):
    client.force_login(cast.owner)
    assert "No feedback yet" in client.get("/feedback/?period=all").content.decode()
    assert "No texts fit this choice" in client.get("/feedback/?q=nothing").content.decode()
