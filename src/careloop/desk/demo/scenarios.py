"""What people of the sample house talk about: the catalogue of scenarios and the sentences of each, read from scenarios/*.txt.

A text file has sections `== name` with lines `LETTER: sentence`. For a scenario: S subjects (divided by |), O how the customer opens,
D details, Q what they ask for, A the agent's first answer, F what the customer says to that, R how it is resolved, N an internal note.
Digits behind a letter name threads: a sentence marked A12 only occurs in conversations whose other sentences belong to thread 1 or 2
(or to all), so that nobody who asked for a refund is promised a replacement.
"""

import random
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

CHINESE, ENGLISH, MIXED = "zh-Hans", "en", "mixed"
TRADES = ("shop", "bank", "travel")
FILE_LANGUAGE = {CHINESE: "zh", MIXED: "zh", ENGLISH: "en"}

ALL_THREADS = "123456789"
MARK = re.compile(r"[A-Z_]+|[SODQAFRN][1-9]+")

Section = dict[str, list[str]]


@dataclass(frozen=True)
class Scenario:
    """A matter that customers write about; `mood` is P pleased, M neutral, N displeased; `weight` how often it happens."""

    name: str
    trade: str
    kind: str
    weight: int
    mood: str
    products: tuple[str, ...] = ()


def _scenarios(trade: str, rows: str) -> list[Scenario]:
    found = []
    for row in rows.strip().splitlines():
        name, kind, weight, mood, *products = row.split()
        found.append(Scenario(name, trade, kind, int(weight), mood, tuple(products)))
    return found


SCENARIOS: tuple[Scenario, ...] = (
    *_scenarios(
        "shop",
        """
        late_parcel       COMPLAINT    16 N
        leaking_heater    REFUND        3 N heater
        wrong_size        REFUND       11 M clothing
        broken_on_arrival REFUND        9 N kitchen digital
        missing_part      COMPLAINT     6 M home
        wrong_item        COMPLAINT     6 N clothing kitchen home
        charged_twice     REFUND        4 N
        fapiao            CONSULTATION 10 M
        cancel_order      REFUND        8 M
        price_drop        CONSULTATION  6 M
        how_to_use        CONSULTATION  7 M digital
        cleaning          CONSULTATION  5 M kitchen
        stock_question    CONSULTATION  7 M clothing
        praise_agent      PRAISE        7 P heater home
        suggestion        SUGGESTION    5 M
        refund_slow       COMPLAINT     8 N
        warranty          CONSULTATION  7 M kitchen heater
        courier_rude      COMPLAINT     4 N kitchen home
        """,
    ),
    *_scenarios(
        "bank",
        """
        double_charge       COMPLAINT     9 N
        card_blocked        COMPLAINT    11 N
        foreign_fee         COMPLAINT     8 N
        lost_card           CONSULTATION  6 M
        app_login           COMPLAINT    10 N
        transfer_stuck      COMPLAINT     9 N
        statement_request   CONSULTATION 10 M
        limit_increase      CONSULTATION  8 M
        unknown_transaction COMPLAINT     8 N
        early_repayment     CONSULTATION  6 M
        rate_question       CONSULTATION  9 M
        branch_queue        COMPLAINT     5 N
        atm_kept_cash       COMPLAINT     4 N
        praise_bank         PRAISE        6 P
        suggestion_bank     SUGGESTION    5 M
        """,
    ),
    *_scenarios(
        "travel",
        """
        flight_change     CONSULTATION 13 M
        flight_cancelled  REFUND        2 N
        hotel_overbooked  COMPLAINT     6 N
        ticket_refund     REFUND       10 N
        luggage_lost      COMPLAINT     7 N
        name_misspelt     CONSULTATION  6 M
        travel_invoice    CONSULTATION  9 M
        visa_question     CONSULTATION  9 M
        room_dirty        COMPLAINT     8 N
        group_booking     CONSULTATION  6 M
        seat_meal         CONSULTATION  8 M
        guide_praise      PRAISE        8 P
        suggestion_travel SUGGESTION    5 M
        insurance_claim   CONSULTATION  5 M
        driver_no_show    COMPLAINT     5 N
        """,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def parse_sections(text: str) -> dict[str, Section]:
    """The sections of a text file; ValueError names the first line that is none of ours."""
    sections: dict[str, Section] = {}
    current: Section | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("== "):
            current = sections.setdefault(line[3:].strip(), {})
            continue
        letter, colon, sentence = line.partition(": ")
        if current is None or not colon or not MARK.fullmatch(letter) or not sentence.strip():
            raise ValueError(f"line {number} is {line!r}; expected `== name` or `LETTERS: sentence` inside a section")
        current.setdefault(letter, []).append(sentence.strip())
    return sections


@cache
def _sections(stem: str, language: str) -> dict[str, Section]:
    name = f"{stem}_{FILE_LANGUAGE[language]}.txt"
    return parse_sections((resources.files("careloop.desk.demo") / "scenarios" / name).read_text(encoding="utf-8"))


class Thread:
    """The sentences of one conversation: each choice leaves only those that go with it."""

    def __init__(self, scenario: Scenario, language: str, rng: random.Random) -> None:
        self.rng, self.possible = rng, set(ALL_THREADS)
        self.lines: dict[str, list[tuple[set[str], str]]] = {}
        for mark, sentences in _sections(scenario.trade, language)[scenario.name].items():
            threads = set(mark[1:] or ALL_THREADS)
            parts = [part.strip() for one in sentences for part in (one.split("|") if mark[0] == "S" else [one])]
            self.lines.setdefault(mark[0], []).extend((threads, part) for part in parts)

    def choose(self, letter: str) -> str | None:
        """One sentence that goes with those chosen so far, or None when none does."""
        fitting = [line for line in self.lines.get(letter, ()) if line[0] & self.possible]
        if not fitting:
            return None
        chosen = self.rng.choice(fitting)
        self.lines[letter].remove(chosen)
        self.possible &= chosen[0]
        return chosen[1]


def manners(who: str, language: str) -> Section:
    """What "customer" or "agent" says whatever the matter is."""
    return _sections("manners", language)[who]


def review_sentences(category: str, language: str) -> Section:
    """The sentences of reviews of one category of products."""
    return _sections("reviews", language)[category]
