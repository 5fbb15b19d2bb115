"""Writing the library: each save is a version; what visitors say; the search index follows."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import solution_ranking
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.notices.actions import notify
from careloop.desk.search import actions as search
from careloop.desk.search.actions import Searchable
from careloop.desk.solutions.models import HelpVote, Solution, SolutionStatus, SolutionText, SolutionVersion
from careloop.desk.solutions.queries import SUBJECT, access_solution, articles_of, get_help, get_version
from careloop.desk.solutions.rules.letters import LANGUAGES, VARIABLES, unknown_variables

LONGEST_TITLE, LONGEST_TEXT = 160, 20_000


@dataclass(frozen=True)
class Wording:
    """What a solution says in one language."""

    title: str = ""
    body: str = ""
    reply: str = ""

    def is_blank(self) -> bool:
        """Whether nothing was written."""
        return not (self.title or self.body or self.reply)


@dataclass(frozen=True)
class Facts:
    """Everything of a solution that is saved; `texts` by language."""

    texts: Mapping[str, Wording]
    status: str = SolutionStatus.DRAFT
    team_id: int | None = None
    categories: tuple[str, ...] = ()
    review_on: date | None = None
    is_public: bool = True


def save_solution(
    *, facts: Facts, viewer: Viewer, now: datetime, solution_id: int | None = None, expected_version: int | None = None
) -> Solution:
    """Write a new solution or the next version of one; Conflict when somebody else saved in between."""
    check_may(viewer, "solution.edit")
    texts = _check(facts, viewer)
    with transaction.atomic():
        solution = _to_change(solution_id, expected_version, viewer) if solution_id is not None else Solution(version=0, created_at=now)
        solution.slug = solution.slug or _new_slug(texts)
        solution.status, solution.team_id, solution.is_public = facts.status, facts.team_id, facts.is_public
        solution.categories, solution.review_on = list(facts.categories), facts.review_on
        solution.version, solution.changed_at = solution.version + 1, now
        solution.save()
        _write_texts(solution, texts)
        SolutionVersion.objects.create(
            solution=solution, number=solution.version, facts=_plain(facts, texts), saved_by_id=viewer.user_id, saved_by_name=viewer.name,
            saved_at=now,
        )  # fmt: skip
        _index(solution, texts)
        details = {"version": solution.version, "status": str(solution.status)}
        audit.record(
            actor=actor_of(viewer), action="solution.save", object_type="solution", object_id=solution.pk, now=now, details=details
        )
    return solution


def restore_version(*, solution_id: int, number: int, viewer: Viewer, now: datetime) -> Solution:
    """Save an earlier version again, as the newest; nothing is forgotten."""
    check_may(viewer, "solution.edit")
    solution = access_solution(solution_id, viewer)
    kept = get_version(solution, number).facts
    texts = {language: Wording(**wording) for language, wording in kept["texts"].items()}
    review_on = date.fromisoformat(kept["review_on"]) if kept["review_on"] else None
    facts = Facts(texts, kept["status"], kept["team_id"], tuple(kept["categories"]), review_on, kept["is_public"])
    return save_solution(facts=facts, viewer=viewer, now=now, solution_id=solution_id, expected_version=solution.version)


def record_vote(*, slug: str, visitor: str, has_helped: bool, now: datetime) -> bool:
    """What a visitor said of a help page; returns False, and keeps the first word, when they had said something before."""
    solution = get_help(slug)
    hashed = hashlib.sha256(visitor.encode()).hexdigest()
    _vote, is_new = HelpVote.objects.get_or_create(solution=solution, visitor=hashed, defaults={"has_helped": has_helped, "at": now})
    return is_new


def remind_of_reviews(*, now: datetime) -> int:
    """Tell those who may edit a solution that its review is due, once for each date; returns how many are due."""
    due = Solution.objects.filter(review_on__lte=now.date()).exclude(status=SolutionStatus.ARCHIVED).prefetch_related("texts")
    people = list(User.objects.filter(is_active=True, role__in=("OWNER", "SUPERVISOR")).prefetch_related("teams"))
    n = 0
    for solution in due:
        n += 1
        title = " · ".join(one.title for one in solution.texts.all())
        told = [
            one.pk
            for one in people
            if one.role == "OWNER" or solution.team_id is None or solution.team_id in {t.pk for t in one.teams.all()}
        ]
        key = f"solution review {solution.pk} {solution.review_on}"
        notify(user_ids=told, kind="SOLUTION", key=key, facts={"text": title, "solution": solution.pk}, now=now)
    return n


def keep_vectors() -> int:
    """Make what screens compare the library with; for jobs."""
    return solution_ranking.keep_vectors(articles_of(None))


def _to_change(solution_id: int, expected_version: int | None, viewer: Viewer) -> Solution:
    access_solution(solution_id, viewer)
    solution: Solution = Solution.objects.select_for_update().get(pk=solution_id)
    if expected_version is not None and solution.version != expected_version:
        sentence = _("%(name)s saved version %(number)s in between; look at it, then save yours if it is still right.")
        newest = get_version(solution, solution.version)
        raise Conflict(sentence % {"name": newest.saved_by_name, "number": solution.version}, field="form")
    return solution


def _check(facts: Facts, viewer: Viewer) -> dict[str, Wording]:
    texts = {language: wording for language, wording in facts.texts.items() if not wording.is_blank()}
    if unknown := set(texts) - set(LANGUAGES):
        raise InvalidInput(f"The language is {min(unknown)!r}; expected one of {', '.join(LANGUAGES)}.", field="form")
    if not texts:
        raise InvalidInput(_("The solution says nothing yet; write a title and a text in one language at least."), field="form")
    if facts.status not in SolutionStatus.values:
        raise InvalidInput(f"The status is {facts.status!r}; expected one of {', '.join(SolutionStatus.values)}.", field="status")
    if facts.team_id is None and viewer.team_ids is not None and not viewer.team_ids:
        raise InvalidInput(_("You belong to no team; an owner of the desk gives you one."), field="team")
    if facts.team_id is not None and not viewer.sees_team(facts.team_id):
        raise InvalidInput(_("This team is not one of yours; choose one from the list."), field="team")
    for language, wording in texts.items():
        _check_wording(language, wording)
    return texts


def _check_wording(language: str, wording: Wording) -> None:
    if not wording.title.strip():
        raise InvalidInput(_("The title is missing; what would a customer call this?"), field=f"title_{language}")
    if len(wording.title) > LONGEST_TITLE:
        raise InvalidInput(_("The title is longer than %(n)s characters; shorten it.") % {"n": LONGEST_TITLE}, field=f"title_{language}")
    if not (wording.body.strip() or wording.reply.strip()):
        raise InvalidInput(_("There is a title but no text; write the article or the reply."), field=f"body_{language}")
    for name in ("body", "reply"):
        text = getattr(wording, name)
        if len(text) > LONGEST_TEXT:
            raise InvalidInput(_("The text is longer than %(n)s characters; shorten it.") % {"n": LONGEST_TEXT}, field=f"{name}_{language}")
    if unknown := unknown_variables(wording.reply):
        sentence = _("Nothing fills {{%(name)s}}; the variables are %(known)s.")
        raise InvalidInput(
            sentence % {"name": unknown[0], "known": ", ".join(f"{{{{{one}}}}}" for one in VARIABLES)}, field=f"reply_{language}"
        )


def _new_slug(texts: Mapping[str, Wording]) -> str:
    """A name for addresses: from the English title, else a number that is free."""
    base = slugify(texts["en"].title)[:60] if "en" in texts else ""
    base = base or "solution"
    taken = set(Solution.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)


def _write_texts(solution: Solution, texts: Mapping[str, Wording]) -> None:
    solution.texts.exclude(language__in=texts).delete()
    for language, wording in texts.items():
        SolutionText.objects.update_or_create(solution=solution, language=language, defaults=_stripped(wording))


def _stripped(wording: Wording) -> dict[str, str]:
    return {name: text.replace("\0", "").replace("\r\n", "\n").strip() for name, text in asdict(wording).items()}


def _plain(facts: Facts, texts: Mapping[str, Wording]) -> dict[str, Any]:
    return {
        "texts": {language: _stripped(wording) for language, wording in texts.items()},
        "status": str(facts.status),
        "team_id": facts.team_id,
        "categories": list(facts.categories),
        "review_on": facts.review_on.isoformat() if facts.review_on else None,
        "is_public": facts.is_public,
    }


def _index(solution: Solution, texts: Mapping[str, Wording]) -> None:
    said = "\n".join(part for wording in texts.values() for part in (wording.title, wording.body, wording.reply))
    search.index([Searchable(SUBJECT, solution.pk, said, team_id=solution.team_id)])
