"""What is measured: each measure is a few pieces of SQL over facts (alias f) and their facets (alias g), and how sums become a value.

`{now}` stands for the second that the facts show. Sums are whole numbers, so a value is the same to the digit on every database, on the
screen, in a file and from the API.
"""

from dataclasses import dataclass

CASE, ANSWER, WORK = "case", "answer", "work"
COUNT, SHARE, MEAN, MEDIAN, RATE = "COUNT", "SHARE", "MEAN", "MEDIAN", "RATE"
UP, DOWN, NEITHER = "UP", "DOWN", ""


@dataclass(frozen=True)
class Measure:
    """One figure.

    form: COUNT of facts; SHARE of those that hit; MEAN of a value; MEDIAN of spans of which some are not over (product-limit estimate);
    RATE, tasks done per hour of work.
    dated_by: the column of the day by which a period chooses; "" for what stands now, whatever the period.
    chosen: SQL condition of the facts that count. value: SQL of the hit (a condition), of the value (a whole number, divided by `scale`)
    or of the span in seconds; for a RATE the key of the measure that counts the tasks. ended: SQL condition of spans that are over.
    unit: "", "share", "seconds", "stars", "points", "per_hour". better: whether more (UP) or less (DOWN) is what one wants.
    """

    key: str
    fact: str
    form: str
    dated_by: str
    chosen: str = ""
    value: str = ""
    ended: str = ""
    scale: int = 1
    unit: str = ""
    better: str = NEITHER
    lowest: float | None = None
    highest: float | None = None


RESPONSE_SPAN = "COALESCE(f.response_seconds, f.resolution_seconds, {now} - f.opened_second)"
RESOLUTION_SPAN = "COALESCE(f.resolution_seconds, {now} - f.opened_second)"
IS_CSAT = "f.scale IN ('CSAT', 'STARS') AND f.hundredths IS NOT NULL"
IS_SURVEY = "f.sent_on IS NOT NULL"
NPS_POINTS = "CASE WHEN f.score >= 9 THEN 100 WHEN f.score <= 6 THEN -100 ELSE 0 END"

_ALL = (
    Measure("opened", CASE, COUNT, "opened_on"),
    Measure("resolved", CASE, COUNT, "resolved_on", "f.resolved_on IS NOT NULL"),
    Measure("backlog", CASE, COUNT, "", "f.resolution_seconds IS NULL", better=DOWN),
    Measure(
        "backlog_age",
        CASE,
        MEDIAN,
        "",
        "f.resolution_seconds IS NULL",
        "{now} - f.opened_second",
        "f.resolution_seconds IS NULL",
        unit="seconds",
        better=DOWN,
    ),
    Measure("first_response", CASE, MEDIAN, "opened_on", "", RESPONSE_SPAN, "f.response_seconds IS NOT NULL", unit="seconds", better=DOWN),
    Measure("resolution", CASE, MEDIAN, "opened_on", "", RESOLUTION_SPAN, "f.resolution_seconds IS NOT NULL", unit="seconds", better=DOWN),
    Measure(
        "first_response_on_time",
        CASE,
        SHARE,
        "opened_on",
        "(f.is_response_late IS NOT NULL OR f.response_due_second <= {now})",
        "f.is_response_late IS FALSE",
        unit="share",
        better=UP,
    ),
    Measure(
        "resolution_on_time",
        CASE,
        SHARE,
        "opened_on",
        "(f.is_resolution_late IS NOT NULL OR f.resolution_due_second <= {now})",
        "f.is_resolution_late IS FALSE",
        unit="share",
        better=UP,
    ),
    Measure(
        "reopened",
        CASE,
        SHARE,
        "opened_on",
        "(f.resolution_seconds IS NOT NULL OR f.reopened > 0)",
        "f.reopened > 0",
        unit="share",
        better=DOWN,
    ),
    Measure(
        "one_reply",
        CASE,
        SHARE,
        "resolved_on",
        "f.resolved_on IS NOT NULL AND f.replies > 0",
        "f.replies = 1 AND f.reopened = 0",
        unit="share",
        better=UP,
    ),
    Measure("replies", CASE, MEAN, "resolved_on", "f.resolved_on IS NOT NULL", "f.replies", better=DOWN, lowest=0),
    Measure("negative", CASE, SHARE, "opened_on", "g.sentiment <> ''", "g.sentiment = 'NEGATIVE'", unit="share", better=DOWN),
    Measure("complaints", CASE, SHARE, "opened_on", "g.kind <> ''", "g.kind = 'COMPLAINT'", unit="share", better=DOWN),
    Measure("satisfaction", ANSWER, MEAN, "answered_on", IS_CSAT, "f.hundredths", scale=100, unit="stars", better=UP, lowest=1, highest=5),
    Measure("satisfied", ANSWER, SHARE, "answered_on", IS_CSAT, "f.hundredths >= 400", unit="share", better=UP),
    Measure(
        "recommendation",
        ANSWER,
        MEAN,
        "answered_on",
        "f.scale = 'NPS' AND f.score IS NOT NULL",
        NPS_POINTS,
        unit="points",
        better=UP,
        lowest=-100,
        highest=100,
    ),
    Measure(
        "effort",
        ANSWER,
        MEAN,
        "answered_on",
        "f.scale = 'CES' AND f.hundredths IS NOT NULL",
        "f.hundredths",
        scale=100,
        unit="stars",
        better=UP,
        lowest=1,
        highest=5,
    ),
    Measure("answered", ANSWER, SHARE, "sent_on", IS_SURVEY, "f.answered_on IS NOT NULL", unit="share", better=UP),
    Measure("work", WORK, MEAN, "worked_on", "", "f.seconds", unit="seconds", lowest=0),
    Measure("efficiency", WORK, RATE, "worked_on", "", "resolved", unit="per_hour", better=UP, lowest=0),
)
MEASURES = {one.key: one for one in _ALL}

GROUPS = {  # what a figure can be split by, as SQL; days are folded into weeks and months afterwards
    "team": "g.team_id",
    "channel": "g.channel_id",
    "agent": "g.agent_id",
    "kind": "g.kind",
    "category": "g.category",
    "priority": "g.priority",
    "sentiment": "g.sentiment",
    "segment": "g.segment",
    "product": "g.product",
}
TIMES = ("day", "week", "month")
