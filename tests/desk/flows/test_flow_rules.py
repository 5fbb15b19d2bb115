"""Whether a flow makes sense, said in sentences; which steps are possible; what people enter."""

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careloop.desk.flows.rules.checking import check_flow, find_faults, reachable
from careloop.desk.flows.rules.flow import Approval, Field, Flow, State, Transition, name_in
from careloop.desk.flows.rules.moving import CaseFacts, Standing, possible_moves, standing_of, steps_to_end
from careloop.desk.flows.rules.reading import InvalidFlow, flow_to_json, read_flow
from careloop.desk.flows.rules.values import enter_value, read_value, show_value
from careloop.desk.kernel.errors import InvalidInput

STATES = [
    {"code": "NEW", "name": {"en": "New", "zh": "新建"}, "status": "OPEN", "is_start": True, "is_end": False},
    {"code": "PAYING", "name": {"en": "Paying", "zh": "退款中"}, "status": "OPEN", "is_start": False, "is_end": False},
    {"code": "DONE", "name": {"en": "Done", "zh": "完成"}, "status": "RESOLVED", "is_start": False, "is_end": True},
]
AGREE = {
    "code": "AGREE",
    "name": {"en": "Agree", "zh": "同意"},
    "from": "NEW",
    "to": "PAYING",
    "roles": ["AGENT", "SUPERVISOR"],
    "required": ["ORDER"],
    "tasks": [{"name": {"en": "Pay", "zh": "付款"}, "department": "Finance", "days": 3}],
    "approval": {"field": "AMOUNT", "above": 50_000, "roles": ["SUPERVISOR", "OWNER"], "people": 1},
    "then": [{"what": "NOTIFY_SUPERVISORS"}],
}
PAID = {"code": "PAID", "name": {"en": "Paid", "zh": "已付"}, "from": "PAYING", "to": "DONE"}
FIELDS = [
    {"code": "ORDER", "name": {"en": "Order", "zh": "订单"}, "type": "text"},
    {"code": "AMOUNT", "name": {"en": "Amount", "zh": "金额"}, "type": "money"},
]
SOUND = {"states": STATES, "transitions": [AGREE, PAID], "fields": FIELDS}


def changed(path: str, value) -> dict:
    """A copy of the sound flow with one part replaced: "states.0.status"."""
    flow = deepcopy(SOUND)
    at = flow
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        at = at[part]
    at[last] = value
    return flow


def faults(raw, people=None) -> list[str]:
    with pytest.raises(InvalidFlow) as caught:
        check_flow(raw, people)
    return [str(one) for one in caught.value.faults]


def test_a_sound_flow_is_read_and_written_back():
    flow = check_flow(SOUND, {"SUPERVISOR": 1})
    assert [state.code for state in flow.states] == ["NEW", "PAYING", "DONE"]
    assert flow.start.code == "NEW"
    assert flow.transitions[0].approval == Approval("AMOUNT", 50_000, ("SUPERVISOR", "OWNER"), 1)
    assert read_flow(json.loads(json.dumps(flow_to_json(flow)))) == flow


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("states.2.is_end", False, "The flow has no end state, so its cases could never be closed; mark at least one."),
        ("states.0.is_start", False, "The flow has no start state; mark the one in which a case begins."),
        ("states.1.is_start", True, "The flow has 2 start states (NEW, PAYING); mark exactly one."),
        ("states.1.code", "NEW", "Two states have the code “NEW”; give each its own."),
        ("states.1.status", "GONE", "The state “PAYING” has the status “GONE”; expected OPEN, WAITING, RESOLVED."),
        ("states.1.status", "RESOLVED", "“PAYING” is RESOLVED but no end; mark it as an end or let it be OPEN or WAITING."),
        ("states.2.status", "OPEN", "The end “DONE” has the status OPEN; in an end a case is RESOLVED."),
        ("states.0.status", "WAITING", "The start “NEW” has the status WAITING; a case that comes in is OPEN."),
        ("states.0.is_end", True, "“NEW” is the start and an end at once; a flow needs a step between them."),
        ("states.0.name", {"en": " "}, "states[0] has no name; give it one in English or Chinese."),
        ("states.0.name", "New", 'states[0].name is \'New\'; expected {"en": "…", "zh": "…"}.'),
        ("states.0.code", "new state", "states[0] has the code 'new state'; expected up to 30 of A–Z, 0–9 and _, a letter first."),
        ("states.0.colour", "red", "states[0] has the unknown part “colour”; expected code, is_end, is_start, name, status."),
        ("states.0.is_start", "yes", "states[0].is_start is 'yes'; expected true or false."),
        ("states", {}, "the flow.states is {}; expected a list."),
        ("transitions.1.code", "AGREE", "Two steps have the code “AGREE”; give each its own."),
        ("transitions.1.from", "LOST", "The step “PAID” begins at “LOST”, which is no state of this flow."),
        ("transitions.1.to", "LOST", "The step “PAID” leads to “LOST”, which is no state of this flow."),
        ("transitions.1.required", ["LOST"], "The step “PAID” requires “LOST”, which is no field of this flow."),
        ("transitions.1.roles", ["ANALYST"], "The step “PAID” names the role “ANALYST”; expected AGENT, SUPERVISOR, OWNER."),
        (
            "transitions.1.then",
            [{"what": "EXPLODE"}],
            "After the step “PAID” shall follow “EXPLODE”; expected NOTIFY_ASSIGNEE, NOTIFY_SUPERVISORS, RAISE_PRIORITY, UNASSIGN.",
        ),
        ("transitions.0.tasks.0.department", "", "A task of the step “AGREE” names no department."),
        ("transitions.0.tasks.0.days", 400, "A task of the step “AGREE” is due after 400 days; expected 0 to 365."),
        ("transitions.0.approval.field", "LOST", "The approval of “AGREE” looks at “LOST”, which is no field of this flow."),
        (
            "transitions.0.approval.field",
            "ORDER",
            "The approval of “AGREE” looks at “ORDER”, which is no amount; choose a number or money.",
        ),
        ("transitions.0.approval.above", -1, "The approval of “AGREE” has a limit of -1; expected 0 or more."),
        ("transitions.0.approval.above", "1", "transitions[0].approval.above is '1'; expected a whole number."),
        ("transitions.0.approval.roles", [], "The approval of “AGREE” names nobody; choose supervisors, owners or both."),
        ("transitions.0.approval.roles", ["AGENT"], "The approval of “AGREE” names the role “AGENT”, which may not approve."),
        ("transitions.0.approval.people", 0, "The approval of “AGREE” asks 0 people; expected 1 to 5."),
        ("fields.1.currency", "RUB2", "The field “AMOUNT” is in “RUB2”; expected a currency such as CNY or EUR."),
        ("fields.0.currency", "CNY", "The field “ORDER” has a currency but is of the type text; make it money."),
        (
            "fields.1.currency",
            "CNY",
            "The limit of “AGREE” is in –, amounts of “AMOUNT” are in CNY; give both the same currency.",
        ),
        (
            "transitions.0.approval.currency",
            "EUR",
            "The limit of “AGREE” is in EUR, amounts of “AMOUNT” are in –; give both the same currency.",
        ),
        ("fields.1.code", "ORDER", "Two fields have the code “ORDER”; give each its own."),
        ("fields.0.type", "colour", "The field “ORDER” is of the type “colour”; expected text, number, money, date, choice, yes_no."),
        ("fields.0.type", "choice", "The field “ORDER” offers nothing to choose; give it choices."),
        (
            "fields.0.choices",
            [{"code": "A", "name": {"en": "A"}}],
            "The field “ORDER” has choices but is of the type text; make it a choice.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_sentence(path, value, sentence):
    assert sentence in faults(changed(path, value))


def test_a_state_that_no_step_leads_to_and_one_without_a_way_out_are_named():
    island = {"code": "ISLAND", "name": {"en": "Island"}, "status": "OPEN"}
    assert faults({**SOUND, "states": [*STATES, island]}) == [
        "No step leads from the start to “ISLAND”; add one, or remove the state.",
        "From “ISLAND” no end can be reached; add a step that leads towards one.",
    ]
    trap = {"code": "SINK", "name": {"en": "Sink"}, "from": "NEW", "to": "ISLAND"}
    assert faults({**SOUND, "states": [*STATES, island], "transitions": [AGREE, PAID, trap]}) == [
        "From “ISLAND” no end can be reached; add a step that leads towards one."
    ]


def test_an_approval_that_asks_more_people_than_have_the_role_is_refused():
    flow = changed("transitions.0.approval.people", 3)
    assert faults(flow, {"SUPERVISOR": 1, "OWNER": 1, "AGENT": 9}) == [
        "The approval of “AGREE” asks 3 people, but 2 may give it; ask fewer or more roles."
    ]
    assert check_flow(flow, {"SUPERVISOR": 2, "OWNER": 1}).transitions[0].approval.people == 3


def test_what_is_no_flow_at_all_is_said_and_not_guessed():
    assert faults([]) == ["the flow is []; expected an object in braces."]
    assert faults({"states": [None]})[0] == "states[0] is missing; expected an object in braces."
    assert faults({})[0] == "The flow has no start state; mark the one in which a case begins."


FLOW = check_flow(SOUND)


@pytest.mark.parametrize(
    ("values", "approvals", "role", "obstacle", "fields"),
    [
        ({}, {}, "AGENT", "MISSING", ("ORDER", "AMOUNT")),
        ({"ORDER": "1"}, {}, "AGENT", "MISSING", ("AMOUNT",)),
        ({"ORDER": "1", "AMOUNT": 50_000}, {}, "AGENT", "", ()),
        ({"ORDER": "1", "AMOUNT": 50_001}, {}, "AGENT", "ASK", ()),
        ({"ORDER": "1", "AMOUNT": 50_001}, {"AGREE": Standing("ASKED", 50_001)}, "AGENT", "PENDING", ()),
        ({"ORDER": "1", "AMOUNT": 50_001}, {"AGREE": Standing("REFUSED", 50_001)}, "AGENT", "REFUSED", ()),
        ({"ORDER": "1", "AMOUNT": 50_001}, {"AGREE": Standing("GIVEN", 50_001)}, "AGENT", "", ()),
        ({"ORDER": "1", "AMOUNT": 60_000}, {"AGREE": Standing("GIVEN", 50_001)}, "AGENT", "ASK", ()),
        ({"ORDER": "1", "AMOUNT": 1}, {}, "OWNER", "ROLE", ()),
    ],
)
def test_a_step_is_possible_or_says_what_stands_in_its_way(values, approvals, role, obstacle, fields):
    move = possible_moves(FLOW, "NEW", CaseFacts(values, approvals), role)[0]
    assert (move.step.code, move.obstacle, move.fields, move.is_possible) == ("AGREE", obstacle, fields, not obstacle)


def test_one_refusal_refuses_and_enough_agreements_give():
    assert [standing_of(said, 2) for said in ([], [True], [True, True], [True, False], [False])] == [
        "ASKED", "ASKED", "GIVEN", "REFUSED", "REFUSED",
    ]  # fmt: skip


def test_the_way_to_the_end_is_the_shortest_to_the_first_end_that_can_be_reached():
    short = {"code": "SKIP", "name": {"en": "Skip"}, "from": "NEW", "to": "DONE"}
    assert [step.code for step in steps_to_end(FLOW, "NEW")] == ["AGREE", "PAID"]
    assert [step.code for step in steps_to_end(check_flow({**SOUND, "transitions": [AGREE, PAID, short]}), "NEW")] == ["SKIP"]
    assert steps_to_end(FLOW, "DONE") == []
    lost = {"code": "LOST", "name": {"en": "Lost"}, "status": "RESOLVED", "is_end": True}
    lose = {"code": "LOSE", "name": {"en": "Lose"}, "from": "NEW", "to": "LOST"}
    flow = check_flow({**SOUND, "states": [*STATES, lost], "transitions": [lose, AGREE, PAID]})
    assert [[step.code for step in steps_to_end(flow, code)] for code in ("NEW", "LOST")] == [["AGREE", "PAID"], []]


@st.composite
def random_flows(draw) -> Flow:
    """Up to eight states with any start, ends and steps."""
    size = draw(st.integers(1, 8))
    codes = [f"S{number}" for number in range(size)]
    starts, ends = draw(st.sets(st.sampled_from(codes), max_size=2)), draw(st.sets(st.sampled_from(codes), max_size=3))
    states = [State(code, {"en": code}, "RESOLVED" if code in ends else "OPEN", code in starts, code in ends) for code in codes]
    pairs = draw(st.lists(st.tuples(st.sampled_from(codes), st.sampled_from(codes)), max_size=14))
    steps = [Transition(f"T{number}", {"en": "Go"}, source, target) for number, (source, target) in enumerate(pairs)]
    return Flow(tuple(states), tuple(steps))


@settings(max_examples=300, deadline=None)
@given(random_flows())
def test_a_flow_that_is_not_refused_leads_every_case_to_an_end(flow):
    said = list(find_faults(flow))
    ends = {state.code for state in flow.states if state.is_end}
    starts = [state.code for state in flow.states if state.is_start]
    there = walk(flow, starts)
    is_sound = (
        len(starts) == 1 and bool(ends) and starts[0] not in ends
        and there == {state.code for state in flow.states}
        and all(walk(flow, [code]) & ends for code in there)
    )  # fmt: skip
    assert (not said) == is_sound
    if is_sound:
        assert all(code in ends or steps_to_end(flow, code)[-1].target in ends for code in there)


def walk(flow: Flow, begin: list[str]) -> set[str]:
    """Reachability by repeated sweeps, which shares no code with the rules."""
    found = set(begin)
    for _ in flow.states:
        found |= {step.target for step in flow.transitions if step.source in found}
    assert found == reachable(flow, begin)
    return found


MONEY = Field("AMOUNT", {"en": "Amount", "zh": "金额"}, "money")
CHOICE = Field("CAUSE", {"en": "Cause"}, "choice", (("A", {"en": "Product", "zh": "产品"}),))


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (MONEY, "1,299.5", 129_950),
        (MONEY, " ", None),
        (Field("N", {"en": "N"}, "number"), "2.50", 2.5),
        (Field("N", {"en": "N"}, "number"), "1e3", 1_000),
        (Field("D", {"en": "D"}, "date"), "2026-05-04", "2026-05-04"),
        (Field("Y", {"en": "Y"}, "yes_no"), "no", False),
        (CHOICE, "A", "A"),
        (Field("T", {"en": "T"}, "text"), " 漏水\0 ", "漏水"),
    ],
)
def test_what_people_enter_becomes_its_value(field, text, value):
    assert read_value(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        (MONEY, "1.005", "“Amount” is an amount such as 1299.50; “1.005” was given."),
        (MONEY, "-1", "“Amount” is an amount such as 1299.50; “-1” was given."),
        (MONEY, "Infinity", "“Amount” is an amount such as 1299.50; “Infinity” was given."),
        (MONEY, "ten", "“Amount” is an amount such as 1299.50; “ten” was given."),
        (Field("N", {"en": "N"}, "number"), "nan", "“N” is a number; “nan” was given."),
        (Field("D", {"en": "D"}, "date"), "4.5.2026", "“D” is a day such as 2026-05-04; “4.5.2026” was given."),
        (Field("Y", {"en": "Y"}, "yes_no"), "maybe", "“Y” is yes or no; “maybe” was given."),
        (CHOICE, "B", "“Cause” has no choice “B”; choose one of the list."),
        (Field("T", {"en": "T"}, "text"), "x" * 2_001, "“T” has 2001 characters; at most 2000 fit."),
    ],
)
def test_what_cannot_be_read_is_said(field, text, sentence):
    with pytest.raises(InvalidInput) as caught:
        read_value(field, text)
    assert caught.value.message == sentence


@given(st.integers(0, 10**13))
def test_an_amount_is_shown_as_it_is_entered(cents):
    assert read_value(MONEY, enter_value(MONEY, cents)) == cents


def test_names_and_choices_are_shown_in_the_readers_language():
    assert (show_value(CHOICE, "A", "zh-hans"), show_value(CHOICE, "A"), show_value(MONEY, 105)) == ("产品", "Product", "1.05")
    assert (name_in({"en": "Agree"}, "zh-hans"), name_in({"zh": "同意"}, "en"), name_in({}, "en")) == ("Agree", "同意", "")


def test_a_department_has_one_name_or_one_in_each_language():
    facts = {"name": {"en": "Pay", "zh": "付款"}, "days": 3}
    step = {**AGREE, "tasks": [{**facts, "department": "Finance"}, {**facts, "department": {"en": "Finance", "zh": "财务部"}}]}
    flow = read_flow({**SOUND, "transitions": [step]})
    one, both = (task.department for task in flow.transitions[0].tasks)
    assert [name_in(one, "zh-hans"), name_in(both, "zh-hans"), name_in(both, "en")] == ["Finance", "财务部", "Finance"]
    stored = flow_to_json(flow)["transitions"][0]["tasks"]
    assert [task["department"] for task in stored] == ["Finance", {"en": "Finance", "zh": "财务部"}]
