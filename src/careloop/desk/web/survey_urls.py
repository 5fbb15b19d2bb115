"""The pages of surveys, for colleagues and for customers."""

from django.urls import path

from careloop.desk.web.views import case_surveys, survey_page, surveys

urlpatterns = [
    path("surveys/", surveys.page, name="surveys"),
    path("surveys/new/", surveys.edit, name="survey-new"),
    path("surveys/setting/", surveys.setting, name="survey-setting"),
    path("surveys/<int:survey_id>/", surveys.results, name="survey"),
    path("surveys/<int:survey_id>/figures.csv", surveys.figures, name="survey-figures"),
    path("surveys/<int:survey_id>/answers.csv", surveys.answers, name="survey-answers"),
    path("surveys/<int:survey_id>/edit/", surveys.edit, name="survey-edit"),
    path("cases/<int:case_id>/surveys/", case_surveys.panel, name="case-surveys"),
    path("cases/<int:case_id>/surveys/send/", case_surveys.send, name="case-survey"),
    path("cases/<int:case_id>/surveys/consent/", case_surveys.consent, name="case-survey-consent"),
    path("cases/<int:case_id>/surveys/<int:invitation_id>/revoke/", case_surveys.revoke, name="case-survey-revoke"),
    path("a/<str:token>/", survey_page.page, name="survey-answer"),
    path("a/<str:token>/click/", survey_page.click, name="survey-click"),
    path("a/<str:token>/no-more/", survey_page.no_more, name="survey-refuse"),
    path("survey/<int:survey_id>/", survey_page.embedded, name="survey-embed"),
]
