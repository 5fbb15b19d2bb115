"""Every page of working together that shows personal data leaves an audit entry with its actor; every other page says why it needs none."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLResolver, get_resolver

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case
from careloop.desk.intake.actions import receive_message
from careloop.desk.teamwork.case_tasks import NewTask, add_task
from careloop.desk.teamwork.customer_links import make_token
from careloop.desk.teamwork.models import Attachment, Task
from careloop.desk.teamwork.sharing import address_of, share

pytestmark = pytest.mark.django_db
MODULES = ("tasks", "board", "together", "sharing", "customer_page", "files", "task_forms", "topic_sharing", "webhooks")
AUDITED = {  # page -> (action of its entry, kind of its actor)
    "case-together": ("case.view", "user"),
    "case-share": ("case.view", "user"),
    "task-edit": ("case.view", "user"),
    "tasks": ("list.view", "user"),
    "board": ("list.view", "user"),
    "case-file": ("file.view", "user"),
    "customer-case": ("customer_page.view", "customer"),
    "customer-file": ("file.view", "customer"),
    "shared-page": ("shared.view", "link"),
}
TELLS_NOTHING_PERSONAL = {
    "case-mentions": "names of colleagues",
    "fields": "fields of the house",
    "field-edit": "a field of the house",
    "topic-share": "personal data are masked; sharing and sending have entries of their own",
    "shared-topic": "personal data are masked",
    "webhooks": "addresses of other systems",
}


@pytest.fixture
def case(cast, inbound, now) -> Case:
    return Case.objects.get(pk=receive_message(inbound(channel_slug="contact"), now=now).case_id)


def addresses(client, cast, case) -> dict[str, str]:
    agent, today = cast.viewer(cast.agent), datetime.now(UTC)
    add_task(case_id=case.pk, new=NewTask("Check", assignee_id=cast.agent.pk), viewer=agent, now=today)
    customers = f"/c/{make_token(case, now=today)}/"
    client.post(f"{customers}write/", {"files": SimpleUploadedFile("a.txt", b"a")})
    page = share(case_id=case.pk, message_ids=[case.messages.first().pk], days=1, purpose="ERP", viewer=agent, now=today)
    file = Attachment.objects.get().pk
    return {
        "case-together": f"/cases/{case.pk}/together/",
        "case-share": f"/cases/{case.pk}/share/",
        "task-edit": f"/tasks/{Task.objects.get().pk}/edit/",
        "tasks": "/tasks/",
        "board": "/board/",
        "case-file": f"/cases/{case.pk}/files/{file}/",
        "customer-case": customers,
        "customer-file": f"{customers}files/{file}/",
        "shared-page": "/" + address_of(page).split("/", 3)[3],
    }


@pytest.mark.parametrize("name", AUDITED)
def test_a_look_at_personal_data_leaves_an_entry_with_its_actor(client, cast, case, name):
    address = addresses(client, cast, case)[name]
    if AUDITED[name][1] == "user":
        client.force_login(cast.agent)
    before = AuditEntry.objects.count()
    assert client.get(address).status_code == 200
    entry = AuditEntry.objects.order_by("pk").last()
    assert AuditEntry.objects.count() == before + 1
    assert (entry.action, entry.actor_kind) == AUDITED[name]
    assert entry.object_id == case.pk or entry.details["cases"] == [case.pk]
    assert entry.actor_id is not None


@pytest.mark.parametrize("name", [name for name, (_action, kind) in AUDITED.items() if kind == "user" and name not in ("tasks", "board")])
def test_a_refused_look_leaves_none(client, cast, case, name):
    address = addresses(client, cast, case)[name]
    client.force_login(cast.outsider)
    before = AuditEntry.objects.count()
    assert client.get(address).status_code == 404
    assert AuditEntry.objects.count() == before


def test_an_expired_link_and_a_list_of_nothing_leave_no_entry(client, cast, case):
    client.get(f"/c/{make_token(case, now=datetime.now(UTC) - timedelta(days=91))}/")
    client.force_login(cast.agent)
    client.get("/tasks/")
    assert not AuditEntry.objects.filter(action__in=["customer_page.view", "list.view"]).exists()


def test_every_page_of_working_together_is_audited_or_says_why_not():
    ours = {
        one.name
        for one in _flat(get_resolver().url_patterns)
        if one.callback.__module__.rpartition(".")[2] in MODULES and one.callback.__module__.startswith("careloop.desk.web.views")
    }
    readable = {name for name in ours if name in AUDITED.keys() | TELLS_NOTHING_PERSONAL.keys() or not _only_posts(name)}
    assert readable <= AUDITED.keys() | TELLS_NOTHING_PERSONAL.keys()
    assert AUDITED.keys() <= ours


def _only_posts(name: str) -> bool:
    """Whether the page answers 405 to GET: it changes something and shows nothing."""
    from django.test import RequestFactory

    pattern = next(one for one in _flat(get_resolver().url_patterns) if one.name == name)
    facts = {group: "x" if group == "token" else 1 for group in pattern.pattern.regex.groupindex}
    return pattern.callback(RequestFactory().get("/"), **facts).status_code == 405


def _flat(patterns):
    for one in patterns:
        yield from _flat(one.url_patterns) if isinstance(one, URLResolver) else [one]
