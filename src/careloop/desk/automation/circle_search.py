"""Rules in force that would set each other off with one that is being saved, and how they are told."""

from django.utils.translation import gettext as _

from careloop.desk.automation.models import Rule
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules.choosing import Ready, ready
from careloop.desk.automation.rules.circles import Circle, find_circles
from careloop.desk.automation.rules.conditions import folded
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.cases.models import EventKind
from careloop.desk.kernel.errors import InvalidInput


def list_circles(facts: RuleFacts, rule_id: int | None = None) -> list[Circle]:
    """The circles in which a rule, checked already, would stand with those in force; none while it is switched off."""
    if not facts.is_active:
        return []
    condition, actions = folded(facts.condition), tuple(facts.actions)
    rule = Ready(rule_id or 0, facts.name, tuple(facts.events), condition, actions, facts.position, facts.stops)
    others = [ready(one) for one in Rule.objects.filter(is_active=True).exclude(pk=rule_id or 0)]
    return find_circles(rule, others, ACTIONS)


def check_circles(facts: RuleFacts, rule_id: int | None = None) -> None:
    """Refuse a rule with which others in force would go round for ever."""
    certain = [one for one in list_circles(facts, rule_id) if one.is_certain]
    if certain:
        sentence = _(
            "These rules would set each other off without end: %(chain)s. Give one of them a condition that no longer holds "
            "once the others have acted, or take an event out."
        )
        raise InvalidInput(sentence % {"chain": chain_words(certain[0])}, field="events")


def chain_words(circle: Circle) -> str:
    """The rules of a circle and the events between them, back to the first."""
    labels = dict(EventKind.choices)
    steps = " → ".join(f"“{link.rule.name}” → {labels.get(link.event, link.event)}" for link in circle.links)
    return f"{steps} → “{circle.links[0].rule.name}”"
