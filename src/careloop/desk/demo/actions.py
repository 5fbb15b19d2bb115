"""Loading the sample data: a house of three trades with a quarter of a year behind it, in one transaction, into an empty database."""

import json
import os
import random
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from careloop.desk.accounts.models import Channel, Team, User
from careloop.desk.analysis.topic_queueing import find_soon
from careloop.desk.cases.models import Message
from careloop.desk.customers.models import Customer
from careloop.desk.demo import books
from careloop.desk.demo.asking import ask_customers
from careloop.desk.demo.categories import found_categories, keep_corrections
from careloop.desk.demo.comparing import compare_things
from careloop.desk.demo.conversations import plan_conversations
from careloop.desk.demo.flows import put_on_flows
from careloop.desk.demo.house_rules import make_rules
from careloop.desk.demo.people import draw_people
from careloop.desk.demo.playing import deliver, new_people, play, read_all
from careloop.desk.demo.promises import make_promises
from careloop.desk.demo.reviews import plan_reviews, plan_surveys
from careloop.desk.demo.rhythm import DAYS
from careloop.desk.demo.routing import make_routing
from careloop.desk.demo.shopping import go_shopping
from careloop.desk.demo.solutions import write_library
from careloop.desk.demo.staff import found_house
from careloop.desk.demo.together import work_together
from careloop.desk.demo.working import count_figures, note_work_done
from careloop.desk.kernel.errors import Conflict
from careloop.desk.watch.tasks import explain_cases, judge_figures

SEED = 20260504
SIGN_INS_FILE = "demo-sign-ins.json"
PASSWORD_WORDS = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "ivory", "jasper", "lotus", "maple", "olive", "pearl",
    "quartz", "raven", "sage", "topaz", "umber", "violet", "willow", "zephyr",
)  # fmt: skip

SignIn = tuple[str, str, str]
Progress = Callable[[int, int], None]


def load_samples(*, now: datetime, seed: int = SEED, progress: Progress | None = None) -> list[SignIn]:
    """Fill an empty desk with three months up to `now`; returns who can sign in as (role, e-mail address, password).

    The same seed, time and time zone give the same content; only the password is drawn anew for each installation. All or nothing:
    an interrupted load leaves the desk as empty as it was. `progress(done, of)` counts messages read.
    """
    check_empty()
    tell = progress or (lambda _done, _of: None)
    zone, rng = timezone.get_default_timezone(), random.Random(seed)
    with transaction.atomic():
        house = found_house(password=_new_password(), now=now - timedelta(days=DAYS + 2))
        persons = draw_people(rng)
        names = {trade: [agent.display_name for agent in agents] for trade, agents in house.agents.items()}
        conversations = plan_conversations(persons, names, now=now, zone=zone, rng=rng)
        opinions = plan_reviews(persons, now=now, zone=zone, rng=rng) + plan_surveys(conversations, now=now, rng=rng)
        people = new_people(house, conversations, opinions)
        books.write_customers(list(people.values()))
        mail = deliver(house, people, conversations, opinions)
        delivered = mail.everything()
        for done in read_all(delivered):
            tell(done, len(delivered))
        taxonomy, categories = found_categories(house.supervisor, now=now - timedelta(days=DAYS + 2))
        ledger = play(house, conversations, mail, categories)
        books.write_ledger(ledger, delivered)
        keep_corrections(ledger, taxonomy, now=now)
        write_library(house, ledger, now=now)
        make_promises(house, now=now)
        make_rules(house, now=now)
        make_routing(house, now=now)
        put_on_flows(house, now=now)
        work_together(house, now=now)
        ask_customers(house, now=now)
        go_shopping(house, now=now)
        compare_things(house, now=now)
        note_work_done()
        count_figures(now=now)
        _keep_sign_ins(house.sign_ins)
        find_soon()
        judge_figures.enqueue()
        explain_cases.enqueue()
    return house.sign_ins


def check_empty() -> None:
    """Refuse unless nobody has worked here yet."""
    counts = {"people": User, "teams": Team, "channels": Channel, "customers": Customer, "messages": Message}
    found = {name: model._default_manager.count() for name, model in counts.items()}
    if any(found.values()):
        held = ", ".join(f"{count} {name}" for name, count in found.items() if count)
        raise Conflict(
            f"Sample data is loaded into an empty desk only; this one holds {held}. "
            "Choose a new data folder with CARELOOP_DATA_DIR (or another database) and try again."
        )


def list_sign_ins() -> list[SignIn]:
    """Who can sign in to a desk that holds the sample data; empty for any other desk and after an account was taken away."""
    path = _sign_ins_path()
    if not path.exists():
        return []
    kept = [(str(role), str(email), str(password)) for role, email, password in json.loads(path.read_text(encoding="utf-8"))]
    present = set(User.objects.filter(email__in=[email for _, email, _ in kept], is_active=True).values_list("email", flat=True))
    return [sign_in for sign_in in kept if sign_in[1] in present]


def _new_password() -> str:
    """Two words and four digits: easy to type, new for each installation."""
    return f"{secrets.choice(PASSWORD_WORDS)}-{secrets.choice(PASSWORD_WORDS)}-{secrets.randbelow(9000) + 1000}"


def _sign_ins_path() -> Path:
    return Path(settings.DATA_DIR) / SIGN_INS_FILE


def _keep_sign_ins(sign_ins: list[SignIn]) -> None:
    """So that every start of the demonstration can show them; readable by the owner of the process alone."""
    path = _sign_ins_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(sign_ins, file, ensure_ascii=False)
    draft.replace(path)
