"""What people speak of: its words on screens, its filter and its column; every type of fact has a name, too."""

import csv
import io

import pytest
from django.utils import translation

from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.feedback_queries import FeedbackFilter, feedback_page
from careloop.desk.intake.actions import receive_messages
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.web.reading_words import aspect_chips, aspect_names, entity_label, entity_names
from careloop.insight.text.aspects import list_aspects
from careloop.insight.text.entities import TYPES

TEXTS = ("物流慢，但客服好", "物流很快，质量也好", "Great service")


@pytest.fixture
def said(cast, inbound, now):
    """Three read texts; returns the receipts."""
    receipts = receive_messages([inbound(external_id=text, text=text) for text in TEXTS], now=now)
    understand([receipt.message_id for receipt in receipts], now=now)
    return receipts


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_type_of_fact_and_every_aspect_of_the_engine_has_a_name(language):
    with translation.override(language):
        facts, aspects = entity_names(), aspect_names()
    assert set(facts) - {"product"} == TYPES
    assert set(aspects) == set(list_aspects())
    names = [*facts.values(), *aspects.values()]
    assert [name for name in names if name.isascii() != (language == "en")] == []


def test_a_type_of_the_houses_own_keeps_its_name():
    assert (entity_label("PHONE"), entity_label("boiler")) == ("Phone", "boiler")


def test_a_chip_tells_the_opinion_by_a_sign_and_how_sure_it_is():
    said = aspect_chips([["delivery", "negative", 0.1, 0, 3], ["service", "positive", 0.9, 5, 8], ["heat", "neutral", 0.45, 9, 11]])
    assert [(one.label, one.sign, one.tone, one.words, round(one.probability, 2)) for one in said] == [
        ("Delivery", "−", "bad", "Negative", 0.9),
        ("Service", "+", "good", "Positive", 0.9),
        ("heat", "±", "", "Undecided: positive", 0.45),
    ]


def test_the_case_page_shows_what_its_message_speaks_of_in_the_readers_language(cast, said, client):
    client.force_login(cast.agent)
    page = client.get(f"/cases/{said[0].case_id}/?reading={said[0].message_id}", headers={"Accept-Language": "zh-CN"}).content.decode()
    assert 'href="/feedback/?period=all&amp;aspect=delivery&amp;opinion=NEGATIVE">物流 <b aria-hidden="true">−</b>' in page
    assert 'href="/feedback/?period=all&amp;aspect=service&amp;opinion=POSITIVE">服务 <b aria-hidden="true">+</b>' in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"aspect": "delivery"}, {0, 1}),
        ({"aspect": "delivery", "opinion": "NEGATIVE"}, {0}),
        ({"aspect": "service", "opinion": "POSITIVE"}, {0, 2}),
        ({"aspect": "network"}, set()),
        ({"opinion": "NEGATIVE"}, {0, 1, 2}),
    ],
)
def test_texts_are_chosen_by_what_they_speak_of_and_how(cast, said, now, asked, found):
    page = feedback_page(FeedbackFilter(**asked), cast.viewer(cast.agent), zone=now.tzinfo)
    assert {TEXTS.index(row.message.body) for row in page.rows} == found
    assert page.total == len(found)


def test_an_unknown_opinion_is_refused(cast, now):
    with pytest.raises(InvalidInput, match="The opinion is 'GOOD'") as refused:
        feedback_page(FeedbackFilter(aspect="price", opinion="GOOD"), cast.viewer(cast.agent), zone=now.tzinfo)
    assert refused.value.field == "opinion"


def test_the_filter_stands_above_the_texts_and_goes_with_one_click(cast, said, client):
    client.force_login(cast.agent)
    page = client.get("/feedback/?period=all&aspect=delivery&opinion=NEGATIVE").content.decode()
    assert '<a class="chip accent" href="?period=all" title="Take this filter away">Delivery: Negative' in page


def test_the_export_has_a_column_of_aspects(cast, said, client):
    client.force_login(cast.agent)
    answer = client.get("/feedback/export/?period=all&aspect=delivery&opinion=NEGATIVE")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()[1:]))
    delivery, service = row["aspects"].split("; ")
    assert delivery.startswith("delivery negative 0.")
    assert service.startswith("service positive 0.")
