"""Which model of a scope is in training or live: each change in one transaction, audited when a person asked for it."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.corrections import scope_of
from careloop.desk.analysis.models import Correction, LearntModel, Status, Task, Taxonomy
from careloop.desk.analysis.rules import LEAST_HELD_BACK, LEAST_HELD_BACK_OF_HOUSE, LEAST_OF_HOUSE, RETRAIN_AFTER
from careloop.desk.analysis.taxonomy_queries import access_taxonomy, list_leaves
from careloop.desk.analysis.training import DESCRIBED, find_live, reject
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.actor import SYSTEM, Actor
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.insight.errors import Sentence

HOUSE_SCOPES = {"kind": Task.KIND.value, "sentiment": Task.SENTIMENT.value}
GIVEN_UP_AFTER = timedelta(hours=6)  # all attempts of a job, with their pauses, take less


def begin_training(*, taxonomy_id: int, viewer: Viewer, now: datetime) -> LearntModel:
    """A candidate that a person asked for; refused while another is in training or when too few corrections could judge it."""
    check_may(viewer, "taxonomy.edit")
    taxonomy = access_taxonomy(taxonomy_id, viewer)
    n = count_held_back(scope_of(taxonomy.pk))
    if n < LEAST_HELD_BACK:
        sentence = _("Too few corrections to judge: %(n)s of %(least)s held-back messages.")
        raise InvalidInput(sentence % {"n": n, "least": LEAST_HELD_BACK})
    with transaction.atomic():
        candidate = add_candidate(scope_of(taxonomy.pk), "", actor_of(viewer), now, taxonomy=taxonomy)
        if candidate is None:
            raise Conflict(_("A training is under way already; its result will be on this page."))
        details = {"model": candidate.pk, "name": taxonomy.name}
        audit.record(actor=actor_of(viewer), action="model.train", object_type="taxonomy", object_id=taxonomy.pk, now=now, details=details)
    return candidate


def begin_house_training(*, task: str, viewer: Viewer, now: datetime) -> LearntModel:
    """A candidate of kind or sentiment that a person asked for; refused as above."""
    check_may(viewer, "taxonomy.edit")
    scope = check_house_task(task)
    counts = count_corrected(scope)
    if counts["n"] and counts["values"] < 2:
        raise InvalidInput(_("All corrections so far say the same; two different ones are needed."))
    if not _is_enough_for_house(counts):
        sentence = _("Too few corrections: %(n)s of %(least)s messages, %(held)s of %(least_held)s held back.")
        facts = {"n": counts["n"], "least": LEAST_OF_HOUSE, "held": counts["held_back"], "least_held": LEAST_HELD_BACK_OF_HOUSE}
        raise InvalidInput(sentence % facts)
    with transaction.atomic():
        candidate = add_candidate(scope, "", actor_of(viewer), now)
        if candidate is None:
            raise Conflict(_("A training is under way already; its result will be on this page."))
        details = {"model": candidate.pk, "name": scope}
        audit.record(actor=actor_of(viewer), action="model.train", object_type="model", object_id=candidate.pk, now=now, details=details)
    return candidate


def check_house_task(task: str) -> str:
    """The scope of a task that house models are learnt for; anything else does not exist."""
    if task not in HOUSE_SCOPES.values():
        raise NotFound(_("There is no model %(number)s.") % {"number": task})
    return next(scope for scope, one in HOUSE_SCOPES.items() if one == task)


def begin_if_due(scope: str, *, now: datetime) -> LearntModel | None:
    """A candidate that the house starts by itself, after so many new corrections that a better model can be hoped for."""
    last = LearntModel.objects.filter(scope=scope).aggregate(last=Max("last_correction_id"))["last"] or 0
    fresh = Correction.objects.filter(scope=scope, pk__gt=last).count()
    if scope in HOUSE_SCOPES:
        is_due = fresh >= LEAST_OF_HOUSE and _is_enough_for_house(count_corrected(scope))
        return add_candidate(scope, "", SYSTEM, now) if is_due else None
    if fresh < RETRAIN_AFTER or count_held_back(scope) < LEAST_HELD_BACK:
        return None
    return add_candidate(scope, "", SYSTEM, now, taxonomy=Taxonomy.objects.get(pk=int(scope.partition(":")[2])))


def _is_enough_for_house(counts: dict[str, int]) -> bool:
    return counts["n"] >= LEAST_OF_HOUSE and counts["held_back"] >= LEAST_HELD_BACK_OF_HOUSE and counts["values"] > 1


def describe_if_due(taxonomy_id: int, *, now: datetime) -> LearntModel | None:
    """A candidate from names and descriptions, while no better model is live; the one in training if a stopped job left it."""
    taxonomy = Taxonomy.objects.get(pk=taxonomy_id)
    scope = scope_of(taxonomy_id)
    live = find_live(scope)
    if taxonomy.is_archived or len(list_leaves(taxonomy)) < 2 or (live is not None and live.algorithm != DESCRIBED):
        return None
    return (
        add_candidate(scope, DESCRIBED, SYSTEM, now, taxonomy=taxonomy)
        or LearntModel.objects.filter(scope=scope, status=Status.CANDIDATE, algorithm=DESCRIBED).first()
    )


def add_candidate(scope: str, algorithm: str, actor: Actor, now: datetime, *, taxonomy: Taxonomy | None = None) -> LearntModel | None:
    """A new row in training; None when there is one already, unless its job must have been given up long ago."""
    for stuck in LearntModel.objects.filter(scope=scope, status=Status.CANDIDATE, started_at__lt=now - GIVEN_UP_AFTER):
        reject(stuck, Sentence("The training never ended; its worker was stopped again and again."), now=now)
    newest = Correction.objects.filter(scope=scope).aggregate(last=Max("pk"))["last"] or 0
    try:
        with transaction.atomic():
            return LearntModel.objects.create(
                scope=scope,
                task=HOUSE_SCOPES.get(scope, Task.CATEGORY.value),
                taxonomy=taxonomy,
                status=Status.CANDIDATE,
                algorithm=algorithm,
                last_correction_id=0 if algorithm == DESCRIBED else newest,
                started_by_kind=actor.kind,
                started_by_name=actor.name,
                started_at=now,
            )
    except IntegrityError:
        return None


def switch_back(*, model_id: int, viewer: Viewer, now: datetime) -> LearntModel:
    """Let a retired model be live again, instead of the one that is."""
    check_may(viewer, "taxonomy.edit")
    with transaction.atomic():
        model = access_model(model_id, viewer)
        scope = list(LearntModel.objects.select_for_update().filter(scope=model.scope, status__in=(Status.LIVE, Status.RETIRED)))
        wanted = next((one for one in scope if one.pk == model_id and one.status == Status.RETIRED), None)
        if wanted is None:
            raise Conflict(_("Only a model that was live before can be made live again; load the page again."))
        before = next((one for one in scope if one.status == Status.LIVE), None)
        LearntModel.objects.filter(scope=model.scope, status=Status.LIVE).update(status=Status.RETIRED)
        wanted.status, wanted.decided_at = Status.LIVE, now
        wanted.reason = Sentence("Made live again by {who}.", who=viewer.name).to_json()
        wanted.save(update_fields=["status", "decided_at", "reason"])
        _audit_switch(wanted, before, wanted, viewer, now)
    return wanted


def return_to_shipped(*, task: str, viewer: Viewer, now: datetime) -> LearntModel:
    """Let the shipped model read kind or sentiment again; the house model that was live is retired and can be made live again."""
    check_may(viewer, "taxonomy.edit")
    scope = check_house_task(task)
    with transaction.atomic():
        live = LearntModel.objects.select_for_update().filter(scope=scope, status=Status.LIVE).first()
        if live is None:
            raise Conflict(_("The built-in model reads already; load the page again."))
        live.status, live.decided_at = Status.RETIRED, now
        live.reason = Sentence("Set aside by {who}; the built-in model reads again.", who=viewer.name).to_json()
        live.save(update_fields=["status", "decided_at", "reason"])
        _audit_switch(live, live, None, viewer, now)
    return live


def _audit_switch(one: LearntModel, before: LearntModel | None, after: LearntModel | None, viewer: Viewer, now: datetime) -> None:
    details = {"before": {"model": before.pk if before else None}, "after": {"model": after.pk if after else None}}
    kind, number = ("taxonomy", one.taxonomy_id) if one.taxonomy_id else ("model", one.pk)
    audit.record(actor=actor_of(viewer), action="model.switch", object_type=kind, object_id=number, now=now, details=details)


def access_model(model_id: int, viewer: Viewer) -> LearntModel:
    """The model, if its taxonomy is the house's or of one of the viewer's teams; those of kind and sentiment are the house's."""
    model = LearntModel.objects.select_related("taxonomy__team", "rival").filter(pk=model_id).first()
    if model is None or (model.taxonomy_id is None and model.scope not in HOUSE_SCOPES):
        raise NotFound(_("There is no model %(number)s.") % {"number": model_id})
    if model.taxonomy_id is not None:
        access_taxonomy(model.taxonomy_id, viewer)
    return model


def count_held_back(scope: str) -> int:
    """How many corrected messages are held back."""
    return count_corrected(scope)["held_back"]


def count_corrected(scope: str) -> dict[str, int]:
    """How many messages people spoke of (n), how many of these are held back, and how many different values were said."""
    counts = {"n": Count("message", distinct=True), "held_back": Count("message", distinct=True, filter=Q(is_held_back=True))}
    found: dict[str, int] = Correction.objects.filter(scope=scope).aggregate(**counts, values=Count("value", distinct=True))
    return found
