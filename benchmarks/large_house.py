"""A large desk to measure on: 50,000 cases with 150,000 messages, half of them Chinese, 50,000 reviews and 10,000 invitations, in SQLite.

    python -m benchmarks.large_house [--cases 50000]

The conversations are those of the sample data, told again by other customers with other numbers; readings are computed once for each
sentence that differs and repeated. 30 % of all messages contain 退款, so that a search for it is the worst that a search can be.
The folder is kept in the system's temporary directory and used again until schema or generator change. Of other sizes all grows in
proportion, without a search index; with CARELOOP_DATABASE_URL the rows are written there instead of SQLite.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.house_rows import index, insert, settle, unchecked

CASES = 50_000
CASES_PER_CUSTOMER = 50_000 / 12_000
WRITTEN_AT_ONCE = 50_000  # cases
INVITED_EACH = 5
ANSWERED_SHARE = 0.35
RESPONSE_PROMISE, RESOLUTION_PROMISE = timedelta(hours=4), timedelta(hours=24)
TEAMS = ("shop", "bank", "travel")
DAYS = 365
OPEN_SHARE, WAITING_SHARE = 0.04, 0.06
WANTED_SHARE = 0.30
NUMBER = re.compile(r"\b20\d{6}\b")
SEED = 50_000


def main() -> None:
    """Make the house if it is not there; print where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=CASES)
    folder = large_house(parser.parse_args().cases)
    print(json.dumps({"folder": str(folder), **facts_of(folder)}, ensure_ascii=False))


def large_house(cases: int = CASES) -> Path:
    """The data folder of the large desk, ready; sets Django up on it."""
    server = os.environ.get("CARELOOP_DATABASE_URL", "")
    folder = Path(tempfile.gettempdir()) / f"careloop-large-{cases}-{_fingerprint(server)}"
    is_ready = (folder / "ready.json").exists()
    if not is_ready:
        shutil.rmtree(folder, ignore_errors=True)
    use(folder, server)
    if not is_ready:
        started = time.monotonic()
        facts = _Builder(cases).build()
        facts["built_in_seconds"] = round(time.monotonic() - started)
        (folder / "ready.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    return folder


def use(folder: Path, server: str = "") -> None:
    """Set Django up on a data folder, and on a database server if there is one; once in a process."""
    os.environ["CARELOOP_DATA_DIR"] = str(folder)
    os.environ["CARELOOP_DATABASE_URL"] = server
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")
    folder.mkdir(parents=True, exist_ok=True)
    import django

    django.setup()


def facts_of(folder: Path) -> dict[str, Any]:
    """What the builder noted."""
    return json.loads((folder / "ready.json").read_text(encoding="utf-8"))


def _fingerprint(server: str) -> str:
    folder = Path(__file__).resolve().parent
    digest = hashlib.sha256(Path(__file__).read_bytes() + (folder / "house_rows.py").read_bytes() + server.encode())
    for path in sorted((folder.parent / "src" / "careloop" / "desk").glob("*/migrations/*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _models() -> dict[str, Any]:
    """What is written, in the order in which rows may refer to each other."""
    from careloop.desk.analysis.models import Reading
    from careloop.desk.cases.models import Case, CaseEvent, Clock, Message
    from careloop.desk.feedback.models import Feedback
    from careloop.desk.surveys.models import Answer, Invitation
    from careloop.desk.writing.models import WorkSpan

    models = (Case, Message, CaseEvent, Clock, Reading, Feedback, Invitation, Answer, WorkSpan)
    return {model.__name__: model for model in models}


class _Builder:
    """Plans once, tells it many times, writes part by part."""

    def __init__(self, cases: int) -> None:
        self.rng = random.Random(SEED)
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.size, self.customers = cases, round(cases / CASES_PER_CUSTOMER)
        self.is_searchable = cases == CASES and not os.environ["CARELOOP_DATABASE_URL"]
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.last: Counter[str] = Counter()
        self.noted: dict[str, Any] = {}

    def build(self) -> dict[str, Any]:
        """Everything in one transaction; returns what measurements need to know."""
        from django.core.management import call_command
        from django.db import transaction

        from careloop.desk.demo.staff import found_house

        call_command("migrate", verbosity=0)
        with transaction.atomic():
            self.house = found_house(password="amber-olive-2026", now=self.now - timedelta(days=DAYS + 2))
            self._plan()
            self._customers()
            self._survey()
            unchecked()
            self._tell()
        settle(_models().values(), is_searchable=self.is_searchable)
        return {
            "cases": self.size,
            "case_messages": (told := 3 * self.size),
            "reviews": self.size,
            "share_with_退款": round(self.last["wanted"] / told, 3),
            "share_chinese": round(self.last["chinese"] / told, 3),
            "customer_name": self.customer_rows[77]["name"],
            **self.noted,
        }

    def _add(self, model: str, **row: Any) -> dict[str, Any]:
        self.last[model] += 1
        row["id"] = self.last[model]
        self.rows[model].append(row)
        return row

    def _write(self) -> None:
        for name, model in _models().items():
            insert(model, self.rows[name])
        if self.is_searchable:
            index(self.rows["Message"], self.customer_rows)
        self.rows.clear()

    def _plan(self) -> None:
        from careloop.desk.demo.conversations import plan_conversations
        from careloop.desk.demo.people import draw_people
        from careloop.desk.demo.reviews import plan_reviews

        people = draw_people(self.rng)
        names = {trade: [agent.display_name for agent in agents] for trade, agents in self.house.agents.items()}
        planned = plan_conversations(people, names, now=self.now, zone=UTC, rng=self.rng)
        told = [
            one
            for one in planned
            if [move.verb for move in one.moves if move.verb in {"write", "reply"}][:3] == ["write", "reply", "write"]
        ]
        self.plans = {
            "zh": [one for one in told if one.person.language != "en"],
            "en": [one for one in told if one.person.language == "en"],
        }
        self.reviews = plan_reviews(people, now=self.now, zone=UTC, rng=self.rng)
        self._read([move.text for one in told for move in one.moves if move.verb == "write"] + [review.text for review in self.reviews])

    def _read(self, texts: list[str]) -> None:
        """One reading for each sentence; what is stored of it, as text."""
        from careloop.desk.analysis.actions import read_messages
        from careloop.desk.cases.models import Message

        distinct = sorted(set(texts))
        self.readings = {}
        for start in range(0, len(distinct), 1000):
            some = [Message(body=text, team_id=1, channel_id=1, sent_at=self.now) for text in distinct[start : start + 1000]]
            for message, reading in zip(some, read_messages(some, now=self.now), strict=True):
                self.readings[message.body] = {
                    "state": reading.state,
                    "language": reading.language,
                    "sentiment": reading.sentiment,
                    "sentiment_probability": reading.sentiment_probability,
                    "kind": reading.kind,
                    "kind_probability": reading.kind_probability,
                    "keywords": json.dumps(reading.keywords),
                    "details": json.dumps(reading.details),
                    "model_versions": json.dumps(reading.model_versions),
                }

    def _customers(self) -> None:
        from careloop.desk.customers.models import Address, Customer
        from careloop.desk.customers.queries import index_of
        from careloop.desk.customers.rules import AddressValue
        from careloop.desk.demo.people import draw_people

        people = draw_people(random.Random(SEED + 1), self.customers)
        at = self.now - timedelta(days=DAYS)
        self.customer_rows = [
            {"id": number, "name": person.name, "language": person.language, "created_at": at, "last_seen_at": self.now}
            for number, person in enumerate(people, 1)
        ]
        insert(Customer, self.customer_rows)
        link = Customer.teams.through
        pairs = [(row["id"], team.pk) for row in self.customer_rows for team in self.house.teams.values()]
        insert(link, [{"id": i, "customer_id": customer, "team_id": team} for i, (customer, team) in enumerate(pairs, 1)])
        rows = []
        for number, person in enumerate(people[:12_000], 1):  # hashing an address takes longer than all else
            if person.email:
                value = index_of(AddressValue("EMAIL", person.email))
                rows.append(Address(customer_id=number, kind="EMAIL", value=person.email, value_index=value, created_at=at))
        Address.objects.bulk_create(rows, batch_size=100)

    def _survey(self) -> None:
        from careloop.desk.sla.models import Calendar
        from careloop.desk.surveys.models import Survey, SurveyVersion

        at = self.now - timedelta(days=DAYS)
        self.calendar = Calendar.objects.order_by("pk").first() or Calendar.objects.create(
            name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=at
        )
        survey = Survey.objects.create(name="After a case", kind="CSAT", created_at=at, changed_at=at)
        self.version = SurveyVersion.objects.create(survey=survey, number=1, questions=[], saved_by_name="", saved_at=at)

    def _tell(self) -> None:
        starts = sorted(self.now - timedelta(seconds=self.rng.randrange(120, DAYS * 86_400)) for _ in range(self.size))
        for number, start in enumerate(starts, 1):
            self._tell_case(start, "zh" if number % 2 else "en")
            self._tell_review(self.now - timedelta(seconds=self.rng.randrange(120, DAYS * 86_400)))
            if number % WRITTEN_AT_ONCE == 0:
                self._write()
        self._write()

    def _tell_case(self, start: datetime, language: str) -> None:
        from careloop.desk.cases.rules import snippet_from, subject_from

        plan = self.rng.choice(self.plans[language])
        moves = [move for move in plan.moves if move.verb in {"write", "reply"}][:3]
        channel = self.house.channels[plan.scenario.trade, plan.channel]
        agent = self.rng.choice(self.house.agents[plan.scenario.trade])
        customer = self.customer_rows[self.rng.randrange(self.customers)]
        order = f"20{self.rng.randint(100_000, 999_999)}"
        case = self._add("Case", team_id=channel.team_id, customer_id=customer["id"], channel_id=channel.pk)
        facts = {"case_id": case["id"], **{name: case[name] for name in ("team_id", "customer_id", "channel_id")}}
        at, bodies, times = start, [], []
        for place, move in enumerate(moves):
            body = NUMBER.sub(order, move.text)
            if language == "zh" and self.rng.random() < WANTED_SHARE * 2:
                body += "退款的事请尽快。"
            bodies.append(body)
            times.append(at)
            message = self._message(body, at, facts, author=agent if place == 1 else None, read=move.text)
            kind = ("OPENED", "REPLIED", "RECEIVED")[place]
            actor = ("user", agent.pk, agent.display_name) if place == 1 else ("customer", customer["id"], customer["name"])
            self._event(kind, at, facts, actor, message)
            at = min(at + timedelta(seconds=self.rng.randint(600, 54_000)), self.now)
            self.last["wanted"] += "退款" in body
            if "order" not in self.noted and (match := NUMBER.search(body)):
                self.noted["order"] = match.group()
        self.last["chinese"] += 3 * (language == "zh")
        if "agent_case" not in self.noted and case["team_id"] == self.house.teams["shop"].pk:
            self.noted["agent_case"] = case["id"]
        first, last, status = self.readings[moves[0].text], self.readings[moves[-1].text], self._status(self.now - start)
        case |= {
            "assignee_id": agent.pk if status == "RESOLVED" or self.rng.random() < 0.6 else None,
            "subject": plan.subject or subject_from(bodies[0]),
            "snippet": snippet_from(bodies[-1]),
            "status": status,
            "kind": first["kind"],
            "kind_probability": first["kind_probability"],
            "sentiment": last["sentiment"],
            "sentiment_probability": last["sentiment_probability"],
            "opened_at": start,
            "last_message_at": times[-1],
            "first_response_at": times[1],
            "resolved_at": at if status == "RESOLVED" else None,
            "version": 5,
        }
        self._follow_up(case, agent, times[1], at)

    def _follow_up(self, case: dict[str, Any], agent: Any, replied: datetime, ended: datetime) -> None:
        """Deadlines, the agent's time, and for each fifth case an invitation that a third of them answer."""
        resolved = case["resolved_at"]
        self._clock(case, "FIRST_RESPONSE", RESPONSE_PROMISE, replied)
        self._clock(case, "RESOLUTION", RESOLUTION_PROMISE, resolved)
        self._add("WorkSpan", case_id=case["id"], user_id=agent.pk, began_at=replied - timedelta(minutes=5), seen_at=replied)
        if resolved is None:
            return
        facts = {name: case[name] for name in ("team_id", "customer_id", "channel_id")}
        self._event("STATUS", ended, {"case_id": case["id"], **facts}, ("user", agent.pk, agent.display_name), None)
        if case["id"] % INVITED_EACH:
            return
        invited = self._add(
            "Invitation",
            **facts,
            case_id=case["id"],
            survey_id=self.version.survey_id,
            version_id=self.version.pk,
            origin="RULE",
            state="SENT",
            key=f"case {case['id']}",
            created_at=resolved,
            planned_at=resolved,
            sent_at=resolved,
        )
        if self.rng.random() < ANSWERED_SHARE:
            score = self.rng.choices((1, 2, 3, 4, 5), (2, 1, 2, 4, 6))[0]
            self._add(
                "Answer", invitation_id=invited["id"], score=score, score_min=1, score_max=5, answered_at=resolved, changed_at=resolved
            )

    def _clock(self, case: dict[str, Any], target: str, promise: timedelta, ended: datetime | None) -> None:
        due = case["opened_at"] + promise
        facts = {"case_id": case["id"], "target": target, "calendar_id": self.calendar.pk, "started_at": case["opened_at"], "due_at": due}
        is_late = ended is not None and ended > due
        state = "RUNNING" if ended is None else "MET"
        self._add("Clock", **facts, target_seconds=int(promise.total_seconds()), state=state, is_late=is_late)

    def _status(self, age: timedelta) -> str:
        drawn = self.rng.random() * (1 if age > timedelta(days=20) else 0.3)
        return "OPEN" if drawn < OPEN_SHARE else "WAITING" if drawn < OPEN_SHARE + WAITING_SHARE else "RESOLVED"

    def _message(self, body: str, at: datetime, facts: dict[str, Any], *, author: Any = None, read: str = "") -> int:
        from careloop.desk.kernel.slots import slot_of

        told = {"direction": "INBOUND"} if author is None else {"direction": "OUTBOUND", "author_id": author.pk, "delivery": "SENT"}
        number: int = self._add("Message", **facts, **told, body=body, sent_at=at, received_at=at)["id"]
        if author is None:
            kept = {name: facts[name] for name in ("team_id", "channel_id", "case_id")}
            self._add("Reading", **kept, message_id=number, slot=slot_of(at), read_at=at, **self.readings[read])
        return number

    def _event(self, kind: str, at: datetime, facts: dict[str, Any], actor: tuple[str, int, str], message: int | None) -> None:
        who = dict(zip(("actor_kind", "actor_id", "actor_name"), actor, strict=True))
        where = {name: facts[name] for name in ("case_id", "team_id")}
        after = {"status": "RESOLVED"} if kind == "STATUS" else {}
        self._add("CaseEvent", **where, **who, kind=kind, at=at, message_id=message, after=after)

    def _tell_review(self, at: datetime) -> None:
        review = self.rng.choice(self.reviews)
        channel = self.house.channels[review.trade, "FILE"]
        facts = {"case_id": None, "team_id": channel.team_id, "customer_id": None, "channel_id": channel.pk}
        message = self._message(review.text, at, facts, read=review.text)
        self.rows["Reading"][-1] |= {"rating_ratio": (review.rating - 1) / 4, "category": review.category}
        told = {"rating": review.rating, "category": review.category, "product": review.product}
        self._add("Feedback", message_id=message, team_id=channel.team_id, **told)


if __name__ == "__main__":
    sys.exit(main())
