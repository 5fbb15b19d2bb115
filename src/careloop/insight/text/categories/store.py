"""Opening a folder that holds a model of categories, whichever way it came to be."""

from __future__ import annotations

from pathlib import Path

from careloop.insight.text.categories.model import FORMAT, Classifier, load_model
from careloop.insight.text.model_folder import read_card


def load_categories(folder: str | Path) -> Classifier:
    """Return the model in a folder: one learnt from labelled texts, or one made of labels' descriptions.

    Raises
    ------
    ModelError
        When there is no model, it is damaged, for another task, or of a format that this version does not read.
    """
    folder = Path(folder)
    card = read_card(folder, task="categories", format=FORMAT)
    if card.get("algorithm") == "descriptions":
        from careloop.insight.text.descriptions import load_descriptions

        return load_descriptions(folder, card)
    return load_model(folder, card)
