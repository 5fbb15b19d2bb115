"""Models as screens show them: their card, figures and history; no model is opened here."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.models import Correction, LearntModel, ModelFiles, Status
from careloop.desk.analysis.rules import LEAST_HELD_BACK, LEAST_HELD_BACK_OF_HOUSE, LEAST_OF_HOUSE, RETRAIN_AFTER
from careloop.desk.analysis.switching import access_model
from careloop.desk.cases.models import Message

HISTORY = 30
ANSWERS_SHOWN = 200
HOUSE_LEAST = {"least_held_back": LEAST_HELD_BACK_OF_HOUSE, "least_corrected": LEAST_OF_HOUSE, "retrain_after": LEAST_OF_HOUSE}


@dataclass(frozen=True)
class ScopeState:
    """What there is to learn from and what is live; `models` are newest first, without cards."""

    corrected: int
    held_back: int
    fresh: int
    models: list[LearntModel]
    least_held_back: int = LEAST_HELD_BACK
    least_corrected: int = 0
    retrain_after: int = RETRAIN_AFTER

    @property
    def live(self) -> LearntModel | None:
        """The model that reads now."""
        return next((one for one in self.models if one.status == Status.LIVE), None)

    @property
    def training(self) -> LearntModel | None:
        """The candidate that learns now."""
        return next((one for one in self.models if one.status == Status.CANDIDATE), None)

    @property
    def can_train(self) -> bool:
        """Whether a training could be judged, and none is under way."""
        return self.training is None and self.held_back >= self.least_held_back and self.corrected >= self.least_corrected


@dataclass(frozen=True)
class Answer:
    """One held-back message: what people and the model said of it; the text only where the viewer may see it."""

    message: Message
    given: str
    said: str
    probability: float


@dataclass(frozen=True)
class AnswersPage:
    """Held-back messages of a choice: `total` in all, `hidden` of other teams, the newest shown."""

    total: int
    hidden: int
    answers: list[Answer] = field(default_factory=list)


def state_of(scope: str) -> ScopeState:
    """Corrections and models of a scope that the viewer was let into: two queries."""
    models = list(LearntModel.objects.filter(scope=scope).defer("card", "codes", "rival_figures").order_by("-pk")[:HISTORY])
    if not any(one.status == Status.LIVE for one in models):  # it may be older than the newest thirty
        models += LearntModel.objects.filter(scope=scope, status=Status.LIVE).defer("card", "codes", "rival_figures")
    last = max((one.last_correction_id for one in models), default=0)
    counts = Correction.objects.filter(scope=scope).aggregate(
        corrected=Count("message", distinct=True),
        held_back=Count("message", distinct=True, filter=Q(is_held_back=True)),
        fresh=Count("message", distinct=True, filter=Q(pk__gt=last)),
    )
    least = {} if scope.startswith("taxonomy:") else HOUSE_LEAST
    return ScopeState(models=models, **counts, **least)


@dataclass(frozen=True)
class ModelPage:
    """A model and the others of its scope."""

    model: LearntModel
    state: ScopeState


def model_page(model_id: int, viewer: Viewer) -> ModelPage:
    """One model in the viewer's sight, with the history of its scope."""
    model = access_model(model_id, viewer)
    return ModelPage(model, state_of(model.scope))


def list_answers(model_id: int, viewer: Viewer, *, given: str = "", said: str = "", low: float = 0.0, high: float = 1.0) -> AnswersPage:
    """The held-back messages that a figure of a model counts, newest first: three queries."""
    access_model(model_id, viewer)
    stored: list[list[Any]] = ModelFiles.objects.values_list("answers", flat=True).filter(model_id=model_id).first() or []
    chosen = [
        row
        for row in stored
        if (not given or row[1] == given) and (not said or row[2] == said) and low <= row[3] and (row[3] < high or high >= 1)
    ]
    by_id = {row[0]: row for row in chosen}
    seen = {one.pk: one for one in Message.objects.visible_to(viewer).select_related("case", "customer").filter(pk__in=list(by_id)[-5000:])}
    shown = sorted(seen, reverse=True)[:ANSWERS_SHOWN]
    return AnswersPage(len(chosen), len(chosen) - len(seen), [Answer(seen[pk], *by_id[pk][1:]) for pk in shown])
