"""What belongs to a case and moves with it, and what merging makes of a case's own columns: plain Python.

A new table that points to a case gets a line in TABLES (or, with its reason, in STAYS); a test asks for it.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

MOST_SOURCES = 20
PRECEDENCE = ("RESOLVED", "WAITING", "OPEN")  # of two cases that become one, the later word says how the one stands


class CaseTable(NamedTuple):
    """A table whose rows belong to a case: "app.Model", its column, and the column of the message that a row tells of, if there is one.

    A row that the target has already (by the table's own unique constraints) stays behind with its merged case. `only` says which rows
    tell of a message.
    """

    model: str
    field: str
    message: str = ""
    only: tuple[tuple[str, str], ...] = ()


TABLES = (
    CaseTable("cases.Message", "case", "pk"),
    CaseTable("cases.CaseEvent", "case", "message_id"),
    CaseTable("analysis.Reading", "case", "message_id"),
    CaseTable("search.SearchDocument", "case_id", "object_id", (("subject", "MESSAGE"),)),
    CaseTable("notices.Notice", "case_id"),
    CaseTable("drafting.MachineText", "case"),
    CaseTable("automation.MacroUse", "case"),
    CaseTable("teamwork.Attachment", "case", "message_id"),
    CaseTable("teamwork.Task", "case"),
    CaseTable("teamwork.Follower", "case"),
    CaseTable("teamwork.CaseTag", "case"),
    CaseTable("teamwork.FieldValue", "case"),
    CaseTable("solutions.SolutionUse", "case", "message_id"),
    CaseTable("solutions.Taken", "case"),
    CaseTable("surveys.Invitation", "case", "message_id"),
    CaseTable("writing.WorkSpan", "case"),
    CaseTable("writing.WorkCorrection", "case"),
    CaseTable("experiments.Exposure", "case"),
)

FACTS_STAY = "facts are counted anew from the cases' rows after each merge; what was known before stays known"
STAYS = {
    ("automation.Firing", "case"): "which rules acted on a case, and for what, guards that case against loops",
    ("bulk.BulkChangedCase", "case"): "what was changed at once is told of the numbers that people saw",
    ("writing.Draft", "case"): "what somebody is typing stays where they type it",
    ("writing.HeldReply", "case"): "a reply held for a merged case is refused and given back to its writer",
    ("writing.WaitingFile", "case"): "files of such a text or reply stay with it",
    ("writing.Presence", "case"): "who has a page open says nothing of another",
    ("solutions.Suggested", "case"): "what was found for the first message of one case",
    ("teamwork.SharedPage", "case"): "a shared page shows what was chosen of one case, wherever the messages are now",
    ("teamwork.Snooze", "case"): "a merged case waits for nothing",
    ("teamwork.CustomerLink", "case"): "a link that was taken back stays so; links to merged cases lead to the case that they became",
    ("cases.Clock", "case"): "a clock is of one case: those of merged cases are stopped by ticks, and undo takes the ticks away",
    ("cases.CaseFlow", "case"): "a flow is of one case: where the merged one stood is what its history says",
    ("routing.RoutingDecision", "case"): "why a case was given to somebody is told of that case",
    ("routing.CaseWeight", "case"): "only open cases have one; it is counted anew",
    ("cases.Approval", "case"): "what was asked of one case is not asked of another",
    ("teamwork.WebhookDelivery", "case_id"): "what other systems were told stays told of the number that it was told of",
    ("merging.Regrouping", "into"): "what was merged and split is told of the numbers that people saw",
    ("merging.RegroupedCase", "case"): "the same",
    ("merging.CaseLink", "case"): "people linked these numbers; pages follow them to the case that they were merged into",
    ("merging.CaseLink", "other"): "the same",
    ("merging.NotTheSame", "case"): "people said it of these numbers",
    ("merging.NotTheSame", "other"): "the same",
    **{(f"measures.{name}Fact{past}", "case_id"): FACTS_STAY for name in ("Case", "Answer", "Work") for past in ("", "Past")},
}


class Outline(NamedTuple):
    """The columns of a case that its messages decide."""

    status: str
    resolved_at: datetime | None
    last_message_at: datetime
    snippet: str


def outline_after_merge(into: Outline, sources: Sequence[Outline]) -> Outline:
    """The newest message counts; whoever waits for us in one of the cases goes on waiting in the one that they become."""
    newest = max((into, *sources), key=lambda one: one.last_message_at)
    status = max((into.status, *(one.status for one in sources)), key=PRECEDENCE.index)
    resolved_at = into.resolved_at if status == into.status else None
    return Outline(status, resolved_at, newest.last_message_at, newest.snippet)


def outline_after_arrival(case: Outline, sent_at: datetime, snippet: str) -> Outline:
    """As an arriving message leaves a case."""
    return Outline("OPEN", None, max(case.last_message_at, sent_at), snippet)


class Likeness(NamedTuple):
    """What two cases have in common; `has_code` says that the case asked about names an order or a parcel at all."""

    is_same_customer: bool
    is_same_code: bool
    has_code: bool
    text_ratio: float
    is_same_text: bool
    hours: float


def features_of(likeness: Likeness) -> list[float]:
    """What the probability is computed from, in the order of WEIGHTS."""
    return [
        float(likeness.is_same_customer),
        float(likeness.is_same_code),
        float(likeness.has_code and not likeness.is_same_code),
        likeness.text_ratio * (likeness.is_same_customer or likeness.is_same_code),
        math.log1p(likeness.hours),
    ]


INTERCEPT = 1.9
WEIGHTS = (2.0, 1.7, -2.4, 2.8, -1.5)


def probability_of_same(likeness: Likeness) -> float:
    """How probable it is that two cases are one matter, 0-1 (logistic; weights learnt by `benchmarks/bench_duplicates.py`)."""
    score = INTERCEPT + sum(weight * value for weight, value in zip(WEIGHTS, features_of(likeness), strict=True))
    return 1 / (1 + math.exp(-score))
