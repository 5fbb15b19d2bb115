"""Vectors go when their texts are gone: each night, and at once when a text must be forgotten."""

import pytest

from careloop.desk.analysis import queueing, tasks, vector_trimming
from careloop.desk.analysis.case_vectors import keep_newest
from careloop.desk.analysis.models import Taxonomy, TextVector
from careloop.desk.analysis.vectors import KeptEncoder, hash_of
from careloop.desk.cases.models import Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.jobs.models import Schedule
from careloop.insight.text.similarity.semantic import UNRELATED

pytestmark = pytest.mark.django_db
LONG = "热水器一直漏水，" * 60


@pytest.fixture
def kept(cast, inbound, now, monkeypatch, encoder):
    """Vectors of two messages, one of them long, of categories, and of what all texts share."""
    monkeypatch.setattr("careloop.desk.analysis.vector_trimming.house_encoder_name", lambda: encoder.name)
    receive_message(inbound(text="发票抬头错了"), now=now)
    receive_message(inbound(external_id="m-2", text=LONG), now=now)
    keep_newest()
    KeptEncoder(encoder).encode([LONG, *UNRELATED])
    viewer = cast.viewer(cast.supervisor)
    taxonomy = queueing.create_taxonomy(name="Shop", team_id=cast.team.pk, viewer=viewer, now=now)
    for name in ("Leak", "Invoice"):
        facts = {"name_en": name, "name_zh": "", "description": f"about {name}"}
        queueing.add_category(taxonomy_id=taxonomy.pk, facts=facts, parent_id=None, viewer=viewer, now=now)
    tasks.describe.func(taxonomy.pk)
    KeptEncoder(encoder).encode(["leak about Leak", "invoice about Invoice"])
    return set(TextVector.objects.values_list("text_hash", flat=True))


def hashes():
    return set(TextVector.objects.values_list("text_hash", flat=True))


def test_what_is_in_use_stays(kept):
    assert {hash_of("发票抬头错了"), hash_of(LONG), hash_of(LONG[:400]), hash_of("leak about Leak"), hash_of("Leak about Leak")} <= kept
    assert vector_trimming.trim_vectors() == 0
    assert hashes() == kept


def test_a_text_that_is_gone_loses_its_vectors_in_the_night(kept):
    Message.objects.filter(body=LONG).update(body="…")
    assert tasks.trim_vectors.func() == 2
    assert kept - hashes() == {hash_of(LONG), hash_of(LONG[:400])}


def test_a_text_that_another_message_has_keeps_them(kept, inbound, now):
    receive_message(inbound(external_id="m-3", text=LONG), now=now)
    Message.objects.filter(pk=Message.objects.filter(body=LONG).earliest("pk").pk).update(body="…")
    assert tasks.trim_vectors.func() == 0


def test_archived_categories_and_encoders_that_nobody_uses_lose_theirs(kept, encoder):
    TextVector.objects.create(encoder="letters 0", text_hash=hash_of("发票抬头错了"), vector=b"")
    Taxonomy.objects.update(is_archived=True)
    n_labels = len(kept) - len({hash_of(text) for text in ("发票抬头错了", LONG, LONG[:400], *UNRELATED)})
    assert tasks.trim_vectors.func() == n_labels + 1
    assert hash_of("发票抬头错了") in hashes() and not TextVector.objects.filter(encoder="letters 0").exists()


def test_texts_are_forgotten_at_once(kept):
    assert vector_trimming.forget_texts([LONG, "never seen"]) == 2
    assert kept - hashes() == {hash_of(LONG), hash_of(LONG[:400])}
    assert vector_trimming.forget_texts([]) == 0


def test_it_is_done_every_night(now):
    queueing.ensure_schedules(now=now)
    schedule = Schedule.objects.get(name="forget vectors of texts that are gone")
    assert (schedule.task.rpartition(".")[2], schedule.daily_at.isoformat()) == ("trim_vectors", "03:50:00")
