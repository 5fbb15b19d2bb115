"""What was merged, split and linked, as screens show it; scoped to the viewer's teams."""

from collections.abc import Collection

from django.db.models import F

from careloop.desk.merging.models import RegroupedCase, Regrouping


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
