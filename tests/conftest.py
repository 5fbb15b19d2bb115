"""The cast that all tests share: one house, two teams, a person in each role, an outsider, a clock that stands still."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # several processes test at once; more threads wait for one another
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.utils import translation

NOW = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


def pytest_addoption(parser):
    """One option of our own, for the run on PostgreSQL."""
    parser.addoption("--database-only", action="store_true", help="leave out tests that use no database: they ran on SQLite already")


@pytest.fixture(autouse=True)
def language_of_the_house():
    """What one test asked in another language leaves no trace in the next."""
    yield
    translation.deactivate()


def pytest_collection_modifyitems(config, items):
    """With --database-only, keep what asks for the database and what is marked `postgres`."""
    if not config.getoption("--database-only"):
        return
    marked = ("django_db", "postgres")
    asks = {item for item in items if "db" in item.fixturenames or any(item.get_closest_marker(name) for name in marked)}
    config.hook.pytest_deselected(items=[item for item in items if item not in asks])
    items[:] = [item for item in items if item in asks]


@pytest.fixture
def now() -> datetime:
    """Monday 4 May 2026, 06:00 UTC (14:00 in Shanghai)."""
    return NOW


@dataclass
class Cast:
    """People, teams and channels; `viewer(user)` is what actions take."""

    team: object
    other_team: object
    owner: object
    supervisor: object
    agent: object
    analyst: object
    outsider: object
    channel: object
    form: object
    other_channel: object

    @staticmethod
    def viewer(user):
        """The viewer of a user."""
        from careloop.desk.accounts.queries import viewer_of

        return viewer_of(user)


@pytest.fixture
def cast(db) -> Cast:
    """The people of a test."""
    return make_cast()


def make_cast() -> Cast:
    """Made with plain rows; `outsider` is an agent of the other team."""
    from careloop.desk.accounts.models import Channel, Team, User

    team, other = (Team.objects.create(name=name, created_at=NOW) for name in ("After-sales", "Wholesale"))

    def person(name: str, role: str, *teams: Team) -> User:
        user = User(email=f"{name.lower()}@desk.example", display_name=name, role=role, date_joined=NOW)
        user.set_password(PASSWORD)
        user.save()
        user.teams.set(teams)
        return user

    def channel(kind: str, slug: str, of: Team) -> Channel:
        return Channel.objects.create(kind=kind, name=slug.title(), slug=slug, team=of, created_at=NOW)

    return Cast(
        team=team,
        other_team=other,
        owner=person("Olga", "OWNER"),
        supervisor=person("Sun", "SUPERVISOR", team),
        agent=person("Chen", "AGENT", team),
        analyst=person("Ana", "ANALYST"),
        outsider=person("Wang", "AGENT", other),
        channel=channel("API", "shop", team),
        form=channel("FORM", "contact", team),
        other_channel=channel("API", "wholesale", other),
    )


@pytest.fixture
def inbound():
    """What builds inbound messages."""
    return build_inbound


def build_inbound(**facts):
    """An acceptable inbound message; keyword arguments replace its facts."""
    from careloop.desk.customers.rules import AddressValue
    from careloop.desk.intake.rules import Inbound

    given = {
        "channel_slug": "shop",
        "external_id": "m-1",
        "text": "热水器漏水，我要求退款。订单 20418837",
        "raw": b'{"text": "..."}',
        "sent_at": NOW,
        "sender_name": "林晓彤",
        "addresses": (AddressValue("EMAIL", "lin@example.com"),),
    }
    return Inbound(**{**given, **facts})


@pytest.fixture(autouse=True)
def guarded_rows(request):
    """After a test with real transactions: empty what the database refuses to empty (audit entries) or cannot (the search index)."""
    marker = request.node.get_closest_marker("django_db")
    is_real = (marker is not None and marker.kwargs.get("transaction")) or {"transactional_db", "live_server"} & set(request.fixturenames)
    if not is_real:
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    from django.apps import apps
    from django.db import connection

    if not apps.is_installed("careloop.desk.audit") or connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_auditentry'")
        guards = cursor.fetchall()
        for name, _ in guards:
            cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute("DELETE FROM audit_auditentry")
        for _, statement in guards:
            cursor.execute(statement)
        cursor.execute("DELETE FROM search_searchdocument")
        cursor.execute("INSERT INTO search_fts(search_fts) VALUES ('rebuild')")
