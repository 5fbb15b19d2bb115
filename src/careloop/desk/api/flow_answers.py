"""The shapes in which the API reads and writes steps of cases."""

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field

from careloop.desk.channels.api.delivery import LARGEST_ID, Words

Names = dict[str, str]


class FlowAnswer(Schema):
    """One flow."""

    id: int
    name: Names = Field(description="By language: en, zh.")
    kind: str = Field(description="Of the cases that take it, such as REFUND.")
    position: int = Field(description="Of several flows in force for a kind the lowest holds.")
    is_active: bool
    version: int = Field(description="The newest version; new cases begin on it.")


class FlowsAnswer(Schema):
    """Every flow of the house, by kind and position."""

    flows: list[FlowAnswer]


class FlowVersionAnswer(FlowAnswer):
    """One version of a flow; `definition` is what the editor shows as JSON."""

    versions: list[int] = Field(description="Every version that there is, newest first.")
    definition: dict[str, Any] = Field(description="States, transitions and fields.")
    at: datetime = Field(description="When this version was made.")
    note: str = Field(description="What it changed.")


class StepAnswer(Schema):
    """A step from where the case stands."""

    code: str
    name: Names
    target: str = Field(description="The code of the state that it leads to.")
    is_possible: bool
    obstacle: Literal["", "ROLE", "MISSING", "ASK", "PENDING", "REFUSED"]
    missing: list[str] = Field(description="Codes of the fields that it still needs.")
    why: str = Field(description="The obstacle as a sentence.")


class DecisionAnswer(Schema):
    """One person's word."""

    who: str
    is_yes: bool
    at: datetime
    comment: str


class ApprovalAnswer(Schema):
    """An approval that was asked for and that is not closed."""

    id: int
    case_id: int
    step: str
    state: Literal["ASKED", "GIVEN", "REFUSED"]
    amount: Any = Field(description='What it is about: {"minor": 60000, "currency": "CNY"}, a number, or null.')
    needs: int = Field(description="How many people have to agree.")
    roles: list[str]
    asked_by: str
    asked_at: datetime
    comment: str
    decisions: list[DecisionAnswer]
    may_decide: bool = Field(description="Whether the person of this key decides it.")


class ApprovalsAnswer(Schema):
    """Approvals that wait, those that the key's person decides first."""

    approvals: list[ApprovalAnswer]
    is_more: bool


class CaseFlowAnswer(Schema):
    """Where a case stands; `flow_id` is null when it runs on none."""

    case_id: int
    version: int = Field(description="Of the case; give it as expected_version.")
    status: str
    flow_id: int | None
    flow_version: int | None
    state: str
    state_name: Names
    entered_at: datetime | None
    values: dict[str, Any] = Field(description="What was entered, by the field's code; money as minor units beside its currency.")
    steps: list[StepAnswer]
    approvals: list[ApprovalAnswer]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class StepBody(_Body):
    """A step to take."""

    step: str = Field(min_length=1, max_length=30)
    expected_version: int = Field(ge=1, le=LARGEST_ID, description="The case's version that you have seen.")
    fields: dict[str, Words] = Field(default={}, max_length=40, description='What is entered with it, as text: {"AMOUNT": "600 CNY"}.')


class AskBody(StepBody):
    """A step to ask approval for."""

    comment: Words = Field(default="", max_length=500)


class DecisionBody(_Body):
    """A word on an approval."""

    decision: Literal["yes", "no"]
    expected_version: int = Field(ge=1, le=LARGEST_ID, description="The case's version that you have seen.")
    comment: Words = Field(default="", max_length=500)


def body_of(shape: type[BaseModel]) -> dict[str, Any]:
    """What the document says of a request's body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": shape.model_json_schema()}}}}
