"""The folder that a learnt model is kept in: card.json says what it is, model.npz holds its arrays. Nothing in them can execute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import ModelError

CARD, ARRAYS = "card.json", "model.npz"


def write_model(folder: str | Path, card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write card and arrays into a folder, made when it is not there; each file replaces the one that is there in one step.

    The card needs “task” and “format”, by which `read_card` knows it again.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{ARRAYS}.part").open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    (folder / f"{CARD}.part").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for name in (ARRAYS, CARD):
        (folder / f"{name}.part").replace(folder / name)


def read_card(folder: str | Path, *, task: str, format: int) -> dict[str, Any]:
    """Return the card of the model in a folder.

    Raises
    ------
    ModelError
        When there is none, it is not JSON, is of a model for another task, or of a format that this version does not read.
    """
    folder = Path(folder)
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"There is no model in “{folder}”: it has no {CARD}. Make one with careloop learn.") from error
    except ValueError as error:
        raise ModelError(f"The card of the model in “{folder}” is damaged ({error}); learn the model again.") from error
    if card.get("task") != task:
        raise ModelError(f"The model in “{folder}” is for {card.get('task', 'something else')}, not for {task}; name another folder.")
    if card.get("format") != format:
        raise ModelError(f"The model in “{folder}” has format {card.get('format')!r}; this version reads format {format}: learn it again.")
    return card


def read_arrays(folder: str | Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of the model in a folder.

    Raises
    ------
    ModelError
        When they are missing or damaged.
    """
    try:
        with (Path(folder) / ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ModelError(f"The arrays of the model in “{folder}” cannot be read ({error}); learn the model again.") from error
