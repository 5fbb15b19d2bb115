"""One rule acts on one case: guard, actions, cause and outcome, in the caller's transaction, which holds the case's lock."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Max, Q

from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.models import CausedEvent, Firing, Outcome, Rule
from careloop.desk.automation.performing import RULE_EVENT, supervisors_of
from careloop.desk.automation.registry import ACTIONS, perform
from careloop.desk.automation.rules.choosing import Ready
from careloop.desk.automation.rules.conditions import fold
from careloop.desk.automation.rules.fields import Partly
from careloop.desk.automation.rules.loops import why_stopped
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.experiments.actions import is_held_out
from careloop.desk.experiments.rules import RULE
from careloop.desk.kernel.errors import DeskError
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind
from careloop.desk.teamwork.tags import tags_of

logger = logging.getLogger(__name__)
MAY = frozenset({"case.work"})


@dataclass(frozen=True)
class Cause:
    """For what a rule acts: `key` names the event or moment, `root` the beginning of the chain, `depth` how many rules lie between."""

    key: str
    root: str
    depth: int = 0


def fire(rule: Ready, case: Case, cause: Cause, now: datetime) -> bool:
    """Act, or write down why not; True when the rule acted. What it does and that it did is one savepoint: all or nothing.

    A rule that the guard stops, and that would change nothing, is done without a word.
    """
    viewer = Viewer(rule.id, rule.name, "RULE", None, MAY, kind="rule")
    replies = any(ACTIONS[action["do"]].is_reply for action in rule.actions)
    why = _why_stopped(rule, case, cause, now, replies)
    if why and _changes_nothing(rule, case):
        return True
    if why:
        _record(rule, case, cause, now, Outcome.STOPPED)
        _say(case, viewer, now, {"did": "STOPPED", "why": why})
        _tell_supervisors(case, rule, now, f"stopped {why}")
        return False
    if is_held_out(subject=RULE, subject_id=rule.id, case=case, now=now):
        _record(rule, case, cause, now, Outcome.HELD)
        return False
    newest = CaseEvent.objects.filter(case_id=case.pk).aggregate(newest=Max("pk"))["newest"] or 0
    try:
        with transaction.atomic():
            key = f"{rule.id} {case.pk} {cause.key}"
            perform(actions=rule.actions, case_id=case.pk, viewer=viewer, source=rule.name, key=key, now=now)
    except (OperationalError, InterfaceError):
        raise  # the database is busy or gone: the job tries again
    except Exception as error:
        _fail(rule, case, cause, now, error)
        return False
    _remember_caused(rule, case, cause, newest, now)
    _record(rule, case, cause, now, Outcome.DONE, replies)
    return True


def _why_stopped(rule: Ready, case: Case, cause: Cause, now: datetime, replies: bool) -> str:
    mine = Firing.objects.filter(rule_id=rule.id, case_id=case.pk)
    told = mine.aggregate(
        root=Count("pk", filter=Q(root=cause.root)),
        today=Count("pk", filter=Q(outcome=Outcome.DONE, at__gt=now - timedelta(days=1))),
        replied=Count("pk", filter=Q(has_replied=True, at__gt=now - timedelta(days=1))),
    )
    fired = (rule.id,) if told["root"] else ()
    replies_today = told["replied"] if replies else 0
    return why_stopped(depth=cause.depth, rule_id=rule.id, fired=fired, replies_today=replies_today, today=told["today"])


def _changes_nothing(rule: Ready, case: Case) -> bool:
    kinds = [(ACTIONS[action["do"]], action.get("value")) for action in rule.actions]
    if not all(kind.is_quiet for kind, _value in kinds):
        return False
    row: dict[str, Any] = dict(Case.objects.values("priority", "status", "category", "assignee").get(pk=case.pk))
    for name, left in ((name, left) for kind, value in kinds for name, left in kind.leaves(value).items()):
        if isinstance(left, Partly):
            tags = {fold(tag) for tag in tags_of([case.pk])[case.pk]}
            if left.has - tags or left.lacks & tags:
                return False
        elif row[name] != left:
            return False
    return True


def _fail(rule: Ready, case: Case, cause: Cause, now: datetime, error: Exception) -> None:
    if isinstance(error, DeskError):
        said: dict[str, Any] = error.message.to_json() if isinstance(error.message, Sentence) else {"said": error.message}
    else:
        logger.exception("rule %s failed on case %s", rule.id, case.pk)
        said = {"said": f"{type(error).__name__}: {error}"[:300]}
    Rule.objects.filter(pk=rule.id).update(last_error=said, last_error_at=now)
    _record(rule, case, cause, now, Outcome.FAILED)
    _say(case, Viewer(rule.id, rule.name, "RULE", None, MAY, kind="rule"), now, {"did": "FAILED", "error": said})
    _tell_supervisors(case, rule, now, "failed")


def _remember_caused(rule: Ready, case: Case, cause: Cause, newest: int, now: datetime) -> None:
    made = CaseEvent.objects.filter(case_id=case.pk, pk__gt=newest, actor_kind="rule", actor_id=rule.id)
    insert_rows(
        CausedEvent(event_id=number, message_id=message_id, root=cause.root, depth=cause.depth + 1, at=now)
        for number, message_id in made.values_list("pk", "message_id")
    )


def _record(rule: Ready, case: Case, cause: Cause, now: datetime, outcome: str, has_replied: bool = False) -> None:
    facts = {"key": cause.key, "root": cause.root, "depth": cause.depth, "outcome": outcome, "has_replied": has_replied}
    Firing.objects.create(rule_id=rule.id, case_id=case.pk, at=now, **facts)


def _say(case: Case, viewer: Viewer, now: datetime, after: dict[str, Any]) -> None:
    add_event(case=case, kind=RULE_EVENT, actor=actor_of(viewer), now=now, after=after)


def _tell_supervisors(case: Case, rule: Ready, now: datetime, what: str) -> None:
    notify(
        user_ids=supervisors_of(case.team_id),
        kind=NoticeKind.RULE,
        key=f"rule {rule.id} case {case.pk} {what}",
        case_id=case.pk,
        facts={"who": rule.name, "subject": case.subject},
        now=now,
    )
