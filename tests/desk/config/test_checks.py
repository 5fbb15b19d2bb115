"""What Django's own checks say of the desk; management commands print it above their answers."""

from django.core.checks import run_checks


def test_no_check_has_anything_to_say():
    assert [str(one) for one in run_checks() if not one.is_silenced()] == []
