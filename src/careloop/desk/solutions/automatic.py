"""Automatic replies: what held-back cases promise, switching, and answering; everything in doubt is left to people."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.db.models.functions import Substr
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.rules import is_held_back
from careloop.desk.analysis.solution_ranking import Ranked, rank_many
from careloop.desk.audit import actions as audit
from careloop.desk.cases.automatic_reply import reply_as_house, why_not
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, Direction, EventKind, Message
from careloop.desk.intake.models import RawPayload
from careloop.desk.kernel.actor import SYSTEM, Actor
from careloop.desk.kernel.errors import InvalidInput, NotAllowed
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.outbox.tasks import deliver
from careloop.desk.solutions.models import AutomaticReplies, SolutionStatus, SolutionText, SolutionUse, Suggested
from careloop.desk.solutions.queries import ASKED_WITH, articles_of, examples_of, facts_of
from careloop.desk.solutions.rules.letters import automatic_letter, language_of
from careloop.desk.solutions.rules.machine_mail import headers_of, why_machine_made
from careloop.desk.solutions.rules.threshold import LEAST_PROMISE, MOST_PROMISE, Derived, HeldBack, derive, interval_of
from careloop.desk.solutions.rules.using import AUTO, INSERTED
from careloop.desk.teamwork.customer_links import fill_link

MOST_HELD_BACK = 1_000
LOOKED_BACK = timedelta(days=1)  # cases that opened before are left to people
PAUSE = timedelta(days=1)  # a customer gets one automatic reply a day: two machines must not write to each other
AT_ONCE = 50


@dataclass(frozen=True)
class AtWork:
    """What automatic replies did so far: how many, how many are judged, how many of those helped."""

    n: int
    n_judged: int
    n_helped: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share that helped."""
        return interval_of(self.n_helped, self.n_judged)


def get_policy() -> AutomaticReplies:
    """The house's row; off until somebody switches it on."""
    return AutomaticReplies.objects.filter(pk=1).first() or AutomaticReplies(pk=1)


def derived_of(policy: AutomaticReplies) -> Derived:
    """What held-back cases had shown when they were last looked at."""
    return Derived(policy.threshold, policy.n, policy.n_answered, policy.n_right, policy.needed)


def measure_at_work() -> AtWork:
    """What became of automatic replies."""
    uses = SolutionUse.objects.filter(how=AUTO)
    found = uses.aggregate(n=Count("pk"), judged=Count("has_helped"), helped=Count("pk", filter=Q(has_helped=True)))
    return AtWork(found["n"], found["judged"], found["helped"])


def list_held_back() -> list[HeldBack]:
    """Held-back cases in which an agent's first reply used a solution: what the ranking, which has not seen them, says of each."""
    uses = SolutionUse.objects.filter(how=INSERTED, is_first_reply=True, question__isnull=False).order_by("-pk")
    light = uses.annotate(asked=Substr("question__body", 1, ASKED_WITH))
    by_team: dict[int, dict[int, tuple[str, set[int]]]] = defaultdict(dict)
    n = 0
    for team_id, message_id, asked, key in light.values_list("case__team_id", "question_id", "asked", "solution_id").iterator():
        if not is_held_back(message_id):
            continue
        if message_id not in by_team[team_id]:
            n += 1
            if n > MOST_HELD_BACK:
                break
            by_team[team_id][message_id] = (asked, set())
        by_team[team_id][message_id][1].add(key)
    rows = []
    for team_id, cases in by_team.items():
        ranked = _rank(team_id, [asked for asked, _keys in cases.values()])
        for (_asked, keys), found in zip(cases.values(), ranked, strict=True):
            best = found.solutions[0] if found.solutions else (0, 0.0)
            rows.append(HeldBack(best[1] if found.is_sure else 0.0, best[0] in keys))
    return rows


def derive_threshold(*, now: datetime) -> AutomaticReplies:
    """Look at held-back cases again, for jobs; automatic replies that were on and hold the promise no longer are switched off."""
    rows = list_held_back()
    with transaction.atomic():
        policy = _locked_policy()
        found = derive(rows, policy.promise)
        policy.threshold, policy.n, policy.n_answered = found.threshold, found.n, found.n_answered
        policy.n_right, policy.needed, policy.derived_at = found.n_right, found.needed, now
        if policy.is_on and found.threshold is None:
            _switch(policy, False, SYSTEM, now)
        policy.save()
    return policy


def switch_off(*, viewer: Viewer, now: datetime) -> AutomaticReplies:
    """Stop at once."""
    check_may(viewer, "solution.edit")
    with transaction.atomic():
        policy = _locked_policy()
        if policy.is_on:
            _switch(policy, False, actor_of(viewer), now)
            policy.save()
    return policy


def switch_on(*, viewer: Viewer, now: datetime) -> AutomaticReplies:
    """Let the house answer by itself; refused while the held-back cases, as last looked at by the worker, promise nothing."""
    _check_house(viewer)
    with transaction.atomic():
        policy = _locked_policy()
        if policy.threshold is None:
            sentence = _("No threshold keeps the promised %(promise)s yet: %(n)s held-back cases, at least %(needed)s are needed.")
            facts = {"promise": f"{policy.promise:.1%}", "n": policy.n, "needed": policy.needed}
            raise InvalidInput(sentence % facts, field="form")
        _switch(policy, True, actor_of(viewer), now)
        policy.save()
    return policy


def set_promise(*, promise: float, viewer: Viewer, now: datetime) -> AutomaticReplies:
    """Choose the precision that is promised; it is off then, and the old threshold forgotten, until the worker found a new one."""
    _check_house(viewer)
    if not LEAST_PROMISE <= promise <= MOST_PROMISE:
        sentence = _("The promise is %(given)s; choose between %(least)s and %(most)s.")
        facts = {"given": f"{promise:.1%}", "least": f"{LEAST_PROMISE:.0%}", "most": f"{MOST_PROMISE:.1%}"}
        raise InvalidInput(sentence % facts, field="promise")
    with transaction.atomic():
        policy = _locked_policy()
        if policy.is_on:
            _switch(policy, False, actor_of(viewer), now)
        policy.promise, policy.threshold, policy.derived_at = promise, None, None
        policy.n_answered, policy.n_right = 0, 0
        policy.save()
        audit.record(
            actor=actor_of(viewer), action="solution.promise", object_type="solution", object_id=None, now=now, details={"promise": promise}
        )
    return policy


def _locked_policy() -> AutomaticReplies:
    """The row, made if need be and locked, so that nobody's switch is lost."""
    AutomaticReplies.objects.get_or_create(pk=1)
    return AutomaticReplies.objects.select_for_update().get(pk=1)


def _check_house(viewer: Viewer) -> None:
    check_may(viewer, "solution.edit")
    if viewer.team_ids is not None:
        raise NotAllowed(_("Automatic replies reach every team; ask an owner of the desk."))


def _switch(policy: AutomaticReplies, is_on: bool, actor: Actor, now: datetime) -> None:
    policy.is_on, policy.switched_at, policy.switched_by_name = is_on, now, actor.name
    details = {"threshold": policy.threshold, "promise": policy.promise}
    action = "solution.automatic_on" if is_on else "solution.automatic_off"
    audit.record(actor=actor, action=action, object_type="solution", object_id=None, now=now, details=details)


def look_at_new_cases(*, now: datetime) -> int:
    """Note the likeliest solution of each new case, and answer those above the threshold if that is on; returns how many were answered."""
    cases = Case.objects.filter(opened_at__gte=now - LOOKED_BACK).exclude(channel__kind="FILE").exclude(status="MERGED")
    waiting = cases.exclude(pk__in=Suggested.objects.values("case_id")).order_by("pk")
    by_team: dict[int, list[Message]] = defaultdict(list)
    for case in waiting[:AT_ONCE]:
        first = case.messages.filter(direction=Direction.INBOUND).order_by("sent_at", "pk").first()
        if first is not None:
            by_team[case.team_id].append(first)
    n = 0
    for team_id, messages in by_team.items():
        for message, ranked in zip(messages, _rank(team_id, [one.body[:ASKED_WITH] for one in messages]), strict=True):
            n += _note_and_answer(message.case_id or 0, message, ranked, now)
    return n


def _rank(team_id: int, texts: list[str]) -> list[Ranked]:
    articles = articles_of(team_id)
    return rank_many(articles, examples_of({one.solution_id for one in articles}), texts)


def _note_and_answer(case_id: int, message: Message, ranked: Ranked, now: datetime) -> bool:
    key, probability = ranked.solutions[0] if ranked.solutions else (None, 0.0)
    facts = {"message": message, "solution_id": key, "probability": probability, "is_sure": ranked.is_sure, "at": now}
    _row, is_new = Suggested.objects.get_or_create(case_id=case_id, defaults=facts)
    return is_new and key is not None and ranked.is_sure and answer(message=message, solution_id=key, probability=probability, now=now)


def answer(*, message: Message, solution_id: int, probability: float, now: datetime) -> bool:
    """Answer one message with a solution if everything speaks for it; returns whether it was answered. Once a message, whoever asks."""
    try:
        with transaction.atomic():
            policy = get_policy()
            if not policy.is_on or policy.threshold is None or probability < policy.threshold:
                return False
            case: Case = Case.objects.select_for_update(of=("self",)).select_related("customer").get(pk=message.case_id)
            text = _text_for(case, message, solution_id)
            if text is None or why_not(case, message) or _is_from_machine(case, message) or _was_answered(case, message, now):
                return False
            _send(case, message, text, probability, now)
            return True
    except IntegrityError:  # another worker answered it in this moment
        return False


def _text_for(case: Case, message: Message, solution_id: int) -> SolutionText | None:
    """The reply in the customer's own language; None when there is none, or the solution was withdrawn."""
    language = language_of(message.body, case.customer.language)
    published = SolutionText.objects.filter(solution_id=solution_id, solution__status=SolutionStatus.PUBLISHED, language=language)
    return published.exclude(reply="").first()


def _is_from_machine(case: Case, message: Message) -> bool:
    raw = RawPayload.objects.filter(message=message).first()
    headers = headers_of(bytes(raw.body), raw.content_type) if raw is not None else {}
    return bool(why_machine_made(case.subject, message.body, headers))


def _was_answered(case: Case, message: Message, now: datetime) -> bool:
    """Whether this message, or this customer a short while ago, got an automatic reply."""
    automatic = SolutionUse.objects.filter(how=AUTO)
    return automatic.filter(Q(question=message) | Q(case__customer_id=case.customer_id, at__gt=now - PAUSE)).exists()


def _send(case: Case, question: Message, text: SolutionText, probability: float, now: datetime) -> None:
    body = fill_link(automatic_letter(text.reply, facts_of(case, None), text.language), case.pk, now=now)
    message = reply_as_house(case=case, body=body, now=now)
    SolutionUse.objects.create(
        solution_id=text.solution_id, case=case, question=question, message=message, how=AUTO, is_first_reply=True,
        probability=probability, at=now,
    )  # fmt: skip
    after = {"solution": text.solution_id, "title": text.title, "automatic": True, "probability": probability}
    add_event(case=case, kind=EventKind.SOLUTION, actor=SYSTEM, now=now, message=message, after=after)
    item = OutboxItem.objects.create(message=message, idempotency_key=uuid.uuid4().hex, created_at=now)
    deliver.enqueue(item.pk)
