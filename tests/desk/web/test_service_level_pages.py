"""The pages of service levels: what makes no sense is refused in the reader's words, and a change of time zone recounts and tells."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases import actions, service_levels
from careloop.desk.cases.models import Case, Clock
from careloop.desk.intake.actions import receive_message
from careloop.desk.sla.models import Calendar, ServiceLevel
from careloop.desk.sla.rules.facts import CalendarFacts, LevelFacts

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
WEEK = {f"day{number}": "09:00-18:00" for number in range(5)}


@pytest.fixture
def browser(client, cast):
    client.force_login(cast.supervisor)
    return client


@pytest.fixture
def office(cast, now):
    """Monday to Friday from nine to six in Shanghai, and an hour for the first answer."""
    viewer = cast.viewer(cast.supervisor)
    hours = [[(540, 1080)]] * 5 + [[]] * 2
    calendar, _ = service_levels.change_calendar(facts=CalendarFacts("Office", "Asia/Shanghai", hours), viewer=viewer, now=now)
    facts = LevelFacts("Standard", calendar.pk, {"FIRST_RESPONSE": 60})
    service_levels.change_level(facts=facts, viewer=viewer, now=now)
    return calendar


@pytest.mark.parametrize(
    ("given", "english", "chinese"),
    [
        ({f"day{number}": "" for number in range(5)}, "The calendar has no working time", "日历没有任何工作时间"),
        (
            {"day0": "09:00-12:00, 11:00-18:00"},
            "Monday: what ends at 12:00 overlaps 11:00–18:00; join or part them.",
            "与 11:00–18:00 重叠",
        ),
        ({"day0": "22:00-06:00"}, "for work past midnight write 22:00-24:00 here and 00:00-06:00 on the next day", "跨午夜"),
        ({"day0": "nine to five"}, "“nine to five” is no interval; expected one such as 09:00-18:00.", "不是时间段"),
        ({"zone": "Mars/Olympus"}, "There is no time zone “Mars/Olympus”", "没有时区“Mars/Olympus”"),
        ({"days": "tomorrow closed"}, "Line 1, “tomorrow closed”, begins with no day such as 2026-12-24.", "第 1 行"),
        ({"days": "2026-12-24 closed\n2026-12-24 closed"}, "Line 2: 2026-12-24 was given before", "第 2 行"),
        ({"days": "2026-12-24 maybe"}, "2026-12-24: “maybe” is neither “closed” nor hours such as 09:00-18:00.", "既不是"),
        ({"country": "ZZ"}, "No holidays are known for “ZZ”", "没有“ZZ”的节假日"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused_in_the_readers_words(browser, given, english, chinese):
    posted = {"name": "Office", "zone": "Asia/Shanghai", "days": "", **WEEK, **given}
    for language, sentence in (("en", english), ("zh-hans", chinese)):
        page = browser.post(reverse("calendar-new"), posted, headers={"accept-language": language})
        assert (page.status_code, sentence in page.content.decode()) == (422, True)
    assert Calendar.objects.count() == 0


@pytest.mark.parametrize(
    ("given", "english", "chinese"),
    [
        ({"first_response": "0"}, "A target of 0 minutes was given; expected 1 to", "0 分钟"),
        ({"first_response": "-1h"}, "A target of -60 minutes was given", "-60 分钟"),
        ({"first_response": "soon"}, "“soon” is no length of time; write minutes such as 90, or 1h 30m.", "“soon”不是时长"),
        ({"first_response": ""}, "The level promises nothing; give at least one target.", "没有任何承诺"),
    ],
)
def test_a_promise_that_makes_no_sense_is_refused_in_the_readers_words(browser, office, given, english, chinese):
    posted = {"name": "Quick", "calendar": office.pk, "position": "0", "next_response": "", "resolution": "", "is_active": "on", **given}
    for language, sentence in (("en", english), ("zh-hans", chinese)):
        page = browser.post(reverse("level-new"), posted, headers={"accept-language": language})
        assert (page.status_code, sentence in page.content.decode()) == (422, True)
    assert ServiceLevel.objects.count() == 1


def test_another_time_zone_moves_running_deadlines_and_shows_what_history_would_have_been(browser, cast, office, inbound, now):
    answered = receive_message(inbound(), now=now).case_id  # Monday 14:00 in Shanghai, 08:00 in Berlin
    actions.reply(case_id=answered, body="好的", viewer=cast.viewer(cast.agent), now=now + 2 * HOUR, status="RESOLVED")
    waiting = receive_message(inbound(external_id="m-2", text="另一件事", channel_slug="contact"), now=now).case_id
    assert Case.objects.get(pk=waiting).due_at == now + HOUR
    Clock.objects.filter(case=answered).update(started_at=timezone.now() - timedelta(days=1))  # the page looks back from today
    posted = {"name": "Office", "zone": "Europe/Berlin", "days": "", "version": "1", **WEEK}
    address = reverse("calendar", args=[office.pk])
    shown = browser.post(address, {**posted, "preview": "1"}).content.decode()
    assert "Of 1 deadline of the last 90 days, 1 were missed; on these hours 0 would have been." in shown
    assert (Calendar.objects.get().zone, Case.objects.get(pk=waiting).due_at) == ("Asia/Shanghai", now + HOUR)
    saved = browser.post(address, posted, follow=True).content.decode()
    assert "Saved; 1 running deadline has moved." in saved
    assert (Calendar.objects.get().zone, Case.objects.get(pk=waiting).due_at) == ("Europe/Berlin", now + 2 * HOUR)
    assert Clock.objects.get(case=answered).is_late  # what was told stays told


def test_the_houses_time_zone_changes_what_is_shown_and_no_deadline(browser, office, inbound, now, settings):
    case_id = receive_message(inbound(), now=now).case_id
    before, due = Case.objects.values().get(), []
    for zone in ("Asia/Shanghai", "Europe/Berlin"):
        settings.TIME_ZONE = zone
        page = browser.get(f"/cases/{case_id}/").content.decode()
        due += re.findall(r"<li title=\"Standard · [^\"]*, ([^\"]*)\">", page)
    assert due == ["15:00", "09:00"]
    assert Case.objects.values().get() == before


def test_a_year_whose_make_up_days_are_not_announced_is_flagged_until_somebody_confirms_it(browser, cast, now, monkeypatch):
    from careloop.desk.web.views import service_levels as pages

    monkeypatch.setattr(pages, "now", lambda: now)
    posted = {"name": "Office", "zone": "Asia/Shanghai", "country": "CN", "days": "", **WEEK}
    assert browser.post(reverse("calendar-new"), posted).status_code == 302
    calendar = Calendar.objects.get()
    warning = "the holidays and make-up working days of CN for 2027 are not announced yet"
    assert warning in browser.get(reverse("service-levels")).content.decode()
    by_hand = "2027-02-06 09:00-18:00 make-up day\n2027-02-08 closed Spring Festival"
    confirmed = {**posted, "days": by_hand, "confirmed": ["2027"], "version": "1"}
    assert browser.post(reverse("calendar", args=[calendar.pk]), confirmed).status_code == 302
    assert warning not in browser.get(reverse("service-levels")).content.decode()


def test_a_calendar_on_which_nothing_counts_is_removed_with_a_trace(browser, cast, now):
    calendar = Calendar.objects.create(name="Old", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    assert browser.post(reverse("calendar-delete", args=[calendar.pk])).status_code == 302
    entry = AuditEntry.objects.get(action="calendar.delete")
    assert (entry.actor_id, entry.object_id, Calendar.objects.count()) == (cast.supervisor.pk, calendar.pk, 0)
