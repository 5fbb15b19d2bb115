"""Answers: one an invitation, changeable for a while with what stood there before, read like any message, followed up once when bad."""

from dataclasses import replace
from datetime import timedelta

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.feedback.models import Feedback
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.desk.merging.actions import merge_cases
from careloop.desk.notices.models import Notice
from careloop.desk.surveys import inviting
from careloop.desk.surveys.actions import forget, forget_customer, save_survey
from careloop.desk.surveys.answering import answer_embedded, rate_on_page, record_answer
from careloop.desk.surveys.links import find_invitation, make_token
from careloop.desk.surveys.models import Answer, EarlierAnswer, Invitation, SurveySetting
from careloop.desk.surveys.queries import export_customer, find_page_answer, results_of
from careloop.desk.surveys.rules.questions import BEGINNINGS, Question
from tests.desk.surveys.conftest import CSAT

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def later(now):
    return now + timedelta(hours=3)


def answered(invitation, later, **given):
    return record_answer(invitation_id=invitation.pk, given=given, now=later)


def test_an_answer_is_stored_with_its_scale_and_told_to_the_case(asked, later):
    invitation = asked()
    answer = answered(invitation, later, score="4")
    assert (answer.score, answer.score_min, answer.score_max, answer.answers) == (4, 1, 5, {"score": 4})
    assert (answer.answered_at, answer.changed_at, answer.message_id) == (later, later, None)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.opened_at) == ("ANSWERED", later)
    event = CaseEvent.objects.get(kind="SURVEY")
    assert (event.after["rating"], event.after["high"], event.after["changes"], event.actor_kind) == (4, 5, False, "customer")
    assert AuditEntry.objects.filter(action="survey.answer").count() == 1


def test_the_same_answer_twice_changes_nothing(asked, later):
    invitation = asked()
    answered(invitation, later, score="4")
    version = Case.objects.get(pk=invitation.case_id).version
    answered(invitation, later + DAY, score="4")
    assert (Answer.objects.get().changed_at, EarlierAnswer.objects.count()) == (later, 0)
    assert Case.objects.get(pk=invitation.case_id).version == version


def test_a_changed_answer_keeps_what_stood_there(asked, later):
    invitation = asked()
    answered(invitation, later, score="4")
    answered(invitation, later + DAY, score="3", why="太慢")
    answer = Answer.objects.get()
    assert (answer.score, answer.answered_at, answer.changed_at) == (3, later, later + DAY)
    before = answer.earlier.get()
    assert (before.score, before.answers, before.given_at, before.replaced_at) == (4, {"score": 4}, later, later + DAY)


def test_after_fourteen_days_the_answer_stands(asked, later):
    invitation = asked()
    answered(invitation, later, score="4")
    with pytest.raises(Conflict):
        answered(invitation, later + 14 * DAY, score="3")
    assert (Answer.objects.get().score, EarlierAnswer.objects.count()) == (4, 0)


def test_an_answer_is_changed_twenty_times_at_most(asked, later):
    invitation = asked()
    for number in range(21):
        answered(invitation, later, score="4" if number % 2 else "5")
    with pytest.raises(Conflict):
        answered(invitation, later, score="4")
    assert (Answer.objects.get().score, EarlierAnswer.objects.count()) == (5, 20)


def test_a_click_keeps_what_was_written(asked, later):
    invitation = asked()
    answered(invitation, later, score="4", why="很快")
    record_answer(invitation_id=invitation.pk, given={"score": "5"}, now=later, is_click=True)
    assert Answer.objects.get().answers == {"score": 5, "why": "很快"}
    assert Feedback.objects.get().rating == 5


def test_what_was_written_is_read_like_any_message(asked, later):
    invitation = asked()
    jobs = Job.objects.filter(task__endswith="understand").count()
    answer = answered(invitation, later, score="4", why="安装师傅很专业")
    message = Message.objects.get(pk=answer.message_id)
    assert (message.body, message.direction, message.case_id, message.customer_id) == (
        "安装师傅很专业",
        "INBOUND",
        None,
        invitation.customer_id,
    )
    feedback = Feedback.objects.get()
    assert (feedback.message_id, feedback.source, feedback.rating, feedback.rating_min, feedback.rating_max) == (
        message.pk,
        "SURVEY",
        4,
        1,
        5,
    )
    assert Job.objects.filter(task__endswith="understand").count() == jobs + 1
    assert Case.objects.get(pk=invitation.case_id).status == "RESOLVED"


def test_a_text_written_anew_is_read_anew_and_counted_once(asked, later):
    invitation = asked()
    answered(invitation, later, score="4", why="很快")
    answered(invitation, later, score="4", why="很快，谢谢")
    assert [one.message.body for one in Feedback.objects.select_related("message")] == ["很快，谢谢"]
    answered(invitation, later, score="4", why="")
    assert (Feedback.objects.count(), Answer.objects.get().message_id) == (0, None)


@pytest.mark.parametrize("score", ["0", "6", "-1", "4.5", "", "five", "١", "99999999999999999999"])
def test_a_score_that_is_not_on_the_scale_is_refused(asked, later, score):
    invitation = asked()
    with pytest.raises(InvalidInput):
        answered(invitation, later, score=score, why="x")
    invitation.refresh_from_db()
    assert (invitation.state, Answer.objects.count(), Feedback.objects.count()) == ("SENT", 0, 0)


def test_a_bad_answer_opens_the_case_again_once_and_tells_people(asked, cast, later):
    invitation = asked(bad_at_most=2, bad_tells=("ASSIGNEE", "SUPERVISORS"))
    Case.objects.update(assignee=cast.agent)
    answered(invitation, later, score="2")
    case = Case.objects.get(pk=invitation.case_id)
    assert (case.status, case.resolved_at, Answer.objects.get().followed_up_at) == ("OPEN", None, later)
    assert sorted(Notice.objects.filter(kind="SURVEY").values_list("user_id", "case_id")) == sorted(
        [(cast.supervisor.pk, case.pk), (cast.agent.pk, case.pk)]
    )
    Case.objects.update(status="RESOLVED")
    answered(invitation, later + DAY, score="1", why="更糟")
    assert (Case.objects.get().status, Notice.objects.filter(kind="SURVEY").count()) == ("RESOLVED", 2)


def test_a_bad_answers_text_stands_in_the_case(asked, later):
    invitation = asked(bad_at_most=2)
    answer = answered(invitation, later, score="1", why="还是漏水")
    case = Case.objects.get(pk=invitation.case_id)
    assert (case.status, case.snippet, answer.message.case_id, Feedback.objects.get().rating) == ("OPEN", "还是漏水", case.pk, 1)


def test_what_is_written_after_a_bad_click_stands_in_the_case_that_it_opened(asked, later):
    invitation = asked(bad_at_most=2)
    record_answer(invitation_id=invitation.pk, given={"score": "1"}, now=later, is_click=True)
    answer = answered(invitation, later, score="1", why="还是漏水")
    case = Case.objects.get()
    assert (case.status, case.snippet, answer.message.case_id, Feedback.objects.count()) == ("OPEN", "还是漏水", case.pk, 1)


def test_what_is_written_after_the_case_was_resolved_again_leaves_it_so(asked, later):
    invitation = asked(bad_at_most=2)
    record_answer(invitation_id=invitation.pk, given={"score": "1"}, now=later, is_click=True)
    Case.objects.update(status="RESOLVED")
    answer = answered(invitation, later + DAY, score="1", why="还是漏水")
    assert (Case.objects.get().status, answer.message.case_id) == ("RESOLVED", None)


def test_what_is_written_after_a_bad_click_joins_the_new_case_where_there_is_one(asked, later):
    invitation = asked(bad_at_most=2, bad_does="OPEN")
    record_answer(invitation_id=invitation.pk, given={"score": "1"}, now=later, is_click=True)
    answer = answered(invitation, later, score="1", why="还是漏水")
    made = Case.objects.exclude(pk=invitation.case_id).get()
    assert (made.snippet, answer.message.case_id, Case.objects.count()) == ("还是漏水", made.pk, 2)


def test_an_answer_that_turns_bad_is_followed_up_then(asked, later):
    invitation = asked(bad_at_most=2)
    answered(invitation, later, score="5", why="谢谢")
    assert Case.objects.get().status == "RESOLVED"
    answered(invitation, later + DAY, score="1", why="谢谢")
    assert (Case.objects.get().status, Feedback.objects.count()) == ("OPEN", 1)


@pytest.mark.parametrize(("why", "body"), [("", ""), ("还是漏水", "还是漏水")])
def test_a_bad_answer_opens_a_new_case_where_the_house_wants_it(asked, later, why, body):
    invitation = asked(bad_at_most=2, bad_does="OPEN")
    answer = answered(invitation, later, score="1", why=why)
    made = Case.objects.exclude(pk=invitation.case_id).get()
    assert (made.status, made.customer_id, made.subject) == (
        "OPEN",
        invitation.customer_id,
        "问卷“Was it good?”得 1 分（满分 5 分）",
    ) or why
    assert (answer.message.case_id, answer.message.body) == (made.pk, body)
    answered(invitation, later, score="2", why=why)
    assert Case.objects.count() == 2


def test_an_answer_after_the_case_was_erased_finds_the_link_closed(asked, later):
    invitation = asked()
    token = make_token(invitation, now=later)
    answered(invitation, later, score="4", why="很快")
    forget([invitation.pk], now=later)
    assert find_invitation(token, now=later) is None
    with pytest.raises(NotFound):
        answered(invitation, later, score="1")
    answer = Answer.objects.get()
    assert (answer.score, answer.answers, answer.message_id, Invitation.objects.get().sent_at is None) == (4, {}, None, False)


def test_an_erased_customer_is_named_nowhere_and_counts_on(asked, cast, later):
    invitation = asked()
    answered(invitation, later, score="4", why="很快")
    answered(invitation, later, score="5", why="很快，谢谢")
    assert forget_customer(customer_id=invitation.customer_id, now=later) == 1
    invitation.refresh_from_db()
    assert (invitation.customer_id, invitation.case_id, invitation.message_id, invitation.state) == (None, None, None, "ANSWERED")
    assert EarlierAnswer.objects.get().answers == {}
    found = results_of(invitation.survey, cast.viewer(cast.owner))
    assert (found.counts.asked, found.counts.answered, found.mean.average) == (1, 1, 5.0)


def test_an_erased_customers_planned_invitation_is_not_sent(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    inviting.follow_events(now=now)
    resolve(case, now)
    inviting.follow_events(now=now)
    forget_customer(customer_id=case.customer_id, now=now)
    assert inviting.send_due(now=now + DAY) == 0
    assert (Invitation.objects.get().state, Invitation.objects.get().reason) == ("SKIPPED", "ERASED")


def test_a_customers_export_tells_everything_that_was_asked_and_answered(asked, later):
    invitation = asked()
    answered(invitation, later, score="4")
    answered(invitation, later, score="3", why="太慢")
    [told] = export_customer(invitation.customer_id)
    assert (told["survey"], told["case"], told["state"]) == ("Was it good?", invitation.case_id, "ANSWERED")
    at, question = later.isoformat(), "How satisfied are you with how we handled this?"
    assert told["answers"] == [{"at": at, question: 4}, {"at": at, question: 3, "What could we do better?": "太慢"}]


def test_an_invitation_follows_its_merged_case(asked, make_case, cast, later):
    from careloop.desk.customers.rules import AddressValue

    invitation = asked()
    other = make_case(addresses=(AddressValue("EMAIL", "c1@example.com"),))
    versions = {one.pk: one.version for one in Case.objects.all()}
    facts = {"expected_versions": versions, "viewer": cast.viewer(cast.agent), "now": later}
    merge_cases(into_id=other.pk, source_ids=[invitation.case_id], **facts)
    answered(invitation, later, score="4")
    assert CaseEvent.objects.get(kind="SURVEY").case_id == other.pk


def test_answers_name_the_version_that_was_asked(asked, cast, later):
    invitation = asked()
    scale = Question("score", "SCALE", {"en": "Seven?", "zh": "七分？"}, True, 1, 7)
    facts = replace(CSAT, questions=(scale,))
    save_survey(facts=facts, survey_id=invitation.survey_id, expected_version=1, viewer=cast.viewer(cast.supervisor), now=later)
    with pytest.raises(InvalidInput):
        answered(invitation, later, score="7")
    answer = answered(invitation, later, score="5")
    assert (answer.score_max, answer.invitation.version.number) == (5, 1)
    found = results_of(invitation.survey, cast.viewer(cast.owner))
    assert (found.counts.answered, found.mean.n, [score for score, _n in found.scores]) == (1, 0, [1, 2, 3, 4, 5, 6, 7])


def test_the_rating_on_the_customers_page_is_the_answer_to_the_mail(asked, later):
    invitation = asked()
    answered(invitation, later, score="4")
    assert find_page_answer(invitation.case_id).score == 4
    rate_on_page(case=invitation.case, rating=2, comment="又坏了", now=later + DAY)
    answer = Answer.objects.get()
    assert (answer.invitation_id, answer.score, answer.earlier.get().score) == (invitation.pk, 2, 4)


def test_a_customer_who_rated_on_the_page_is_not_asked_by_mail(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    inviting.follow_events(now=now)
    resolve(case, now)
    inviting.follow_events(now=now)
    rate_on_page(case=case, rating=5, comment="", now=now)
    assert inviting.send_due(now=now + timedelta(hours=1)) == 0
    assert sorted(Invitation.objects.values_list("state", "reason")) == [("ANSWERED", ""), ("SKIPPED", "ANSWERED")]


def test_a_clock_that_went_back_keeps_the_order_of_answers(asked, now):
    invitation = asked()
    early = now - DAY
    answer = answered(invitation, early, score="4")
    assert answer.answered_at == invitation.sent_at
    changed = answered(invitation, early, score="5")
    assert (changed.changed_at, changed.answered_at) == (invitation.sent_at, invitation.sent_at)


def test_anybody_answers_on_a_website_once_a_form(make_survey, cast, later):
    survey = make_survey(embed_channel_id=cast.form.pk, bad_at_most=2, bad_tells=("SUPERVISORS",))
    given = {"score": "1", "why": "网站太慢"}
    answer = answer_embedded(survey=survey, given=given, key="k", now=later)
    assert answer_embedded(survey=survey, given=given, key="k", now=later) == answer
    assert (answer.invitation.origin, answer.invitation.customer_id, answer.invitation.case_id, Case.objects.count()) == (
        "EMBED",
        None,
        None,
        0,
    )
    assert (Feedback.objects.get().message.body, Feedback.objects.get().message.customer_id) == ("网站太慢", None)
    assert Notice.objects.get(kind="SURVEY").user_id == cast.supervisor.pk


def test_a_form_without_a_scale_has_no_score(asked, cast, later):
    invitation = asked(kind="FORM", questions=BEGINNINGS["FORM"])
    answer = answered(invitation, later, q1="都好")
    assert (answer.score, answer.score_min, answer.score_max, Feedback.objects.get().rating) == (None, None, None, None)
    assert "rating" not in CaseEvent.objects.get(kind="SURVEY").after


def test_results_without_answers_with_one_and_with_equal_ones(asked, make_case, resolve, cast, later, now):
    invitation = asked()
    survey, viewer = invitation.survey, cast.viewer(cast.owner)
    found = results_of(survey, viewer)
    assert (found.counts.asked, found.counts.rate.share, found.mean.average) == (1, 0.0, None)
    answered(invitation, later, score="5")
    found = results_of(survey, viewer)
    assert (found.mean.average, found.mean.low, found.mean.n) == (5.0, None, 1)
    assert (round(found.counts.rate.low, 4), found.counts.rate.high) == (0.2065, 1.0)
    for _number in range(2):
        case = make_case()
        resolve(case, now)
        inviting.follow_events(now=now)
        inviting.send_due(now=later)
        answered(Invitation.objects.get(case=case), later, score="5")
    found = results_of(survey, viewer)
    assert (found.mean.average, found.mean.low, found.mean.high, found.scores[-1]) == (5.0, 5.0, 5.0, (5, 3))


def test_another_teams_answers_are_not_counted(asked, cast, later):
    invitation = asked()
    answered(invitation, later, score="5", why="好")
    found = results_of(invitation.survey, cast.viewer(cast.outsider))
    assert (found.counts.asked, found.mean.n, found.latest) == (0, 0, [])


def test_the_setting_decides_how_long_an_answer_may_change(asked, later):
    SurveySetting.objects.create(pk=1, change_days=1)
    invitation = asked()
    answered(invitation, later, score="4")
    answered(invitation, later + DAY - timedelta(seconds=1), score="5")
    with pytest.raises(Conflict):
        answered(invitation, later + DAY, score="4")
