"""The URL table; tests walk it to prove that each route refuses outsiders."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("careloop.desk.web.urls")),
]
