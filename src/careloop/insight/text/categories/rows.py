"""Checking labelled texts before anything is learnt from them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Texts with labels, ready to learn from.

    Attributes
    ----------
    texts : list of str, length n_rows
    classes : ndarray of int64, shape (n_rows,)
        Place of each row's label in `labels`.
    labels : tuple of str
        Sorted.
    numbers : ndarray of int64, shape (n_rows,)
        Row of each text as it was given, the first being 0.
    unlabelled : list of str
        Texts of the rows that have no label.
    n_without_text, n_without_label : int
        Rows left out.
    """

    texts: list[str]
    classes: NDArray[np.int64]
    labels: tuple[str, ...]
    numbers: NDArray[np.int64]
    unlabelled: list[str]
    n_without_text: int
    n_without_label: int

    def name_labels(self, descriptions: Mapping[str, str]) -> list[str]:
        """Return each label in words: its name without underscores, and its description if there is one."""
        return [f"{name.replace('_', ' ')} {descriptions.get(name) or ''}".strip() for name in self.labels]

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of texts and labels in order, in hexadecimal."""
        digest = hashlib.sha256()
        for text, place in zip(self.texts, self.classes.tolist(), strict=True):
            digest.update(f"{text}\0{self.labels[place]}\1".encode("utf-8", "replace"))
        return digest.hexdigest()

    def list_rare(self) -> list[str]:
        """Return the labels that one row alone has: they are learnt, but cannot be tested."""
        return [self.labels[place] for place in np.flatnonzero(np.bincount(self.classes, minlength=len(self.labels)) == 1)]


def check_rows(texts: Sequence[str], labels: Sequence[str]) -> LabelledRows:
    """Return the rows that have a text and a label; labels lose the blanks around them.

    Raises
    ------
    InputError
        When the lengths differ, or fewer than two rows or two labels are left.
    """
    if len(texts) != len(labels):
        raise InputError(f"There are {len(texts)} texts and {len(labels)} labels; give one label for each text.", field="labels")
    names = ["" if label is None else str(label).strip() for label in labels]
    given = ["" if text is None else str(text) for text in texts]
    kept = [row for row, (text, name) in enumerate(zip(given, names, strict=True)) if text.strip() and name]
    n_without_label = sum(not name for name in names)
    if len(kept) < 2:
        raise InputError(f"Of {len(texts)} rows {len(kept)} have both a text and a label; at least 2 are needed.", field="labels")
    present = tuple(sorted({names[row] for row in kept}))
    if len(present) < 2:
        raise InputError(
            f"All {len(kept)} rows have the same label, “{present[0]}”; a model needs at least two labels to tell apart.", field="labels"
        )
    if Counter(names[row] for row in kept).most_common(1)[0][1] < 2:
        raise InputError(
            "Every label stands in one row only, so nothing could be tested; give at least two rows of some label.", field="labels"
        )
    places = {name: place for place, name in enumerate(present)}
    return LabelledRows(
        texts=[given[row] for row in kept],
        classes=np.array([places[names[row]] for row in kept], dtype=np.int64),
        labels=present,
        numbers=np.array(kept, dtype=np.int64),
        unlabelled=[text for text, name in zip(given, names, strict=True) if text.strip() and not name],
        n_without_text=len(texts) - len(kept) - n_without_label,
        n_without_label=n_without_label,
    )


def fold_rows(classes: NDArray[np.int64], n_folds: int, *, seed: int) -> NDArray[np.int64]:
    """Return the fold of every row, each label spread evenly; rows of a label that has no other row are in no fold (−1)."""
    generator = np.random.default_rng(seed)
    folds = np.full(len(classes), -1, dtype=np.int64)
    offset = 0
    for place in np.unique(classes):
        rows = generator.permutation(np.flatnonzero(classes == place))
        if len(rows) > 1:
            folds[rows] = (np.arange(len(rows)) + offset) % n_folds
            offset += len(rows)
    return folds
