"""Cases that are probably the same matter: found by customer, by numbers and by words, each with a probability."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.similar_queries import codes_of_case, list_similar
from careloop.desk.cases.models import Case, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.merging.models import CaseLink, NotTheSame
from careloop.desk.merging.rules import Likeness, probability_of_same
from careloop.desk.search.sharing import find_sharing

WITHIN = timedelta(days=60)
OF_CUSTOMER = 20
SIMILAR = 20
SHARED = 40
SHOWN = 3
LEAST = 0.5


@dataclass(frozen=True)
class Duplicate:
    """A case, the probability that it is about the same matter, and what speaks for it."""

    case: Case
    probability: float
    likeness: Likeness


def list_duplicates(case_id: int, viewer: Viewer, most: int = SHOWN, least: float = LEAST) -> list[Duplicate]:
    """The likeliest first; a merged case has none, and those that somebody told apart are left out."""
    case = access_case(case_id, viewer)
    if case.status == Status.MERGED:
        return []
    told_apart = _told_apart(case.pk)
    found = [one for one in compare(case, viewer) if one.probability >= least and one.case.pk not in told_apart]
    return sorted(found, key=lambda one: (-one.probability, -one.case.pk))[:most]


def compare(case: Case, viewer: Viewer) -> list[Duplicate]:
    """Every case that might be the same matter, with its probability; a fixed number of queries."""
    codes = codes_of_case(case.pk)
    sharing = find_sharing(codes, besides_case=case.pk, team_ids=viewer.team_ids, most=SHARED) if codes else []
    same_code = {one.case_id for one in sharing}
    similar = {one.case.pk: one for one in list_similar(case.pk, viewer, SIMILAR).found}
    unmerged = Case.objects.visible_to(viewer).exclude(status=Status.MERGED).exclude(pk=case.pk)
    window = (case.opened_at - WITHIN, case.opened_at + WITHIN)
    theirs = unmerged.filter(customer_id=case.customer_id, opened_at__range=window).order_by("-last_message_at")[:OF_CUSTOMER]
    found = {one.pk: one for one in theirs.select_related("customer")}
    missing = (same_code | similar.keys()) - found.keys()
    found |= {one.pk: one for one in unmerged.filter(pk__in=missing, opened_at__range=window).select_related("customer")}
    compared = []
    for number, other in found.items():
        text = similar.get(number)
        likeness = Likeness(
            is_same_customer=other.customer_id == case.customer_id,
            is_same_code=number in same_code,
            has_code=bool(codes),
            text_ratio=text.score if text else 0.0,
            is_same_text=bool(text and text.is_almost_the_same),
            hours=abs((other.opened_at - case.opened_at).total_seconds()) / 3600,
        )
        compared.append(Duplicate(other, probability_of_same(likeness), likeness))
    return compared


def _told_apart(case_id: int) -> Collection[int]:
    """Cases that somebody said are not the same, or linked already."""
    pairs = [
        *NotTheSame.objects.filter(case_id=case_id).values_list("other_id", flat=True),
        *NotTheSame.objects.filter(other_id=case_id).values_list("case_id", flat=True),
        *CaseLink.objects.filter(case_id=case_id).values_list("other_id", flat=True),
        *CaseLink.objects.filter(other_id=case_id).values_list("case_id", flat=True),
    ]
    return set(pairs)
