"""What may be entered about people and teams: plain Python; a refusal says what was given and what was expected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.routing.rules.matching import MOST_CAPACITY, MOST_LEVEL

STATUSES = ("AVAILABLE", "BUSY", "AWAY")
MODES = ("OFF", "SUGGEST", "ASSIGN")
LANGUAGES = ("zh", "en")
MOST_PER_ROUND = 2_000
MOST_MINUTES = 480
MOST_SKILLS = 100
NAME_LENGTH = 100


@dataclass(frozen=True)
class ProfileFacts:
    """What a supervisor enters about a person; `version` is the one that was seen (0: none yet)."""

    user_id: int
    capacity: int
    skills: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    calendar_id: int | None = None
    version: int = 0


@dataclass(frozen=True)
class SettingFacts:
    """How a team shall route; `minutes` of work by kind, those that are missing as usual."""

    mode: str
    is_sticky: bool = True
    most_per_round: int = 200
    minutes: Mapping[str, int] = field(default_factory=dict)
    version: int = 0


def check_profile(facts: ProfileFacts) -> None:
    """Refuse what makes no sense."""
    if not 0 <= facts.capacity <= MOST_CAPACITY:
        sentence = Sentence("The capacity is {given}; expected 0 to {most} open cases.", given=facts.capacity, most=MOST_CAPACITY)
        raise InvalidInput(sentence, field="capacity")
    if len(facts.skills) > MOST_SKILLS or any(len(name) > NAME_LENGTH for name in facts.skills):
        sentence = Sentence("There are {given} skills; expected at most {most}.", given=len(facts.skills), most=MOST_SKILLS)
        raise InvalidInput(sentence, field="skills")
    for name, level in [*facts.skills.items(), *facts.languages.items()]:
        if not 0 <= level <= MOST_LEVEL:
            sentence = Sentence("The level of {name} is {level}; expected 0 (never) to {most}.", name=name, level=level, most=MOST_LEVEL)
            raise InvalidInput(sentence, field="skills")
    if unknown := sorted(set(facts.languages) - set(LANGUAGES)):
        raise InvalidInput(Sentence("The language is {given}; expected zh or en.", given=unknown[0]), field="languages")


def check_setting(facts: SettingFacts) -> None:
    """Refuse what makes no sense."""
    if facts.mode not in MODES:
        raise InvalidInput(Sentence("The mode is “{given}”; expected {modes}.", given=facts.mode, modes=", ".join(MODES)), field="mode")
    if not 1 <= facts.most_per_round <= MOST_PER_ROUND:
        sentence = Sentence("{given} cases a round; expected 1 to {most}.", given=facts.most_per_round, most=MOST_PER_ROUND)
        raise InvalidInput(sentence, field="most_per_round")
    for minutes in facts.minutes.values():
        if not 1 <= minutes <= MOST_MINUTES:
            sentence = Sentence("A case takes {given} minutes; expected 1 to {most}.", given=minutes, most=MOST_MINUTES)
            raise InvalidInput(sentence, field="minutes")


def check_availability(status: str, away_until: datetime | None, now: datetime) -> None:
    """Refuse an unknown status, and an absence that is over before it begins."""
    if status not in STATUSES:
        sentence = Sentence("The availability is “{given}”; expected {statuses}.", given=status, statuses=", ".join(STATUSES))
        raise InvalidInput(sentence, field="status")
    if away_until is not None and (status != "AWAY" or away_until <= now):
        raise InvalidInput(Sentence("Only an absence has an end, and it lies in the future; leave it blank otherwise."), field="away_until")


def read_skills(text: str) -> dict[str, int]:
    """Skills by category as a person writes them: “leak 3, delivery 2”."""
    found: dict[str, int] = {}
    for part in text.replace("，", ",").replace("\n", ",").split(","):
        if not part.strip():
            continue
        code, _space, level = part.strip().rpartition(" ")
        if not code or not (level.isascii() and level.isdigit() and len(level) == 1):
            raise InvalidInput(
                Sentence("“{given}” is no skill; write a category’s code and 0 to 3: leak 3.", given=part.strip()[:40]), field="skills"
            )
        found[f"category:{code.strip()}"] = int(level)
    return found


def show_skills(skills: Mapping[str, int]) -> str:
    """Skills by category as they are written; those of kinds have columns of their own."""
    prefix = "category:"
    return ", ".join(f"{name.removeprefix(prefix)} {level}" for name, level in sorted(skills.items()) if name.startswith(prefix))
