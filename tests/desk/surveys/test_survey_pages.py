"""The customer's page and the desk's pages: looking is no answer, a form is; links are scoped; frames are only for the house's sites."""

from datetime import timedelta
from html import unescape

import pytest

from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.surveys import inviting
from careloop.desk.surveys.actions import save_setting
from careloop.desk.surveys.answering import answer_embedded
from careloop.desk.surveys.links import make_token
from careloop.desk.surveys.models import Answer, Invitation, Survey, SurveyConsent, SurveySetting, SurveyVersion
from tests.desk.surveys.conftest import today

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def invitation(asked) -> Invitation:
    return asked()


@pytest.fixture
def url(invitation) -> str:
    return f"/a/{make_token(invitation, now=today())}/"


def said(response) -> str:
    return response.content.decode()


def test_looking_at_a_link_with_a_score_is_no_answer(client, url, invitation):
    page = client.get(f"{url}?score=4")
    assert page.status_code == 200
    assert "data-confirm" in said(page) and 'name="score" value="4"' in said(page)
    invitation.refresh_from_db()
    assert (Answer.objects.count(), invitation.state) == (0, "OPENED")


def test_the_pages_one_button_is_the_answer(client, url):
    answer = client.post(f"{url}click/", {"score": "4"})
    assert (answer.status_code, answer["Location"]) == (302, f"{url}?done=click&lang=zh")
    assert Answer.objects.get().score == 4
    page = said(client.get(answer["Location"]))
    assert "data-confirm" not in page and 'name="why"' in page


def test_the_script_is_loaded_only_where_it_sends_something(client, url):
    assert "survey.js" in said(client.get(f"{url}?score=4"))
    assert "<script" not in said(client.get(url))
    for score in ("9", "-1", "x", ""):
        assert "<script" not in said(client.get(f"{url}?score={score}"))
    client.post(f"{url}click/", {"score": "4"})
    assert "data-confirm" not in said(client.get(f"{url}?score=4"))
    assert "data-confirm" in said(client.get(f"{url}?score=5"))


def test_the_whole_form_is_the_answer_and_may_be_changed(client, url):
    assert client.post(url, {"score": "3", "why": "太慢"})["Location"] == f"{url}?done=all&lang=zh"
    page = said(client.get(url))
    assert 'value="3" checked' in page and ">太慢</textarea>" in page
    client.post(url, {"score": "5", "why": "太慢"})
    assert (Answer.objects.get().score, Answer.objects.get().earlier.get().score) == (5, 3)


def test_what_is_missing_is_told_beside_its_question_and_what_was_typed_stays(client, url):
    page = client.post(f"{url}?lang=en", {"why": "Too slow"})
    assert page.status_code == 422
    assert "Please answer this question." in said(page) and ">Too slow</textarea>" in said(page)
    assert Answer.objects.count() == 0


def test_both_languages_are_one_link_apart(client, url):
    assert '<html lang="zh-Hans"' in said(client.get(url)) and "您对这次处理满意吗？" in said(client.get(url))
    page = said(client.get(f"{url}?lang=en&score=2"))
    assert '<html lang="en"' in page and "How satisfied are you" in page
    assert "?lang=zh&amp;score=2" in page


def is_closed(client, url) -> bool:
    page = client.get(url)
    return page.status_code == 404 and "满意吗" not in said(page) and "How satisfied" not in said(page)


def test_forged_expired_revoked_and_foreign_links_show_nothing(client, cast, url, invitation, asked, make_case):
    assert is_closed(client, url[:-2] + "x/") and is_closed(client, "/a/x/") and is_closed(client, f"/a/{'9' * 200}/")
    assert is_closed(client, f"/a/{make_token(invitation, now=today() - 31 * DAY)}/")
    assert not is_closed(client, f"/a/{make_token(invitation, now=today() - 29 * DAY)}/")
    token = make_token(invitation, now=today())
    number, rest = token.split("-", 1)
    assert is_closed(client, f"/a/{int(number) + 1}-{rest}/")
    from careloop.desk.teamwork.customer_links import make_token as case_token

    assert is_closed(client, f"/a/{case_token(invitation.case, now=today())}/")
    inviting.revoke(invitation_id=invitation.pk, viewer=cast.viewer(cast.agent), now=today())
    assert is_closed(client, url)
    assert client.post(f"{url}click/", {"score": "4"}).status_code == 404
    assert Answer.objects.count() == 0


def test_an_invitation_that_was_not_sent_is_closed(client, make_survey, make_case, cast, now):
    made = inviting.plan(survey=make_survey(sent_when="HAND"), case=make_case(), origin="HAND", key="x", now=now)
    assert is_closed(client, f"/a/{make_token(made, now=today())}/")


def test_colleagues_see_the_page_and_answer_nothing(client, cast, url, invitation):
    client.force_login(cast.agent)
    page = said(client.get(f"{url}?score=4"))
    assert "data-confirm" not in page and "disabled" in page
    for path, given in ((url, {"score": "4"}), (f"{url}click/", {"score": "4"})):
        assert client.post(path, given).status_code == 403
    client.post(f"{url}no-more/")
    invitation.refresh_from_db()
    assert (Answer.objects.count(), SurveyConsent.objects.count(), invitation.state) == (0, 0, "SENT")


def test_who_does_not_want_to_be_asked_says_so_by_a_button(client, url, invitation):
    assert client.get(f"{url}no-more/").status_code == 200
    assert SurveyConsent.objects.count() == 0
    client.post(f"{url}no-more/")
    word = SurveyConsent.objects.get()
    assert (word.customer_id, word.may_ask) == (invitation.customer_id, False)


def test_only_the_houses_sites_show_the_page_in_a_frame(client, url):
    page = client.get(url)
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"] and page["X-Frame-Options"] == "DENY"
    assert "script-src 'self'" in page["Content-Security-Policy"] and "unsafe-inline" not in page["Content-Security-Policy"]
    SurveySetting.objects.create(pk=1, sites=["https://shop.example"])
    page = client.get(url)
    assert "frame-ancestors https://shop.example" in page["Content-Security-Policy"]
    assert "X-Frame-Options" not in page and page["X-Robots-Tag"] == "noindex, nofollow, noarchive"


def test_a_survey_on_a_website_is_answered_without_cookies(client, make_survey, cast, monkeypatch):
    from django.test import Client

    from careloop.desk.web.views import form

    survey = make_survey(embed_channel_id=cast.form.pk)
    strict = Client(enforce_csrf_checks=True)
    page = strict.get(f"/survey/{survey.pk}/?lang=en")
    once = said(page).split('name="once" value="')[1].split('"')[0]
    given = {"score": "5", "why": "Fine", "once": once}
    assert strict.post(f"/survey/{survey.pk}/?lang=en", given).status_code == 422  # faster than people write
    monkeypatch.setattr(form, "FASTEST_SECONDS", -1)
    for _time in range(2):
        assert "Thank you" in said(strict.post(f"/survey/{survey.pk}/?lang=en", given))
    assert Answer.objects.get().score == 5
    assert strict.post(f"/survey/{survey.pk}/", {**given, "once": "x"}).status_code == 422
    Survey.objects.update(is_active=False)
    assert strict.get(f"/survey/{survey.pk}/").status_code == 404


def test_a_survey_that_is_not_for_websites_is_not_there(client, make_survey):
    assert client.get(f"/survey/{make_survey().pk}/").status_code == 404


def typed(**changes):
    """The editor's form as a browser sends it."""
    question = {"number": "1", "code": "score", "kind": "SCALE", "text_en": "Good?", "text_zh": "好吗？", "low": "1", "high": "5"}
    fields = {f"q0_{name}": value for name, value in question.items()}
    base = {
        "name": "Good",
        "kind": "CSAT",
        "n": "1",
        "sent_when": "HAND",
        "delay": "60",
        "share": "50",
        "bad_does": "REOPEN",
        "version": "0",
    }
    return {**base, **fields, **changes}


def test_the_editor_saves_versions_and_refuses_what_somebody_changed(client, cast):
    client.force_login(cast.supervisor)
    assert client.post("/surveys/new/", typed(is_active="on")).status_code == 302
    survey = Survey.objects.get()
    assert (survey.name, survey.kind, survey.share_ratio, survey.is_active, survey.version) == ("Good", "CSAT", 0.5, True, 1)
    assert client.get(f"/surveys/{survey.pk}/edit/").status_code == 200
    assert client.post(f"/surveys/{survey.pk}/edit/", typed(version="1", share="60")).status_code == 302
    assert SurveyVersion.objects.count() == 1  # the questions are the same
    assert client.post(f"/surveys/{survey.pk}/edit/", typed(version="2", q0_text_en="Well?")).status_code == 302
    assert [one.questions[0]["text"]["en"] for one in SurveyVersion.objects.order_by("number")] == ["Good?", "Well?"]
    refused = client.post(f"/surveys/{survey.pk}/edit/", typed(version="1", name="Mine"))
    assert refused.status_code == 409 and "Mine" in said(refused) and 'name="version" value="3"' in said(refused)
    assert Survey.objects.get().name == "Good"


def test_the_preview_shows_both_languages_and_stores_nothing(client, cast):
    client.force_login(cast.supervisor)
    page = said(client.post("/surveys/new/", typed(do="preview", q0_text_en="Was it quick?", q0_text_zh="快吗？")))
    english, chinese = unescape(page.split('id="preview"')[1]).split('<div class="in-zh"')
    for part, question, subject, page_title in (
        (english, "Was it quick?", "How was it? “Where is my order?”", "Your opinion"),
        (chinese, "快吗？", "您满意吗？“我的订单到哪里了？”", "您的意见"),
    ):
        assert part.count("<iframe") == part.count(" sandbox ") == 3  # mail, page, thanks
        assert part.count(question) >= 3 and subject in part and page_title in part
        assert part.count('href="#?score=') == 5
    assert (Survey.objects.count(), Invitation.objects.count(), OutboxItem.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("changes", [{"q0_high": "999999999"}, {"q0_text_zh": ""}, {"q0_text_en": "", "q0_text_zh": ""}])
def test_what_cannot_be_shown_yet_is_said_and_not_counted_out(client, cast, changes):
    client.force_login(cast.supervisor)
    page = said(client.post("/surveys/new/", typed(do="preview", **changes)))
    assert "The preview appears as soon as" in page and "<iframe" not in page


def test_the_list_explains_its_plus_where_there_is_one(client, cast, make_survey, now):
    survey = make_survey(embed_channel_id=cast.form.pk)
    client.force_login(cast.supervisor)
    assert "came by themselves" not in said(client.get("/surveys/"))
    answer_embedded(survey=survey, given={"score": "5"}, key="x", now=now)
    assert "came by themselves" in said(client.get("/surveys/"))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""}, {"q0_text_zh": ""}, {"q0_high": "1"}, {"q0_high": "11"}, {"q0_low": "x"}, {"q0_kind": "SONG"}, {"share": "0"},
        {"share": "101"}, {"delay": "-1"}, {"kind": "NPS"}, {"kind": "X"}, {"sent_when": "X"}, {"bad_at_most": "10"}, {"channels": "999"},
        {"teams": "999"}, {"embed_channel": "999"}, {"case_kinds": "X"}, {"bad_tells": "X"}, {"q0_text_en": "", "q0_text_zh": ""},
        {"q0_kind": "CHOICE", "q0_choices": "one"},
    ],
)  # fmt: skip
def test_a_survey_that_does_not_fit_is_refused_and_nothing_stored(client, cast, changes):
    client.force_login(cast.supervisor)
    assert client.post("/surveys/new/", typed(**changes)).status_code == 422
    assert (Survey.objects.count(), SurveyVersion.objects.count()) == (0, 0)


def test_questions_of_all_kinds_are_kept_in_their_order(client, cast):
    client.force_login(cast.supervisor)
    more = {}
    for place, kind in ((1, "CHOICE"), (2, "YES_NO"), (3, "TEXT")):
        part = {"number": str(9 - place), "code": "", "kind": kind, "text_en": kind, "text_zh": kind}
        more |= {f"q{place}_{name}": value for name, value in part.items()}
    assert client.post("/surveys/new/", typed(n="4", q1_choices="Red | 红\nBlue", **more)).status_code == 302
    questions = SurveyVersion.objects.get().questions
    assert [one["kind"] for one in questions] == ["SCALE", "TEXT", "YES_NO", "CHOICE"]
    assert questions[3]["choices"] == [{"code": "c1", "en": "Red", "zh": "红"}, {"code": "c2", "en": "Blue", "zh": "Blue"}]


def test_an_agent_neither_sees_nor_changes_surveys(client, cast, make_survey):
    survey = make_survey()
    client.force_login(cast.agent)
    for path in ("/surveys/", f"/surveys/{survey.pk}/", f"/surveys/{survey.pk}/edit/", "/surveys/new/", "/surveys/setting/"):
        assert client.get(path).status_code == 403
    assert client.post("/surveys/new/", typed()).status_code == 403
    assert Survey.objects.count() == 1


def test_the_pages_of_the_desk_show_what_became_of_a_survey(client, cast, invitation, url, django_assert_max_num_queries):
    client.post(url, {"score": "4", "why": "挺快"})
    client.force_login(cast.supervisor)
    with django_assert_max_num_queries(20):
        page = said(client.get(f"/surveys/{invitation.survey_id}/"))
    assert "挺快" in page and f"/cases/{invitation.case_id}/" in page and "n = 1" in page
    assert said(client.get(f"/surveys/{invitation.survey_id}/?days=30")).count("挺快") in (0, 1)
    assert "100.0%" in page and "20.7–100.0%" in page  # Wilson's interval of one of one
    listed = said(client.get("/surveys/"))
    assert "Was it good?" in listed and "100.0%" in listed


def test_the_case_shows_its_surveys_and_sends_one(client, cast, make_survey, make_case):
    survey, case = make_survey(sent_when="HAND"), make_case()
    client.force_login(cast.agent)
    assert "was not asked" in said(client.get(f"/cases/{case.pk}/surveys/", headers={"HX-Request": "true"}))
    assert client.post(f"/cases/{case.pk}/surveys/send/", {"survey": survey.pk, "once": "a"}).status_code == 302
    assert "Was it good?" in said(client.get(f"/cases/{case.pk}/surveys/"))
    made = Invitation.objects.get()
    assert client.post(f"/cases/{case.pk}/surveys/{made.pk}/revoke/").status_code == 302
    assert Invitation.objects.get().reason == "REVOKED"
    assert client.post(f"/cases/{case.pk}/surveys/send/", {"survey": "", "once": "b"}).status_code == 404
    client.force_login(cast.outsider)
    assert client.post(f"/cases/{case.pk}/surveys/send/", {"survey": survey.pk, "once": "c"}).status_code == 404
    assert Invitation.objects.count() == 1


def test_what_a_customer_tells_an_agent_about_being_asked_is_kept(client, cast, make_survey, make_case):
    make_survey()
    case = make_case()
    path = f"/cases/{case.pk}/surveys/consent/"
    client.force_login(cast.outsider)
    assert client.post(path, {"may_ask": "no"}).status_code == 404
    assert SurveyConsent.objects.count() == 0
    client.force_login(cast.agent)
    for word, may_ask in (("no", False), ("yes", True)):
        assert client.post(path, {"may_ask": word}).status_code == 302
        assert (SurveyConsent.objects.get().may_ask, SurveyConsent.objects.get().said_by_name) == (may_ask, "Chen")


def test_the_houses_setting_is_checked_and_guarded_by_its_version(client, cast):
    client.force_login(cast.supervisor)
    given = {
        "pause_days": "10", "change_days": "7", "link_days": "20", "quiet_from": "21:30", "quiet_until": "08:00", "version": "1",
        "sites": "https://shop.example/\nhttp://localhost:3000", "needs_consent": "on",
    }  # fmt: skip
    assert client.post("/surveys/setting/", given).status_code == 302
    stored = SurveySetting.objects.get()
    assert (stored.pause_days, stored.quiet_from_minutes, stored.quiet_until_minutes, stored.needs_consent) == (10, 1290, 480, True)
    assert stored.sites == ["https://shop.example", "http://localhost:3000"]
    assert client.post("/surveys/setting/", given).status_code == 409
    sites = ("shop.example", "https://a.example/x", "https://a.example; script-src *")
    wrongs = [{"sites": site} for site in sites] + [{"quiet_from": "25:00"}, {"link_days": "0"}, {"pause_days": "x"}]
    for wrong in wrongs:
        assert client.post("/surveys/setting/", {**given, "version": "2", **wrong}).status_code == 422
    assert SurveySetting.objects.get().version == 2


def test_a_setting_is_saved_by_nobody_without_the_right(cast, now):
    with pytest.raises(NotAllowed):
        save_setting(given=SurveySetting(), expected_version=1, viewer=cast.viewer(cast.agent), now=now)
    with pytest.raises(InvalidInput):
        save_setting(given=SurveySetting(quiet_from_minutes=1440), expected_version=1, viewer=cast.viewer(cast.owner), now=now)
    with pytest.raises(Conflict):
        save_setting(given=SurveySetting(), expected_version=7, viewer=cast.viewer(cast.owner), now=now)
    assert SurveySetting.objects.filter(version__gt=1).count() == 0
