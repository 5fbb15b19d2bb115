"""What the pages that are open to everybody, and the way in, put up with."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as house_settings
from django.test import Client

from careloop.desk.cases.models import Message
from careloop.desk.solutions.models import HelpVote, Solution, SolutionText
from careloop.desk.surveys.models import Answer, Survey, SurveyVersion
from careloop.desk.web.middleware import LARGEST_BODY_BYTES
from careloop.desk.web.views.form import new_token
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
FORM = "/form/contact/"
SIGN_IN = "/accounts/login/"
GOOD = {"name": "林晓彤", "email": "lin@example.com", "text": "热水器漏水"}
TOO_OFTEN = "Too much came from your network within a few minutes."


@pytest.fixture
def counted(settings):
    """Attempts are counted as in earnest, from nothing."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": str(id(settings))}}
    settings.ACCOUNT_RATE_LIMITS = {"strangers_write": "2/10m/ip"}
    return settings


def token_of(name: str) -> str:
    return new_token(name, datetime.now(UTC) - timedelta(minutes=1))


def write(client, **facts):
    return client.post(FORM, {**GOOD, "token": token_of("contact")}, headers={"Accept-Language": "en"}, **facts)


def test_a_network_may_write_so_often_and_keeps_what_it_typed(cast, client, counted):
    assert [write(client).status_code for _ in range(3)] == [302, 302, 429]
    refused = write(client)
    assert TOO_OFTEN in refused.content.decode() and "热水器漏水" in refused.content.decode()
    assert Message.objects.count() == 2
    assert write(client, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_the_address_before_the_proxies_is_counted_and_none_that_the_sender_invents(cast, client, counted):
    counted.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    one, other = {"X-Forwarded-For": "1.1.1.1, 192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
    assert [client.post(FORM, {**GOOD, "token": token_of("contact")}, headers=one).status_code for _ in range(3)] == [302, 302, 429]
    again = client.post(FORM, {**GOOD, "token": token_of("contact")}, headers={"X-Forwarded-For": "2.2.2.2, 192.0.2.1"})
    assert again.status_code == 429
    assert client.post(FORM, {**GOOD, "token": token_of("contact")}, headers=other).status_code == 302


def test_without_proxies_nobody_hides_behind_a_header(cast, client, counted):
    answers = [
        client.post(FORM, {**GOOD, "token": token_of("contact")}, headers={"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(3)
    ]
    assert [one.status_code for one in answers] == [302, 302, 429]


def test_votes_and_surveys_on_websites_are_counted_together_with_forms(cast, client, counted, now):
    solution = Solution.objects.create(slug="leak", status="PUBLISHED", is_public=True, created_at=now, changed_at=now)
    SolutionText.objects.create(solution=solution, language="en", title="Leak", body="Turn it off.", reply="")
    survey = Survey.objects.create(name="Site", kind="CSAT", embed_channel=cast.channel, is_active=True, created_at=now, changed_at=now)
    asked = [{"code": "score", "kind": "SCALE", "text": {"en": "How was it?", "zh": "怎么样？"}, "is_required": True}]
    SurveyVersion.objects.create(survey=survey, number=1, questions=asked, saved_by_name="", saved_at=now)
    assert Client().post("/help/leak/vote/", {"helped": "no"}).status_code == 302
    assert Client().post("/help/leak/vote/", {"helped": "no"}).status_code == 302
    refused = Client().post("/help/leak/vote/", {"helped": "no"}, headers={"Accept-Language": "en"})
    assert refused.status_code == 429 and "That was too often" in refused.content.decode()
    embedded = client.post(f"/survey/{survey.pk}/?lang=en", {"once": token_of(f"survey-{survey.pk}"), "score": "5"})
    assert embedded.status_code == 429 and TOO_OFTEN in embedded.content.decode()
    assert (HelpVote.objects.count(), Answer.objects.count()) == (2, 0)


def test_whoever_guesses_a_password_waits_even_with_the_right_one(cast, client, counted):
    guesses = [client.post(SIGN_IN, {"login": cast.agent.email, "password": f"wrong {number}"}) for number in range(5)]
    assert {one.status_code for one in guesses} == {200}
    right = client.post(SIGN_IN, {"login": cast.agent.email, "password": PASSWORD}, headers={"Accept-Language": "en"})
    assert right.status_code == 200 and "Too many failed login attempts" in right.content.decode()
    other = client.post(SIGN_IN, {"login": cast.owner.email, "password": PASSWORD})
    assert other.status_code == 302


def test_a_person_who_is_not_there_costs_as_much_as_a_wrong_password(cast, client, monkeypatch):
    hashed = []
    hasher = "django.contrib.auth.hashers.MD5PasswordHasher.encode"
    monkeypatch.setattr(hasher, lambda _self, password, salt: hashed.append(password) or f"md5${salt}$x")
    pages = [
        client.post(SIGN_IN, {"login": login, "password": "a guess"}, headers={"Accept-Language": "en"})
        for login in (cast.agent.email, "nobody@desk.example")
    ]
    assert hashed == ["a guess", "a guess"]
    told = "The email address and/or password you specified are not correct."
    assert [told in page.content.decode() for page in pages] == [True, True]


@pytest.mark.parametrize("address", [FORM, SIGN_IN, "/c/a-token-that-is-none/write/", "/language/"])
def test_a_body_that_no_page_asks_for_is_refused_unread(cast, client, address):
    unread = Unread()
    body = {"wsgi.input": unread, "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    answer = client.generic("POST", address, **{**body, "CONTENT_LENGTH": str(LARGEST_BODY_BYTES + 1)}, headers={"Accept-Language": "en"})
    assert (answer.status_code, unread.reads) == (413, 0)
    assert "At most 51 MB fit into one message" in answer.content.decode()


class Unread:
    """A body whose reading is counted."""

    reads = 0

    def read(self, *_size):
        self.reads += 1
        return b""

    readline = read


def test_pages_say_what_a_browser_may_do_with_them(cast, client):
    client.force_login(cast.owner)
    for address in ("/", SIGN_IN, FORM, "/help/", "/settings/users/", "/reports/"):
        page = client.get(address, follow=True)
        policy = dict(part.strip().split(" ", 1) for part in page["Content-Security-Policy"].split(";"))
        assert (policy["script-src"], policy["object-src"], policy["base-uri"]) == ("'self'", "'none'", "'none'"), address
        assert (policy["frame-ancestors"], policy["form-action"], policy["default-src"]) == ("'none'", "'self'", "'self'"), address
        headers = ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy")
        assert [page[name] for name in headers] == ["DENY", "nosniff", "same-origin", "same-origin"], address


def test_cookies_are_kept_from_scripts_and_other_sites(cast, client, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True  # what CARELOOP_SECURE sets
    client.get(SIGN_IN)
    client.post(SIGN_IN, {"login": cast.agent.email, "password": PASSWORD})
    session, form = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert (session["httponly"], session["samesite"], session["secure"]) == (True, "Lax", True)
    assert (form["samesite"], form["secure"]) == ("Lax", True)


def test_tls_is_demanded_once_the_operator_says_that_it_is_there(client, settings):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_PROXY_SSL_HEADER = 31_536_000, ("HTTP_X_FORWARDED_PROTO", "https")
    assert client.get(SIGN_IN, headers={"X-Forwarded-Proto": "https"})["Strict-Transport-Security"] == "max-age=31536000"
    assert house_settings.SECURE_COOKIES is False and "Strict-Transport-Security" not in client.get(SIGN_IN)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", "https:evil"])
def test_no_page_leads_to_another_site(cast, client, elsewhere):
    signed_in = client.post(f"{SIGN_IN}?next={elsewhere}", {"login": cast.agent.email, "password": PASSWORD, "next": elsewhere})
    assert signed_in["Location"] == "/"
    spoken = client.post("/language/", {"language": "zh-hans", "next": elsewhere})
    assert (spoken.status_code, spoken["Location"]) == (302, "/")
