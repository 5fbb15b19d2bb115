"""Rules and macros of the house: one in force, one to look at with its dry run, four texts."""

from datetime import datetime
from typing import Any

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.automation.actions import MacroFacts, save_macro, save_rule
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.demo.staff import House

MACROS = (
    ("您好 · Greeting", "您好 {{customer.name}}，我是{{agent.name}}，很高兴为您服务。"),
    ("请提供订单号 · Ask for the order", "您好 {{customer.name}}，请提供订单号，我马上为您查询工单 #{{case.number}}。"),
    ("已转交 · Passed on", "Thank you, {{customer.name}}. We have passed “{{case.subject}}” on and will write again today."),
)


def make_rules(house: House, *, now: datetime) -> None:
    """Saved as the supervisor would."""
    viewer = viewer_of(house.supervisor)
    for name, body in MACROS:
        save_macro(facts=MacroFacts(name, "ALL", body), viewer=viewer, now=now)
    done: list[dict[str, Any]] = [{"do": "SET_PRIORITY", "value": 30}, {"do": "SET_STATUS", "value": "WAITING"}]
    wait = MacroFacts("先安抚再等待 · Calm and wait", "ALL", "非常抱歉给您带来不便，我们正在核实，今天内回复您。", done)
    save_macro(facts=wait, viewer=viewer, now=now)
    unhappy = {"all": [_leaf("happiness", "at_most", 0.1), _leaf("kind", "is", ["COMPLAINT", "REFUND"]), _leaf("status", "is", ["OPEN"])]}
    urgent: list[dict[str, Any]] = [{"do": "SET_PRIORITY", "value": 40}]
    save_rule(facts=RuleFacts("非常不满 · Very unhappy", ["TRIAGED"], unhappy, urgent, 10), viewer=viewer, now=now)
    silent = {"all": [_leaf("status", "is", ["WAITING"]), _leaf("hours_since_customer", "at_least", 72)]}
    close: list[dict[str, Any]] = [
        {"do": "ADD_NOTE", "value": "三天没有回复，自动关闭。No answer for three days."},
        {"do": "SET_STATUS", "value": "RESOLVED"},
    ]
    facts = RuleFacts("三天无回复 · No answer for three days", ["TIME"], silent, close, 20, is_active=False)
    save_rule(facts=facts, viewer=viewer, now=now)


def _leaf(name: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": name, "op": operator, "value": value}
