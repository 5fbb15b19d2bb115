"""What the case page offers to correct on one message."""

from dataclasses import dataclass, field

from careloop.desk.analysis.corrections import newest_corrections
from careloop.desk.analysis.models import Category, CategoryReading, Correction, Task
from careloop.desk.analysis.taxonomy_queries import list_leaves, taxonomies_of
from careloop.desk.cases.models import Message


@dataclass(frozen=True)
class Correctable:
    """A message's newest corrections by task, what the model of categories said of it, and the categories that it may have."""

    message_id: int
    corrections: dict[str, Correction] = field(default_factory=dict)
    said: CategoryReading | None = None
    categories: list[Category] = field(default_factory=list)


def correctable(message: Message) -> Correctable:
    """For a message that the viewer was let into: four queries, three where there are no categories."""
    corrections = {task: one for (_message, task), one in newest_corrections([message.pk]).items()}
    taxonomy = taxonomies_of([message.team_id]).get(message.team_id)
    said = CategoryReading.objects.filter(message=message).first()
    return Correctable(message.pk, corrections, said, list_leaves(taxonomy) if taxonomy else [])


TASKS = tuple(Task.values)
