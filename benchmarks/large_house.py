"""A large desk to measure on: 50,000 cases with 150,000 messages, half of them Chinese, and 50,000 reviews, in SQLite.

    python -m benchmarks.large_house

The conversations are those of the sample data, told again by other customers with other numbers; readings are computed once for each
sentence that differs and repeated. 30 % of all messages contain 退款, so that a search for it is the worst that a search can be.
The folder is kept in the system's temporary directory and used again until schema or generator change.
"""

import hashlib
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CASES = 50_000
REVIEWS = 50_000
CUSTOMERS = 12_000
TEAMS = ("shop", "bank", "travel")
DAYS = 365
OPEN_SHARE, WAITING_SHARE = 0.04, 0.06
WANTED_SHARE = 0.30
NUMBER = re.compile(r"\b20\d{6}\b")
SEED = 50_000


def main() -> None:
    """Make the house if it is not there; print where it is."""
    folder = large_house()
    print(json.dumps({"folder": str(folder), **facts_of(folder)}, ensure_ascii=False))


def large_house() -> Path:
    """The data folder of the large desk, ready; sets Django up on it."""
    folder = Path(tempfile.gettempdir()) / f"careloop-large-{_fingerprint()}"
    is_ready = (folder / "ready.json").exists()
    if not is_ready:
        shutil.rmtree(folder, ignore_errors=True)
    use(folder)
    if not is_ready:
        started = time.monotonic()
        facts = _Builder().build()
        facts["built_in_seconds"] = round(time.monotonic() - started)
        (folder / "ready.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    return folder


def use(folder: Path) -> None:
    """Set Django up on a data folder; once in a process."""
    os.environ["CARELOOP_DATA_DIR"] = str(folder)
    os.environ.pop("CARELOOP_DATABASE_URL", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")
    folder.mkdir(parents=True, exist_ok=True)
    import django

    django.setup()


def facts_of(folder: Path) -> dict[str, Any]:
    """What the builder noted."""
    return json.loads((folder / "ready.json").read_text(encoding="utf-8"))


def _fingerprint() -> str:
    desk = Path(__file__).resolve().parent.parent / "src" / "careloop" / "desk"
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(desk.glob("*/migrations/*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def stored(value: Any) -> Any:
    """A value as Django keeps it in SQLite."""
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value


def insert(model: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows with their primary keys; columns that are not named take the model's default."""
    from django.db import connection

    fields = model._meta.concrete_fields
    defaults = {field.attname: stored(field.get_default()) for field in fields}
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(["%s"] * len(fields))
    names = [field.attname for field in fields]
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({places})',
            ([stored(row[name]) if name in row else defaults[name] for name in names] for row in rows),
        )


def index(messages: list[dict[str, Any]], customers: list[dict[str, Any]]) -> None:
    """Put messages and customers' names into the search index."""
    from django.db import connection

    from careloop.desk.search.models import SearchDocument
    from careloop.desk.search.rules import tokens

    documents = [
        {
            "subject": "MESSAGE",
            "object_id": row["id"],
            "text": row["body"],
            **{name: row[name] for name in ("case_id", "customer_id", "team_id")},
        }
        for row in messages
    ]
    documents += [{"subject": "CUSTOMER", "object_id": row["id"], "customer_id": row["id"], "text": row["name"]} for row in customers]
    for number, row in enumerate(documents, 1):
        row |= {"id": number, "tokens": " ".join(tokens(row.pop("text")))}
    insert(SearchDocument, documents)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO search_fts(search_fts) VALUES ('rebuild')")


class _Builder:
    """Plans once, tells it many times, writes table by table."""

    def __init__(self) -> None:
        self.rng = random.Random(SEED)
        self.now = datetime.now(UTC).replace(microsecond=0)

    def build(self) -> dict[str, Any]:
        """Everything in one transaction; returns what measurements need to know."""
        from django.core.management import call_command
        from django.db import connection, transaction

        from careloop.desk.demo.staff import found_house

        call_command("migrate", verbosity=0)
        with transaction.atomic():
            self.house = found_house(password="amber-olive-2026", now=self.now - timedelta(days=DAYS + 2))
            self._plan()
            self._customers()
            self._tell()
            self._write()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO search_fts(search_fts) VALUES ('optimize')")
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {
            "cases": len(self.cases),
            "case_messages": self.case_messages,
            "reviews": REVIEWS,
            "share_with_退款": round(sum("退款" in row["body"] for row in self.messages) / self.case_messages, 3),
            "share_chinese": round(self.chinese / self.case_messages, 3),
            "agent_case": next(row["id"] for row in self.cases if row["team_id"] == self.house.teams["shop"].pk),
            "customer_name": self.customer_rows[77]["name"],
            "order": next(match.group() for row in self.messages if (match := NUMBER.search(row["body"]))),
        }

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
        from careloop.desk.demo.people import draw_people

        people = draw_people(random.Random(SEED + 1), CUSTOMERS)
        at = self.now - timedelta(days=DAYS)
        self.customer_rows = [
            {"id": number, "name": person.name, "language": person.language, "created_at": at, "last_seen_at": self.now}
            for number, person in enumerate(people, 1)
        ]
        insert(Customer, self.customer_rows)
        link = Customer.teams.through
        teams = [team.pk for team in self.house.teams.values()]
        pairs = [(number, team) for number in range(1, CUSTOMERS + 1) for team in teams]
        insert(link, [{"id": i, "customer_id": customer, "team_id": team} for i, (customer, team) in enumerate(pairs, 1)])
        self._addresses(people, Address, at)

    def _addresses(self, people: list[Any], model: Any, at: datetime) -> None:
        from careloop.desk.customers.queries import index_of
        from careloop.desk.customers.rules import AddressValue

        rows = []
        for number, person in enumerate(people, 1):
            if person.email:
                index = index_of(AddressValue("EMAIL", person.email))
                rows.append(model(customer_id=number, kind="EMAIL", value=person.email, value_index=index, created_at=at))
        model.objects.bulk_create(rows, batch_size=100)

    def _tell(self) -> None:
        self.cases: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.reading_rows: list[dict[str, Any]] = []
        self.feedback: list[dict[str, Any]] = []
        self.chinese = 0
        starts = sorted(self.now - timedelta(seconds=self.rng.randrange(120, DAYS * 86_400)) for _ in range(CASES))
        for number, start in enumerate(starts, 1):
            self._tell_case(number, start, "zh" if number % 2 else "en")
        self.case_messages = len(self.messages)
        for _ in range(REVIEWS):
            self._tell_review(self.now - timedelta(seconds=self.rng.randrange(120, DAYS * 86_400)))

    def _tell_case(self, number: int, start: datetime, language: str) -> None:
        from careloop.desk.cases.rules import snippet_from, subject_from

        plan = self.rng.choice(self.plans[language])
        moves = [move for move in plan.moves if move.verb in {"write", "reply"}][:3]
        channel = self.house.channels[plan.scenario.trade, plan.channel]
        agent = self.rng.choice(self.house.agents[plan.scenario.trade])
        customer = self.customer_rows[self.rng.randrange(CUSTOMERS)]
        order = f"20{self.rng.randint(100_000, 999_999)}"
        facts = {"case_id": number, "team_id": channel.team_id, "customer_id": customer["id"], "channel_id": channel.pk}
        at, bodies = start, []
        for place, move in enumerate(moves):
            body = NUMBER.sub(order, move.text)
            if language == "zh" and self.rng.random() < WANTED_SHARE * 2:
                body += "退款的事请尽快。"
            bodies.append(body)
            self._message(body, at, facts, author=agent if place == 1 else None, read=move.text)
            kind = ("OPENED", "REPLIED", "RECEIVED")[place]
            actor = ("user", agent.pk, agent.display_name) if place == 1 else ("customer", customer["id"], customer["name"])
            self._event(kind, at, facts, actor)
            at = min(at + timedelta(minutes=self.rng.randint(10, 900)), self.now)
        self.chinese += 3 * (language == "zh")
        reading = self.readings[moves[-1].text]
        status = self._status(self.now - start)
        self.cases.append(
            {
                "id": number,
                "team_id": channel.team_id,
                "customer_id": customer["id"],
                "channel_id": channel.pk,
                "assignee_id": agent.pk if status == "RESOLVED" or self.rng.random() < 0.6 else None,
                "subject": plan.subject or subject_from(bodies[0]),
                "snippet": snippet_from(bodies[-1]),
                "status": status,
                "kind": self.readings[moves[0].text]["kind"],
                "kind_probability": self.readings[moves[0].text]["kind_probability"],
                "sentiment": reading["sentiment"],
                "sentiment_probability": reading["sentiment_probability"],
                "opened_at": start,
                "last_message_at": self.messages[-1]["sent_at"],
                "resolved_at": at if status == "RESOLVED" else None,
                "version": 5,
            }
        )

    def _status(self, age: timedelta) -> str:
        drawn = self.rng.random() * (1 if age > timedelta(days=20) else 0.3)
        return "OPEN" if drawn < OPEN_SHARE else "WAITING" if drawn < OPEN_SHARE + WAITING_SHARE else "RESOLVED"

    def _message(self, body: str, at: datetime, facts: dict[str, Any], *, author: Any = None, read: str = "") -> int:
        number = len(self.messages) + 1
        direction = "INBOUND" if author is None else "OUTBOUND"
        delivery = "SENT" if author else ""
        author_id = author.pk if author else None
        self.messages.append(
            {
                "id": number,
                **facts,
                "direction": direction,
                "author_id": author_id,
                "body": body,
                "sent_at": at,
                "received_at": at,
                "delivery": delivery,
            }
        )
        if author is None:
            from careloop.desk.kernel.slots import slot_of

            self.reading_rows.append(
                {
                    "id": len(self.reading_rows) + 1,
                    "message_id": number,
                    "team_id": facts["team_id"],
                    "channel_id": facts["channel_id"],
                    "case_id": facts["case_id"],
                    "slot": slot_of(at),
                    "read_at": at,
                    **self.readings[read],
                }
            )
        return number

    def _event(self, kind: str, at: datetime, facts: dict[str, Any], actor: tuple[str, int, str]) -> None:
        self.events.append(
            {
                "id": len(self.events) + 1,
                "case_id": facts["case_id"],
                "team_id": facts["team_id"],
                "kind": kind,
                "at": at,
                "actor_kind": actor[0],
                "actor_id": actor[1],
                "actor_name": actor[2],
                "message_id": len(self.messages),
            }
        )

    def _tell_review(self, at: datetime) -> None:
        review = self.rng.choice(self.reviews)
        channel = self.house.channels[review.trade, "FILE"]
        facts = {"case_id": None, "team_id": channel.team_id, "customer_id": None, "channel_id": channel.pk}
        message = self._message(review.text, at, facts, read=review.text)
        ratio = {"rating_ratio": (review.rating - 1) / 4, "category": review.category}
        self.reading_rows[-1] |= ratio
        row = {"id": len(self.feedback) + 1, "message_id": message, "team_id": channel.team_id, "rating": review.rating}
        self.feedback.append({**row, "category": review.category, "product": review.product})

    def _write(self) -> None:
        from careloop.desk.analysis.models import Reading
        from careloop.desk.cases.models import Case, CaseEvent, Message
        from careloop.desk.feedback.models import Feedback

        tables = (
            (Case, self.cases),
            (Message, self.messages),
            (CaseEvent, self.events),
            (Reading, self.reading_rows),
            (Feedback, self.feedback),
        )
        for model, rows in tables:
            insert(model, rows)
        index(self.messages, self.customer_rows)


if __name__ == "__main__":
    sys.exit(main())
