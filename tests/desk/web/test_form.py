"""The public form: what somebody types without signing in becomes one message, once."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.test import Client

from careloop.desk.cases.models import Case, Message
from careloop.desk.channels.form import parse, problems_of
from careloop.desk.customers.models import Customer
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.models import RawPayload
from careloop.desk.web.views.form import SALT, check_token, new_token

URL = "/form/contact/"
GOOD = {
    "name": "林晓彤",
    "email": "lin@example.com",
    "phone": "",
    "subject": "漏水",
    "text": "热水器漏水",
    "order": "20418837",
    "website": "",
}


@pytest.fixture
def token(cast) -> str:
    return new_token("contact", datetime.now(UTC) - timedelta(minutes=1))


def test_the_form_is_open_to_everybody_in_both_languages(cast, client):
    english = client.get(URL, headers={"Accept-Language": "en"})
    assert english.status_code == 200
    assert '<html lang="en"' in english.content.decode()
    assert '<html lang="zh-Hans"' in client.get(URL, headers={"Accept-Language": "zh-CN"}).content.decode()
    assert "no-store" in english["Cache-Control"]


@pytest.mark.django_db
def test_a_message_is_stored_with_its_fields_and_its_number_is_shown(cast, client, token):
    answer = client.post(URL, {**GOOD, "token": token}, headers={"Accept-Language": "zh-CN"})
    case, message = Case.objects.get(), Message.objects.get()
    assert answer.status_code == 302
    assert f"#{case.pk}" in client.get(answer["Location"]).content.decode()
    assert (case.subject, case.team, case.channel, message.body) == ("漏水", cast.team, cast.form, "热水器漏水\n\n#20418837")
    assert (case.customer.name, case.customer.language) == ("林晓彤", "zh-Hans")
    kept = json.loads(bytes(RawPayload.objects.get().body))
    assert kept == {name: GOOD[name] for name in ("name", "email", "phone", "subject", "order", "text")}


def test_the_same_form_sent_twice_is_one_message(cast, client, token):
    first = client.post(URL, {**GOOD, "token": token})
    second = client.post(URL, {**GOOD, "token": token})
    assert first["Location"].split(":")[0] == second["Location"].split(":")[0]
    assert Message.objects.count() == 1
    client.post(URL, {**GOOD, "token": new_token("contact", datetime.now(UTC) - timedelta(minutes=1))})
    assert (Message.objects.count(), Case.objects.count()) == (2, 1)


@pytest.mark.parametrize(
    ("facts", "field", "sentence"),
    [
        ({"name": " "}, "name", "Please tell us your name."),
        ({"text": "\0"}, "text", "Please write what happened"),
        ({"email": ""}, "email", "Please give an e-mail address or a phone number"),
        ({"email": "nonsense"}, "email", "This is not an e-mail address"),
        ({"phone": "12"}, "phone", "This is not a phone number"),
        ({"text": "x" * 20_001}, "text", "at most 20000 characters fit"),
        ({"subject": "x" * 201}, "subject", "at most 200 characters fit"),
    ],
)
def test_a_wrong_field_is_named_beside_it_and_the_rest_is_kept(cast, client, token, facts, field, sentence):
    answer = client.post(URL, {**GOOD, "token": token, **facts})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in html.split(f'id="id_{field}-error"')[1].split("</p>")[0]
    assert 'value="20418837"' in html
    assert f'value="{token}"' in html
    assert Message.objects.count() == 0


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"website": "http://spam.example"}, "This looks like a message from a program"),
        ({"token": ""}, "is damaged"),
        ({"token": "forged:1:x"}, "is damaged"),
        ({"token": signing.dumps("text", salt=SALT)}, "is damaged"),
    ],
)
def test_what_looks_like_a_program_is_refused_and_the_text_is_kept(cast, client, token, facts, sentence):
    answer = client.post(URL, {**GOOD, "token": token, **facts})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert "热水器漏水</textarea>" in answer.content.decode()
    assert (Message.objects.count(), Customer.objects.count()) == (0, 0)


def test_a_token_counts_from_two_seconds_to_a_day_and_for_its_form_only(now):
    given = new_token("contact", now)
    assert len(check_token(given, "contact", now + timedelta(seconds=2))[0]) == 32
    assert len(check_token(given, "contact", now + timedelta(hours=24))[0]) == 32
    for slug, moment in (("contact", timedelta(seconds=1)), ("contact", timedelta(hours=24, seconds=1)), ("other", timedelta(minutes=1))):
        external_id, refusal = check_token(given, slug, now + moment)
        assert external_id == ""
        assert refusal != ""


@pytest.mark.parametrize("path", ["/form/shop/", "/form/nowhere/", "/form/contact/thanks/1/", "/form/contact/thanks/1:x:y/"])
def test_other_channels_and_guessed_numbers_are_not_found(cast, client, path):
    assert client.get(path).status_code == 404
    assert client.post(path, GOOD).status_code in {404, 405}
    assert Message.objects.count() == 0


def test_a_switched_off_form_is_not_found(cast, client):
    cast.form.is_active = False
    cast.form.save()
    assert client.get(URL).status_code == 404


def test_another_site_cannot_post_for_somebody(cast, token):
    answer = Client(enforce_csrf_checks=True).post(URL, {**GOOD, "token": token})
    assert (answer.status_code, Message.objects.count()) == (403, 0)


def test_parsing_is_pure_and_names_every_problem(now):
    inbound = parse({**GOOD, "order": "#7", "phone": "13800138000"}, channel_slug="contact", external_id="x", language="en", now=now)
    assert (inbound.text, inbound.sent_at, inbound.language) == ("热水器漏水\n\n#7", now, "en")
    assert inbound.addresses == (AddressValue("EMAIL", "lin@example.com"), AddressValue("PHONE", "13800138000"))
    assert problems_of({}) == {"name": "missing", "text": "missing", "email": "missing"}
    assert problems_of({**GOOD, "email": "x" * 255}) == {"email": "too-long"}
