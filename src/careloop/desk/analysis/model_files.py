"""Models of the core in and out of the database, so that every worker of every machine reads with the same one."""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from careloop.desk.analysis.models import LearntModel, ModelFiles, Task

if TYPE_CHECKING:
    from careloop.insight.text.categories import Classifier
    from careloop.insight.text.house_models import HouseModel

KEPT_OPEN = 6  # models in a worker's memory


class Saved(Protocol):
    """A model of the core that keeps itself in a folder."""

    def save(self, folder: str | Path) -> None:
        """Write it."""


def pack(model: Saved) -> bytes:
    """The files that a model saves, as one archive."""
    with tempfile.TemporaryDirectory(prefix="careloop-model-") as folder:
        model.save(folder)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(Path(folder).iterdir()):
                file.write(path, path.name)
    return archive.getvalue()


@contextmanager
def unpacked(archive: bytes) -> Iterator[str]:
    """A folder with the files of an archive, for as long as it takes to load them."""
    with tempfile.TemporaryDirectory(prefix="careloop-model-") as folder:
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            for name in file.namelist():
                (Path(folder) / Path(name).name).write_bytes(file.read(name))
        yield folder


def open_model(model: LearntModel) -> "Classifier":
    """The core's model of categories of a row; a row's files never change once they are there, so an open one stays right."""
    classifier: Classifier = _open(model.pk, model.fingerprint, model.task)
    return classifier


def open_house_model(model: LearntModel) -> "HouseModel":
    """The core's house model of a row, of kind or sentiment."""
    house: HouseModel = _open(model.pk, model.fingerprint, model.task)
    return house


@lru_cache(maxsize=KEPT_OPEN)
def _open(model_id: int, _fingerprint: str, task: str) -> Any:
    archive = ModelFiles.objects.values_list("archive", flat=True).get(model_id=model_id)
    with unpacked(bytes(archive or b"")) as folder:
        if task == Task.CATEGORY:
            from careloop.insight.text.categories import load_categories

            return load_categories(folder)
        from careloop.insight.text.house_models import load_house_model

        return load_house_model(folder, "kind" if task == Task.KIND else "sentiment")
