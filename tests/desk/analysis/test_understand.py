"""Readings: stored once, with model versions; a text that fails costs only its own reading."""

from dataclasses import replace

import pytest

from careloop import insight
from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.models import MessageAspect, Reading
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message, receive_messages

pytestmark = pytest.mark.django_db


def test_a_reading_is_stored_with_versions_and_the_case_takes_it_over(cast, inbound, now):
    receipt = receive_message(inbound(), now=now)
    assert understand([receipt.message_id], now=now) == 1
    reading, case = Reading.objects.get(), Case.objects.get()
    assert (reading.state, reading.language, reading.sentiment, reading.team) == ("DONE", "zh-Hans", "NEGATIVE", cast.team)
    assert set(reading.model_versions) == {"words", "sentiment", "kind"}
    assert (case.kind, case.sentiment) == (reading.kind, "NEGATIVE")
    assert [entity["value"] for entity in reading.details["entities"]] == ["20418837"]
    assert CaseEvent.objects.filter(kind="TRIAGED").count() == 1


def test_what_a_message_speaks_of_is_stored_as_rows_beside_its_reading(cast, inbound, now):
    receipt = receive_message(inbound(text="物流慢，但客服好"), now=now)
    understand([receipt.message_id], now=now)
    understand([receipt.message_id], now=now)
    rows = MessageAspect.objects.filter(message_id=receipt.message_id).order_by("pk")
    assert [(one.aspect, one.sentiment, one.probability < 0.5) for one in rows] == [
        ("delivery", "NEGATIVE", True),
        ("service", "POSITIVE", False),
    ]
    in_details = [one[:3] for one in Reading.objects.get().details["aspects"]]
    assert in_details == [[one.aspect, one.sentiment.lower(), one.probability] for one in rows]


def test_reading_again_reads_nothing_and_changes_nothing(cast, inbound, now):
    receipt = receive_message(inbound(), now=now)
    understand([receipt.message_id], now=now)
    version = Case.objects.get().version
    assert understand([receipt.message_id], now=now) == 0
    assert (Reading.objects.count(), Case.objects.get().version) == (1, version)


def test_a_failing_text_is_recorded_and_its_neighbours_are_read(cast, inbound, now, monkeypatch):
    from careloop.insight import pipeline

    original = pipeline.read_batch

    def failing(texts, **own):
        if any("poison" in text for text in texts):
            raise RuntimeError("broken text")
        return original(texts, **own)

    monkeypatch.setattr(pipeline, "read_batch", failing)
    texts = ("很好，谢谢", "poison", "太差了，退钱")
    receipts = receive_messages([inbound(external_id=text, text=text) for text in texts], now=now)
    assert understand([receipt.message_id for receipt in receipts], now=now) == 3
    states = list(Reading.objects.order_by("message_id").values_list("state", flat=True))
    assert states == ["DONE", "FAILED", "DONE"]
    failed = Reading.objects.get(state="FAILED")
    assert failed.error == "This text could not be read: RuntimeError: broken text."
    assert (failed.sentiment, failed.kind) == ("", "")


def test_a_kind_that_the_engine_is_not_sure_of_does_not_decide(cast, inbound, now, monkeypatch):
    unsure = insight.Reading(language="en", sentiment="neutral", kind="complaint", kind_probability=0.3, kind_abstained=True)
    sure = replace(unsure, sentiment="positive", sentiment_probability=0.9, kind="refund", kind_probability=0.9, kind_abstained=False)
    monkeypatch.setattr(insight, "read", lambda texts: [unsure, sure][: len(texts)])
    receipts = receive_messages([inbound(external_id=name) for name in "ab"], now=now)
    understand([receipt.message_id for receipt in receipts], now=now)
    case = Case.objects.get()
    assert (case.kind, case.kind_probability, case.sentiment) == ("REFUND", 0.9, "POSITIVE")
