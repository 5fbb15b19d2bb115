"""The library of the sample house, and which solutions its agents used where they said what a case is about."""

import re
from datetime import datetime, timedelta
from importlib import resources

from careloop.desk.cases.models import Direction, Message
from careloop.desk.demo.ledger import Ledger
from careloop.desk.demo.staff import House
from careloop.desk.search import actions as search
from careloop.desk.search.actions import Searchable
from careloop.desk.solutions.models import Solution, SolutionStatus, SolutionText, SolutionUse, SolutionVersion
from careloop.desk.solutions.queries import SUBJECT
from careloop.desk.solutions.queueing import vectors_soon
from careloop.desk.solutions.rules.using import Answer, has_helped

PARTS = {"T": "title", "B": "body", "R": "reply"}
LANGUAGES = {"Z": "zh", "E": "en"}
REVIEWED_EVERY = timedelta(days=180)
THANKS = re.compile(r"谢|解决了|\b(thanks?|solved|great)\b", re.IGNORECASE)


def list_entries() -> list[tuple[str, str, dict[str, dict[str, str]]]]:
    """(category, trade or "", texts by language) of each solution."""
    text = (resources.files("careloop.desk.demo") / "scenarios" / "solutions.txt").read_text(encoding="utf-8")
    entries: list[tuple[str, str, dict[str, dict[str, str]]]] = []
    for line in text.splitlines():
        if line.startswith("== "):
            category, _bar, trade = (part.strip() for part in line[3:].partition("|"))
            entries.append((category, trade, {"zh": {}, "en": {}}))
        elif line and not line.startswith("#"):
            mark, _colon, said = line.partition(": ")
            entries[-1][2][LANGUAGES[mark[0]]][PARTS[mark[1]]] = said
    return entries


def write_library(house: House, ledger: Ledger, *, now: datetime) -> None:
    """Published solutions in both languages, their first versions, their place in the index, and their uses so far."""
    entries = list_entries()
    made_at = now - timedelta(days=100)
    solutions = Solution.objects.bulk_create(
        Solution(
            team=house.teams[trade] if trade else None,
            slug=category,
            status=SolutionStatus.PUBLISHED,
            categories=[category],
            review_on=(made_at + REVIEWED_EVERY / (2 if place % 9 == 0 else 1)).date(),
            created_at=made_at,
            changed_at=made_at + timedelta(minutes=place),
        )
        for place, (category, trade, _texts) in enumerate(entries)
    )
    SolutionText.objects.bulk_create(
        SolutionText(solution=solution, language=language, **wording)
        for solution, (_category, _trade, texts) in zip(solutions, entries, strict=True)
        for language, wording in texts.items()
    )
    SolutionVersion.objects.bulk_create(
        SolutionVersion(
            solution=solution, number=1, facts=_facts(solution, texts), saved_by=house.supervisor,
            saved_by_name=house.supervisor.display_name, saved_at=made_at,
        )
        for solution, (_category, _trade, texts) in zip(solutions, entries, strict=True)
    )  # fmt: skip
    search.index(
        [
            Searchable(
                SUBJECT, solution.pk, "\n".join(part for wording in texts.values() for part in wording.values()), team_id=solution.team_id
            )
            for solution, (_category, _trade, texts) in zip(solutions, entries, strict=True)
        ],
        is_new=True,
    )
    _keep_uses({solution.slug: solution for solution in solutions}, ledger, now)
    vectors_soon(now)


def _facts(solution: Solution, texts: dict[str, dict[str, str]]) -> dict[str, object]:
    review_on = solution.review_on.isoformat() if solution.review_on else None
    facts = {"status": str(solution.status), "team_id": solution.team_id, "categories": solution.categories, "review_on": review_on}
    return {"texts": texts, **facts, "is_public": True}


def _keep_uses(by_category: dict[str, Solution], ledger: Ledger, now: datetime) -> None:
    """Where an agent said what a case is about, the first reply used the solution for it; later words of the customer say how it went."""
    answers: dict[int, list[Answer]] = {}
    first: dict[int, Message] = {}
    for message in ledger.messages:
        if message.direction == Direction.INBOUND and message.case is not None:
            answers.setdefault(message.case.pk, []).append(Answer(message.sent_at, is_thanks=THANKS.search(message.body) is not None))
        if message.direction == Direction.OUTBOUND and message.case is not None:
            known = first.get(message.case.pk)
            if known is None or message.sent_at < known.sent_at:
                first[message.case.pk] = message
    uses = []
    for word in ledger.words:
        case, solution = word.message.case, by_category.get(word.value)
        if case is None or solution is None or case.pk not in first:
            continue
        reply = first.pop(case.pk)
        helped = has_helped(reply.sent_at, [one for one in answers[case.pk] if one.at > reply.sent_at], now)
        uses.append(
            SolutionUse(
                solution=solution, case=case, question=word.message, message=reply, who=word.author, how="INSERTED", is_first_reply=True,
                at=reply.sent_at, has_helped=helped,
            )
        )  # fmt: skip
    SolutionUse.objects.bulk_create(uses)
