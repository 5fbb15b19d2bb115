"""`careloop similar`: find the texts of a file that are most like a text or like the texts of another file."""

import json
import sys
from pathlib import Path

import click

from careloop.commands.encoder_option import chosen, encoder_option

FILE = click.Path(path_type=Path, allow_dash=True)


@click.command("similar")
@click.argument("file", type=FILE)
@click.option("--text", "text_column", required=True, help="Name of the column that holds the texts, in FILE and in the file of queries.")
@click.option("--query", help="One text to find similar ones of.")
@click.option("--queries", type=FILE, help="File of texts to find similar ones of; when it is FILE itself, no row finds itself.")
@click.option("--top", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Most rows for a query.")
@click.option("--out", type=FILE, help="csv, csv.gz, jsonl or parquet by its name; - is standard output as csv.  [default: -]")
@click.option("--semantic/--no-semantic", default=True, show_default=True, help="Compare meanings as well as words.")
@encoder_option
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON, with the texts.")
def similar(  # noqa: PLR0913, PLR0917 - one for each option
    file: Path,
    text_column: str,
    query: str | None,
    queries: Path | None,
    top: int,
    out: Path | None,
    semantic: bool,
    encoder: str | None,
    as_json: bool,
) -> None:
    """Find the rows of FILE that are most like each query, by words and by meaning.

    The result has the columns query_row, found_row, score (0–1) and rank; rows count from 0, rank 0 is the best. A query without letters
    and digits finds nothing.
    """
    from careloop.batch.similar import search_file, write_search
    from careloop.insight.text.encoder_choice import choose_encoder

    if (query is None) == (queries is None):
        raise click.UsageError("Give either --query TEXT or --queries FILE.")
    asked = queries if queries is not None else [query or ""]
    name, key = chosen(encoder, is_semantic=semantic)
    meaning = choose_encoder(name, key=key) if semantic else None
    search = search_file(file, text_column=text_column, queries=asked, top=top, encoder=meaning, progress=sys.stderr.isatty())
    if as_json:
        click.echo(json.dumps(search.to_json(), ensure_ascii=False))
    if out is not None or not as_json:
        write_search(search, out or "-")
