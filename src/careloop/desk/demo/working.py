"""How long the sample house's people worked on its cases, and the first count of its figures."""

import random
from datetime import datetime, timedelta

from careloop.desk.cases.models import CaseEvent, EventKind
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.measures.actions import CASES_AT_ONCE, refresh
from careloop.desk.writing.models import WorkSpan

SEED = 4
MEDIAN_MINUTES = {EventKind.REPLIED.value: 5.0, EventKind.NOTED.value: 2.0, EventKind.STATUS.value: 1.0}
SPREAD = 0.6  # standard deviation of the logarithm
ROUNDS = 200


def note_work_done() -> None:
    """A stretch of work before each thing that a person did; how long is drawn, most answers take some minutes."""
    draw = random.Random(SEED)
    done = CaseEvent.objects.filter(kind__in=MEDIAN_MINUTES, actor_kind="user").order_by("pk")
    insert_rows(
        WorkSpan(
            case_id=case_id,
            user_id=user_id,
            began_at=at - timedelta(minutes=MEDIAN_MINUTES[kind] * draw.lognormvariate(0, SPREAD)),
            seen_at=at,
        )
        for case_id, user_id, kind, at in done.values_list("case_id", "actor_id", "kind", "at")
    )


def count_figures(*, now: datetime) -> None:
    """Count all facts, so that reports are there when the desk opens."""
    for _round in range(ROUNDS):
        if refresh(now=now) < CASES_AT_ONCE:
            return
