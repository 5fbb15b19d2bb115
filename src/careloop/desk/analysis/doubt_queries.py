"""Doubted labels as their page shows them; scoped to the viewer's teams."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.models import Correction, LabelDoubt, Taxonomy

SHOWN = 100
DECIDED_SHOWN = 20


@dataclass(frozen=True)
class DoubtsPage:
    """What waits for a person, the clearest first, and what was decided, the newest first."""

    total: int
    waiting: list[LabelDoubt]
    decided: list[LabelDoubt]


def list_doubts(taxonomy: Taxonomy, viewer: Viewer) -> DoubtsPage:
    """The doubts about labels of a taxonomy that the viewer was let into: three queries."""
    waiting = _waiting(taxonomy, viewer).select_related("correction__message").order_by("-margin", "pk")
    decided = LabelDoubt.objects.visible_to(viewer).filter(taxonomy=taxonomy).exclude(decision="")
    newest = decided.select_related("correction__message").order_by("-decided_at", "-pk")[:DECIDED_SHOWN]
    return DoubtsPage(waiting.count(), list(waiting[:SHOWN]), list(newest))


def count_doubts(taxonomy: Taxonomy, viewer: Viewer) -> int:
    """How many wait for a person."""
    return _waiting(taxonomy, viewer).count()


def _waiting(taxonomy: Taxonomy, viewer: Viewer) -> QuerySet[LabelDoubt]:
    """Not decided, and the label is still the newest word on its message."""
    of_message = {"message": OuterRef("correction__message"), "task": OuterRef("correction__task")}
    later = Correction.objects.filter(**of_message, pk__gt=OuterRef("correction"))
    return LabelDoubt.objects.visible_to(viewer).filter(taxonomy=taxonomy, decision="").exclude(Exists(later))
