"""Cases that have to do with each other, and cases that do not although they look alike."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, EventKind
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.merging.locking import audit_regrouping, lock_cases
from careloop.desk.merging.models import CaseLink, NotTheSame


def link_cases(*, case_id: int, other_id: int, kind: str, viewer: Viewer, now: datetime) -> CaseLink:
    """Link two cases, or say of linked ones how; for CAUSE the first one caused the other."""
    if kind not in CaseLink.Kind.values:
        raise InvalidInput(f"The link is {kind!r}; expected one of {', '.join(CaseLink.Kind.values)}.", field="kind")
    if case_id == other_id:
        raise InvalidInput(_("A case cannot be linked with itself; choose another."), field="case")
    with transaction.atomic():
        cases = lock_cases([case_id, other_id], viewer)
        CaseLink.objects.filter(case_id=other_id, other_id=case_id).delete()
        facts = {"kind": kind, "made_by_id": viewer.user_id, "made_by_name": viewer.name, "made_at": now}
        link, _is_new = CaseLink.objects.update_or_create(case_id=case_id, other_id=other_id, defaults=facts)
        _tell(cases, link, {"kind": kind}, "case.link", viewer, now)
    return link


def unlink_cases(*, link_id: int, viewer: Viewer, now: datetime) -> None:
    """Take a link away; the histories of both cases keep that it was there."""
    with transaction.atomic():
        link = CaseLink.objects.filter(pk=link_id).first()
        if link is None:
            raise NotFound(_("There is no such link in your teams; somebody may have removed it."))
        cases = lock_cases([link.case_id, link.other_id], viewer)
        _tell(cases, link, {"kind": link.kind, "is_removed": True}, "case.unlink", viewer, now)
        link.delete()


def say_not_the_same(*, case_id: int, other_id: int, viewer: Viewer, now: datetime) -> None:
    """Remember that two cases are different matters: they are not suggested again."""
    if case_id == other_id:
        raise InvalidInput(_("A case is always the same as itself; choose another."), field="case")
    with transaction.atomic():
        lower, higher = sorted((case_id, other_id))
        cases = lock_cases([lower, higher], viewer)
        said = {"said_by_id": viewer.user_id, "said_at": now}
        _row, is_new = NotTheSame.objects.get_or_create(case_id=lower, other_id=higher, defaults=said)
        if is_new:
            audit_regrouping(cases[case_id], "case.not_the_same", viewer, now, {"other": other_id})


def _tell(cases: dict[int, Case], link: CaseLink, facts: dict[str, object], action: str, viewer: Viewer, now: datetime) -> None:
    for number, other in ((link.case_id, link.other_id), (link.other_id, link.case_id)):
        after = {**facts, "other": other, "is_cause": number == link.case_id}
        add_event(case=cases[number], kind=EventKind.LINKED, actor=actor_of(viewer), now=now, after=after)
    audit_regrouping(cases[link.case_id], action, viewer, now, {"kind": link.kind, "other": link.other_id})
