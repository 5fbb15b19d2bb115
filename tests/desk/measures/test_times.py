"""Times page: the same numbers as the reports and an independent product-limit curve; groups, filters, the test and the model in words."""

import csv
import io
import math
from datetime import timedelta

import pytest

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases.models import Case
from careloop.desk.kernel.errors import InvalidInput, NotAllowed
from careloop.desk.measures.actions import refresh
from careloop.desk.measures.queries import ask
from careloop.desk.measures.reading import Question
from careloop.desk.measures.times import LATER, REST, SOONER, measure_times
from careloop.desk.measures.times_model import explain_times


@pytest.fixture
def house(cast, now):
    """Stores cases that began 100 days ago: (channel, seconds or None for open), and counts them."""
    from careloop.desk.customers.models import Customer

    def store(*cases, **facts):
        customer = Customer.objects.create(name="K", created_at=now, last_seen_at=now)
        begin = now - timedelta(days=100)
        for channel, seconds in cases:
            resolved = None if seconds is None else begin + timedelta(seconds=seconds)
            given = {
                "status": "OPEN" if resolved is None else "RESOLVED",
                "opened_at": begin,
                "last_message_at": begin,
                "subject": "s",
                **facts,
            }
            Case.objects.create(team=channel.team, customer=customer, channel=channel, resolved_at=resolved, **given)
        refresh(now=now)
        return viewer_of(cast.owner)

    return store


def slow_curve(spans):
    """The share still open after each ending, step by step."""
    share, found = 1.0, {}
    for time in sorted({seconds for seconds, ended in spans if ended}):
        left = sum(seconds >= time for seconds, _ended in spans)
        share *= 1 - sum(seconds == time and ended for seconds, ended in spans) / left
        found[time] = share
    return found


def test_medians_and_shares_on_time_are_those_of_the_reports(cast, counted):
    for viewer in (viewer_of(cast.owner), viewer_of(cast.supervisor)):
        for target in ("first_response", "resolution"):
            found, _cases = measure_times(Question((), by="kind"), target, viewer)
            table = ask(Question((target, f"{target}_on_time"), by="kind"), viewer)
            for row in table.rows:
                one = next(group for group in found.groups if group.group == row.group)
                mine, theirs = one.points[1], row.figures[target]
                assert (mine.value, mine.low, mine.high, mine.n) == (theirs.value, theirs.low, theirs.high, theirs.n)
                assert one.on_time == row.figures[f"{target}_on_time"]
            assert found.whole.points[1].value == table.whole[target].value


def test_the_curve_is_the_product_limit_of_what_happened(cast, house):
    hours = [(1, True), (2, True), (2, True), (5, True), (9, True), (2400, False), (2400, False)]
    viewer = house(*[(cast.channel, hour * 3600 if ended else None) for hour, ended in hours])
    found, _cases = measure_times(Question(()), "resolution", viewer)
    expected = slow_curve([(hour * 3600, ended) for hour, ended in hours])
    whole = found.whole
    assert (whole.n, whole.n_open) == (7, 2)
    assert [point.value for point in whole.points] == [7200, 18_000, None, None]
    for moment in whole.course:
        before = [share for time, share in expected.items() if time <= moment.seconds]
        assert moment.share == pytest.approx(before[-1] if before else 1.0, abs=1e-12)
    assert found.groups[0].on_time.n == 0


def test_a_slower_channel_is_told_and_an_equal_one_is_not(cast, house):
    fast = [(cast.channel, 600 * number) for number in range(1, 31)]
    slow = [(cast.form, 6000 * number) for number in range(1, 31)]
    viewer = house(*fast, *slow)
    found, _cases = measure_times(Question((), by="channel"), "resolution", viewer)
    assert {one.group: one.verdict for one in found.groups} == {cast.channel.pk: SOONER, cast.form.pk: LATER}
    assert found.p < 1e-6
    alike, _cases = measure_times(Question((), by="kind"), "resolution", viewer)
    assert (alike.p, [one.verdict for one in alike.groups]) == (None, [""])


def test_groups_beyond_eight_stand_together(cast, house):
    for number in range(11):
        viewer = house(*[(cast.channel, 600)] * (12 - number), category=f"c{number:02}")
    found, _cases = measure_times(Question((), by="category"), "resolution", viewer)
    assert [one.group for one in found.groups] == [*(f"c{number:02}" for number in range(8)), REST]
    assert found.groups[-1].n == 4 + 3 + 2
    assert sum(one.n for one in found.groups) == found.whole.n


def test_the_model_tells_how_many_times_as_fast(cast, house):
    for number in range(3):
        spread = [(cast.channel, int(-36_000 * math.log(1 - step / 80)) + number) for step in range(1, 80)]
        slower = [(cast.form, 4 * seconds + 5) for _channel, seconds in spread]
        viewer = house(*spread, *slower, kind=("COMPLAINT", "REFUND", "PRAISE")[number])
    _times, cases = measure_times(Question(()), "resolution", viewer)
    model = explain_times(cases)
    strongest = model.effects[0]
    assert (strongest.facet, {strongest.value, strongest.base}) == ("channel", {cast.channel.pk, cast.form.pk})
    faster = strongest.ratio if strongest.value == cast.channel.pk else 1 / strongest.ratio
    assert 3.4 < faster < 4.6  # exponential times with a quarter of the rate
    assert strongest.is_shown
    assert [one.is_shown for one in model.effects if one.facet == "kind"] == [False, False]


def test_too_few_cases_are_refused_in_plain_words(client, cast, house):
    house(*[(cast.channel, 600)] * 9)
    client.force_login(cast.owner)
    page = client.get("/reports/times/?period=all").content.decode()
    assert "Not enough data: 9 cases are over, 60 are needed." in page
    assert "Not enough data to compare groups" in page


def test_the_file_has_the_numbers_of_the_page(client, cast, counted):
    client.force_login(cast.owner)
    page = client.get("/reports/times/?period=all&target=first_response&by=kind")
    assert page.status_code == 200
    lines = list(csv.DictReader(io.StringIO(client.get(page.context["export_url"]).content.decode("utf-8-sig"))))
    found, _cases = measure_times(Question((), by="kind"), "first_response", viewer_of(cast.owner))
    medians = {line["group_name"]: line for line in lines if line["figure"] == "over_by_50%"}
    names = {row["name"]: row for row in page.context["rows"]}
    assert medians.keys() == names.keys()
    for one, name in zip([*found.groups, found.whole], names, strict=True):
        line, point = medians[name], one.points[1]
        assert [line["value"], line["low"], line["high"]] == [
            "" if end is None else repr(end) for end in (point.value, point.low, point.high)
        ]
        assert (int(line["n"]), int(line["open"])) == (one.n, one.n_open) == (names[name]["n"], names[name]["open"])


def test_an_earlier_moment_gives_what_was_shown_then(cast, counted):
    viewer = viewer_of(cast.owner)
    before, _cases = measure_times(Question(()), "resolution", viewer)
    moment = before.as_of
    counted.play(20)
    refresh(now=counted.now)
    again, _cases = measure_times(Question((), as_of=moment), "resolution", viewer)
    assert [one.points for one in again.groups] == [one.points for one in before.groups]
    now, _cases = measure_times(Question(()), "resolution", viewer)
    assert now.whole.n > before.whole.n


def test_outsiders_see_their_own_team_only_and_agents_nothing(client, cast, counted):
    found, _cases = measure_times(Question((), by="team"), "resolution", viewer_of(cast.supervisor))
    assert [one.group for one in found.groups] == [cast.team.pk]
    with pytest.raises(NotAllowed):
        measure_times(Question(()), "resolution", viewer_of(cast.outsider))
    with pytest.raises(InvalidInput, match="expected one of first_response, resolution"):
        measure_times(Question(()), "lunch", viewer_of(cast.owner))
    client.force_login(cast.outsider)
    assert client.get("/reports/times/").status_code == 403
