"""Opening a folder that holds a model of categories, whichever way it came to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from careloop.insight.errors import ModelError
from careloop.insight.text.categories.model import CARD, FORMAT, Classifier, load_model


def load_categories(folder: str | Path) -> Classifier:
    """Return the model in a folder: one learnt from labelled texts, or one made of labels' descriptions.

    Raises
    ------
    ModelError
        When there is no model, it is damaged, for another task, or of a format that this version does not read.
    """
    folder = Path(folder)
    card = read_card(folder)
    if card.get("task") != "categories":
        raise ModelError(f"The model in “{folder}” is for {card.get('task', 'something else')}, not for categories; name another folder.")
    if card.get("format") != FORMAT:
        raise ModelError(f"The model in “{folder}” has format {card.get('format')!r}; this version reads format {FORMAT}: learn it again.")
    if card.get("algorithm") == "descriptions":
        from careloop.insight.text.descriptions import load_descriptions

        return load_descriptions(folder, card)
    return load_model(folder, card)


def read_card(folder: str | Path) -> dict[str, Any]:
    """Return the card of the model in a folder.

    Raises
    ------
    ModelError
        When there is none, or it is not JSON.
    """
    path = Path(folder) / CARD
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"There is no model in “{folder}”: it has no {CARD}. Make one with careloop learn.") from error
    except ValueError as error:
        raise ModelError(f"The card of the model in “{folder}” is damaged ({error}); learn the model again.") from error
    return card
