"""What was merged, split and linked, as screens show it; scoped to the viewer's teams."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.merged import find_targets
from careloop.desk.cases.models import Case, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import NotFound
from careloop.desk.merging.models import CaseLink, RegroupedCase, Regrouping


@dataclass(frozen=True)
class Linked:
    """A case that is linked with the one shown; `is_cause` when the one shown caused it."""

    link: CaseLink
    case: Case
    is_cause: bool


@dataclass(frozen=True)
class Merged:
    """Into which case a merged one went, through others perhaps; by whom and when; `regrouping_id` is 0 where a split was undone."""

    into: Case
    by: str
    at: datetime | None
    regrouping_id: int


@dataclass(frozen=True)
class Grouping:
    """What a case has to do with others: what it was merged into, the live merges into it and splits of it, its links."""

    merged: Merged | None
    regroupings: list[Regrouping]
    links: list[Linked]


def grouping_of(case: Case, viewer: Viewer) -> Grouping:
    """What the page of a case that the viewer was let into tells of other cases; those out of sight are left out."""
    return Grouping(_merged_of(case, viewer), _regroupings_of(case), _links_of(case, viewer))


def get_regrouping(regrouping_id: int, viewer: Viewer) -> Regrouping:
    """A merge or split whose case is in the viewer's sight."""
    made = Regrouping.objects.filter(pk=regrouping_id).first()
    if made is None:
        raise NotFound(_("There is no such merge or split in your teams."))
    access_case(made.into_id, viewer)
    return made


def _merged_of(case: Case, viewer: Viewer) -> Merged | None:
    if case.status != Status.MERGED:
        return None
    target = find_targets([case.pk]).get(case.pk)
    into = Case.objects.visible_to(viewer).filter(pk=target).first()
    if into is None:
        return None
    kinds = {"regrouping__kind": Regrouping.Kind.MERGE, "regrouping__undone_at": None}
    part = RegroupedCase.objects.filter(case=case, **kinds).exclude(regrouping__into=case).select_related("regrouping").last()
    if part is None:
        return Merged(into, "", None, 0)
    return Merged(into, part.regrouping.made_by_name, part.regrouping.made_at, part.regrouping_id)


def _regroupings_of(case: Case) -> list[Regrouping]:
    """Newest first; of each merge the cases that came, of a split the new one."""
    live = Regrouping.objects.filter(undone_at=None, cases__case=case)
    return list(live.filter(Q(into=case) | Q(kind=Regrouping.Kind.SPLIT)).prefetch_related("cases").order_by("-pk")[:20])


def _links_of(case: Case, viewer: Viewer) -> list[Linked]:
    numbers = {case.pk, *find_merged_into([case.pk])}
    links = list(CaseLink.objects.filter(Q(case__in=numbers) | Q(other__in=numbers)).order_by("pk"))
    ends = {link.other_id if link.case_id in numbers else link.case_id for link in links}
    now_in = find_targets(ends)
    wanted = [now_in.get(end, end) for end in ends]
    cases = {one.pk: one for one in Case.objects.visible_to(viewer).filter(pk__in=wanted)}
    found = []
    for link in links:
        end = link.other_id if link.case_id in numbers else link.case_id
        other = cases.get(now_in.get(end, end))
        if other is not None and other.pk != case.pk:
            found.append(Linked(link, other, link.case_id in numbers))
    return found


def find_merged_into(case_ids: Collection[int]) -> set[int]:
    """The cases whose rows are in these now, merged directly or through others (two queries for each link of the longest chain)."""
    found: set[int] = set()
    ends = set(case_ids)
    parts = RegroupedCase.objects.exclude(case_id=F("regrouping__into_id"))
    while ends:
        merged = parts.filter(regrouping__kind=Regrouping.Kind.MERGE, regrouping__undone_at=None, regrouping__into__in=ends)
        unsplit = parts.filter(regrouping__kind=Regrouping.Kind.SPLIT, regrouping__undone_at__isnull=False, case__in=ends)
        ends = {*merged.values_list("case_id", flat=True), *unsplit.values_list("regrouping__into_id", flat=True)} - found - {*case_ids}
        found |= ends
    return found
