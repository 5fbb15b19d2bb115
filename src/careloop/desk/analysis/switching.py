"""Which model of a scope is in training or live: each change in one transaction, audited when a person asked for it."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.corrections import scope_of
from careloop.desk.analysis.models import Correction, LearntModel, Status, Task, Taxonomy
from careloop.desk.analysis.rules import LEAST_HELD_BACK, RETRAIN_AFTER, is_held_back
from careloop.desk.analysis.taxonomy_queries import access_taxonomy, list_leaves
from careloop.desk.analysis.training import DESCRIBED, find_live, reject
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.actor import SYSTEM, Actor
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.insight.errors import Sentence

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
        candidate = add_candidate(taxonomy, "", actor_of(viewer), now)
        if candidate is None:
            raise Conflict(_("A training is under way already; its result will be on this page."))
        details = {"model": candidate.pk, "name": taxonomy.name}
        audit.record(actor=actor_of(viewer), action="model.train", object_type="taxonomy", object_id=taxonomy.pk, now=now, details=details)
    return candidate


def begin_if_due(scope: str, *, now: datetime) -> LearntModel | None:
    """A candidate that the house starts by itself, after so many new corrections that a better model can be hoped for."""
    last = LearntModel.objects.filter(scope=scope).aggregate(last=Max("last_correction_id"))["last"] or 0
    if not scope.startswith("taxonomy:") or Correction.objects.filter(scope=scope, pk__gt=last).count() < RETRAIN_AFTER:
        return None
    if count_held_back(scope) < LEAST_HELD_BACK:
        return None
    return add_candidate(Taxonomy.objects.get(pk=int(scope.partition(":")[2])), "", SYSTEM, now)


def describe_if_due(taxonomy_id: int, *, now: datetime) -> LearntModel | None:
    """A candidate from names and descriptions, while no better model is live; the one in training if a stopped job left it."""
    taxonomy = Taxonomy.objects.get(pk=taxonomy_id)
    scope = scope_of(taxonomy_id)
    live = find_live(scope)
    if taxonomy.is_archived or len(list_leaves(taxonomy)) < 2 or (live is not None and live.algorithm != DESCRIBED):
        return None
    return (
        add_candidate(taxonomy, DESCRIBED, SYSTEM, now)
        or LearntModel.objects.filter(scope=scope, status=Status.CANDIDATE, algorithm=DESCRIBED).first()
    )


def add_candidate(taxonomy: Taxonomy, algorithm: str, actor: Actor, now: datetime) -> LearntModel | None:
    """A new row in training; None when there is one already, unless its job must have been given up long ago."""
    scope = scope_of(taxonomy.pk)
    for stuck in LearntModel.objects.filter(scope=scope, status=Status.CANDIDATE, started_at__lt=now - GIVEN_UP_AFTER):
        reject(stuck, Sentence("The training never ended; its worker was stopped again and again."), now=now)
    newest = Correction.objects.filter(scope=scope).aggregate(last=Max("pk"))["last"] or 0
    try:
        with transaction.atomic():
            return LearntModel.objects.create(
                scope=scope,
                task=Task.CATEGORY,
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
        details = {"before": {"model": before.pk if before else None}, "after": {"model": wanted.pk}}
        audit.record(
            actor=actor_of(viewer), action="model.switch", object_type="taxonomy", object_id=wanted.taxonomy_id, now=now, details=details
        )
    return wanted


def access_model(model_id: int, viewer: Viewer) -> LearntModel:
    """The model, if its taxonomy is the house's or of one of the viewer's teams."""
    model = LearntModel.objects.select_related("taxonomy__team", "rival").filter(pk=model_id).first()
    if model is None or model.taxonomy_id is None:
        raise NotFound(_("There is no model %(number)s.") % {"number": model_id})
    access_taxonomy(model.taxonomy_id, viewer)
    return model


def count_held_back(scope: str) -> int:
    """How many corrected messages are held back."""
    ids = set(Correction.objects.filter(scope=scope).values_list("message_id", flat=True))
    return sum(map(is_held_back, ids))
