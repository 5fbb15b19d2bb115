"""What held-back cases say of the ranking, which never learns from them: first replies of agents, automatic ones and their outcome."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Q
from django.db.models.functions import Substr

from careloop.desk.analysis.rules import is_held_back
from careloop.desk.analysis.solution_ranking import Ranked, rank_many
from careloop.desk.solutions.models import SolutionUse
from careloop.desk.solutions.queries import ASKED_WITH, articles_of, examples_of, worth_of_all
from careloop.desk.solutions.rules.threshold import HeldBack
from careloop.desk.solutions.rules.using import AUTO, INSERTED, SHOWN

MOST_HELD_BACK = 1_000


@dataclass
class Asked:
    """One held-back case: what was asked, which solutions were right, which were sent and did not help, and where that is known from."""

    text: str
    right: set[int] = field(default_factory=set)
    wrong: set[int] = field(default_factory=set)
    ways: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Evidence:
    """The rows that a threshold is derived from, and how many of them are of which kind."""

    rows: list[HeldBack]
    n_not_taken: int = 0
    n_sent: int = 0


def rank_for_team(team_id: int, texts: list[str]) -> list[Ranked]:
    """The likeliest solutions of each text, for cases of a team; for jobs."""
    articles = articles_of(team_id)
    keys = {one.solution_id for one in articles}
    return rank_many(articles, examples_of(keys), texts, worth=worth_of_all(keys))


def gather_evidence() -> Evidence:
    """Compare the ranking's first with what was right in each held-back case.

    Right is what an agent used in the first reply, or what an automatic reply said when that has helped. Where a solution was offered with
    confidence and the agent wrote something else, nothing is right. Where an automatic reply did not help, only that solution is known.
    """
    rows, n_not_taken, n_sent = [], 0, 0
    for team_id, cases in _asked_by_team().items():
        for case, found in zip(cases, rank_for_team(team_id, [one.text for one in cases]), strict=True):
            best, probability = found.solutions[0] if found.solutions else (0, 0.0)
            if AUTO in case.ways and not case.right and best not in case.wrong:
                continue  # another solution failed here; of this one nothing is known
            rows.append(HeldBack(probability if found.is_sure else 0.0, best in case.right))
            n_not_taken += case.ways == {SHOWN}
            n_sent += AUTO in case.ways
    return Evidence(rows, n_not_taken, n_sent)


def _asked_by_team() -> dict[int, list[Asked]]:
    used = Q(how__in=(INSERTED, SHOWN), is_first_reply=True) | Q(how=AUTO, has_helped__isnull=False)
    uses = SolutionUse.objects.filter(used, question__isnull=False).order_by("-pk")
    light = uses.annotate(asked=Substr("question__body", 1, ASKED_WITH))
    facts = light.values_list("case__team_id", "question_id", "asked", "solution_id", "how", "has_helped")
    by_team: dict[int, dict[int, Asked]] = defaultdict(dict)
    n = 0
    for team_id, message_id, text, key, how, has_helped in facts.iterator():
        if not is_held_back(message_id):
            continue
        if message_id not in by_team[team_id]:
            n += 1
            if n > MOST_HELD_BACK:
                break
            by_team[team_id][message_id] = Asked(text)
        case = by_team[team_id][message_id]
        case.ways.add(how)
        if how == INSERTED or (how == AUTO and has_helped):
            case.right.add(key)
        elif how == AUTO:
            case.wrong.add(key)
    return {team_id: list(cases.values()) for team_id, cases in by_team.items()}
