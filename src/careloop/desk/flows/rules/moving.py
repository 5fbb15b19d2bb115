"""Which steps a case may take now, why it may not take the others, and which steps lead to an end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from careloop.desk.flows.rules.flow import Flow, Transition

ROLE, MISSING, ASK, PENDING, REFUSED = "ROLE", "MISSING", "ASK", "PENDING", "REFUSED"
ASKED, GIVEN, DENIED = "ASKED", "GIVEN", "REFUSED"  # where an approval stands


@dataclass(frozen=True)
class Standing:
    """The newest approval asked for a step since the case came to its state: where it stands and for what amount it was asked."""

    state: str
    amount: Any = None


@dataclass(frozen=True)
class CaseFacts:
    """What steps look at: the values of fields, and approvals by the step's code."""

    values: Mapping[str, Any]
    approvals: Mapping[str, Standing] = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """A step that begins where the case stands; `obstacle` says why it cannot be taken now ("" when it can), `fields` what is missing."""

    step: Transition
    obstacle: str = ""
    fields: tuple[str, ...] = ()

    @property
    def is_possible(self) -> bool:
        """Whether it can be taken now."""
        return not self.obstacle


def possible_moves(flow: Flow, state: str, facts: CaseFacts, role: str) -> list[Move]:
    """The steps from a state in their order, each with what stands in its way for a person of this role."""
    return [judge_step(step, facts, role) for step in flow.steps_from(state)]


def judge_step(step: Transition, facts: CaseFacts, role: str) -> Move:
    """Whether a step can be taken: the role, then the fields, then the approval."""
    if step.roles and role not in step.roles:
        return Move(step, ROLE)
    missing = tuple(code for code in needed_fields(step) if facts.values.get(code) in (None, ""))
    if missing:
        return Move(step, MISSING, missing)
    return Move(step, obstacle_of_approval(step, facts))


def needed_fields(step: Transition) -> tuple[str, ...]:
    """The fields that a step needs: the required ones, and the amount that its approval looks at."""
    looked_at = (step.approval.field,) if step.approval is not None and step.approval.field else ()
    return tuple(dict.fromkeys((*step.required, *looked_at)))


def obstacle_of_approval(step: Transition, facts: CaseFacts) -> str:
    """What an approval still asks; one that was given for another amount does not count."""
    if step.approval is None or not step.approval.is_needed(facts.values):
        return ""
    standing = facts.approvals.get(step.code)
    if standing is None or standing.amount != amount_of(step, facts.values):
        return ASK
    return {ASKED: PENDING, GIVEN: "", DENIED: REFUSED}.get(standing.state, ASK)


def amount_of(step: Transition, values: Mapping[str, Any]) -> Any:
    """The amount that the step's approval is about; None when it is asked always."""
    return values.get(step.approval.field) if step.approval is not None and step.approval.field else None


def standing_of(decisions: Iterable[bool], needs: int) -> str:
    """Where an approval stands after these decisions: one refusal refuses, `needs` agreements give it."""
    said = list(decisions)
    if not all(said):
        return DENIED
    return GIVEN if len(said) >= needs else ASKED


def steps_to_end(flow: Flow, state: str) -> list[Transition]:
    """The shortest way from a state to the first end of the flow that can be reached (the usual one); nothing when the state is an end."""
    ways: dict[str, list[Transition]] = {state: []}
    waiting = [state]
    for here in waiting:
        for step in flow.steps_from(here):
            if step.target not in ways:
                ways[step.target] = [*ways[here], step]
                waiting.append(step.target)
    ends = [one.code for one in flow.states if one.is_end]
    return [] if state in ends else next((ways[end] for end in ends if end in ways), [])
