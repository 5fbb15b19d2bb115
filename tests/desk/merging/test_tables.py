"""Every table that points to a case says what becomes of its rows."""

from django.apps import apps
from django.db.models import ForeignKey

from careloop.desk.cases.models import Case
from careloop.desk.merging.rules import STAYS, TABLES


def pointing_to_cases():
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            is_relation = isinstance(field, ForeignKey) and field.related_model is Case
            if is_relation or field.attname == "case_id":
                yield model._meta.label, field.name


def test_every_column_that_points_to_a_case_moves_with_it_or_says_why_it_stays():
    registered = {(table.model, table.field) for table in TABLES}
    assert set(pointing_to_cases()) == registered | STAYS.keys()
    assert not registered & STAYS.keys()


def test_rows_that_move_are_found_by_a_number_that_moving_does_not_change():
    for table in TABLES:
        options = apps.get_model(table.model)._meta
        assert options.pk.get_internal_type() == "BigAutoField", f"{table.model} needs a key of its own to be moved and brought back"
        if table.message not in ("", "pk"):
            assert table.message in {field.attname for field in options.local_concrete_fields}
