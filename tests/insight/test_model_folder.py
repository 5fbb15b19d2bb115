"""Models come from other machines: what is in their folder is read, never run."""

from pathlib import Path

import numpy as np
import pytest

from careloop.insight.errors import ModelError
from careloop.insight.text.model_folder import read_arrays, read_card, write_model


class Hostile:
    """Writes a file as soon as it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return Path.write_text, (self.path, "run")  # type: ignore[return-value]


def test_objects_among_the_arrays_are_refused_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    np.savez(tmp_path / "model.npz", weights=np.array([Hostile(mark)], dtype=object))
    with pytest.raises(ModelError, match="cannot be read"):
        read_arrays(tmp_path)
    assert not mark.exists()
    with np.load(tmp_path / "model.npz", allow_pickle=True) as stored:
        assert stored["weights"].shape == (1,)
    assert mark.read_text() == "run", "the array was hostile"


def test_an_array_of_objects_is_not_written_either(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_model(tmp_path, {"task": "categories", "format": 1}, {"weights": np.array([object()], dtype=object)})
    assert not (tmp_path / "model.npz").exists()


def test_a_card_of_another_task_or_format_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path, {"task": "categories", "format": 1}, {"weights": np.zeros(2)})
    assert read_card(tmp_path, task="categories", format=1) == {"task": "categories", "format": 1}
    np.testing.assert_array_equal(read_arrays(tmp_path)["weights"], np.zeros(2))
    with pytest.raises(ModelError, match="is for categories, not for aspects"):
        read_card(tmp_path, task="aspects", format=1)
    with pytest.raises(ModelError, match="has format 1; this version reads format 2"):
        read_card(tmp_path, task="categories", format=2)
