"""Solutions in replies: taken while somebody writes, noted once the reply went out, judged by what the customer did then."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from careloop.desk.accounts.queries import actor_of, check_may, viewer_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.models import Reading
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, CaseEvent, Direction, EventKind, Message, Status
from careloop.desk.cases.queries import access_case
from careloop.desk.experiments.actions import find_held_out
from careloop.desk.experiments.rules import SOLUTION
from careloop.desk.solutions.models import SolutionUse, Suggested, Taken
from careloop.desk.solutions.queries import Offers, access_published, facts_of, offers, text_of
from careloop.desk.solutions.rules.letters import fill
from careloop.desk.solutions.rules.using import AUTO, INSERTED, SHOWN, Answer, has_helped, is_kept

FORGOTTEN_AFTER = timedelta(days=7)  # a solution that was taken and never sent
SHOWN_AT_ONCE = 200
JUDGED_FOR_DAYS = 30
JUDGED_AT_ONCE = 2_000


def offer(*, case_id: int, viewer: Viewer, now: datetime, query: str = "") -> Offers:
    """What would help in a case, without what it goes without for a comparison; that somebody who works on it was offered it is noted."""
    found = offers(case_id, viewer, now, query)
    if not viewer.may("case.work"):
        return found
    keys = [one.row.solution.pk for one in found.offers]
    without = find_held_out(subject=SOLUTION, subject_ids=keys, case=found.case, now=now)
    return replace(found, offers=[one for one in found.offers if one.row.solution.pk not in without])


def take(*, case_id: int, solution_id: int, viewer: Viewer, now: datetime) -> None:
    """Somebody takes a solution into what they are writing; whether it stays in is seen when it is sent."""
    check_may(viewer, "case.work")
    case, solution = access_case(case_id, viewer), access_published(solution_id, viewer)
    Taken.objects.update_or_create(case=case, solution=solution, user_id=viewer.user_id, defaults={"at": now})


def record_use(*, case_id: int, solution_id: int, viewer: Viewer, now: datetime) -> SolutionUse:
    """A program answers a case with a solution, by its own way and in a person's name; noted once, and judged like any use."""
    check_may(viewer, "case.work")
    case, solution = access_case(case_id, viewer), access_published(solution_id, viewer)
    question = case.messages.filter(direction=Direction.INBOUND).order_by("-pk").first()
    facts = {"question": question, "who_id": viewer.user_id, "at": now}
    with transaction.atomic():
        Case.objects.select_for_update(of=("self",)).get(pk=case.pk)  # two deliveries of one request make one use
        use, is_new = SolutionUse.objects.get_or_create(case=case, solution=solution, message=None, how=INSERTED, defaults=facts)
        if is_new:
            after = {"solution": solution.pk, "title": text_of(solution).title}
            add_event(case=case, kind=EventKind.SOLUTION, actor=actor_of(viewer), now=now, after=after)
    return use


def note_uses(*, now: datetime) -> int:
    """Look at the replies that were sent since solutions were taken, or offered with confidence; returns how many uses were noted."""
    n = 0
    for taken in Taken.objects.select_related("case__customer", "user", "solution").prefetch_related("solution__texts").order_by("pk"):
        sent = (
            taken.case.messages.filter(direction=Direction.OUTBOUND, author_id=taken.user_id, sent_at__gte=taken.at).order_by("pk").first()
        )
        if sent is None:
            if taken.at < now - FORGOTTEN_AFTER:
                taken.delete()
            continue
        with transaction.atomic():
            if Taken.objects.filter(pk=taken.pk).delete()[0]:  # another worker may have seen to it
                n += _note(taken, sent, now)
    return n + _note_shown(now)


def _note(taken: Taken, sent: Message, now: datetime) -> int:
    facts = {**facts_of(taken.case, None), "agent.name": taken.user.display_name}
    if not any(is_kept(fill(text.reply or text.body, facts), sent.body) for text in taken.solution.texts.all()):
        return 0
    before = taken.case.messages.filter(pk__lt=sent.pk)
    is_first = not before.filter(direction=Direction.OUTBOUND).exists()
    question = before.filter(direction=Direction.INBOUND).order_by("pk" if is_first else "-pk").first()
    SolutionUse.objects.create(
        solution=taken.solution, case=taken.case, question=question, message=sent, who=taken.user, how=INSERTED, is_first_reply=is_first,
        at=sent.sent_at,
    )  # fmt: skip
    after = {"solution": taken.solution_id, "title": text_of(taken.solution).title}
    actor = actor_of(viewer_of(taken.user))
    add_event(case=taken.case, kind=EventKind.SOLUTION, actor=actor, now=now, message=sent, after=after)
    return 1


def _note_shown(now: datetime) -> int:
    """What was offered with confidence, where the first reply went out without any solution."""
    sure = Suggested.objects.filter(is_sure=True, at__gte=now - FORGOTTEN_AFTER, case__first_response_at__isnull=False)
    decided, undecided = (model.objects.filter(case=OuterRef("case")) for model in (SolutionUse, Taken))
    rows = sure.filter(~Exists(decided), ~Exists(undecided)).select_related("case")
    uses = []
    for one in rows[:SHOWN_AT_ONCE]:
        first = one.case.messages.filter(direction=Direction.OUTBOUND).order_by("pk").first()
        if first is not None and one.solution_id is not None:
            uses.append(
                SolutionUse(
                    solution_id=one.solution_id, case=one.case, question_id=one.message_id, message=first, who_id=first.author_id,
                    how=SHOWN, is_first_reply=True, probability=one.probability, at=first.sent_at,
                )
            )  # fmt: skip
    SolutionUse.objects.bulk_create(uses, ignore_conflicts=True)
    return len(uses)


def judge_uses(*, now: datetime) -> int:
    """Find out which replies have helped, as far as it is known now; a later word of the customer changes it. Returns how many changed."""
    since = now - timedelta(days=JUDGED_FOR_DAYS)
    uses = list(SolutionUse.objects.filter(at__gte=since).exclude(how=SHOWN).order_by("-pk")[:JUDGED_AT_ONCE])
    answers = _answers_in({one.case_id for one in uses}, since)
    changed = []
    for use in uses:
        until = use.at + timedelta(days=JUDGED_FOR_DAYS)
        given = [one for one in answers[use.case_id] if use.at < one.at <= until]
        judged = has_helped(use.at, given, now, is_automatic=use.how == AUTO)
        if judged != use.has_helped:
            use.has_helped = judged
            changed.append(use)
    SolutionUse.objects.bulk_update(changed, ["has_helped"], batch_size=500)
    return len(changed)


def _answers_in(case_ids: set[int], since: datetime) -> dict[int, list[Answer]]:
    """What customers wrote or said in these cases, and which were opened again."""
    found: dict[int, list[Answer]] = defaultdict(list)
    inbound = Message.objects.filter(case_id__in=case_ids, direction=Direction.INBOUND, sent_at__gte=since)
    thanks = set(Reading.objects.filter(case_id__in=case_ids, kind="PRAISE").values_list("message_id", flat=True))
    for pk, case_id, at in inbound.values_list("pk", "case_id", "sent_at"):
        found[case_id].append(Answer(at, is_thanks=pk in thanks))
    events = CaseEvent.objects.filter(case_id__in=case_ids, kind=EventKind.STATUS, at__gte=since)
    for case_id, at, who, before, after in events.values_list("case_id", "at", "actor_kind", "before", "after"):
        if who == "customer":
            found[case_id].append(Answer(at, said_solved=after.get("status") == Status.RESOLVED))
        elif before.get("status") == Status.RESOLVED and after.get("status") == Status.OPEN:
            found[case_id].append(Answer(at))  # opened again by a colleague
    return found
