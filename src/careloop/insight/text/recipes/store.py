"""Writing what was learnt: arrays as .npz (byte-identical on every run) and a card as .json."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.recipes.sources import Folder

VERSION = "2"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every member, so that two runs give the same bytes


@dataclass(frozen=True, slots=True)
class Learnt:
    """A model fresh from its recipe.

    Attributes
    ----------
    name : str
    arrays : dict of str to ndarray
    settings : dict
        What reading needs beside the arrays.
    sources : list of str
        Names in `sources.SHIPPABLE`.
    figures : dict
        Quality on rows not fitted on.
    also : tuple of str
        Other things learnt from, with their licences.
    version : str
        Raised whenever the model answers otherwise than before; readings keep it.
    """

    name: str
    arrays: dict[str, NDArray[Any]]
    settings: dict[str, Any]
    sources: list[str]
    figures: dict[str, Any]
    also: tuple[str, ...] = ()
    version: str = VERSION


def write_model(learnt: Learnt, *, folder: Folder, out: Path) -> Path:
    """Write NAME.npz and NAME.json into `out`; return the first path."""
    card = {
        "name": learnt.name,
        "version": learnt.version,
        "made_by": "python -m careloop.insight.text.recipes",
        "learnt_from": folder.describe(learnt.sources),
        "also_from": ["phrases written for Careloop (Apache-2.0)", *learnt.also],
        "figures": learnt.figures,
        "settings": learnt.settings,
    }
    text = json.dumps(card, ensure_ascii=False, indent=2, sort_keys=True)
    (out / f"{learnt.name}.json").write_text(text + "\n", encoding="utf-8")
    path = out / f"{learnt.name}.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in sorted(learnt.arrays.items()):
            raw = io.BytesIO()
            np.save(raw, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), raw.getvalue(), zipfile.ZIP_DEFLATED)
    return path
