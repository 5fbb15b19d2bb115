"""The pages of flows: list, drawing, editor, versions, and the move of running cases."""

import json
import re
from copy import deepcopy

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases import actions, moves
from careloop.desk.cases.models import Approval, Case, CaseEvent, CaseFlow
from careloop.desk.flows.actions import ensure_shipped, shipped_flows
from careloop.desk.flows.models import Flow, FlowVersion
from careloop.desk.flows.rules.reading import read_flow
from careloop.desk.intake.actions import receive_message
from careloop.desk.web.flow_diagram import draw_flow
from careloop.desk.web.flow_form import definition_from, rows_of

pytestmark = pytest.mark.django_db
SIX_HUNDRED = {"minor": 60_000, "currency": "CNY"}


@pytest.fixture
def refunds(now) -> Flow:
    """The shipped flow of refunds."""
    ensure_shipped(now=now)
    return Flow.objects.get(kind="REFUND")


@pytest.fixture
def browser(client, cast):
    """The supervisor's browser."""
    client.force_login(cast.supervisor)
    return client


@pytest.fixture
def case(cast, refunds, inbound, now) -> Case:
    """A refund that is being checked, with an approval asked for."""
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    actions.triage(readings={case.pk: {"kind": "REFUND", "kind_probability": 0.9}}, now=now)
    viewer = cast.viewer(cast.agent)
    moves.move(case_id=case.pk, transition="CHECK", expected_version=2, viewer=viewer, now=now, entered={"ORDER": "1"})
    case.refresh_from_db()
    facts = {"case_id": case.pk, "expected_version": case.version, "viewer": viewer, "now": now}
    moves.ask_approval(transition="AGREE", entered={"AMOUNT": "600"}, **facts)
    case.refresh_from_db()
    return case


def newest() -> dict:
    return deepcopy(FlowVersion.objects.filter(flow__kind="REFUND").order_by("-number").first().definition)


def as_json(definition, **given) -> dict[str, str]:
    facts = {"en": "Refund", "zh": "退款", "kind": "REFUND", "position": "10", "is_active": "on", "number": "1", "as_json": "1"}
    return {**facts, "json": json.dumps(definition), **given}


def as_form(definition) -> dict[str, object]:
    """What a browser posts from the editor's form."""
    posted: dict[str, object] = {"en": "Refund", "zh": "退款", "kind": "REFUND", "position": "10", "is_active": "on", "number": "1"}
    for kind, rows in (("state", "states"), ("step", "steps"), ("field", "fields")):
        for row in rows_of(definition)[rows]:
            base = f"{kind}-{row['number']}"
            if row.get("is_blank"):
                continue
            names = {"name_en": "en", "name_zh": "zh", "source": "from", "target": "to", "has_approval": "approval"}
            for name, value in row.items():
                if name == "is_start" and value:
                    posted["start"] = str(row["number"])
                elif name == "tasks":
                    for task in value:
                        texts = {"en": task["name_en"], "zh": task["name_zh"], "department": task["department"], "days": task["days"]}
                        posted |= {f"{base}-task-{task['number']}-{part}": text for part, text in texts.items()}
                elif name not in ("number", "is_start") and value is not False:
                    posted[f"{base}-{names.get(name, name)}"] = "on" if value is True else value
    return posted


@pytest.mark.parametrize("number", range(5))
def test_a_shipped_flow_comes_back_from_the_form_as_it_went_in(number):
    definition = shipped_flows()[number].definition
    posted = as_form(definition)
    lists = {name: value for name, value in posted.items() if isinstance(value, list)}
    assert definition_from({name: str(value) for name, value in posted.items()}, lists) == definition


def test_the_list_names_each_flow_its_kind_and_its_open_cases(browser, case):
    page = browser.get("/flows/").content.decode()
    assert [name in page for name in ("Consultation", "Complaint", "Refund and return", "Suggestion", "Praise")] == [True] * 5
    row = re.search(r"<tr[^>]*>(?:(?!</tr>).)*Refund and return.*?</tr>", page, re.DOTALL).group(0)
    assert re.findall(r'<td class="n"[^>]*>(\d+)</td>', row) == ["1", "1"]


def test_a_flow_is_drawn_and_told_in_words(browser, refunds, case):
    page = browser.get(f"/flows/{refunds.pk}/").content.decode()
    drawing = page.split('class="card diagram"')[1].split("</section>")[0]
    assert (drawing.count("<rect"), drawing.count("<circle")) == (6, 7)
    assert "Amount above 500.00 CNY needs an approval: Supervisor, Owner. Another currency always does." in page
    assert "Finance, 3 days" in page


def test_every_shipped_flow_is_drawn_inside_its_frame():
    for facts in shipped_flows():
        drawing = draw_flow(read_flow(facts.definition), {})
        assert len(drawing["boxes"]) == len(facts.definition["states"])
        assert len({(box["x"], box["y"]) for box in drawing["boxes"]}) == len(drawing["boxes"])
        for box in drawing["boxes"]:
            assert 0 <= box["x"] <= drawing["width"] - drawing["box"]["width"]
            assert 0 <= box["y"] <= drawing["height"] - drawing["box"]["height"]


def test_a_change_makes_a_version_and_running_cases_stay_on_theirs(browser, refunds, case):
    definition = newest()
    definition["states"][1]["name"]["en"] = "Under review"
    answer = browser.post(f"/flows/{refunds.pk}/edit/", as_json(definition, note="clearer"))
    assert answer.status_code == 302
    assert list(FlowVersion.objects.filter(flow=refunds).values_list("number", "note").order_by("number")) == [(1, ""), (2, "clearer")]
    assert CaseFlow.objects.get().flow_version.number == 1
    assert AuditEntry.objects.order_by("-pk").first().action == "flow.save"
    page = browser.get(f"/flows/{refunds.pk}/").content.decode()
    assert "1 open case runs on an older version and finishes there." in page
    assert "Being checked" in browser.get(f"/flows/{refunds.pk}/?version=1").content.decode()


def test_the_same_flow_saved_again_is_no_new_version(browser, refunds):
    assert browser.post(f"/flows/{refunds.pk}/edit/", as_form(newest())).status_code == 302
    assert FlowVersion.objects.filter(flow=refunds).count() == 1


def test_a_flow_that_makes_no_sense_is_refused_sentence_by_sentence_and_nothing_is_saved(browser, refunds):
    definition = newest()
    definition["states"] = [state for state in definition["states"] if not state["is_end"]]
    answer = browser.post(f"/flows/{refunds.pk}/edit/", as_json(definition))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The flow has no end state, so its cases could never be closed; mark at least one." in page
    assert "The step “REFUSE” leads to “REFUSED”, which is no state of this flow." in page
    assert FlowVersion.objects.filter(flow=refunds).count() == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"json": "{"}, "The text is no JSON: line 1, column 2. Put it right and save again."),
        ({"json": "[]"}, "the flow is []; expected an object in braces."),
        ({"kind": "COLOUR"}, "Choose the kind of contact whose cases take this flow."),
        ({"en": "", "zh": " "}, "The flow needs a name of at most 60 characters."),
        ({"position": "-1"}, "The order is a number from 0 to 32000."),
        ({"number": "7"}, "Somebody made version 1 of this flow in between; look at it and repeat your change if it is still right."),
    ],
)
def test_what_cannot_be_saved_says_why(browser, refunds, given, sentence):
    answer = browser.post(f"/flows/{refunds.pk}/edit/", as_json(newest(), **given))
    assert sentence in answer.content.decode()
    assert answer.status_code in (409, 422)
    assert FlowVersion.objects.filter(flow=refunds).count() == 1


def rows_in(page: str, kind: str) -> list[str]:
    """The codes in the rows of a kind, as the form shows them; the blank rows from which the script makes new ones aside."""
    return re.findall(rf'name="{kind}-\d+-code"[^>]*? value="([^"]*)"', page)


def test_a_row_more_or_less_keeps_what_is_typed_and_saves_nothing(browser, refunds):
    posted = {**as_form(newest()), "state-1-en": "Under review"}
    path = f"/flows/{refunds.pk}/edit/"
    page = browser.post(path, {**posted, "add": "state"}).content.decode()
    assert rows_in(page, "state") == ["RECEIVED", "CHECKING", "RETURNING", "PAYING", "REFUNDED", "REFUSED", ""]
    assert 'value="Under review"' in page
    page = browser.post(path, {**posted, "remove": "state-2"}).content.decode()
    assert rows_in(page, "state") == ["RECEIVED", "CHECKING", "PAYING", "REFUNDED", "REFUSED"]
    assert [len(rows_in(browser.post(path, {**posted, "add": one}).content.decode(), one)) for one in ("step", "field")] == [8, 6]
    assert len(rows_in(browser.post(path, {**posted, "remove": "step-0"}).content.decode(), "step")) == 6
    assert FlowVersion.objects.filter(flow=refunds).count() == 1


def test_tasks_of_a_step_come_and_go_one_by_one(browser, refunds):
    posted, path = as_form(newest()), f"/flows/{refunds.pk}/edit/"
    page = browser.get(path).content.decode().split("<template")[0]
    assert re.findall(r'name="step-3-task-0-(\w+)" value="([^"]*)"', page) == [
        ("en", "Pay the refund"), ("zh", "支付退款"), ("department", "Finance | 财务部"), ("days", "3"),
    ]  # fmt: skip
    page = browser.post(path, {**posted, "add": "step-3-task"}).content.decode()
    assert re.findall(r'name="step-3-task-(\d)-days" value="(\d)"', page) == [("0", "3"), ("1", "3")]
    page = browser.post(path, {**posted, "remove": "step-3-task-0"}).content.decode().split("<template")[0]
    assert "step-3-task-0-days" not in page
    more = {"step-3-task-7-en": "Call the customer", "step-3-task-7-department": "Service", "step-3-task-7-days": "1"}
    assert browser.post(path, {**posted, **more}).status_code == 302
    tasks = newest()["transitions"][3]["tasks"]
    assert [(task["name"]["en"], task["department"], task["days"]) for task in tasks] == [
        ("Pay the refund", {"en": "Finance", "zh": "财务部"}, 3),
        ("Call the customer", "Service", 1),
    ]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"step-3-task-0-days": "soon"}, "A task is due after a number of days such as 3; “soon” was given."),
        (
            {"state-9-en": "Lost", "state-9-code": ""},
            "states[6] has the code &#x27;&#x27;; expected up to 30 of A–Z, 0–9 and _, a letter first.",
        ),
        (
            {"step-3-approval_above": "500 EUR"},
            "The limit is “500 EUR”, and “AMOUNT” is in CNY; give it in the currency of its field.",
        ),
    ],
)
def test_what_was_typed_stands_there_again_after_a_refusal(browser, refunds, typed, sentence):
    answer = browser.post(f"/flows/{refunds.pk}/edit/", {**as_form(newest()), "state-1-zh": "复核中", **typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert [f'value="{text}"' in page for text in ("复核中", *typed.values())] == [True] * (1 + len(typed))
    assert FlowVersion.objects.filter(flow=refunds).count() == 1


def test_the_second_of_two_editors_sees_both_versions_and_may_take_either(browser, refunds):
    theirs, mine = as_form(newest()), as_form(newest())
    theirs["state-1-en"], theirs["field-1-currency"] = "Under review", "EUR"
    mine["state-1-en"], mine["step-3-task-0-days"] = "Being looked at", "5"
    path = f"/flows/{refunds.pk}/edit/"
    assert browser.post(path, theirs).status_code == 302
    answer = browser.post(path, mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody made version 2 of this flow in between" in page
    sides = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', page, re.DOTALL)
    assert sides == [
        ("State CHECKING: Name in English", "Under review", "Being looked at"),
        ("Step AGREE: Tasks that it brings", *(f"Pay the refund | 支付退款 (Finance | 财务部, {days})" for days in (3, 5))),
        ("Field AMOUNT: Currency", "EUR", "CNY"),
    ]
    assert FlowVersion.objects.filter(flow=refunds).count() == 2
    number = re.search(r'name="number" value="(\d+)"', page).group(1)
    assert browser.post(path, {**mine, "number": number}).status_code == 302
    assert newest()["states"][1]["name"]["en"] == "Being looked at"
    assert FlowVersion.objects.get(flow=refunds, number=2).definition["states"][1]["name"]["en"] == "Under review"


def test_a_row_that_only_one_of_two_editors_has_stands_whole_on_one_line(browser, refunds):
    theirs, mine = newest(), newest()
    theirs["fields"].append({"code": "BATCH", "name": {"en": "Batch", "zh": "批次"}, "type": "number"})
    mine["fields"][0]["name"]["en"] = "Order number"
    path = f"/flows/{refunds.pk}/edit/"
    assert browser.post(path, as_json(theirs)).status_code == 302
    sides = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', browser.post(path, as_json(mine)).content.decode())
    batch = "Name in English: Batch<br>Name in Chinese: 批次<br>Type: number"
    assert sides == [("Field ORDER: Name in English", "Order", "Order number"), ("Field BATCH", batch, "–")]
    assert FlowVersion.objects.filter(flow=refunds).count() == 2


def test_a_new_flow_is_made_from_the_form(browser, refunds):
    assert browser.get("/flows/new/").status_code == 200
    posted = {**as_form(newest()), "kind": "OTHER", "number": ""}
    assert browser.post("/flows/new/", posted).status_code == 302
    assert Flow.objects.get(kind="OTHER").versions.get().definition == newest()


def test_moving_shows_what_would_happen_and_asks_where_a_state_is_gone(browser, cast, refunds, case, now):
    definition = newest()
    for state in definition["states"]:
        state["code"] = {"CHECKING": "REVIEW"}.get(state["code"], state["code"])
    for step in definition["transitions"]:
        step["from"], step["to"] = ({"CHECKING": "REVIEW"}.get(step[end], step[end]) for end in ("from", "to"))
    browser.post(f"/flows/{refunds.pk}/edit/", as_json(definition))
    page = browser.get(f"/flows/{refunds.pk}/move/").content.decode()
    assert "Being checked" in page
    assert "1 open approval would be closed and has to be asked for again." in page
    refused = browser.post(f"/flows/{refunds.pk}/move/", {"number": "2"})
    assert refused.status_code == 422
    assert "Say where the cases at “Being checked” of version 1 go (1 open); an end is not possible." in refused.content.decode()
    assert browser.post(f"/flows/{refunds.pk}/move/", {"number": "2", "to-1-CHECKING": "REFUSED"}).status_code == 422
    assert browser.post(f"/flows/{refunds.pk}/move/", {"number": "1", "to-1-CHECKING": "REVIEW"}).status_code == 409
    assert (CaseFlow.objects.get().state, CaseFlow.objects.get().flow_version.number) == ("CHECKING", 1)
    assert browser.post(f"/flows/{refunds.pk}/move/", {"number": "2", "to-1-CHECKING": "REVIEW"}).status_code == 302
    row, version = CaseFlow.objects.get(), case.version
    case.refresh_from_db()
    assert (row.state, row.flow_version.number, row.values, case.version) == (
        "REVIEW",
        2,
        {"ORDER": "1", "AMOUNT": SIX_HUNDRED},
        version + 1,
    )
    assert Approval.objects.get().closed_at is not None
    assert CaseEvent.objects.filter(kind="MOVED").last().after["state"] == "REVIEW"
    assert "Sun moved the case to version 2 of its flow" in browser.get(f"/cases/{case.pk}/").content.decode()


def test_agents_see_flows_of_the_house_without_other_teams_counts_and_change_none(client, cast, refunds, case):
    client.force_login(cast.outsider)
    page = client.get("/flows/").content.decode()
    row = re.search(r"<tr[^>]*>(?:(?!</tr>).)*Refund and return.*?</tr>", page, re.DOTALL).group(0)
    assert re.findall(r'<td class="n"[^>]*>(\d+)</td>', row) == ["1", "0"]
    assert client.get(f"/flows/{refunds.pk}/").status_code == 200
    for path in (f"/flows/{refunds.pk}/edit/", "/flows/new/", f"/flows/{refunds.pk}/move/"):
        assert (client.get(path).status_code, client.post(path, as_json(newest())).status_code) == (403, 403)
    assert FlowVersion.objects.count() == 5


def test_the_shipped_flows_are_made_once(refunds, now):
    assert ensure_shipped(now=now) == 0
    assert sorted(Flow.objects.values_list("kind", flat=True)) == ["COMPLAINT", "CONSULTATION", "PRAISE", "REFUND", "SUGGESTION"]


def test_the_pages_cost_the_same_for_any_number_of_flows_and_versions(browser, refunds, case, django_assert_max_num_queries):
    with django_assert_max_num_queries(100) as few:
        browser.get("/flows/")
        browser.get(f"/flows/{refunds.pk}/")
    definition = newest()
    for number in range(2, 12):
        FlowVersion.objects.create(flow=refunds, number=number, definition=definition, at=refunds.versions.first().at)
        other = Flow.objects.create(name={"en": f"Flow {number}"}, kind="OTHER")
        FlowVersion.objects.create(flow=other, number=1, definition=definition, at=refunds.versions.first().at)
    with django_assert_max_num_queries(len(few)) as many:
        browser.get("/flows/")
        assert "version 11" in browser.get(f"/flows/{refunds.pk}/").content.decode()
    assert len(many) == len(few)
