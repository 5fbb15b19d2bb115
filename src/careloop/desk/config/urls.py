"""The URL table; tests walk it to prove that each route refuses outsiders."""

from django.urls import include, path

from careloop.desk.api.build import api

urlpatterns = [
    path("api/v1/", api.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("careloop.desk.web.urls")),
]
