"""A survey's figures: each question with n and interval, all who were asked, the same numbers on the page, in its file and from the API."""

import csv
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest

from careloop.desk.analysis.intervals import mean_of, rate_of
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case
from careloop.desk.measures.silence import estimate_all
from careloop.desk.surveys.actions import forget, save_survey
from careloop.desk.surveys.answering import answer_embedded
from careloop.desk.surveys.figures import Line, QuestionFigures, figures_of
from careloop.desk.surveys.models import Answer, Invitation, Survey
from careloop.desk.surveys.queries import list_surveys, newest_version, results_of
from careloop.desk.surveys.rules.questions import BEGINNINGS, Question
from careloop.desk.web.survey_results import share_bar, shown_figures
from tests.desk.surveys.conftest import CSAT

pytestmark = pytest.mark.django_db
CHOICES = ({"code": "c1", "en": "Phone", "zh": "电话"}, {"code": "c2", "en": "Mail", "zh": "邮件"})
SCORE = Question("score", "SCALE", {"en": "Good?", "zh": "好吗？"}, True, 1, 5)
FORM = (
    SCORE, Question("by", "CHOICE", {"en": "By?", "zh": "方式？"}, choices=CHOICES),
    Question("again", "YES_NO", {"en": "Again?", "zh": "再来？"}), Question("why", "TEXT", {"en": "Why?", "zh": "为何？"}),
)  # fmt: skip


@pytest.fixture
def survey(make_survey, cast) -> Survey:
    return make_survey(questions=FORM, embed_channel_id=cast.form.pk)


@pytest.fixture
def give(now):
    count = iter(range(1_000))

    def answer(survey, **given) -> Answer:
        return answer_embedded(survey=survey, given=given, key=str(next(count)), now=now)

    return answer


@pytest.fixture
def boss(cast):
    return cast.viewer(cast.owner)


def figures(survey, viewer):
    return figures_of(survey, newest_version(survey), viewer)


def test_every_question_has_its_answers_counted(survey, give, boss):
    for given in (
        {"score": "5", "by": "c1", "again": "yes", "why": "快"}, {"score": "4", "by": "c2", "again": "no"}, {"score": "1", "by": "c2"},
    ):  # fmt: skip
        give(survey, **given)
    score, by, again, why = figures(survey, boss)
    assert (score.n, score.mean, score.top) == (3, mean_of([(1, 1), (4, 1), (5, 1)], lowest=1, highest=5), rate_of(2, 3))
    assert [line.rate for line in score.lines] == [rate_of(hits, 3) for hits in (1, 0, 0, 1, 1)]
    assert [(line.words["en"], line.rate) for line in by.lines] == [("Phone", rate_of(1, 3)), ("Mail", rate_of(2, 3))]
    assert [(line.value, line.rate) for line in again.lines] == [("yes", rate_of(1, 2)), ("no", rate_of(1, 2))]
    assert (why.n, why.lines, why.mean) == (1, [], None)


def test_a_recommendation_has_its_net_score(make_survey, give, cast, boss):
    survey = make_survey(kind="NPS", questions=BEGINNINGS["NPS"], embed_channel_id=cast.form.pk)
    for score in (10, 9, 8, 7, 6, 0):
        give(survey, score=str(score))
    assert figures(survey, boss)[0].net == mean_of([(100, 2), (0, 2), (-100, 2)], lowest=-100, highest=100)


FEW = {
    "nobody": ((), (0, None, None, None), [None] * 5),
    "one": ((4,), (1, 4.0, None, None), [0, 0, 0, 1, 0]),
    "all the same": ((5, 5, 5), (3, 5.0, 5.0, 5.0), [0, 0, 0, 0, 1]),
}


@pytest.mark.parametrize(("scores", "mean", "shares"), FEW.values(), ids=FEW)
def test_few_and_equal_answers_are_shown_as_what_they_are(survey, give, boss, client, cast, scores, mean, shares):
    for score in scores:
        give(survey, score=str(score))
    found = figures(survey, boss)[0]
    assert ((found.mean.n, found.mean.average, found.mean.low, found.mean.high), [line.rate.share for line in found.lines]) == (
        mean,
        shares,
    )
    assert estimate_all(survey, newest_version(survey), boss) is None  # nobody was asked: they came by themselves
    client.force_login(cast.supervisor)
    page = client.get(f"/surveys/{survey.pk}/").content.decode().split("<main")[1].split("</main>")[0]
    assert f"n = {len(scores)}" in page and "Not enough data" in page and "None" not in page and "nan" not in page
    assert client.get(f"/surveys/{survey.pk}/figures.csv").status_code == 200


def test_answers_to_another_version_count_where_the_question_is_alike(survey, give, boss, cast, now):
    give(survey, score="5", by="c1")
    swapped = ({"code": "c1", "en": "Mail", "zh": "邮件"}, {"code": "c2", "en": "Phone", "zh": "电话"})
    questions = (replace(SCORE, text={"en": "Well?", "zh": "好不好？"}), replace(FORM[1], choices=swapped))
    facts = replace(CSAT, questions=questions, embed_channel_id=cast.form.pk)
    save_survey(facts=facts, survey_id=survey.pk, expected_version=1, viewer=cast.viewer(cast.supervisor), now=now)
    give(survey, score="4", by="c1")
    score, by = figures(survey, boss)
    assert (score.n, by.n, by.lines[0].words["en"], by.lines[0].rate.hits) == (2, 1, "Mail", 1)
    before = results_of(survey, boss, number=1)
    assert (before.version.number, before.figures[1].n, before.figures[1].lines[0].words["en"]) == (1, 1, "Phone")
    assert [one.number for one in before.versions] == [2, 1]


def test_the_list_and_the_page_agree_on_the_average_when_the_scale_changed(survey, give, boss, cast, now):
    give(survey, score="5")
    facts = replace(CSAT, questions=(replace(SCORE, low=0, high=10),), embed_channel_id=cast.form.pk)
    save_survey(facts=facts, survey_id=survey.pk, expected_version=1, viewer=cast.viewer(cast.supervisor), now=now)
    for score in ("10", "8"):
        give(survey, score=score)
    [row] = list_surveys(boss)
    assert row.mean == results_of(survey, boss).mean == mean_of([(8, 1), (10, 1)], lowest=0, highest=10)


def test_all_who_were_asked_are_estimated_with_what_the_silent_leave_open(survey, make_case, boss, cast, now):
    version = newest_version(survey)
    for number in range(20):
        case = make_case()
        facts = {"case": case, "customer": case.customer, "team": case.team, "channel": case.channel, "origin": "RULE"}
        when = {"created_at": now, "planned_at": now, "sent_at": now}
        state = "ANSWERED" if number < 10 else "SENT"
        one = Invitation.objects.create(survey=survey, version=version, key=str(number), state=state, **facts, **when)
        if number < 10:
            score = {"score": 5 if number < 6 else 2, "score_min": 1, "score_max": 5}
            Answer.objects.create(invitation=one, answers={}, answered_at=now, changed_at=now, **score)
    found = estimate_all(survey, version, boss)
    assert (found.n_invited, found.n_answered, found.plain, found.bounds) == (20, 10, 0.6, (0.3, 0.8))
    assert found.value == pytest.approx(0.6)
    assert found.bounds[0] < found.sensitivity[0] < 0.6 < found.sensitivity[1] < found.bounds[1]
    assert estimate_all(survey, version, boss, since=now + timedelta(seconds=1)) is None
    assert estimate_all(survey, version, cast.viewer(cast.outsider)) is None
    Case.objects.all()[0].invitations.update(case=None)  # erased: counts on, with nothing known of it
    assert estimate_all(survey, version, boss).n_invited == 20


def test_what_the_silent_leave_open_is_told_of_each_answer(asked, make_survey, make_case, give, boss, cast, now, client):
    from careloop.desk.surveys.answering import record_answer

    invitation = asked(embed_channel_id=cast.form.pk)
    facts = {"survey": invitation.survey, "version": invitation.version, "team": cast.team, "channel": cast.channel, "origin": "RULE"}
    for number in range(3):
        when = {"created_at": now, "planned_at": now, "sent_at": now}
        Invitation.objects.create(key=f"silent-{number}", state="SENT", **facts, **when)
    record_answer(invitation_id=invitation.pk, given={"score": "4"}, now=now + timedelta(hours=2))
    give(invitation.survey, score="5")  # came by themselves: none of those who were asked
    found = results_of(invitation.survey, boss)
    assert [line.silent for line in found.figures[0].lines] == [(0, 0.75), (0, 0.75), (0, 0.75), (0.25, 1.0), (0, 0.75)]
    assert [line.rate for line in found.figures[0].lines] == [rate_of(hits, 2) for hits in (0, 0, 0, 1, 1)]
    client.force_login(cast.supervisor)
    page = client.get(f"/surveys/{invitation.survey_id}/").content.decode()
    assert "25.0–100.0%" in page and page.count('class="share"') == 5 and "<meter" not in page


def test_bars_of_a_question_end_at_the_same_round_share():
    assert 'class="bar" width="60.68"' in share_bar(rate_of(152, 501), 0.5)
    found = shown_figures(SimpleNamespace(figures=[QuestionFigures(SCORE, 0, [Line("1", {}, rate_of(0, 0))])]), "en")
    assert (found[0]["end"], found[0]["lines"][0]["svg"]) == ("25%", "")


def lines_of(response) -> list[list[str]]:
    return list(csv.reader(StringIO(response.content.decode("utf-8-sig"))))


def test_page_file_and_api_tell_the_same_numbers(survey, give, client, cast, boss):
    for score in ("5", "4", "2"):
        give(survey, score=score, by="c1")
    mean = results_of(survey, boss).mean
    client.force_login(cast.supervisor)
    page = client.get(f"/surveys/{survey.pk}/").content.decode()
    assert f"{mean.average:.2f}" in page and f"{mean.low:.2f}" in page and "66.7%" in page
    head, *lines = lines_of(client.get(f"/surveys/{survey.pk}/figures.csv"))
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    [average] = [row for row in rows if row["figure"] == "average"]
    assert (int(average["n"]), float(average["number"]), float(average["low"])) == (3, mean.average, mean.low)
    [phone] = [row for row in rows if row["words"] == "Phone"]
    assert (phone["count"], float(phone["number"]), float(phone["low"])) == ("3", 1.0, rate_of(3, 3).low)


def test_answers_leave_as_rows_audited_and_harmless(survey, give, client, cast):
    give(survey, score="5", by="c1", again="yes", why="=cmd()")
    client.force_login(cast.supervisor)
    head, row = lines_of(client.get(f"/surveys/{survey.pk}/answers.csv"))
    told = dict(zip(head, row, strict=True))
    assert (told["score"], told["by"], told["again"], told["why"], told["origin"]) == ("5", "c1", "True", "'=cmd()", "EMBED")
    assert AuditEntry.objects.get(action="survey.export").object_id == survey.pk


def test_files_hold_only_the_viewers_teams_and_nobody_without_the_right_gets_one(survey, give, client, cast):
    give(survey, score="5")
    client.force_login(cast.agent)
    for name in ("figures", "answers"):
        assert client.get(f"/surveys/{survey.pk}/{name}.csv").status_code == 403
    assert AuditEntry.objects.filter(action="survey.export").count() == 0
    cast.outsider.role = "SUPERVISOR"
    cast.outsider.save()
    client.force_login(cast.outsider)
    assert len(lines_of(client.get(f"/surveys/{survey.pk}/answers.csv"))) == 1


def test_an_erased_customers_score_counts_on_and_their_words_are_gone(asked, cast, boss, now):
    from careloop.desk.surveys.answering import record_answer

    invitation = asked()
    record_answer(invitation_id=invitation.pk, given={"score": "4", "why": "快"}, now=now + timedelta(hours=2))
    forget([invitation.pk], now=now)
    score, why = figures(invitation.survey, boss)
    assert (score.n, why.n) == (1, 0)
