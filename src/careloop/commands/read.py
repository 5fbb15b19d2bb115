"""`careloop read`: every text of a file read; the readings as added columns."""

import os
import sys
from pathlib import Path

import click

from careloop.commands.encoder_option import chosen, encoder_option

FILE = click.Path(path_type=Path, allow_dash=True)


@click.command("read")
@click.argument("file", type=FILE)
@click.option("--text", "text_column", required=True, help="Name of the column that holds the texts.")
@click.option(
    "--out",
    type=FILE,
    default="-",
    show_default=True,
    help="csv, csv.gz, jsonl or parquet by its name; - is standard output as csv.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=None, help="Processes; default: one for each core.")
@click.option("--kind/--no-kind", default=True, show_default=True, help="Add the columns about the kind of contact.")
@click.option(
    "--category", type=click.Path(path_type=Path, file_okay=False), help="Folder of a model made by careloop learn: fill category."
)
@click.option("--top", type=click.IntRange(0, 1_000), default=0, help="Also list so many categories with their probabilities.")
@click.option(
    "--semantic/--no-semantic",
    default=None,
    help="Find categories with the encoder, or forbid it; default: what the model measured as good enough.",
)
@encoder_option
@click.option(
    "--entities", type=click.Path(path_type=Path, file_okay=False), help="Folder of a model of entities: list what it finds, too."
)
@click.option("--aspects", type=click.Path(path_type=Path, file_okay=False), help="Folder of a model of aspects: add the column aspects.")
@click.option(
    "--adapt/--no-adapt",
    default=True,
    show_default=True,
    help="Let sentiment learn the words of the first 8,000 rows, without labels; needs 1,000 texts of a language.",
)
@click.option(
    "--semantic-sentiment/--no-semantic-sentiment",
    default=None,
    help="Let sentiment compare meanings, too: right more often in trades that it has not met, at some 40 texts a second and core; "
    "default: in files of fewer than 1,000 rows.",
)
def read(  # noqa: PLR0913, PLR0917 - one for each option
    file: Path,
    text_column: str,
    out: Path,
    workers: int | None,
    kind: bool,
    category: Path | None,
    top: int,
    semantic: bool | None,
    encoder: str | None,
    entities: Path | None,
    aspects: Path | None,
    adapt: bool,
    semantic_sentiment: bool | None,
) -> None:
    """Read the texts of FILE: language, sentiment, kind, category, keywords, entities, summary as added columns."""
    from careloop.batch.read import Wanted, read_file

    if category is None and top:
        raise click.UsageError("--top speaks of categories: name a model with --category.")
    if category is None and encoder is not None:
        raise click.UsageError("--encoder speaks of categories: name a model with --category.")
    if semantic is False and semantic_sentiment:
        raise click.UsageError("--no-semantic forbids what --semantic-sentiment asks for: leave one of them out.")
    name, key = chosen(encoder, is_semantic=semantic is not False)
    wanted = Wanted(
        kind,
        category,
        top,
        semantic,
        entities=entities,
        aspects=aspects,
        is_adapted=adapt,
        is_sentiment_semantic=semantic_sentiment,
        encoder=name,
        encoder_key=key,
    )
    rows = read_file(
        file,
        text_column=text_column,
        out=out,
        workers=workers or os.cpu_count() or 1,
        progress=sys.stderr.isatty(),
        wanted=wanted,
    )
    click.echo(f"{rows:,} rows were read.", err=True)
