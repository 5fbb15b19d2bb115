"""What was merged, split and linked, as screens show it; scoped to the viewer's teams."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q
from django.db.models.functions import Substr
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.merged import find_targets
from careloop.desk.cases.models import Case, Message, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.merging.models import CaseLink, RegroupedCase, Regrouping
from careloop.desk.merging.rules import Outline, outline_after_merge
from careloop.desk.sla.rules.clocks import PAUSED, RUNNING

SPLITTABLE = 500
BEGINNING = 240


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
class Preview:
    """Two cases before they are merged: which stays, which goes, how much goes, how many clocks stop, whether the one that stays opens."""

    case: Case
    into: Case
    source: Case
    messages: int
    clocks: int
    is_opened: bool

    @property
    def both(self) -> tuple[Case, Case]:
        """The one that stays first."""
        return self.into, self.source


@dataclass(frozen=True)
class Splittable:
    """The messages that can be ticked; `earlier` ones are not loaded."""

    case: Case
    messages: list[Message]
    earlier: int


@dataclass(frozen=True)
class Grouping:
    """What a case has to do with others: what it was merged into, the live merges into it and splits of it, its links."""

    merged: Merged | None
    regroupings: list[Regrouping]
    links: list[Linked]


def grouping_of(case: Case, viewer: Viewer) -> Grouping:
    """What the page of a case that the viewer was let into tells of other cases; those out of sight are left out."""
    return Grouping(_merged_of(case, viewer), _regroupings_of(case), _links_of(case, viewer))


def find_merge(case: Case, viewer: Viewer) -> Merged | None:
    """Where a case that the viewer was let into went, None for one that was not merged (that costs nothing)."""
    return _merged_of(case, viewer)


def page(case_id: int, viewer: Viewer) -> tuple[Case, Grouping]:
    """A case with what it has to do with others."""
    case = access_case(case_id, viewer)
    return case, grouping_of(case, viewer)


def home_of(regrouping_id: int, viewer: Viewer) -> int:
    """The case that a merge or split leads back to when it is undone."""
    made = Regrouping.objects.filter(pk=regrouping_id).first()
    if made is None:
        raise NotFound(_("There is no such merge or split in your teams."))
    access_case(made.into_id, viewer)
    if made.kind == Regrouping.Kind.MERGE:
        return made.into_id
    return made.cases.exclude(case_id=made.into_id).values_list("case_id", flat=True).first() or made.into_id


def preview_merge(*, case_id: int, other_id: int, into_id: int, viewer: Viewer) -> Preview:
    """What merging two cases would do; both must be in sight, neither merged already."""
    if case_id == other_id:
        raise InvalidInput(_("A case cannot be merged into itself; choose another."), field="other")
    if into_id not in (case_id, other_id):
        raise InvalidInput(_("#%(number)s is neither of the two cases.") % {"number": into_id}, field="into")
    cases = {number: access_case(number, viewer) for number in (case_id, other_id)}
    for case in cases.values():
        if case.status == Status.MERGED:
            raise InvalidInput(_("Case #%(number)s was merged already; choose the case that it was merged into.") % {"number": case.pk})
    into = cases[into_id]
    source = cases[other_id if into_id == case_id else case_id]
    outline = outline_after_merge(outline_of(into), [outline_of(source)])
    clocks = source.clocks.filter(state__in=(RUNNING, PAUSED)).count()
    return Preview(cases[case_id], into, source, source.messages.count(), clocks, outline.status != into.status)


def list_splittable(case_id: int, viewer: Viewer, *, is_all: bool = False) -> Splittable:
    """The messages of a case, oldest first, by their beginnings; of very many the newest unless all are asked for."""
    case = access_case(case_id, viewer)
    rows = case.messages.select_related("author", "customer", "channel").defer("body").annotate(beginning=Substr("body", 1, BEGINNING))
    total = rows.count()
    newest = list(rows.order_by("-sent_at", "-pk")[: total if is_all else SPLITTABLE])
    return Splittable(case, newest[::-1], total - len(newest))


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


def outline_of(case: Case) -> Outline:
    """The columns that messages decide."""
    return Outline(case.status, case.resolved_at, case.last_message_at, case.snippet)
