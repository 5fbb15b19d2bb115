"""`careloop learn`: a model of the house's own categories, entities or aspects, from labelled rows or descriptions of the labels."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from careloop.commands.encoder_option import chosen, encoder_option

FILE = click.Path(path_type=Path, allow_dash=True)
PRINTED = ("algorithm", "rows", "labels", "accuracy", "macro_f1", "expected_calibration_error", "per_label", "threshold_table")


@click.command("learn")
@click.argument("file", type=FILE, required=False)
@click.option("--text", "text_column", help="Name of the column that holds the texts.")
@click.option("--label", "label_column", help="Name of the column that holds the labels: categories, or with --task aspects the aspects.")
@click.option("--model", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write the model into.")
@click.option("--labels", "labels_file", type=FILE, help="File of all labels, with an optional column description; enough without FILE.")
@click.option(
    "--algorithm",
    type=click.Choice(["auto", "svm", "logistic", "ridge", "tree", "forest"]),
    default="auto",
    show_default=True,
    help="auto takes the one that is best in cross-validation.",
)
@click.option(
    "--task",
    type=click.Choice(["categories", "entities", "aspects"]),
    default="categories",
    show_default=True,
    help="What to learn; entities come from annotated JSON lines and need no columns.",
)
@click.option("--polarity", "polarity_column", help="With --task aspects: name of the column that holds the opinion of each row.")
@click.option("--semantic/--no-semantic", default=True, show_default=True, help="Learn from meanings as well as words.")
@encoder_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def learn(  # noqa: PLR0913, PLR0917 - one for each option
    file: Path | None,
    text_column: str | None,
    label_column: str | None,
    folder: Path,
    labels_file: Path | None,
    algorithm: str,
    task: str,
    polarity_column: str | None,
    semantic: bool,
    encoder: str | None,
    as_json: bool,
) -> None:
    """Learn from the labelled rows of FILE and report how good the model is on rows it was not trained on.

    Without FILE, a model of categories knows only the names and descriptions in the file of --labels.
    """
    from careloop.batch.learn import Task, learn_aspects_of_file, learn_entities_of_file, learn_file

    if file is None and (labels_file is None or task != "categories"):
        raise click.UsageError("Give FILE with labelled rows, or --labels with the names of the categories, or both.")
    if task != "entities" and label_column is None:
        raise click.UsageError("Name the column of the labels with --label.")
    if task != "entities" and file is not None and text_column is None:
        raise click.UsageError("Name the column of the texts with --text.")
    if encoder is not None and task != "categories":
        raise click.UsageError(f"--encoder compares meanings of categories; with --task {task} leave it out.")
    name, key = chosen(encoder, is_semantic=semantic)
    asked = Task(text_column or "", label_column or "", labels_file, algorithm, name if semantic else None, key)
    if task == "categories":
        model = learn_file(file, asked, progress=sys.stderr.isatty())
        model.save(folder)
        card = model.card | {"labels": list(model.labels)}
        click.echo(json.dumps(_report(card), ensure_ascii=False) if as_json else _say(card, folder))
    elif file is not None:
        found, report = learn_entities_of_file(file) if task == "entities" else learn_aspects_of_file(file, asked, polarity_column)
        found.save(folder)
        click.echo(json.dumps(report, ensure_ascii=False, indent=None if as_json else 1))


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
