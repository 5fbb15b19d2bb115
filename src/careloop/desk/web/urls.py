"""The pages."""

from django.urls import path

from careloop.desk.web.views import case, inbox

urlpatterns = [
    path("", inbox.page, name="inbox"),
    path("inbox/counts/", inbox.counts, name="inbox-counts"),
    path("cases/<int:case_id>/", case.page, name="case"),
    path("cases/<int:case_id>/row/", inbox.row, name="case-row"),
    path("cases/<int:case_id>/parts/", case.parts, name="case-parts"),
    path("cases/<int:case_id>/earlier/", case.earlier, name="case-earlier"),
    path("cases/<int:case_id>/messages/<int:message_id>/", case.message, name="case-message"),
    path("cases/<int:case_id>/reply/", case.reply, name="case-reply"),
    path("cases/<int:case_id>/note/", case.note, name="case-note"),
    path("cases/<int:case_id>/assign/", case.assign, name="case-assign"),
    path("cases/<int:case_id>/priority/", case.priority, name="case-priority"),
    path("cases/<int:case_id>/status/", case.status, name="case-status"),
]
