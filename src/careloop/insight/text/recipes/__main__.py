"""Command line: `python -m careloop.insight.text.recipes [measure] --data FOLDER`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from careloop.insight.errors import CareloopError
from careloop.insight.text.recipes import learn_background, learn_kind, learn_meaning, learn_sentiment
from careloop.insight.text.recipes.measure import measure
from careloop.insight.text.recipes.sources import Folder
from careloop.insight.text.recipes.store import write_model

_RECIPES = (  # in this order: the kind models use the sentiment found by the models just written
    learn_sentiment.learn_chinese,
    learn_sentiment.learn_english,
    learn_meaning.learn_meaning,
    learn_kind.learn_chinese,
    learn_kind.learn_english,
    learn_background.learn_background,
)
_MODELS = Path(__file__).parent.parent / "models"


def main() -> int:
    """Make the shipped models again, or measure them; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m careloop.insight.text.recipes", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["train", "measure"], default="train")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    chosen = parser.parse_args()
    try:
        if chosen.action == "measure":
            print(json.dumps(measure(chosen.data), ensure_ascii=False, indent=2))
        else:
            train(Folder(chosen.data))
    except CareloopError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def train(folder: Folder) -> None:
    """Write every shipped model, saying on standard error how good each is."""
    for recipe in _RECIPES:
        learnt = recipe(folder)
        path = write_model(learnt, folder=folder, out=_MODELS)
        print(f"{path.name}: {json.dumps(learnt.figures, ensure_ascii=False)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
