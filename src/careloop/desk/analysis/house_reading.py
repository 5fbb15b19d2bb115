"""Kind and sentiment as the house's own live models see them: of new messages, while they are read."""

import logging
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from careloop import insight
from careloop.desk.analysis.categorising import Answered
from careloop.desk.analysis.model_files import open_house_model
from careloop.desk.analysis.models import LearntModel, ModelFiles, Reading, Status, Task
from careloop.insight.errors import ModelError, Sentence

if TYPE_CHECKING:
    from careloop.insight.text.house_models import Task as CoreTask

COLUMNS = {Task.KIND.value: "kind", Task.SENTIMENT.value: "sentiment"}
PREFIX = "house-"
logger = logging.getLogger("careloop.analysis")


def live_house_models() -> dict[str, LearntModel]:
    """The live house models by task, without their files; a task without one is read by the shipped model (one query)."""
    return {one.task: one for one in LearntModel.objects.filter(task__in=COLUMNS, status=Status.LIVE).defer("card", "figures")}


def as_the_house_reads(
    texts: Sequence[str], readings: list[insight.Reading], live: dict[str, LearntModel] | None = None
) -> list[insight.Reading]:
    """What the live house models make of the shipped models' readings; one that cannot be opened is set aside, and its page says so."""
    for model in (live_house_models() if live is None else live).values():
        try:
            house = open_house_model(model)
        except (ModelError, ModelFiles.DoesNotExist, zipfile.BadZipFile) as error:
            _set_aside(model, error)
            continue
        readings = house.apply(texts, readings, version=f"{PREFIX}{model.pk}")
    return readings


def _set_aside(model: LearntModel, error: Exception) -> None:
    """Messages wait for nobody: the shipped model reads until another house model goes live."""
    reason = Sentence(
        "This model could not be opened; the built-in model reads again. What the program said: {what}", what=str(error)[:300]
    )
    LearntModel.objects.filter(pk=model.pk, status=Status.LIVE).update(status=Status.REJECTED, reason=reason.to_json())
    logger.warning("House model %s could not be opened and was set aside: %s", model.pk, error)


def answer_with(task: str, model: LearntModel | None, texts: Sequence[str], readings: Sequence[insight.Reading]) -> list[Answered]:
    """(value, probability, has abstained, ranked) of each text by a house model, or by the shipped one where there is none."""
    from careloop.insight.text.house_models import answer_as_shipped

    answers = answer_as_shipped(core_task(task), readings) if model is None else open_house_model(model).answer(texts, readings)
    return [(one.label.upper(), one.probability, one.abstained, [(name.upper(), p) for name, p in one.ranked]) for one in answers]


def core_task(task: str) -> "CoreTask":
    """The core's name of a task."""
    return "kind" if task == Task.KIND else "sentiment"


def model_id_of(reading: Reading, task: str) -> int | None:
    """The house model that read kind or sentiment; None: a shipped one."""
    name = str(reading.model_versions.get(COLUMNS[task], ""))
    return int(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
