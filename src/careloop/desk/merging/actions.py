"""Merging cases and taking it back: all or nothing, under the locks of all cases that take part."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.clock_undo import stop_clocks, take_ticks_back
from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, CaseEvent, EventKind, Message, Status
from careloop.desk.cases.rules import snippet_from
from careloop.desk.cases.team_rows import carry_rows
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.merging.locking import (
    access_regrouping,
    audit_regrouping,
    check_versions,
    from_json,
    lock_cases,
    note_regrouping,
    outline_by_messages,
    put_outline,
)
from careloop.desk.merging.models import Regrouping
from careloop.desk.merging.moving import move_all_back, move_back, move_everything, note_arrivals
from careloop.desk.merging.queries import find_merged_into, outline_of
from careloop.desk.merging.rules import MOST_SOURCES, outline_after_arrival, outline_after_merge
from careloop.desk.sla.rules.following import ARRIVED, STATUS

TOUCHES = (EventKind.RECEIVED, EventKind.REPLIED, EventKind.STATUS)  # what a case's outline follows


def merge_cases(
    *, source_ids: Sequence[int], into_id: int, expected_versions: Mapping[int, int], viewer: Viewer, now: datetime
) -> Regrouping:
    """Put everything that cases have into another, which keeps its customer, facts and clocks; `undo` takes it back exactly."""
    numbers = list(dict.fromkeys(source_ids))
    if not 0 < len(numbers) <= MOST_SOURCES:
        sentence = _("%(n)s cases were given to merge; choose 1 to %(most)s.")
        raise InvalidInput(sentence % {"n": len(numbers), "most": MOST_SOURCES}, field="case")
    if into_id in numbers:
        raise InvalidInput(_("A case cannot be merged into itself; choose another."), field="case")
    with transaction.atomic():
        cases = lock_cases([*numbers, into_id], viewer)
        check_versions(cases, expected_versions)
        into, sources = cases[into_id], [cases[number] for number in numbers]
        made = note_regrouping(kind=Regrouping.Kind.MERGE, into=into, cases=list(cases.values()), viewer=viewer, now=now)
        moved = sum(move_everything(made, source.pk, into_id) for source in sources)
        if any(source.team_id != into.team_id for source in sources):
            carry_rows([into])
        outline = outline_after_merge(outline_of(into), [outline_of(source) for source in sources])
        is_opened = outline.status != into.status
        put_outline(into, outline)
        if is_opened:
            keep_clocks([Happening(into, STATUS, now, into.first_response_at is not None)])
        stop_clocks(sources, now)
        for source in sources:
            put_outline(source, outline_of(source)._replace(status=Status.MERGED))
            add_event(case=source, kind=EventKind.MERGED, actor=actor_of(viewer), now=now, after={"into": into_id})
        after = {"from": numbers, "regrouping": made.pk}
        add_event(case=into, kind=EventKind.MERGED, actor=actor_of(viewer), now=now, after=after)
        audit_regrouping(into, "case.merge", viewer, now, {"from": numbers, "rows": moved})
    return made


def undo(*, regrouping_id: int, viewer: Viewer, now: datetime) -> Regrouping:
    """Take a merge or a split back.

    After a merge every row is where it was. What came to the target since stays there, but for messages that would have gone to a
    merged case (they name its number, or continue its conversation): those go to it, as if there had been no merge. After a split
    everything of the new case goes back, also what came to it since, and its number leads to the old case from then on.
    """
    with transaction.atomic():
        made, cases = access_regrouping(regrouping_id, viewer)
        into = cases[made.into_id]
        others = [case for number, case in cases.items() if number != into.pk]
        made.undone_by_id, made.undone_at = viewer.user_id, now
        made.save(update_fields=["undone_by", "undone_at"])
        if made.kind == Regrouping.Kind.MERGE:
            _take_apart(made, into, others, now)
        else:
            _put_together(made, into, others[0], viewer, now)
        if len({case.team_id for case in cases.values()}) > 1:
            carry_rows(cases.values())
        made.rows.all().delete()
        numbers = [case.pk for case in others]
        for case in cases.values():
            after = {"what": made.kind, "into": into.pk, "from": numbers}
            add_event(case=case, kind=EventKind.UNDONE, actor=actor_of(viewer), now=now, after=after)
        audit_regrouping(into, "case.undo", viewer, now, {"what": made.kind, "from": numbers, "made_by": made.made_by_name})
    return made


def _take_apart(made: Regrouping, into: Case, sources: Sequence[Case], now: datetime) -> None:
    parts = {part.case_id: part for part in made.cases.all()}
    for source in sources:
        arrived = note_arrivals(made, [source.pk, *find_merged_into([source.pk])], source.pk)
        move_back(made, source.pk)
        put_outline(source, from_json(parts[source.pk].before))
        take_ticks_back(source, parts[source.pk].last_tick_id, now)
        _let_arrive(source, arrived)
    if (touch := _last_touch(made, into)) is not None:
        status = touch.after["status"]
        put_outline(into, outline_by_messages(into)._replace(status=status, resolved_at=touch.at if status == Status.RESOLVED else None))
    else:
        put_outline(into, from_json(parts[into.pk].before))
        take_ticks_back(into, parts[into.pk].last_tick_id, now)


def _put_together(made: Regrouping, split_off: Case, case: Case, viewer: Viewer, now: datetime) -> None:
    before = from_json(made.cases.get(case=case).before)
    is_touched = _last_touch(made, case, split_off) is not None
    outline = outline_after_merge(outline_of(case), [outline_of(split_off)]) if is_touched else before
    move_all_back(made, case.pk)
    is_opened = outline.status != case.status
    put_outline(case, outline)
    if is_opened:
        keep_clocks([Happening(case, STATUS, now, case.first_response_at is not None)])
    stop_clocks([split_off], now)
    put_outline(split_off, outline_of(split_off)._replace(status=Status.MERGED))
    add_event(case=split_off, kind=EventKind.MERGED, actor=actor_of(viewer), now=now, after={"into": case.pk})


def _last_touch(made: Regrouping, *cases: Case) -> CaseEvent | None:
    """The last time since that somebody wrote to or from one of the cases, or set its status."""
    numbers = [case.pk for case in cases]
    events = CaseEvent.objects.filter(case__in=numbers, pk__gt=made.last_event_id, kind__in=TOUCHES)
    return events.order_by("-pk").first()


def _let_arrive(source: Case, message_ids: Sequence[int]) -> None:
    """What was meant for the source while it was merged arrives there now, at the time at which it came."""
    for message in Message.objects.filter(pk__in=message_ids).order_by("sent_at", "pk"):
        was_answered = source.first_response_at is not None
        put_outline(source, outline_after_arrival(outline_of(source), message.sent_at, snippet_from(message.body)))
        if source.channel.kind != ChannelKind.FILE:
            keep_clocks([Happening(source, ARRIVED, message.sent_at, was_answered)])
