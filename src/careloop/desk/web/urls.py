"""The pages."""

from django.urls import path

from careloop.desk.web.views import inbox

urlpatterns = [
    path("", inbox.page, name="inbox"),
]
