"""How many events a second are judged by a thousand rules, quiet ones and such on which a rule acts.

    python -m benchmarks.bench_rules [--rules 1000] [--events 3000] [--acting 0.1]

Prints JSON. Arrivals go through the ordinary front door first; what is timed is the judging of their events on SQLite, from the first
query to the last commit, and the same in time on the processor. `acting` is the part of the messages on which one rule sets the priority
and writes a note: each of these makes two more events, which are judged, too. Target: 100 events a second.
"""

import argparse
import json
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

WORDS = ("退款", "refund", "发票", "invoice", "漏水", "leak", "物流", "delivery", "投诉", "warranty")
KINDS = ("CONSULTATION", "COMPLAINT", "REFUND", "SUGGESTION", "PRAISE")


def some_rules(count: int) -> list[dict[str, object]]:
    """Rules as large houses have them: most demand a category, a kind or a channel, each twentieth nothing but words."""
    draw = random.Random(7)
    made: list[dict[str, object]] = []
    for number in range(count):
        leaves = [{"field": "text", "op": "contains", "value": draw.sample(WORDS, 2)}, {"field": "priority", "op": "at_most", "value": 30}]
        if number % 20:
            leaves.append({"field": "category", "op": "is", "value": [f"c{draw.randrange(80)}"]})
            leaves.append({"field": "kind", "op": "is", "value": draw.sample(KINDS, 2)})
        else:
            leaves[0]["value"] = [f"word-{number}"]
        events = draw.sample(["OPENED", "RECEIVED", "TRIAGED", "STATUS", "REPLIED"], 3)
        actions = [{"do": "SET_CATEGORY", "value": "x"}]
        made.append({"name": f"R{number}", "events": events, "condition": {"all": leaves}, "actions": actions, "position": number})
    acting = [{"field": "text", "op": "contains", "value": ["act now"]}]
    done = [{"do": "SET_PRIORITY", "value": 40}, {"do": "ADD_NOTE", "value": "Seen: {{case.number}}"}]
    made[-1] = {"name": "Acts", "events": ["OPENED", "RECEIVED"], "condition": {"all": acting}, "actions": done, "position": count}
    return made


def measure(rules: int, events: int, acting: float) -> dict[str, object]:
    """Arrivals, then their judgement."""
    from careloop.desk.accounts.models import Channel
    from careloop.desk.automation.judging import judge_new_events
    from careloop.desk.automation.models import Firing, Rule
    from careloop.desk.customers.rules import AddressValue
    from careloop.desk.intake.actions import receive_message
    from careloop.desk.intake.rules import Inbound

    now = datetime.now(UTC)
    judge_new_events(now=now)
    Rule.objects.bulk_create([Rule(changed_at=now, **facts) for facts in some_rules(rules)])
    slug = Channel.objects.filter(kind="API").values_list("slug", flat=True)[0]
    draw = random.Random(11)
    for number in range(events):
        text = f"{draw.choice(WORDS)} {draw.choice(WORDS)} {number}" + (" act now" if draw.random() < acting else "")
        who = (AddressValue("EMAIL", f"p{number % 700}@example.com"),)
        receive_message(Inbound(slug, f"b-{number}", text, b"{}", now, sender_name="Somebody", addresses=who), now=now)
    begun, processor = time.perf_counter(), time.process_time()
    judged = 0
    while found := judge_new_events(now=now):
        judged += found
    seconds, on_processor = time.perf_counter() - begun, time.process_time() - processor
    return {
        "rules": rules,
        "events": judged,
        "acted": Firing.objects.filter(outcome="DONE").count(),
        "failed": Firing.objects.exclude(outcome="DONE").count(),
        "events_a_second": round(judged / seconds, 1),
        "events_a_processor_second": round(judged / on_processor, 1),
        "is_fast_enough": judged / seconds >= 100,
    }


def main() -> None:
    """Measure once and print."""
    wishes = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wishes.add_argument("--rules", type=int, default=1_000)
    wishes.add_argument("--events", type=int, default=3_000)
    wishes.add_argument("--acting", type=float, default=0.1)
    chosen = wishes.parse_args()
    from benchmarks.small_house import small_house

    with tempfile.TemporaryDirectory() as folder:
        small_house(Path(folder))
        print(json.dumps(measure(chosen.rules, chosen.events, chosen.acting), indent=2))


if __name__ == "__main__":
    main()
