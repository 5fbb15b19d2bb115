"""What the case page offers to correct on one message."""

from dataclasses import dataclass, field

from careloop.desk.analysis.corrections import newest_corrections
from careloop.desk.analysis.models import Category, CategoryReading, Correction, Task
from careloop.desk.analysis.taxonomy_queries import list_leaves, taxonomies_of
from careloop.desk.cases.models import Message


@dataclass(frozen=True)
class Correctable:
    """The newest corrections of a message by task; and of the message that tells the category, what the model said of it."""

    message_id: int
    corrections: dict[str, Correction] = field(default_factory=dict)
    category_message_id: int = 0
    said: CategoryReading | None = None
    categories: list[Category] = field(default_factory=list)


def correctable(shown: Message, inbound: list[Message], *, is_chosen: bool) -> Correctable:
    """What can be said of a message of the customer's that the viewer was let into: four queries, three where there are no categories.

    The category is that of the chosen message; without a choice, of the one from which the case has it, for a later “any news?” tells none.
    """
    ids = [one.pk for one in inbound]
    words = newest_corrections(ids)
    said = {one.message_id: one for one in CategoryReading.objects.filter(message_id__in=ids)}
    telling = shown.pk if is_chosen else _telling(ids, words, said)
    corrections = {task: one for (message_id, task), one in words.items() if message_id == (telling if task == Task.CATEGORY else shown.pk)}
    taxonomy = taxonomies_of([shown.team_id]).get(shown.team_id)
    return Correctable(shown.pk, corrections, telling, said.get(telling), list_leaves(taxonomy) if taxonomy else [])


def _telling(ids: list[int], words: dict[tuple[int, str], Correction], said: dict[int, CategoryReading]) -> int:
    spoken = [one for (_message_id, task), one in words.items() if task == Task.CATEGORY]
    if spoken:
        return max(spoken, key=lambda one: one.pk).message_id
    return next((pk for pk in ids if pk in said and not said[pk].has_abstained), ids[0])
