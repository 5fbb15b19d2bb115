"""The library as screens and help pages read it, and what is ranked for a case."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from django.db.models import Count, F, Prefetch, Q
from django.db.models.functions import Substr
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.models import Reading
from careloop.desk.analysis.rules import is_held_back
from careloop.desk.analysis.solution_ranking import Article, Example, Ranked, list_encoded, rank_stored
from careloop.desk.cases.models import Case, Direction
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import Conflict, NotFound
from careloop.desk.search.queries import matching
from careloop.desk.solutions.models import HelpVote, Solution, SolutionStatus, SolutionText, SolutionUse, SolutionVersion
from careloop.desk.solutions.rules.letters import CHINESE, ENGLISH, fill, language_of, letter, named_once
from careloop.desk.solutions.rules.likeness import ALIKE, likeness, pieces_of
from careloop.desk.solutions.rules.threshold import interval_of
from careloop.desk.solutions.rules.using import AUTO, INSERTED, SHOWN
from careloop.desk.solutions.rules.worth import Judged, worth_of

SUBJECT = "SOLUTION"  # of the search index
PAGE = 50
OFFERED = 3
LEAST_OFFERED = 0.01  # the first is always offered, others only from this probability on
FOUND = 8  # solutions of a search beside a case
EXAMPLES = 400  # newest uses that the ranking learns from
MOST_JUDGED = 2_000  # newest uses that tell how much a solution helps
ASKED_WITH = 1_000  # characters of a message
HELP_SHOWN = 60
ALIKE_SHOWN = 3
ALIKE_SHOWN = 3
READINGS = 20  # messages of a case whose orders and parcels are looked at


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to."""

    query: str = ""
    status: str = ""
    category: str = ""
    is_due: bool = False
    page: int = 1


@dataclass(frozen=True)
class Row:
    """A solution with what its list shows; `text` is in the reader's language where there is one."""

    solution: Solution
    text: SolutionText
    n_used: int = 0
    n_helped: int = 0
    n_judged: int = 0
    yes: int = 0
    no: int = 0
    is_due: bool = False
    n_not_taken: int = 0

    @property
    def help_interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share of judged uses that helped."""
        return interval_of(self.n_helped, self.n_judged)

    @property
    def vote_interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share of visitors who said yes."""
        return interval_of(self.yes, self.yes + self.no)


@dataclass(frozen=True)
class LibraryPage:
    """One page of the library."""

    rows: list[Row]
    total: int
    pages: int
    n_due: int
    statuses: list[tuple[str, Any]] = field(default_factory=lambda: list(SolutionStatus.choices))


@dataclass(frozen=True)
class Offer:
    """A solution offered in a case: its probability (None when it was looked for) and its reply, ready to be sent."""

    row: Row
    probability: float | None
    reply: str
    title: str
    language: str
    is_foreign: bool  # there is no text in the customer's language


@dataclass(frozen=True)
class Offers:
    """What is offered in a case."""

    case: Case
    offers: list[Offer]
    ranked: Ranked
    has_library: bool


def reader_language() -> str:
    """ "zh" or "en", as the page is shown."""
    return CHINESE if (get_language() or "").startswith("zh") else ENGLISH


def library(wanted: Wanted, viewer: Viewer, today: date) -> LibraryPage:
    """The solutions in the viewer's sight, newest changes first; a fixed number of queries."""
    seen = Solution.objects.visible_to(viewer)
    rows = seen.exclude(status=SolutionStatus.ARCHIVED) if not wanted.status else seen.filter(status=wanted.status)
    if wanted.query.strip():
        rows = rows.filter(pk__in=found_by(wanted.query))
    due = Q(review_on__lte=today) & ~Q(status=SolutionStatus.ARCHIVED)
    if wanted.is_due:
        rows = rows.filter(due)
    if wanted.category:
        rows = rows.filter(pk__in=[key for key, codes in rows.values_list("pk", "categories") if wanted.category in codes])
    total = rows.count()
    pages = max(1, -(-total // PAGE))
    page = min(max(1, wanted.page), pages)
    shown = list(rows.prefetch_related("texts").order_by("-changed_at", "-pk")[(page - 1) * PAGE : page * PAGE])
    return LibraryPage(rows_of(shown, today), total, pages, seen.filter(due).count())


def list_published_after(viewer: Viewer, *, query: str, after: int, limit: int, today: date) -> list[Row]:
    """Published solutions with a larger number in the viewer's sight, narrowed to a search, in their order."""
    rows = Solution.objects.visible_to(viewer).filter(status=SolutionStatus.PUBLISHED, pk__gt=after)
    if query.strip():
        rows = rows.filter(pk__in=found_by(query))
    return rows_of(list(rows.prefetch_related("texts").order_by("pk")[:limit]), today)


def found_by(query: str) -> Any:
    """The numbers of the solutions that hold every word of a query, in either language."""
    return matching(query).filter(subject=SUBJECT).values("object_id")


def rows_of(solutions: list[Solution], today: date) -> list[Row]:
    """The solutions with their counts, in the given order (two queries)."""
    keys = [one.pk for one in solutions]
    noted = SolutionUse.objects.filter(solution_id__in=keys).order_by()
    uses = {
        one["solution_id"]: one
        for one in noted.values("solution_id").annotate(
            used=Count("pk", filter=~Q(how=SHOWN)),
            judged=Count("has_helped"),
            helped=Count("pk", filter=Q(has_helped=True)),
            not_taken=Count("pk", filter=Q(how=SHOWN)),
        )
    }
    votes = {
        one["solution_id"]: one
        for one in HelpVote.objects.filter(solution_id__in=keys)
        .order_by()
        .values("solution_id")
        .annotate(yes=Count("pk", filter=Q(has_helped=True)), no=Count("pk", filter=Q(has_helped=False)))
    }
    none: dict[str, int] = {}
    found = []
    for one in solutions:
        use, vote = uses.get(one.pk, none), votes.get(one.pk, none)
        is_due = one.review_on is not None and one.review_on <= today and one.status != SolutionStatus.ARCHIVED
        counts = (use.get("used", 0), use.get("helped", 0), use.get("judged", 0), vote.get("yes", 0), vote.get("no", 0))
        found.append(Row(one, text_of(one), *counts, is_due, use.get("not_taken", 0)))
    return found


def text_of(solution: Solution, language: str = "") -> SolutionText:
    """Its text in a language (the reader's, if none is named), else in the other one."""
    texts = {one.language: one for one in solution.texts.all()}
    first = language or reader_language()
    return texts.get(first) or next(iter(texts.values()), SolutionText(solution=solution, language=first, title=solution.slug))


def access_solution(solution_id: int, viewer: Viewer) -> Solution:
    """One solution of the house or of the viewer's teams."""
    found = Solution.objects.visible_to(viewer).prefetch_related("texts").filter(pk=solution_id).first()
    if found is None:
        raise NotFound(_("There is no such solution, or it belongs to another team."))
    return cast(Solution, found)


def access_published(solution_id: int, viewer: Viewer) -> Solution:
    """One solution that may be used; Conflict when it was withdrawn since it was offered."""
    solution = access_solution(solution_id, viewer)
    if solution.status != SolutionStatus.PUBLISHED:
        raise Conflict(_("This solution was withdrawn in the meantime; load the suggestions again and choose another one."))
    return solution


def list_alike(solution: Solution) -> list[tuple[SolutionText, float]]:
    """The other solutions that say nearly the same in one language, and how alike they are (0–1), most alike first."""
    mine = {one.language: pieces_of(one.title, one.body, one.reply) for one in SolutionText.objects.filter(solution=solution)}
    others = SolutionText.objects.exclude(solution=solution).exclude(solution__status=SolutionStatus.ARCHIVED)
    if solution.team_id is not None:
        others = others.filter(Q(solution__team=None) | Q(solution__team_id=solution.team_id))
    best: dict[int, tuple[SolutionText, float]] = {}
    for text in others.filter(language__in=mine):
        share = likeness(mine[text.language], pieces_of(text.title, text.body, text.reply))
        if share >= ALIKE and share > best.get(text.solution_id, (text, 0.0))[1]:
            best[text.solution_id] = (text, share)
    return sorted(best.values(), key=lambda pair: -pair[1])[:ALIKE_SHOWN]


def list_versions(solution: Solution) -> list[SolutionVersion]:
    """Every saved version, newest first."""
    return list(solution.versions.order_by("-number"))


def get_version(solution: Solution, number: int) -> SolutionVersion:
    """One saved version."""
    found = solution.versions.filter(number=number).first()
    if found is None:
        raise NotFound(_("There is no version %(number)s of this solution.") % {"number": number})
    return found


def articles_of(team_id: int | None) -> list[Article]:
    """The texts that are ranked for cases of a team: published, of the team or of the house."""
    rows = SolutionText.objects.filter(solution__status=SolutionStatus.PUBLISHED).order_by("solution_id", "-language")
    if team_id is not None:
        rows = rows.filter(Q(solution__team=None) | Q(solution__team_id=team_id))
    return [Article(one.solution_id, one.language, one.title, one.body or one.reply) for one in rows]


def list_encoded_texts() -> list[str]:
    """Texts of the library whose vectors must be kept."""
    return list_encoded(articles_of(None))


def examples_of(keys: set[int]) -> list[Example]:
    """What customers had written where agents used these solutions or automatic replies helped; messages that only test are left out."""
    taught = Q(how=INSERTED) | Q(how=AUTO, has_helped=True)
    uses = SolutionUse.objects.filter(taught, solution_id__in=keys, question__isnull=False)
    light = uses.annotate(asked=Substr("question__body", 1, ASKED_WITH)).order_by("-pk")
    found = light.values_list("question_id", "asked", "solution_id")[:EXAMPLES]
    return [Example(asked, language_of(asked), key) for message_id, asked, key in found if not is_held_back(message_id)]


def worth_of_all(keys: set[int]) -> dict[int, float]:
    """How much more or less these solutions help than the others: what became of uses, and help pages; held-back cases only test."""
    counts = {key: [0, 0] for key in keys}
    uses = SolutionUse.objects.filter(solution_id__in=keys, has_helped__isnull=False).order_by("-pk")
    for message_id, key, has_helped in uses.values_list("question_id", "solution_id", "has_helped")[:MOST_JUDGED]:
        if message_id is None or not is_held_back(message_id):
            counts[key][0] += bool(has_helped)
            counts[key][1] += 1
    for key, yes, n in (
        HelpVote.objects.filter(solution_id__in=keys)
        .order_by()
        .values_list("solution_id")
        .annotate(yes=Count("pk", filter=Q(has_helped=True)), n=Count("pk"))
    ):
        counts[key][0] += yes
        counts[key][1] += n
    return worth_of({key: Judged(*pair) for key, pair in counts.items()})


def worth_now(solution: Solution) -> float:
    """The factor of its probability in the ranking of its team."""
    return worth_of_all({one.solution_id for one in articles_of(solution.team_id)}).get(solution.pk, 1.0)


def offers(case_id: int, viewer: Viewer, now: datetime, query: str = "") -> Offers:
    """The likeliest solutions for a case, or those that a search of the library finds; nothing is encoded."""
    case = access_case(case_id, viewer)
    chosen: list[tuple[int, float | None]]
    articles = articles_of(case.team_id)
    asked = first_question(case)
    if query.strip():
        keys = {one.solution_id for one in articles}
        hits = list(
            Solution.objects.filter(pk__in=found_by(query)).filter(pk__in=keys).order_by("-changed_at")[:FOUND].values_list("pk", flat=True)
        )
        ranked, chosen = Ranked((), False, False, False), [(key, None) for key in hits]
    else:
        keys = {one.solution_id for one in articles}
        ranked = rank_stored(articles, examples_of(keys), asked, OFFERED, worth_of_all(keys))
        likely = [one for place, one in enumerate(ranked.solutions) if place == 0 or not ranked.is_calibrated or one[1] >= LEAST_OFFERED]
        chosen = [(key, probability if ranked.is_calibrated else None) for key, probability in likely]
    solutions = {one.pk: one for one in Solution.objects.filter(pk__in=[key for key, _p in chosen]).prefetch_related("texts")}
    rows = {row.solution.pk: row for row in rows_of(list(solutions.values()), now.date())}
    language = language_of(asked, case.customer.language)
    facts = facts_of(case, viewer)
    found = []
    for key, probability in chosen:
        if key in rows:  # it may have been deleted since it was ranked
            text = text_of(rows[key].solution, language)
            found.append(
                Offer(rows[key], probability, fill(text.reply or text.body, facts), text.title, text.language, text.language != language)
            )
    return Offers(case, found, ranked, bool(articles))


def draft_of(case_id: int, solution_id: int, viewer: Viewer) -> tuple[Case, Solution, str]:
    """A whole letter from a solution, the customer and the case, in the customer's language: greeting, reply, closing."""
    case = access_case(case_id, viewer)
    solution = access_published(solution_id, viewer)
    language = language_of(first_question(case), case.customer.language)
    text = text_of(solution, language)
    return case, solution, letter(text.reply or text.body, facts_of(case, viewer), text.language)


def facts_of(case: Case, viewer: Viewer | None) -> dict[str, str]:
    """What variables stand for in a case; numbers of orders and parcels only where the customer named exactly one."""
    who = {"customer.name": case.customer.name, "case.number": str(case.pk), "agent.name": viewer.name if viewer else ""}
    said = Reading.objects.filter(case=case, message__direction=Direction.INBOUND).order_by("pk").values_list("details", flat=True)
    entities = [(one.get("type", ""), one.get("text", "")) for details in said[:READINGS] for one in details.get("entities", [])]
    return {**who, **named_once(entities)}


def first_question(case: Case) -> str:
    """What the customer wrote first."""
    first = case.messages.filter(direction=Direction.INBOUND).annotate(asked=Substr("body", 1, ASKED_WITH)).order_by("sent_at", "pk")
    return first.values_list("asked", flat=True).first() or ""


def list_help(query: str) -> list[Row]:
    """Published public solutions, those that help most first, narrowed to a search."""
    rows = Solution.objects.filter(status=SolutionStatus.PUBLISHED, is_public=True)
    if query.strip():
        rows = rows.filter(pk__in=found_by(query))
    counted = rows.annotate(yes=Count("votes", filter=Q(votes__has_helped=True))).order_by(F("yes").desc(), "slug")
    texts = Prefetch("texts", queryset=SolutionText.objects.order_by("language"))
    return [Row(one, text_of(one)) for one in counted.prefetch_related(texts)[:HELP_SHOWN]]


def get_help(slug: str) -> Solution:
    """One published public solution."""
    found = Solution.objects.filter(slug=slug, status=SolutionStatus.PUBLISHED, is_public=True).prefetch_related("texts").first()
    if found is None:
        raise NotFound(_("There is no help page of this name."))
    return cast(Solution, found)


def count_solutions() -> int:
    """How many solutions the house has, whatever their status."""
    return Solution.objects.count()
