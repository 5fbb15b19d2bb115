"""Figures agree with a slow count over random histories, split and chosen in any way, and can be asked for as they were."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from careloop.desk.cases.models import Case, Clock
from careloop.desk.kernel.errors import InvalidInput, NotAllowed
from careloop.desk.measures.actions import TICK, recount, refresh
from careloop.desk.measures.models import CaseFact, CaseFactPast, Ledger
from careloop.desk.measures.queries import ask, list_cases_behind
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.definitions import MEASURES
from tests.desk.measures.slow_count import slow_figures, slow_median, spans

ALL = tuple(key for key in MEASURES)
SLOW = ("opened", "resolved", "backlog", "first_response_on_time", "resolution_on_time", "reopened", "one_reply", "replies")
SLOW += ("negative", "complaints", "satisfaction", "satisfied")


def seen(figures):
    return {key: (figures[key].value, figures[key].n) for key in SLOW}


def about(expected):
    return {key: (pytest.approx(value, abs=1e-9), n) for key, (value, n) in expected.items()}


@pytest.mark.parametrize("seed", range(6))
def test_every_figure_equals_a_slow_count_of_a_random_history(life, cast, seed):
    played = life(seed)
    viewer = cast.viewer(cast.analyst)
    for _part in range(3):
        played.play(25)
        refresh(now=played.now)
        cases = list(Case.objects.all())
        table = ask(Question(ALL, by="kind"), viewer)
        assert seen(table.whole) == about(slow_figures(cases, table.as_of))
        for key, column in (("first_response", "first_response_at"), ("resolution", "resolved_at")):
            assert table.whole[key].value == slow_median(spans(cases, table.as_of, column)), key
        for row in table.rows:
            if row.group is not None:
                part = [case for case in cases if case.kind == row.group]
                expected = slow_figures(part, table.as_of)
                for key in SLOW:
                    assert (row.figures[key].value or 0, row.figures[key].n) == (pytest.approx(expected[key][0] or 0), expected[key][1]), (
                        key
                    )


@pytest.mark.parametrize("seed", range(3))
def test_a_number_asked_for_as_of_an_earlier_moment_is_the_number_that_was_shown_then(life, cast, seed):
    played, viewer, shown = life(100 + seed), cast.viewer(cast.analyst), []
    questions = [Question(ALL, by=by, per=per) for by, per in (("", ""), ("team", ""), ("agent", "week"), ("", "day"))]
    for _part in range(5):
        played.play(10)
        refresh(now=played.now)
        shown.append([ask(one, viewer) for one in questions])
    for tables in shown:
        for question, table in zip(questions, tables, strict=True):
            again = ask(Question(ALL, by=question.by, per=question.per, as_of=table.as_of), viewer)
            assert (again.rows, again.whole, again.as_of) == (table.rows, table.whole, table.as_of)
    assert CaseFactPast.objects.count() > 0


def test_counting_again_without_a_change_writes_nothing(life, cast):
    played = life(7)
    played.play(40)
    refresh(now=played.now)
    before = list(CaseFact.objects.order_by("pk").values()), CaseFactPast.objects.count()
    recount(now=played.now)
    refresh(now=played.now + timedelta(minutes=1))
    refresh(now=played.now + timedelta(minutes=2))
    assert (list(CaseFact.objects.order_by("pk").values()), CaseFactPast.objects.count()) == before


def test_a_changed_calendar_recounts_and_keeps_what_was_shown(life, cast, promise):
    played = life(11)
    played.play(40)
    refresh(now=played.now)
    viewer = cast.viewer(cast.analyst)
    before = ask(Question(("first_response_on_time",)), viewer)
    assert before.whole["first_response_on_time"].value == 0.0
    Clock.objects.filter(state="MET").update(is_late=False)  # as if the promise had been easier all along
    promise.changed_at = played.now
    promise.save()
    refresh(now=played.now + timedelta(minutes=1))
    after = ask(Question(("first_response_on_time",)), viewer)
    assert after.whole["first_response_on_time"].value > 0.5
    again = ask(Question(("first_response_on_time",), as_of=before.as_of), viewer)
    assert again.whole == before.whole


def test_days_weeks_and_groups_add_up_to_the_whole(life, cast):
    played = life(5)
    played.play(60)
    refresh(now=played.now)
    viewer = cast.viewer(cast.analyst)
    whole = ask(Question(("opened", "resolved")), viewer).whole
    for by, per in (("channel", ""), ("team", "day"), ("agent", "week"), ("", "month")):
        table = ask(Question(("opened", "resolved"), by=by, per=per), viewer)
        assert table.whole == whole
        for key in ("opened", "resolved"):
            assert sum(row.figures[key].n for row in table.rows) == whole[key].n


def test_a_period_takes_its_first_and_last_day(life, cast, now):
    played = life(5)
    played.play(60)
    refresh(now=played.now)
    viewer = cast.viewer(cast.analyst)
    days = {row.day: row.figures["opened"].n for row in ask(Question(("opened",), per="day"), viewer).rows}
    first, *_, last = sorted(days)
    assert ask(Question(("opened",), since=first, until=first), viewer).whole["opened"].n == days[first]
    assert (
        ask(Question(("opened",), since=first + timedelta(days=1), until=last), viewer).whole["opened"].n
        == sum(days.values()) - days[first]
    )


def test_each_number_opens_its_cases(life, cast):
    played = life(9)
    played.play(60)
    refresh(now=played.now)
    viewer = cast.viewer(cast.analyst)
    question = Question(("reopened",), chosen={"team": cast.team.pk})
    figure = ask(question, viewer).whole["reopened"]
    hits, misses = (list_cases_behind(question, "reopened", viewer, is_hit=is_hit) for is_hit in (True, False))
    assert len(hits) == round((figure.value or 0) * figure.n)
    assert len(hits) + len(misses) == figure.n
    assert {case.team_id for case in [*hits, *misses]} == {cast.team.pk}


def test_a_supervisor_sees_the_figures_of_her_teams_and_an_agent_none(life, cast):
    played = life(3)
    played.play(40)
    refresh(now=played.now)
    table = ask(Question(("opened",), by="team"), cast.viewer(cast.supervisor))
    assert [row.group for row in table.rows] == [cast.team.pk]
    assert table.whole["opened"].n == Case.objects.filter(team=cast.team).count()
    for person in (cast.agent, cast.outsider):
        with pytest.raises(NotAllowed):
            ask(Question(("opened",)), cast.viewer(person))
        with pytest.raises(NotAllowed):
            list_cases_behind(Question(("opened",)), "opened", cast.viewer(person))


def test_before_the_first_count_nothing_can_be_told(cast):
    table = ask(Question(("opened", "satisfaction")), cast.viewer(cast.analyst))
    assert (table.as_of, table.rows) == (None, [])
    assert table.whole["opened"].value is None


def test_before_the_first_count_there_was_nothing_to_show(life, cast):
    played = life(3)
    played.play(30)
    refresh(now=played.now)
    viewer = cast.viewer(cast.analyst)
    first = Ledger.objects.get().first_shown_at
    assert (first, ask(Question(("opened",), as_of=first), viewer).as_of) == (played.now, first)
    table = ask(Question(("opened",), as_of=first - TICK), viewer)
    assert (table.as_of, table.rows, table.whole["opened"].value) == (None, [], None)
    refresh(now=played.now + TICK)
    assert Ledger.objects.get().first_shown_at == first


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (Question(("sales",)), "'sales'; expected one of opened,"),
        (Question(("opened",), by="moon"), "'moon'; expected one of team,"),
        (Question(("opened",), per="hour"), "'hour'; expected one of day, week, month"),
        (Question(("opened",), chosen={"mood": 1}), "'mood'; expected one of team,"),
    ],
)
def test_a_question_that_makes_no_sense_is_told(cast, question, said):
    with pytest.raises(InvalidInput, match=said):
        ask(question, cast.viewer(cast.analyst))


def test_replay_prints_what_was_shown_and_checks_the_facts(life, cast):
    played = life(31)
    played.play(40)
    refresh(now=played.now)
    then = played.now
    shown = ask(Question(("opened", "resolution"), by="channel"), cast.viewer(cast.owner))
    played.play(20)
    refresh(now=played.now)
    out = StringIO()
    call_command("replay", "--as-of", then.isoformat(), "--measure", "opened,resolution", "--by", "channel", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["whole"]["resolution"]["value"] == shown.whole["resolution"].value
    assert [(row["group"], row["figures"]["opened"]["n"]) for row in told["rows"]] == [
        (row.group, row.figures["opened"].n) for row in shown.rows
    ]
    out = StringIO()
    call_command("replay", "--check", stdout=out)
    assert out.getvalue().startswith(f"The facts of {Case.objects.count()} cases are what their rows tell")
    fact = CaseFact.objects.first()
    CaseFact.objects.filter(pk=fact.pk).update(replies=99)
    with pytest.raises(CommandError, match=f"The facts of 1 cases differ from their rows: {fact.case_id}"):
        call_command("replay", "--check", stdout=StringIO())


def test_replay_says_what_it_does_not_understand():
    with pytest.raises(CommandError, match="“noon” is neither a day as 2026-05-04 nor a moment"):
        call_command("replay", "--as-of", "noon")
