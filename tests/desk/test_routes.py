"""Every route of the URL table refuses strangers and outsiders; a new one is covered by being in the table. What it needs is said here."""

import json
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import actor_of, viewer_of
from careloop.desk.accounts.rules import EVERYBODY_MAY
from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.models import Category, Correction, LabelDoubt, LearntModel, Taxonomy
from careloop.desk.analysis.topic_models import FoundTopic, MessageTopic, Topic, TopicRun, TopicSpace
from careloop.desk.automation.models import Macro, Rule
from careloop.desk.bulk.models import BulkChange
from careloop.desk.cases.models import Approval, Case, Message
from careloop.desk.experiments.models import Arm, Comparison
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.flows.models import Flow
from careloop.desk.imports.models import ImportRun
from careloop.desk.intake.actions import receive_message
from careloop.desk.jobs.models import Job
from careloop.desk.merging.models import CaseLink, Regrouping
from careloop.desk.notices.models import Notice
from careloop.desk.reports.models import Dashboard, MailedReport, Mailing
from careloop.desk.sla.models import Calendar, ServiceLevel
from careloop.desk.solutions.models import Solution, SolutionText
from careloop.desk.surveys.models import Answer, Invitation, Survey, SurveyVersion
from careloop.desk.teamwork.models import Attachment, FieldDefinition, FollowUpTemplate, SavedView, SharedPage, SharedTopic, Task, Webhook
from careloop.desk.watch.models import Alarm, Watched
from careloop.desk.writing.models import HeldReply, WaitingFile
from tests.conftest import build_inbound

pytestmark = pytest.mark.django_db
SECRET_WORDS = ("热水器漏水", "林晓彤", "lin@example.com")
SIGN_IN = "/accounts/login/"

# Open to everybody, each for a reason. Anything else turns strangers away.
PUBLIC = {
    "account_login": "the way in",
    "language": "strangers choose English or Chinese; only a cookie is set",
    "account_logout": "leaving needs no right",
    "account_signup": "says that nobody signs up by themselves",
    "account_inactive": "tells a switched-off person so",
    "account_email_verification_sent": "allauth's static page",
    "account_confirm_email": "opened from a mail; needs a signed key",
    "account_confirm_login_code": "the second step of the way in",
    "account_reset_password": "for people who cannot sign in",
    "account_reset_password_done": "allauth's static page",
    "account_reset_password_from_key": "opened from a mail; needs a signed key",
    "account_reset_password_from_key_done": "allauth's static page",
    "mfa_authenticate": "the second step of the way in",
    "api:health": "load balancers have no key; no figure of the house is told",
    "api:openapi-json": "the API's own description",
    "api:api-root": "answers 404; ninja needs it to know its own address",
    "form": "customers write here",
    "shared-page": "chosen messages for people without an account; needs a signed address",
    "shared-topic": "a topic without personal data for people without an account; needs a signed address",
    "customer-case": "a customer follows the case; needs a signed address",
    "customer-write": "the same",
    "customer-status": "the same",
    "customer-rate": "the same",
    "customer-file": "the same",
    "help": "customers look for answers here",
    "help-article": "a published answer",
    "help-vote": "visitors say whether it helped; counted once",
    "form-thanks": "the customer's receipt; needs a signed address",
    "survey-answer": "a customer answers; needs a signed address",
    "survey-click": "the same",
    "survey-refuse": "the same",
    "survey-embed": "a survey that the house put on its website",
}

# For what a parameter of a route stands; objects belong to the first team.
PARAMETERS = {
    "case_id": lambda house: house.case.pk,
    "message_id": lambda house: house.message.pk,
    "customer_id": lambda house: house.case.customer_id,
    "run_id": lambda house: house.run.pk,
    "job_id": lambda house: house.job.pk,
    "user_id": lambda house: house.cast.agent.pk,
    "team_id": lambda house: house.cast.team.pk,
    "taxonomy_id": lambda house: house.taxonomy.pk,
    "category_id": lambda house: house.taxonomy.categories.get().pk,
    "model_id": lambda house: house.model.pk,
    "doubt_id": lambda house: house.doubt.pk,
    "task": lambda house: "kind",
    "report": lambda house: "overview",
    "topic_id": lambda house: house.topic.pk,
    "shared_topic_id": lambda house: house.shared_topic.pk,
    "channel_id": lambda house: house.cast.channel.pk,
    "key_id": lambda house: house.key.pk,
    "calendar_id": lambda house: house.calendar.pk,
    "routed_team_id": lambda house: house.cast.team.pk,
    "level_id": lambda house: house.level.pk,
    "held_id": lambda house: house.held.pk,
    "change_id": lambda house: house.bulk.pk,
    "solution_id": lambda house: house.solution.pk,
    "notice_id": lambda house: house.notice.pk,
    "regrouping_id": lambda house: house.regrouping.pk,
    "link_id": lambda house: house.link.pk,
    "rule_id": lambda house: house.rule.pk,
    "macro_id": lambda house: house.macro.pk,
    "approval_id": lambda house: house.approval.pk,
    "flow_id": lambda house: house.flow.pk,
    "slug": lambda house: house.cast.form.slug,
    "key": lambda house: "a-key-that-is-none",
    "uidb36": lambda house: "1",
    "token": lambda house: "a-token-that-is-none",
    "webhook_id": lambda house: house.webhook.pk,
    "page_id": lambda house: house.shared.pk,
    "task_id": lambda house: house.task.pk,
    "definition_id": lambda house: house.field.pk,
    "template_id": lambda house: house.template.pk,
    "view_id": lambda house: house.view.pk,
    "file_id": lambda house: house.file.pk,
    "chosen_id": lambda house: house.chosen.pk,
    "receipt": lambda house: "a-receipt-that-is-none",
    "survey_id": lambda house: house.invitation.survey_id,
    "comparison_id": lambda house: house.comparison.pk,
    "invitation_id": lambda house: house.invitation.pk,
    "watched_id": lambda house: house.watched.pk,
    "part": lambda house: "slow",
    "place": lambda house: 0,
    "alarm_id": lambda house: house.alarm.pk,
    "dashboard_id": lambda house: house.dashboard.pk,
    "mailing_id": lambda house: house.mailed.mailing_id,
    "mail_id": lambda house: house.mailed.pk,
}

# Objects of the whole house: whoever has the role may see them, whatever the team; others may not.
HOUSE_WIDE = {
    "calendar_id": "sla.edit",
    "flow_id": "flow.edit",
    "level_id": "sla.edit",
    "rule_id": "rule.edit",
    "definition_id": "flow.edit",
    "webhook_id": "key.edit",
    "template_id": "flow.edit",
    "job_id": "job.view",
    "user_id": "user.edit",
    "key_id": "key.edit",
    "channel_id": "channel.edit",
    "survey_id": "survey.view",
    "comparison_id": "comparison.view",
    "report": "report.view",
    "team_id": "user.edit",
    "task": "model.view",
}

FORM = {
    "body": "x",
    "text": "x",
    "status": "RESOLVED",
    "priority": "40",
    "assignee": "",
    "version": "1",
    "expected_version": "1",
    "name": "x",
    "role": "OWNER",
    "email": "x@desk.example",
    "notes": "x",
}
QUERIES = {"case-earlier": "?before=1"}
WRITES_OF_REQUESTS = {"accounts_user": {"last_login"}, "accounts_apikey": {"last_used_at"}}


@dataclass(frozen=True)
class Route:
    """One line of the URL table."""

    name: str
    pattern: str
    parameters: tuple[str, ...]
    permission: str

    @property
    def is_api(self) -> bool:
        return self.name.startswith("api:")


def routes(patterns=None, prefix: str = "", space: str = "") -> list[Route]:
    found = []
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            found += routes(one.url_patterns, prefix + str(one.pattern), inner)
        else:
            assert isinstance(one, URLPattern)
            names = tuple(one.pattern.regex.groupindex)
            found.append(Route(f"{space}{one.name or ''}", prefix + str(one.pattern), names, getattr(one.callback, "permission", "")))
    return found


ALL = routes()
PRIVATE = [route for route in ALL if route.name not in PUBLIC]
OF_AN_OBJECT = [route for route in PRIVATE if route.parameters and not set(route.parameters) & HOUSE_WIDE.keys()]
OF_THE_HOUSE = [
    route
    for route in PRIVATE
    if set(route.parameters) & HOUSE_WIDE.keys() and route.permission not in EVERYBODY_MAY and not route.is_api  # keys have no permission
]
WITHOUT_OBJECT = [route for route in PRIVATE if not route.parameters]


def named(given: list[Route]):
    return pytest.mark.parametrize("route", given, ids=[f"{route.name}:{route.pattern}" for route in given])


@pytest.fixture
def house(db, house_of_the_module):
    """The house, as it was made, for one test."""
    return deepcopy(house_of_the_module)


def make_house(cast, now):
    """A case of the first team with everything that hangs on it and what the house has; a supervisor and a key of the other team."""
    receipt = receive_message(build_inbound(), now=now)
    ensure_shipped(now=now)
    key, _ = create_api_key(name="Shop", channel_id=cast.channel.pk, actor=actor_of(viewer_of(cast.owner)), now=now)
    _, other_token = create_api_key(name="Wholesale", channel_id=cast.other_channel.pk, actor=actor_of(viewer_of(cast.owner)), now=now)
    rival = User.objects.create(email="rival@desk.example", display_name="Rival", role="SUPERVISOR", date_joined=now)
    rival.teams.set([cast.other_team])
    return SimpleNamespace(
        cast=cast,
        case=Case.objects.get(pk=receipt.case_id),
        message=Message.objects.get(pk=receipt.message_id),
        job=Job.objects.first(),
        run=new_run(cast, now),
        key=key,
        other_token=other_token,
        rival=rival,
        topic=(topic := new_topic(receipt, cast, now)),
        shared_topic=SharedTopic.objects.create(topic_id=topic.pk, made_by_name="林晓彤", made_at=now, expires_at=now),
        **made_for_the_case(receipt, cast, now),
        **made_for_the_house(cast, now),
        **made_for_learning(receipt, cast, now),
    )


def made_for_the_case(receipt, cast, now) -> dict[str, object]:
    """What hangs on the case, by the name of its parameter."""
    return {
        "shared": SharedPage.objects.create(
            case_id=receipt.case_id, message_ids=[receipt.message_id], made_by_name="林晓彤", made_at=now, expires_at=now
        ),
        "task": Task.objects.create(case_id=receipt.case_id, title="热水器漏水", created_by_name="林晓彤", created_at=now),
        "file": Attachment.objects.create(
            case_id=receipt.case_id,
            message_id=receipt.message_id,
            name="热水器漏水.txt",
            content_type="text/plain",
            size_bytes=1,
            sha256="0" * 64,
            content="热水器漏水".encode(),
            received_at=now,
        ),
        "chosen": WaitingFile.objects.create(
            case_id=receipt.case_id, user=cast.agent, kind="REPLY", name="热水器漏水.txt", size_bytes=1, content=b"x", chosen_at=now
        ),
        "held": HeldReply.objects.create(
            case_id=receipt.case_id, user=cast.agent, body="热水器漏水", status="WAITING", held_at=now, send_at=now
        ),
        "notice": Notice.objects.create(
            user=cast.agent, kind="MENTIONED", case_id=receipt.case_id, facts={"text": "热水器漏水"}, key="a mention", at=now
        ),
        "invitation": new_invitation(receipt, cast, now),
        "regrouping": Regrouping.objects.create(kind="MERGE", into_id=receipt.case_id, made_by_name="林晓彤", made_at=now),
        "link": CaseLink.objects.create(
            case_id=receipt.case_id, other_id=receipt.case_id, kind="RELATED", made_by_name="林晓彤", made_at=now
        ),
        "approval": Approval.objects.create(
            case_id=receipt.case_id, transition="AGREE", state="ASKED", asked_by=cast.agent, asked_at=now, needs=1, roles=["SUPERVISOR"]
        ),
    }


def made_for_the_house(cast, now) -> dict[str, object]:
    """What the house and the team have made."""
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    return {
        "calendar": calendar,
        "level": ServiceLevel.objects.create(name="Standard", calendar=calendar, first_response_minutes=60, changed_at=now),
        "webhook": Webhook.objects.create(url="https://erp.example/", secret="x", made_by_name="林晓彤", made_at=now),
        "field": FieldDefinition.objects.create(code="batch", name="Batch", kind="TEXT"),
        "template": FollowUpTemplate.objects.create(name="Recall", items=[], changed_at=now),
        "view": SavedView.objects.create(name="热水器漏水", query="", owner=cast.agent, team=cast.team, made_at=now),
        "bulk": BulkChange.objects.create(field="priority", value=40, made_by=cast.agent, made_at=now),
        "rule": Rule.objects.create(name="First", events=["OPENED"], condition={"all": []}, actions=[], changed_at=now),
        "macro": Macro.objects.create(name="热水器漏水", scope="TEAM", team=cast.team, body="热水器漏水", changed_at=now),
        "solution": new_solution(cast, now),
        "watched": (watched := Watched.objects.create(measure="opened", period="day", team=cast.team, since=now.date())),
        "alarm": Alarm.objects.create(
            watched=watched,
            start=now.date(),
            end=now.date(),
            sign="single",
            is_up=True,
            value=9,
            expected=3,
            low=1,
            high=6,
            n=9,
            state="NOTHING",
            reason="热水器漏水",
            opened_at=now,
            decided_at=now,
        ),
        "dashboard": Dashboard.objects.create(name="热水器漏水", scope="TEAM", owner=cast.supervisor, team=cast.team, changed_at=now),
        "mailed": MailedReport.objects.create(
            mailing=Mailing.objects.create(report="overview", rhythm="day", hour=8, maker=cast.supervisor, since=now),
            recipient=cast.supervisor,
            first_day=now.date(),
            last_day=now.date(),
            state="FAILED",
            changed_at=now,
        ),
        "flow": Flow.objects.get(kind="REFUND"),
        "comparison": _comparison(now),
    }


def _comparison(now) -> Comparison:
    """A rule, and a half without it."""
    facts = {"design": "RANDOMISED", "subject": "RULE", "outcome": "REOPENED", "planned": 100, "salt": "x", "started_at": now}
    found = Comparison.objects.create(name="Does it help?", **facts)
    for position, subject_id in enumerate((1, None)):
        Arm.objects.create(comparison=found, position=position, name=f"Group {position}", ratio=0.5, subject_id=subject_id)
    return found


def made_for_learning(receipt, cast, now) -> dict[str, object]:
    """Categories of the first team, a model, a word on a message and the doubt about it."""
    taxonomy = Taxonomy.objects.create(name="热水器漏水", team=cast.team, created_at=now)
    Category.objects.create(taxonomy=taxonomy, code="leak", name_zh="热水器漏水", created_at=now)
    model = LearntModel.objects.create(
        scope=f"taxonomy:{taxonomy.pk}", task="CATEGORY", taxonomy=taxonomy, status="RETIRED", started_by_kind="system",
        started_by_name="热水器漏水", started_at=now,
    )  # fmt: skip
    facts = {"message_id": receipt.message_id, "team": cast.team, "task": "CATEGORY", "value": "leak", "made_by_name": "林晓彤"}
    word = Correction.objects.create(scope=model.scope, is_held_back=False, made_at=now, **facts)
    doubt = LabelDoubt.objects.create(correction=word, taxonomy=taxonomy, team=cast.team, suggested="leak", margin=0.5)
    return {"taxonomy": taxonomy, "model": model, "doubt": doubt}


def new_run(cast, now) -> ImportRun:
    """An import of the first team."""
    return ImportRun.objects.create(
        created_by=cast.supervisor, channel=cast.channel, file_name="热水器漏水.csv", stored_path="none.csv", sha256="0" * 64, size_bytes=1,
        format="csv", created_at=now,
    )  # fmt: skip


def new_invitation(receipt, cast, now) -> Invitation:
    """Somebody of the first team was asked and has answered."""
    survey = Survey.objects.create(name="Was it good?", kind="CSAT", created_at=now, changed_at=now)
    version = SurveyVersion.objects.create(survey=survey, number=1, questions=[], saved_by_name="", saved_at=now)
    made = Invitation.objects.create(
        survey=survey, version=version, case_id=receipt.case_id, customer_id=receipt.customer_id, team=cast.team, channel=cast.channel,
        origin="HAND", state="ANSWERED", key="x", created_at=now, planned_at=now, sent_at=now,
    )  # fmt: skip
    facts = {"score": 1, "score_min": 1, "score_max": 5, "message_id": receipt.message_id}
    Answer.objects.create(invitation=made, answers={"why": "热水器漏水"}, answered_at=now, changed_at=now, **facts)
    return made


def new_solution(cast, now) -> Solution:
    """A solution of the first team."""
    solution = Solution.objects.create(team=cast.team, slug="leak", status="PUBLISHED", is_public=False, created_at=now, changed_at=now)
    SolutionText.objects.create(solution=solution, language="zh", title="热水器漏水", body="热水器漏水", reply="热水器漏水")
    return solution


def new_topic(receipt, cast, now) -> Topic:
    """A topic of a text of the first team, named by its words."""
    understand([receipt.message_id], now=now)
    run = TopicRun.objects.create(state="LIVE", started_at=now, finished_at=now)
    space = TopicSpace.objects.create(run=run, group="zh", fitted=1, asked=1, archive=b"")
    topic = Topic.objects.create(created_at=now)
    FoundTopic.objects.create(
        space=space, topic=topic, place=0, name_words=["热水器漏水"], words=[["热水器漏水", 3.0, [cast.team.pk]]], size=1, coherence=0, x=0,
        y=0, examples={"": [receipt.message_id], str(cast.team.pk): [receipt.message_id]},
    )  # fmt: skip
    MessageTopic.objects.create(run=run, message_id=receipt.message_id, topic=topic, probability=1)
    return topic


def address(route: Route, house) -> str:
    """The route's path with its parameters filled."""
    from django.urls import reverse

    filled = {}
    for name in route.parameters:
        assert name in PARAMETERS, f"The route {route.pattern!r} has the new parameter {name!r}: say in PARAMETERS for what it stands."
        filled[name] = PARAMETERS[name](house)
    return reverse(route.name, kwargs=filled)


@cache
def selections() -> dict[str, str]:
    """For each of our tables, what selects its rows but for what every request may write."""
    quote, found = connection.ops.quote_name, {}
    for model in apps.get_models():
        if model.__module__.startswith("careloop."):
            for table in (model, *(one.remote_field.through for one in model._meta.local_many_to_many)):
                name = table._meta.db_table
                skipped = WRITES_OF_REQUESTS.get(name, set())
                columns = [quote(one.column) for one in table._meta.local_concrete_fields if one.attname not in skipped]
                found[name] = f"SELECT {', '.join(columns)} FROM {quote(name)}"
    return found


def everything() -> dict[str, list]:
    """All rows of all our tables as they are stored, but for what every request may write."""
    found = {}
    with connection.cursor() as cursor:
        for name, selection in selections().items():
            cursor.execute(selection)
            found[name] = sorted(map(repr, cursor.fetchall()))
    return found


def ask(client, route: Route, house, method: str, token: str = ""):
    """One request; API routes get JSON and a key instead of a session."""
    path = address(route, house)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if method == "GET":
        return client.get(path + QUERIES.get(route.name, ""), headers=headers)
    if route.is_api:
        return client.post(path, json.dumps({"text": "x"}), content_type="application/json", headers=headers)
    return client.post(path, FORM, headers=headers)


def is_turned_away(response) -> bool:
    """Sent to the sign-in page, or refused."""
    if response.status_code in {301, 302}:
        return urlsplit(response["Location"]).path == SIGN_IN
    return response.status_code in {401, 403, 404}


def test_every_route_has_a_name_and_every_exception_a_route():
    assert [route.pattern for route in ALL if not route.name or route.name.endswith(":")] == []
    assert set(PUBLIC) - {route.name for route in ALL} == set()


def test_every_page_of_ours_states_its_permission():
    ours = [route for route in PRIVATE if not route.is_api and not route.name.startswith(("account_", "mfa_"))]
    assert [route.pattern for route in ours if not route.permission] == []


@named(PRIVATE)
def test_a_stranger_is_turned_away_and_changes_nothing(client, house, route):
    before = everything()
    answers = [ask(client, route, house, method) for method in ("GET", "POST")]
    assert all(is_turned_away(answer) or answer.status_code == 405 for answer in answers), [answer.status_code for answer in answers]
    assert any(is_turned_away(answer) for answer in answers)
    assert everything() == before


@named([route for route in PRIVATE if route.is_api])
def test_a_signed_in_person_without_a_key_is_turned_away_from_the_api(client, house, route):
    client.force_login(house.cast.owner)
    before = everything()
    assert {ask(client, route, house, method).status_code for method in ("GET", "POST")} <= {401, 405}
    assert everything() == before


@named(OF_AN_OBJECT)
@pytest.mark.parametrize("who", ["outsider", "rival"])
def test_another_team_gets_no_object_of_this_team_and_changes_nothing(client, house, route, who):
    person = house.cast.outsider if who == "outsider" else house.rival
    if not route.is_api:
        client.force_login(person)
    before = everything()
    for method in ("GET", "POST"):
        answer = ask(client, route, house, method, token=house.other_token if route.is_api else "")
        assert answer.status_code in {403, 404, 405}, f"{method} {route.pattern}: {answer.status_code}"
        assert not [word for word in SECRET_WORDS if word in answer.content.decode()]
    assert everything() == before


@named(OF_THE_HOUSE)
def test_what_belongs_to_the_house_is_refused_without_its_permission(client, house, route):
    client.force_login(house.cast.outsider)
    before = everything()
    assert {ask(client, route, house, method).status_code for method in ("GET", "POST")} <= {403, 405}
    assert everything() == before


@named(WITHOUT_OBJECT)
@pytest.mark.parametrize("who", ["outsider", "rival"])
def test_no_list_tells_another_team_about_this_team(client, house, route, who):
    person = house.cast.outsider if who == "outsider" else house.rival
    if not route.is_api:
        client.force_login(person)
    for query in ("", "?view=all", "?view=all&q=退款", "?after=0"):
        headers = {"authorization": f"Bearer {house.other_token}"} if route.is_api else {}
        answer = client.get(address(route, house) + query, headers=headers)
        assert answer.status_code < 500
        said = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        assert not [word for word in SECRET_WORDS if word in said]


@named([route for route in ALL if route.name in PUBLIC])
def test_public_routes_answer_without_failing_and_tell_nothing(client, house, route):
    for method in ("GET", "POST"):
        answer = ask(client, route, house, method)
        assert answer.status_code < 500
        assert not [word for word in SECRET_WORDS if word in answer.content.decode()]
