"""What came of a comparison: counted once a case, judged by the group that the hash said, and silent where nothing can be told."""

import json
import random
from datetime import date, timedelta
from io import StringIO
from statistics import mean, stdev

import numpy as np
import pytest
from django.core.management import call_command
from scipy.stats import f

from careloop.desk.cases.models import Case
from careloop.desk.customers.models import Customer
from careloop.desk.experiments.actions import ArmFacts, ComparisonFacts, WindowFacts, make_comparison
from careloop.desk.experiments.models import Exposure
from careloop.desk.experiments.rules import choose_arm, place_of
from careloop.desk.kernel.errors import NotAllowed
from careloop.desk.measures.actions import columns_of
from careloop.desk.measures.models import AnswerFact, AnswerFactPast, CaseFact, CaseFactPast, Facets, Ledger
from careloop.desk.measures.trial_lines import lines_of
from careloop.desk.measures.trial_looks import CHECKPOINTS, SHARE, Rows, look_at_pairs
from careloop.desk.measures.trial_planning import plan_comparison
from careloop.desk.measures.trials import judge_comparison
from careloop.insight.stats import Moments, difference_of_shares, look_at_means, wilson_interval

DAY = timedelta(days=1)


class House:
    """Cases with facts, as the job that follows events would have counted them."""

    def __init__(self, cast, now):
        self.cast, self.now = cast, now
        Ledger.objects.create(pk=1, shown_at=now)
        self.facets = {
            team.pk: Facets.objects.create(team_id=team.pk, channel_id=channel.pk, kind="COMPLAINT")
            for team, channel in ((cast.team, cast.channel), (cast.other_team, cast.other_channel))
        }

    def case(self, *, at, resolution=None, response=None, reopened=0, rating=None, customer=None, team=None):
        team = team or self.cast.team
        customer = customer or Customer.objects.create(name="x", created_at=at, last_seen_at=at)
        channel = self.cast.channel if team == self.cast.team else self.cast.other_channel
        made = Case.objects.create(team=team, customer=customer, channel=channel, subject="x", opened_at=at, last_message_at=at)
        CaseFact.objects.create(
            case_id=made.pk, facets=self.facets[team.pk], known_from=at, opened_on=at.toordinal(), opened_second=int(at.timestamp()),
            resolution_seconds=resolution, response_seconds=response, reopened=reopened,
        )  # fmt: skip
        if rating is not None:
            AnswerFact.objects.create(
                origin="SURVEY", origin_id=made.pk, case_id=made.pk, facets=self.facets[team.pk], known_from=at, scale="CSAT",
                sent_on=at.toordinal(), answered_on=at.toordinal(), hundredths=rating * 100,
            )  # fmt: skip
        return made

    def comparison(self, **changed):
        arms = (ArmFacts("With", 0.5, 7), ArmFacts("Without", 0.5))
        given = {"name": "Does it help?", "design": "RANDOMISED", "outcome": "REOPENED", "subject": "RULE", "arms": arms, "planned": 400}
        return make_comparison(facts=ComparisonFacts(**(given | changed)), viewer=self.cast.viewer(self.cast.owner), now=self.now)

    def expose(self, comparison, case, at):
        arms = list(comparison.arms.all())
        arm = arms[choose_arm([one.ratio for one in arms], place_of(comparison.salt, case.pk))]
        Exposure.objects.create(
            comparison=comparison, arm=arm, unit_id=case.pk, case=case, first_case_id=case.pk, customer_id=case.customer_id, at=at
        )
        return arm.position

    def judge(self, comparison, person=None):
        return judge_comparison(comparison, self.cast.viewer(person or self.cast.analyst), now=self.now)


@pytest.fixture
def house(cast, now):
    return House(cast, now)


def results(trial):
    return {one.outcome: one for one in trial.outcomes}


def test_nothing_yet_says_so(house):
    trial = house.judge(house.comparison())
    assert (trial.n, trial.mismatch_p, trial.is_mismatched, trial.control) == (0, None, False, 1)
    assert [one.outcome for one in trial.outcomes] == ["REOPENED", "SATISFACTION", "REPEAT", "ANSWERED", "RESOLUTION", "RESPONSE"]
    for outcome in trial.outcomes:
        assert [(figure.n, figure.value) for figure in outcome.figures] == [(0, None), (0, None)]
        (contrast,) = outcome.contrasts
        assert (contrast.verdict, contrast.p, contrast.corrected_p, contrast.difference) == ("TOO_FEW", None, None, None)


def test_every_figure_is_that_of_a_plain_count(house, now):
    dice, comparison = random.Random(5), house.comparison()
    seen = []
    for number in range(160):
        at = now - 60 * DAY + number * timedelta(hours=7)
        resolved = dice.random() < 0.9
        facts = {
            "resolution": dice.randint(1, 400_000) if resolved else None,
            "response": dice.randint(1, 9_000),
            "reopened": int(resolved and dice.random() < 0.3),
            "rating": dice.randint(1, 5) if dice.random() < 0.4 else None,
        }
        case = house.case(at=at, **facts)
        returned = dice.random() < 0.2
        if returned:
            house.case(at=at + 20 * DAY, customer=case.customer)
        seen.append((house.expose(comparison, case, at), facts, returned, at))
    trial = house.judge(comparison)
    found = results(trial)
    assert [one.exposed for one in trial.arms] == [sum(arm == place for arm, *_ in seen) for place in (0, 1)]
    for place in (0, 1):
        mine = [(facts, returned, at) for arm, facts, returned, at in seen if arm == place]
        reopened = [facts["reopened"] for facts, _returned, _at in mine if facts["resolution"] or facts["reopened"]]
        figure = found["REOPENED"].figures[place]
        assert (figure.n, figure.value) == (len(reopened), mean(reopened))
        assert (figure.low, figure.high) == wilson_interval(sum(reopened), len(reopened))
        ratings = [facts["rating"] for facts, _returned, _at in mine if facts["rating"] is not None]
        assert (found["SATISFACTION"].figures[place].n, found["SATISFACTION"].figures[place].value) == (
            len(ratings),
            pytest.approx(mean(ratings)),
        )
        repeats = [returned for _facts, returned, at in mine if at + 30 * DAY <= now]
        assert (found["REPEAT"].figures[place].n, found["REPEAT"].figures[place].value) == (len(repeats), pytest.approx(mean(repeats)))
        assert found["RESOLUTION"].figures[place].n == len(mine)
        responses = sorted(facts["response"] for facts, _returned, _at in mine)
        assert found["RESPONSE"].figures[place].value == responses[(len(responses) - 1) // 2]
    (contrast,) = found["REOPENED"].contrasts
    one, other = ((round(figure.value * figure.n), figure.n) for figure in found["REOPENED"].figures)
    assert (contrast.low, contrast.high) == pytest.approx(difference_of_shares(one, other))
    p_values = [one.contrasts[0].p for one in trial.outcomes]
    corrected = [one.contrasts[0].corrected_p for one in trial.outcomes]
    assert all(right >= p for p, right in zip(p_values, corrected, strict=True)) and min(corrected) <= min(p_values) * 6 + 1e-12


def test_an_effect_is_shown_and_stays_shown(house, now):
    comparison = house.comparison(planned=200)
    for number in range(240):
        at = now - 20 * DAY + number * timedelta(hours=1)
        case = house.case(at=at)
        arm = house.expose(comparison, case, at)
        CaseFact.objects.filter(case_id=case.pk).update(
            resolution_seconds=3600 * (1 + number % 7) * (1 if arm == 0 else 4), reopened=int(arm == 1 and number % 2)
        )
    found = results(house.judge(comparison))
    (reopened,) = found["REOPENED"].contrasts
    assert reopened.verdict == "LESS" and reopened.always_p < 0.001 and reopened.high < 0 and reopened.effect_high < 0
    sizes, differences, lows, highs = zip(*found["REOPENED"].history, strict=True)
    assert list(sizes) == sorted(set(sizes)) and sizes[-1] == 240
    assert all(low <= middle <= high for middle, low, high in zip(differences, lows, highs, strict=True))
    (times,) = found["RESOLUTION"].contrasts
    assert times.verdict == "MORE" and times.low > 1 and times.p < 1e-6  # sooner over
    (repeat,) = found["REPEAT"].contrasts
    assert repeat.verdict == "TOO_FEW" and found["REPEAT"].figures[0].n == 0  # nobody's 30 days are over


def test_a_broken_hash_is_noticed(house, now):
    comparison = house.comparison()
    arm = comparison.arms.get(position=0)
    for _number in range(60):
        case = house.case(at=now - DAY)
        Exposure.objects.create(
            comparison=comparison, arm=arm, unit_id=case.pk, case=case, first_case_id=case.pk, customer_id=case.customer_id, at=now
        )
    trial = house.judge(comparison)
    assert trial.is_mismatched and [one.expected for one in trial.arms] == [30, 30]


def test_three_groups_are_compared_with_the_one_that_goes_without(house, now):
    arms = (ArmFacts("A", 0.3, 7), ArmFacts("B", 0.3, 8), ArmFacts("Without", 0.4))
    comparison = house.comparison(arms=arms)
    for number in range(150):
        at = now - 40 * DAY
        house.expose(comparison, house.case(at=at, resolution=60, rating=1 + number % 5), at)
    trial = house.judge(comparison)
    assert trial.control == 2
    satisfaction = results(trial)["SATISFACTION"]
    assert [(one.arm, one.control) for one in satisfaction.contrasts] == [(0, 2), (1, 2)]
    assert [(one.first, one.second) for one in satisfaction.pairs] == [(0, 1), (0, 2), (1, 2)]
    ratings = [AnswerFact.objects.filter(case_id__in=[one.case_id for one in arm.exposures.all()]) for arm in comparison.arms.all()]
    groups = [[row.hundredths / 100 for row in rows] for rows in ratings]
    overall = satisfaction.overall
    assert (overall.test, overall.p) == ("WELCH", pytest.approx(welch_of(groups)))
    whole = [value for group in groups for value in group]
    between = sum(len(group) * (mean(group) - mean(whole)) ** 2 for group in groups)
    assert overall.eta.value == pytest.approx(between / sum((value - mean(whole)) ** 2 for value in whole))
    assert 0 <= overall.omega <= overall.eta.value and overall.spread_ratio == pytest.approx(
        max(map(stdev, groups)) / min(map(stdev, groups))
    )
    first_two = [row for row in Exposure.objects.order_by("at", "pk").select_related("arm") if row.arm.position < 2]
    rated = [(row.arm.position, AnswerFact.objects.get(case_id=row.case_id).hundredths / 100) for row in first_two]
    looks = []
    for stop in np.linspace(0, len(rated), CHECKPOINTS + 1).astype(int):
        sides = [Moments.of([value for arm, value in rated[:stop] if arm == side]) for side in (0, 1)]
        looks.append(look_at_means(*sides, planned=400 * 0.6, alpha=0.05 / 3))
    expected = (max(look.low for look in looks), min(look.high for look in looks))
    assert (satisfaction.pairs[0].low, satisfaction.pairs[0].high) == pytest.approx(expected)
    assert {line["line"] for line in lines_of(trial)} == {"GROUP", "PAIR", "OVERALL"}


@pytest.mark.parametrize(("later", "is_agreed"), [(0.7, True), (0.5, False)])
def test_what_was_shown_keeps_its_direction_and_its_range_says_the_same(later, is_agreed):
    """Of the first group 8 in 10 for 300 cases, then as many as `later` says; of the second 5 in 10 throughout."""
    arms = np.tile([0, 1], 600)
    chances = np.where(arms == 1, 0.5, np.where(np.arange(1200) < 300, 0.8, later))
    values = (np.random.default_rng(4).random(1200) < chances).astype(float)
    rows = Rows(arms, values, np.ones(1200, dtype=bool), np.zeros(1200, dtype=np.int64), np.empty((1, 0)), ())
    (pair,), history = look_at_pairs(SHARE, rows, [0.5, 0.5], 1, 1200)
    assert (pair.verdict, pair.p < 0.001) == ("MORE", True)
    last = history[-1]
    assert pair.difference == pytest.approx(last[1])
    agreed = (max(low for _n, _d, low, _h in history), min(high for _n, _d, _l, high in history))
    assert (pair.low, pair.high) == pytest.approx(agreed if is_agreed else last[2:])
    assert (pair.low > 0) is is_agreed


def welch_of(groups):
    """Welch 1951, written out."""
    weights = [len(group) / stdev(group) ** 2 for group in groups]
    middle = sum(weight * mean(group) for weight, group in zip(weights, groups, strict=True)) / sum(weights)
    k = len(groups)
    away = sum((1 - weight / sum(weights)) ** 2 / (len(group) - 1) for weight, group in zip(weights, groups, strict=True))
    ratio = sum(weight * (mean(group) - middle) ** 2 for weight, group in zip(weights, groups, strict=True)) / (k - 1)
    return float(f.sf(ratio / (1 + 2 * (k - 2) / (k * k - 1) * away), k - 1, (k * k - 1) / (3 * away)))


def test_of_groups_that_are_alike_no_pair_is_called_by_chance_alone(house, now):
    arms = tuple(ArmFacts(f"{number}", 0.2, number) for number in range(1, 6))
    comparison = house.comparison(arms=arms)
    for number in range(100):
        house.expose(comparison, house.case(at=now - 40 * DAY, resolution=60, reopened=number % 2), now - 40 * DAY)
    reopened = results(house.judge(comparison))["REOPENED"]
    assert len(reopened.pairs) == 10 and {one.verdict for one in reopened.pairs} <= {"TOO_FEW", "NOT_SHOWN"}
    assert (reopened.overall.test, reopened.overall.spread_ratio) == ("CHI_SQUARED", None)


def test_what_was_shown_is_counted_again_to_the_digit(house, cast, now):
    comparison = house.comparison()
    for number in range(60):
        at = now - 50 * DAY
        case = house.case(at=at, resolution=3600 + number if number % 4 else None, response=60, reopened=number % 2, rating=1 + number % 5)
        house.expose(comparison, case, at)
    before = lines_of(house.judge(comparison))
    later = now + 3 * DAY
    changed, gone, into = list(CaseFact.objects.order_by("case_id")[:3])
    for row in (changed, gone):
        CaseFactPast.objects.create(**columns_of(row), known_until=later)
    CaseFact.objects.filter(pk=changed.pk).update(known_from=later, resolution_seconds=99, reopened=0)
    CaseFact.objects.filter(pk=gone.pk).delete()  # merged into another
    Exposure.objects.filter(case_id=gone.case_id).update(case_id=into.case_id)
    answer = AnswerFact.objects.get(case_id=changed.case_id)
    AnswerFactPast.objects.create(**columns_of(answer), known_until=later)
    AnswerFact.objects.filter(pk=answer.pk).update(known_from=later, hundredths=100)
    house.expose(comparison, house.case(at=later, resolution=5), later)
    Ledger.objects.update(shown_at=later)
    house.now = later
    assert lines_of(house.judge(comparison)) != before
    assert lines_of(judge_comparison(comparison, cast.viewer(cast.analyst), now=later, as_of=now)) == before
    out = StringIO()
    call_command("replay", comparison=comparison.pk, as_of=now.isoformat(), as_json=True, stdout=out)
    assert json.loads(out.getvalue())["lines"] == json.loads(json.dumps(before))


def test_a_plan_says_how_long_it_takes(house, cast, now):
    for number in range(56):
        house.case(at=now - number % 28 * DAY, resolution=60, rating=1 + number % 5 if number % 2 else None)
    facts = {"outcome": "SATISFACTION", "wanted": 0.5, "viewer": cast.viewer(cast.analyst), "today": now.date()}
    two, three = (plan_comparison(ratios=ratios, **facts) for ratios in ([0.5, 0.5], [0.25, 0.25, 0.5]))
    assert (two.a_day, two.telling, two.days) == (2.0, 0.5, two.daily)
    assert three.daily > two.daily > two.once  # thinner groups, and three pairs
    assert plan_comparison(ratios=[0.5, 0.5], concerned=20, **facts).days == -(-two.daily // 10)
    assert plan_comparison(**{**facts, "outcome": "ANSWERED"}, ratios=[0.5, 0.5]).base == pytest.approx(29 / 30)


def test_a_supervisor_counts_the_own_teams_cases_alone(house, cast, now):
    comparison = house.comparison()
    for team in (cast.team, cast.team, cast.other_team):
        house.expose(comparison, house.case(at=now - DAY, team=team), now)
    assert house.judge(comparison).n == 3
    assert house.judge(comparison, cast.supervisor).n == 2
    for person in (cast.agent, cast.outsider):
        with pytest.raises(NotAllowed):
            house.judge(comparison, person)


def test_before_and_after_is_the_difference_of_differences(house, cast, now):
    changed_on = date(2026, 4, 6)
    window = WindowFacts(by="team", value=str(cast.team.pk), others=(str(cast.other_team.pk),), changed_on=changed_on, days=28)
    comparison = house.comparison(design="BEFORE_AFTER", subject="", arms=(), window=window, outcome="RESOLUTION")
    shares = {}
    for day in range(-28, 28):
        for team in (cast.team, cast.other_team):
            for number in range(4):
                at = now.replace(year=2026, month=4, day=6) + day * DAY
                fast = number < (3 if team == cast.team and day >= 0 else 1 + (day % 2))
                house.case(at=at, team=team, resolution=3600 if fast else 200_000, response=60)
                shares.setdefault((team.pk, day >= 0), []).append(fast)
    trial = house.judge(comparison)
    (first, *others) = trial.window.outcomes
    assert first.outcome == "RESOLVED_IN_24_HOURS"
    expected = (mean(shares[cast.team.pk, True]) - mean(shares[cast.team.pk, False])) - (
        mean(shares[cast.other_team.pk, True]) - mean(shares[cast.other_team.pk, False])
    )
    assert first.found.effect == pytest.approx(expected) and first.found.low < expected < first.found.high
    assert first.found.sizes == ((112, 112), (112, 112)) and first.corrected_p >= first.found.p
    assert abs(first.drift.effect) < 0.01
    satisfaction = next(one for one in others if one.outcome == "SATISFACTION")
    assert satisfaction.found is None and "holds 0 rows" in satisfaction.why_not
