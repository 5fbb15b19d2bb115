"""What merging, splitting and undoing cost for a case with many messages, each with reading, event and search document.

CARELOOP_DATA_DIR=… careloop manage load_samples; python -m benchmarks.bench_merging [messages]
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")

import django

django.setup()

from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from careloop.desk.accounts.models import User  # noqa: E402
from careloop.desk.accounts.queries import viewer_of  # noqa: E402
from careloop.desk.analysis.models import Reading  # noqa: E402
from careloop.desk.cases.arrivals import Arrival, receive  # noqa: E402
from careloop.desk.cases.models import Case  # noqa: E402
from careloop.desk.kernel.rows import insert_rows  # noqa: E402
from careloop.desk.merging import queries  # noqa: E402
from careloop.desk.merging.actions import merge_cases, undo  # noqa: E402
from careloop.desk.merging.duplicates import list_duplicates  # noqa: E402
from careloop.desk.merging.splitting import split_case  # noqa: E402

SPENT: dict[str, list[float]] = {}


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Do it and note the processor's and the wall's seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    made = work()
    SPENT[name] = [round(time.process_time() - cpu, 3), round(time.perf_counter() - wall, 3)]
    return made


def fill(case: Case, n: int) -> None:
    """Give a case n more messages of its customer."""
    now = timezone.now()
    arrivals = [
        Arrival(case.channel, case.customer_id, "", f"第 {i} 条：包裹还没有到", "", now - timedelta(minutes=n - i), True, case.pk)
        for i in range(n)
    ]
    messages = receive(arrivals, now)
    facts = {"team_id": case.team_id, "channel_id": case.channel_id, "case_id": case.pk, "slot": 0, "state": "DONE", "read_at": now}
    insert_rows([Reading(message_id=one.pk, kind="OTHER", **facts) for one in messages])


def main() -> None:
    """Print the seconds [processor, wall] of each step; everything is taken back."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    viewer, now = viewer_of(User.objects.filter(role="OWNER").first()), timezone.now()
    with transaction.atomic():
        cases = list(Case.objects.select_related("channel").filter(status="OPEN").order_by("pk")[:2])
        source, into = cases
        fill(source, n)
        expected = dict(Case.objects.filter(pk__in=[source.pk, into.pk]).values_list("pk", "version"))
        facts = {"viewer": viewer, "now": now}
        made = timed("merge", lambda: merge_cases(source_ids=[source.pk], into_id=into.pk, expected_versions=expected, **facts))
        timed("look for duplicates", lambda: list_duplicates(into.pk, viewer))
        timed("list for splitting", lambda: queries.list_splittable(into.pk, viewer))
        timed("undo the merge", lambda: undo(regrouping_id=made.pk, **facts))
        source.refresh_from_db()
        chosen = list(source.messages.order_by("pk").values_list("pk", flat=True))[1:]
        split = timed("split", lambda: split_case(case_id=source.pk, message_ids=chosen, expected_version=source.version, **facts))
        timed("undo the split", lambda: undo(regrouping_id=split.pk, **facts))
        transaction.set_rollback(True)
    print(json.dumps({"messages": n, "seconds": SPENT}, indent=1))


if __name__ == "__main__":
    main()
