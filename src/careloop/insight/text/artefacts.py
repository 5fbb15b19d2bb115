"""Shipped models: plain NumPy arrays beside a JSON card, read once per process. Nothing in them can execute."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import ModelError
from careloop.insight.text.ngrams import NgramTable

FOLDER = resources.files("careloop.insight.text") / "models"


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model's arrays and its card (settings, data, figures)."""

    name: str
    card: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    @property
    def version(self) -> str:
        """Return the version written in the card."""
        return str(self.card["version"])

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings that reading needs."""
        settings: dict[str, Any] = self.card["settings"]
        return settings

    def table(self) -> NgramTable:
        """Return the dense n-gram table, unpacked from its known buckets."""
        bits = int(self.settings["bits"])
        packed = self.arrays["values"].astype(np.float32)
        values = np.zeros((1 << bits, packed.shape[1]), dtype=np.float32)
        values[self.arrays["buckets"]] = packed
        return NgramTable(tuple(self.settings["orders"]), bits, values)


@cache
def load(name: str) -> Artefact:
    """Return the shipped model of that name.

    Raises
    ------
    ModelError
        When its files are missing or damaged.
    """
    try:
        card = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        with (FOLDER / f"{name}.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        return Artefact(name, card, arrays)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"The shipped model “{name}” cannot be read ({error}); install careloop again.") from error
