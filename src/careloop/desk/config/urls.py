"""The URL table; tests walk it to prove that each route refuses outsiders."""

from django.contrib.auth.decorators import login_required
from django.urls import include, path
from django.views.generic import RedirectView

from careloop.desk.api.build import api

urlpatterns = [
    path("api/v1/", api.urls),
    # Sign-in addresses are changed by owners, who are audited; allauth's page for changing one's own is closed.
    path("accounts/email/", login_required(RedirectView.as_view(pattern_name="preferences")), name="account_email_closed"),
    path("accounts/", include("allauth.urls")),
    path("", include("careloop.desk.web.urls")),
]
