"""Who wrote about what, and what was said and done until today: plain values, no database.

A conversation is a list of moves in the order of time. What lies after `now` has not happened yet, which is why the newest matters are
open and the older ones are not.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from careloop.desk.demo.facts import draw_facts
from careloop.desk.demo.people import Person
from careloop.desk.demo.rhythm import WAVES, Wave, answer_minutes, at_work, draw_arrival, draw_wave_arrival
from careloop.desk.demo.scenarios import BY_NAME, SCENARIOS, Scenario, Thread, manners
from careloop.desk.demo.wording import answer, draw_style, later, opening

CONVERSATIONS = 2_150
TRADE_WEIGHTS = {"shop": 46, "bank": 27, "travel": 27}
SETTLED = timedelta(seconds=60)
WRITE, REPLY, NOTE, ASSIGN, PRIORITISE, SET_STATUS = "write", "reply", "note", "assign", "prioritise", "set_status"


@dataclass(frozen=True)
class Move:
    """Something that somebody did.

    `agent` counts in the team's agents (-1 is the supervisor, None the customer); `value` is a status, a priority or an agent.
    """

    at: datetime
    verb: str
    text: str = ""
    agent: int | None = None
    value: str | int | None = None


@dataclass
class Conversation:
    """One matter of one person in one channel; `ends_at` is when the next of the same person there may begin."""

    person: Person
    scenario: Scenario
    channel: str
    subject: str
    facts: dict[str, str]
    mood: str
    moves: list[Move] = field(default_factory=list)

    @property
    def ends_at(self) -> datetime:
        """After the last move; a matter that nobody closed is left alone for a week, as later messages would join it."""
        last = self.moves[-1]
        is_closed = last.verb == SET_STATUS or last.value == "RESOLVED"
        return last.at + (timedelta(minutes=1) if is_closed else timedelta(days=7, hours=2))


def plan_conversations(
    people: list[Person], agents: dict[str, list[str]], *, now: datetime, zone: tzinfo, rng: random.Random
) -> list[Conversation]:
    """All conversations, the oldest first; `agents` are the names of each trade's agents."""
    starts = sorted(_starts(now, zone, rng), key=lambda start: start[0])
    busy: dict[tuple[int, str, str], datetime] = {}
    planned = []
    for start, scenario, wave in starts:
        person, channel = _who(people, scenario.trade, start, busy, rng)
        writer = _Writer(person, scenario, channel, agents=agents[scenario.trade], rng=rng, wave=wave)
        conversation = writer.write(start.astimezone(zone))
        busy[person.number, scenario.trade, channel] = conversation.ends_at
        conversation.moves = [move for move in conversation.moves if move.at <= now - SETTLED]
        if conversation.moves:
            planned.append(conversation)
    return planned


def _starts(now: datetime, zone: tzinfo, rng: random.Random) -> list[tuple[datetime, Scenario, Wave | None]]:
    starts: list[tuple[datetime, Scenario, Wave | None]] = []
    for trade in rng.choices(list(TRADE_WEIGHTS), weights=list(TRADE_WEIGHTS.values()), k=CONVERSATIONS):
        choices = [scenario for scenario in SCENARIOS if scenario.trade == trade]
        scenario = rng.choices(choices, weights=[one.weight for one in choices])[0]
        starts.append((draw_arrival(trade, now, zone, rng), scenario, None))
    for wave in WAVES:
        starts += [(draw_wave_arrival(wave, now, zone, rng), BY_NAME[wave.scenario], wave) for _ in range(wave.cases)]
    return starts


def _who(
    people: list[Person], trade: str, start: datetime, busy: dict[tuple[int, str, str], datetime], rng: random.Random
) -> tuple[Person, str]:
    """Somebody who deals with this trade and has no unfinished matter in the channel."""
    known = [person for person in people if trade in person.trades]
    weights = [person.eagerness for person in known]
    for person in rng.choices(known, weights=weights, k=200):
        ways = [*(("EMAIL", "FORM") if person.email else ()), *(("API",) if person.phone else ())]
        channel = rng.choice(ways)
        if busy.get((person.number, trade, channel), start) <= start:
            return person, channel
    raise RuntimeError(f"nobody of {len(known)} customers is free to write to {trade} on {start:%Y-%m-%d}; lower CONVERSATIONS")


class _Writer:
    """Writes one conversation down, move by move."""

    def __init__(
        self, person: Person, scenario: Scenario, channel: str, *, agents: list[str], rng: random.Random, wave: Wave | None
    ) -> None:
        self.person, self.scenario, self.agents, self.rng = person, scenario, agents, rng
        self.language, self.busy = person.language, 2.6 if wave else 1.0
        self.thread = Thread(scenario, self.language, rng)
        self.customer, self.house = manners("customer", self.language), manners("agent", self.language)
        self.style = draw_style(scenario.mood, rng)
        self.owner = rng.randrange(len(agents))
        self.wave = wave
        self.conversation = Conversation(person, scenario, channel, "", {}, scenario.mood)

    def write(self, start: datetime) -> Conversation:
        """From the first message until the matter is closed, or left."""
        person = self.person
        in_wave = self.wave is not None and self.rng.random() < 0.85
        self.conversation.facts = facts = draw_facts(self.scenario, self.language, start.date(), self.rng, in_wave=in_wave)
        others = [name for name in self.agents if name != self.agents[self.owner]] or self.agents
        facts |= {"name": person.name, "agent": self.agents[self.owner], "agent2": self.rng.choice(others)}
        if person.company:
            facts["company"] = person.company
        at = self._open(start)
        if self.conversation.channel != "API":
            self.conversation.subject = self._fill(self.thread.choose("S") or "")
        at = self._first_answer(at)
        if self.rng.random() < 0.82 or self.scenario.mood == "N":
            at = self._follow_up(at)
            if self.scenario.mood == "N" and self.rng.random() < 0.22:
                at = self._once_more(at)
        self._close(at)
        self.conversation.moves.sort(key=lambda move: move.at)
        return self.conversation

    def _open(self, start: datetime) -> datetime:
        self._say(start, opening(self.thread, self.language, self.style, self.rng))
        answered = self._work_after(start, answer_minutes(self.scenario.trade, self.rng, busy=self.busy))
        waited = answered - start
        if waited > timedelta(hours=5) and self.rng.random() < 0.4:
            pool = self.customer["CHASE_ANGRY" if self.style == "angry" else "CHASE"]
            self._say(start + waited * self.rng.uniform(0.4, 0.85), self._later(self.rng.choice(pool)))
        if self.rng.random() < 0.3:
            self._steer(start, answered)
        return answered

    def _steer(self, start: datetime, answered: datetime) -> None:
        """The supervisor gives the case to somebody, and now and then says that it is urgent."""
        at = max(answered - self._minutes(4, 30), start + (answered - start) / 2)
        self._do(Move(at, ASSIGN, agent=-1, value=self.owner))
        if self.scenario.mood == "N" and self.rng.random() < 0.35:
            self._do(Move(at + timedelta(seconds=25), PRIORITISE, agent=-1, value=40))
            self._do(Move(at + timedelta(seconds=80), NOTE, self._fill(self.rng.choice(self.house["URGENT"])), agent=-1))

    def _first_answer(self, at: datetime) -> datetime:
        self._reply(at, self._of_thread("A"))
        if self.rng.random() < 0.4:
            note = self.thread.choose("N") if self.rng.random() < 0.7 else None
            self._note(at + self._minutes(2, 9), note or self.rng.choice(self.house["NOTE"]))
        return at

    def _follow_up(self, at: datetime) -> datetime:
        asked = at + timedelta(minutes=min(self.rng.lognormvariate(4.3, 1.1), 60 * 40))
        self._say(asked, self._later(self._of_thread("F")))
        if len(self.agents) > 1 and self.rng.random() < 0.06:
            self._hand_over(asked + self._minutes(5, 15))
        solved = self._work_after(asked, answer_minutes(self.scenario.trade, self.rng, busy=self.busy * 1.6))
        status = "RESOLVED" if self.rng.random() < 0.3 else "WAITING"
        self._reply(solved, self._of_thread("R"), status=status, is_last=True)
        return solved

    def _hand_over(self, at: datetime) -> None:
        name = self.conversation.facts["agent2"]
        self._note(at, self.rng.choice(self.house["HANDOVER"]))
        self.owner = self.agents.index(name)
        self._do(Move(at + timedelta(seconds=30), ASSIGN, agent=-1, value=self.owner))

    def _once_more(self, at: datetime) -> datetime:
        if self._is_resolved():
            return at
        asked = at + timedelta(hours=self.rng.uniform(16, 60))
        self._say(asked, self._later(self.rng.choice(self.customer["STILL"])))
        answered = self._work_after(asked, answer_minutes(self.scenario.trade, self.rng, busy=self.busy))
        self._reply(answered, self.rng.choice(self.house["AGAIN"]))
        return answered

    def _close(self, at: datetime) -> None:
        if self._is_resolved():
            return
        if self.rng.random() < 0.62:
            thanked = at + timedelta(minutes=min(self.rng.lognormvariate(4.8, 1.2), 60 * 60))
            grudging = self.style == "angry" or (self.scenario.mood == "N" and self.rng.random() < 0.45)
            pool = self.customer["GRUDGING" if grudging else "THANKS"]
            self._say(thanked, self._later(self.rng.choice(pool)))
            closed = self._work_after(thanked, self.rng.uniform(4, 90))
        elif self.rng.random() < 0.93:
            closed = self._work_after(at + timedelta(days=self.rng.randint(3, 5)), self.rng.uniform(1, 60))
        else:
            return
        self._do(Move(closed, SET_STATUS, agent=self.owner, value="RESOLVED"))

    def _is_resolved(self) -> bool:
        return self.conversation.moves[-1].value == "RESOLVED"

    def _say(self, at: datetime, text: str) -> None:
        self._do(Move(at, WRITE, self._fill(text)))

    def _reply(self, at: datetime, sentence: str, *, status: str = "WAITING", is_last: bool = False) -> None:
        facts = {**self.conversation.facts, "agent": self.agents[self.owner]}
        text = answer(sentence, self.language, self.rng, is_last=is_last).format(**facts)
        self._do(Move(at, REPLY, text, agent=self.owner, value=status))

    def _note(self, at: datetime, sentence: str) -> None:
        self._do(Move(at, NOTE, self._fill(sentence), agent=self.owner))

    def _do(self, move: Move) -> None:
        self.conversation.moves.append(move)

    def _later(self, sentence: str) -> str:
        return later(sentence, self.language, self.style, self.rng)

    def _of_thread(self, letter: str) -> str:
        chosen = self.thread.choose(letter)
        if chosen is None:
            raise ValueError(f"{self.scenario.name} has no {letter} for the threads {sorted(self.thread.possible)}; add one to its file")
        return chosen

    def _fill(self, text: str) -> str:
        return text.format(**self.conversation.facts)

    def _minutes(self, low: int, high: int) -> timedelta:
        return timedelta(minutes=self.rng.randint(low, high), seconds=self.rng.randrange(60))

    def _work_after(self, at: datetime, minutes: float) -> datetime:
        return at_work(at + timedelta(minutes=minutes), self.scenario.trade, self.rng)
