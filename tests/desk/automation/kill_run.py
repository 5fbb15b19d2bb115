"""A desk whose workers are killed with -9 while they run rules: `python kill_run.py FOLDER [MESSAGES] [KILLS] [WORKERS]`.

Messages arrive through the front door all the while. A worker is killed as soon as rules have acted some more times, wherever it stands
by then. At the end a worker may finish; what the rules did on each case is printed as JSON.
"""

import json
import os
import random
import signal
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

os.environ["CARELOOP_DATA_DIR"] = sys.argv[1]
os.environ.pop("CARELOOP_DATABASE_URL", None)
os.environ["DJANGO_SETTINGS_MODULE"] = "careloop.desk.config.settings"

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from careloop.desk.accounts.queries import viewer_of  # noqa: E402
from careloop.desk.automation.actions import MacroFacts, save_macro, save_rule  # noqa: E402
from careloop.desk.automation.judging import judge_new_events  # noqa: E402
from careloop.desk.automation.rules.fields import RuleFacts  # noqa: E402
from careloop.desk.automation.tasks import ensure_schedules  # noqa: E402
from careloop.desk.customers.rules import AddressValue  # noqa: E402
from careloop.desk.demo.staff import found_house  # noqa: E402
from careloop.desk.intake.actions import receive_message  # noqa: E402
from careloop.desk.intake.rules import Inbound  # noqa: E402
from careloop.desk.jobs.models import Job  # noqa: E402
from careloop.desk.jobs.worker import Worker  # noqa: E402

LEASE_SECONDS = 0.5
LONGEST_SECONDS = 500
RULES = (
    ("First", ["OPENED"], [{"do": "ADD_NOTE", "value": "n"}, {"do": "TAG", "value": "new"}, {"do": "ADD_TASK", "value": "t"}]),
    ("Second", ["TAGGED"], [{"do": "SET_PRIORITY", "value": 40}, {"do": "NOTIFY_SUPERVISORS", "value": None}]),
)
COUNTED = {
    "notes": "SELECT count(*) FROM cases_message WHERE direction = 'NOTE' AND case_id = c.id",
    "tags": "SELECT count(*) FROM teamwork_casetag WHERE case_id = c.id",
    "tasks": "SELECT count(*) FROM teamwork_task WHERE case_id = c.id",
    "replies": "SELECT count(*) FROM cases_message m JOIN outbox_outboxitem o ON o.message_id = m.id WHERE m.case_id = c.id",
    "priorities": "SELECT count(*) FROM cases_caseevent WHERE kind = 'PRIORITY' AND case_id = c.id",
    "notices": "SELECT count(*) FROM notices_notice WHERE kind = 'RULE' AND case_id = c.id",
    "done": "SELECT count(*) FROM automation_firing WHERE outcome = 'DONE' AND case_id = c.id",
    "others": "SELECT count(*) FROM automation_firing WHERE outcome <> 'DONE' AND case_id = c.id",
}


def prepare() -> str:
    """A house with two rules that follow one another; returns the channel by which customers write."""
    now = datetime.now(UTC)
    call_command("migrate", verbosity=0)
    house = found_house(password="amber-olive-2026", now=now)
    viewer = viewer_of(house.supervisor)
    text = save_macro(facts=MacroFacts("Thanks", "ALL", "收到 {{case.number}}"), viewer=viewer, now=now)
    for place, (name, events, actions) in enumerate(RULES):
        more = [{"do": "REPLY", "value": text.pk}] if place == 0 else []
        save_rule(facts=RuleFacts(name, events, {"all": []}, [*actions, *more]), viewer=viewer, now=now)
    judge_new_events(now=now)
    ensure_schedules(now=now)
    return str(house.channels["shop", "API"].slug)


def arrive(slug: str, number: int) -> None:
    """One more customer writes; what else the desk would do with the message is left out."""
    now = datetime.now(UTC)
    who = (AddressValue("EMAIL", f"p{number}@example.com"),)
    receive_message(Inbound(slug, f"k-{number}", f"Message {number}", b"{}", now, sender_name="Somebody", addresses=who), now=now)
    Job.objects.filter(state="READY").exclude(task__contains="judge").delete()


def start() -> int:
    """A worker of its own process."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        Worker(threads=2, lease_seconds=LEASE_SECONDS, poll_seconds=0.05).run()
        os._exit(0)
    return pid


def ask(statement: str) -> list[tuple[int, ...]]:
    """Rows of a query on a connection of its own."""
    with closing(sqlite3.connect(Path(sys.argv[1]) / "careloop.sqlite3", timeout=120)) as database:
        return database.execute(statement).fetchall()


def acted() -> int:
    """How often rules acted."""
    return int(ask("SELECT count(*) FROM automation_firing")[0][0])


def main(messages: int = 60, kills: int = 6, workers: int = 2) -> None:
    """Arrivals, kills, the end, and what came of it."""
    slug, draw, end = prepare(), random.Random(3), time.monotonic() + LONGEST_SECONDS
    pids, killed, arrived = [start() for _ in range(workers)], 0, 0
    wanted = draw.randint(1, 8)
    while (killed < kills or arrived < messages or acted() < 2 * messages) and time.monotonic() < end:
        if arrived < messages:
            arrive(slug, arrived)
            arrived += 1
        if killed < kills and acted() >= wanted:
            victim = pids.pop(draw.randrange(len(pids)))
            time.sleep(draw.random() * 0.05)
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            pids.append(start())
            killed, wanted = killed + 1, acted() + draw.randint(1, max(2 * messages // (kills + 2), 1))
        elif arrived == messages:
            time.sleep(0.02)  # the workers need the processor more than this look at them
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    columns = ", ".join(f"({counted}) AS {name}" for name, counted in COUNTED.items())
    rows = ask(f"SELECT {columns} FROM cases_case c")
    print(json.dumps({"killed": killed, "cases": [dict(zip(COUNTED, row, strict=True)) for row in rows]}))


if __name__ == "__main__":
    main(*map(int, sys.argv[2:]))
