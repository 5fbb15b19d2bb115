"""What several folders of the desk's tests share."""

import pytest
from django.db import transaction

from tests.conftest import NOW, make_cast


@pytest.fixture(scope="module")
def house_of_the_module(django_db_setup, django_db_blocker):
    """The house of test_routes.py, made once for a module: in a transaction around those of its tests, which take back what they write."""
    from tests.desk.test_routes import make_house

    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        house = make_house(make_cast(), NOW)
    yield house
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)
