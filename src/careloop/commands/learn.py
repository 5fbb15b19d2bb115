"""`careloop learn`: a model of the house's own categories, from labelled rows or from descriptions of the labels."""

import json
import sys
from pathlib import Path
from typing import Any

import click

FILE = click.Path(path_type=Path, allow_dash=True)
PRINTED = ("algorithm", "rows", "labels", "accuracy", "macro_f1", "expected_calibration_error", "per_label", "threshold_table")


@click.command("learn")
@click.argument("file", type=FILE, required=False)
@click.option("--text", "text_column", help="Name of the column that holds the texts.")
@click.option("--label", "label_column", required=True, help="Name of the column that holds the labels.")
@click.option("--model", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write the model into.")
@click.option("--labels", "labels_file", type=FILE, help="File of all labels, with an optional column description; enough without FILE.")
@click.option(
    "--algorithm",
    type=click.Choice(["auto", "svm", "logistic", "ridge", "tree", "forest"]),
    default="auto",
    show_default=True,
    help="auto takes the one that is best in cross-validation.",
)
@click.option("--semantic/--no-semantic", default=True, show_default=True, help="Learn from meanings as well as words.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def learn(  # noqa: PLR0913, PLR0917 - one for each option
    file: Path | None,
    text_column: str | None,
    label_column: str,
    folder: Path,
    labels_file: Path | None,
    algorithm: str,
    semantic: bool,
    as_json: bool,
) -> None:
    """Learn categories from the labelled rows of FILE and report how good the model is on rows it was not trained on.

    Without FILE, the model knows only the names and descriptions in the file of --labels.
    """
    from careloop.batch.learn import Task, learn_file

    if file is None and labels_file is None:
        raise click.UsageError("Give FILE with labelled rows, or --labels with the names of the categories, or both.")
    if file is not None and text_column is None:
        raise click.UsageError("Name the column of the texts with --text.")
    task = Task(text_column or "", label_column, labels_file, algorithm, semantic)
    model = learn_file(file, task, progress=sys.stderr.isatty())
    model.save(folder)
    card = model.card | {"labels": list(model.labels)}
    click.echo(json.dumps(_report(card), ensure_ascii=False) if as_json else _say(card, folder))


def _report(card: dict[str, Any]) -> dict[str, Any]:
    """Return the contract's figures first; a model made of descriptions has no tested ones."""
    return {name: card.get(name) for name in PRINTED} | {name: value for name, value in card.items() if name not in PRINTED}


def _say(card: dict[str, Any], folder: Path) -> str:
    lines = [f"A model of {len(card['labels'])} labels ({card['algorithm']}) is in {folder}."]
    if card.get("accuracy") is None:
        return "\n".join([*lines, "It learnt from names and descriptions only, so there are no rows to test it on."])
    low, high = card["accuracy_interval"]
    lines += [
        f"Tested on {card['tested_rows']:,} rows that it had not seen, of {card['rows']:,}:",
        f"  accuracy {card['accuracy']:.3f} (95 % interval {low:.3f}–{high:.3f}), macro-F1 {card['macro_f1']:.3f},"
        f" calibration error {card['expected_calibration_error']:.3f}",
        "  answering only when the probability is at least …",
    ]
    for row in card["threshold_table"]:
        accuracy = "–" if row["accuracy"] is None else f"{row['accuracy']:.3f}"
        lines.append(f"  {row['threshold']:5.2f}: accuracy {accuracy}, {row['answered']:.1%} answered")
    return "\n".join(lines)
