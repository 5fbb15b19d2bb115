"""Automatic replies: what held-back cases promise, and switching; everything in doubt is left to people. Answering is in answering.py."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.actor import SYSTEM, Actor
from careloop.desk.kernel.errors import InvalidInput, NotAllowed
from careloop.desk.solutions.answering import take_back_unsent
from careloop.desk.solutions.evidence import gather_evidence
from careloop.desk.solutions.models import AutomaticReplies, SolutionUse
from careloop.desk.solutions.rules.threshold import (
    AVERAGE,
    LEAST_PROMISE,
    MANNERS,
    MOST_PROMISE,
    Checked,
    Derived,
    check_on_halves,
    derive,
    interval_of,
)
from careloop.desk.solutions.rules.using import AUTO


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


def checked_of(policy: AutomaticReplies) -> Checked:
    """What thresholds of one half of the held-back cases did on the other half, when that was last looked at."""
    return Checked(policy.checked_seen, policy.checked_answered, policy.checked_right)


def measure_at_work() -> AtWork:
    """What became of automatic replies."""
    uses = SolutionUse.objects.filter(how=AUTO)
    found = uses.aggregate(n=Count("pk"), judged=Count("has_helped"), helped=Count("pk", filter=Q(has_helped=True)))
    return AtWork(found["n"], found["judged"], found["helped"])


def derive_threshold(*, now: datetime) -> AutomaticReplies:
    """Look at held-back cases again, for jobs; automatic replies that were on and hold the promise no longer are switched off."""
    asked = get_policy()
    evidence = gather_evidence()
    checked = check_on_halves(evidence.rows, asked.promise, asked.manner)
    with transaction.atomic():
        policy = _locked_policy()
        if (policy.promise, policy.manner) != (asked.promise, asked.manner):
            return policy  # another promise was made meanwhile, and its own job looks at it
        found = derive(evidence.rows, policy.promise, policy.manner)
        policy.threshold, policy.n, policy.n_answered = found.threshold, found.n, found.n_answered
        policy.n_right, policy.needed, policy.derived_at = found.n_right, found.needed, now
        policy.n_not_taken, policy.n_sent = evidence.n_not_taken, evidence.n_sent
        policy.checked_seen, policy.checked_answered, policy.checked_right = checked.n_seen, checked.n_answered, checked.n_right
        if policy.is_on and found.threshold is None:
            _switch(policy, False, SYSTEM, now)
        policy.save()
    return policy


def switch_off(*, viewer: Viewer, now: datetime) -> AutomaticReplies:
    """Stop at once; what was written and has not left the house is taken back."""
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


def set_promise(*, promise: float, viewer: Viewer, now: datetime, manner: str = AVERAGE) -> AutomaticReplies:
    """Choose the promised precision; it is off then, and the old threshold forgotten, until the worker found a new one."""
    _check_house(viewer)
    if manner not in MANNERS:
        raise InvalidInput(_("The promise is kept on average or at least; choose one of the two."), field="manner")
    if not LEAST_PROMISE <= promise <= MOST_PROMISE:
        sentence = _("The promise is %(given)s; choose between %(least)s and %(most)s.")
        facts = {"given": f"{promise:.1%}", "least": f"{LEAST_PROMISE:.0%}", "most": f"{MOST_PROMISE:.1%}"}
        raise InvalidInput(sentence % facts, field="promise")
    with transaction.atomic():
        policy = _locked_policy()
        if policy.is_on:
            _switch(policy, False, actor_of(viewer), now)
        policy.promise, policy.manner, policy.threshold, policy.derived_at = promise, manner, None, None
        policy.n_answered, policy.n_right, policy.checked_answered, policy.checked_right = 0, 0, 0, 0
        policy.save()
        details = {"promise": promise, "manner": manner}
        audit.record(actor=actor_of(viewer), action="solution.promise", object_type="solution", object_id=None, now=now, details=details)
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
    if not is_on:
        take_back_unsent(now=now)
