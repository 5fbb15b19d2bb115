"""Addresses of the watch and of what explains figures."""

from django.urls import path

from careloop.desk.web.views import watch, why

urlpatterns = [
    path("watch/", watch.page, name="watch"),
    path("watch/add/", watch.add, name="watch-add"),
    path("watch/setting/", watch.setting, name="watch-setting"),
    path("watch/<int:watched_id>/", watch.figure, name="watched"),
    path("watch/<int:watched_id>/remove/", watch.remove, name="watched-remove"),
    path("alarms/<int:alarm_id>/", watch.alarm, name="alarm"),
    path("why/", why.page, name="why"),
    path("why/csv/", why.export, name="why-csv"),
    path("why/weights/", why.weigh, name="why-weights"),
    path("why/<slug:part>/<int:place>/", why.cases, name="why-cases"),
]
