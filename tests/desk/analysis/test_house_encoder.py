"""The encoder that the settings name: jobs use it, screens only need its name."""

import pytest

from careloop.desk.analysis import vectors
from careloop.desk.analysis.case_vectors import StoredVectors
from careloop.desk.analysis.models import TextVector
from careloop.desk.analysis.vectors import KeptEncoder, encoder_named, house_encoder_name
from careloop.insight.text.encoder import get_bundled_encoder

SERVICE = "http://127.0.0.1:9/v1#tiny"  # nobody answers there


def test_screens_take_its_name_without_asking_it(settings):
    assert (house_encoder_name(), StoredVectors().name) == (get_bundled_encoder().name, get_bundled_encoder().name)
    settings.ENCODER = SERVICE
    assert (house_encoder_name(), StoredVectors().name, StoredVectors().dimensions) == ("service tiny", "service tiny", 0)


def test_a_model_of_the_bundled_encoder_goes_on_with_it_and_any_other_gets_the_houses(settings, encoder):
    settings.ENCODER = SERVICE
    assert encoder_named(get_bundled_encoder().name) is get_bundled_encoder()
    assert encoder_named("service tiny") is encoder
    assert encoder_named(None) is encoder


@pytest.mark.django_db
def test_vectors_are_kept_under_the_encoders_name_with_its_length(settings, encoder, monkeypatch):
    settings.ENCODER = SERVICE
    monkeypatch.setattr(encoder, "name", "service tiny", raising=False)
    assert vectors.house_encoder() is encoder
    KeptEncoder().encode(["漏水"])
    stored = StoredVectors()
    stored.load(["漏水"])
    assert (TextVector.objects.get().encoder, stored.dimensions, stored.encode(["漏水"]).shape) == ("service tiny", 64, (1, 64))
